"""Risk of an event with death competing: Aalen and Johansen 1978, from whole numbers of people.

People come under observation (at once, or later: delayed entry), and leave it by the event, by death
or because observation ends. With S(t-) the share still alive without the event just before t, n(t)
the people under observation, d(t) the events and D(t) all events and deaths:

1. F(t) = sum over times u <= t of S(u-) d(u) / n(u);  S(t) = product of 1 - D(u) / n(u)
2. variance of F by the delta method (Gaynor et al. 1993); where observation ends for nobody before
   t, F is the share of people and 2. its binomial variance
3. interval: Wilson's, for the number of people whose share would have this variance; without any
   event, for the number that 2. tends to as events become rare, integral of S / integral of S^2 / n
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cohortsim.uncertainty import wilson_limits

Whole = NDArray[np.int64]
Floats = NDArray[np.float64]
CENSORED, EVENT, DEATH = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Observed:
    """People of one stratum: groups with the same entry, exit and reason of leaving.

    entry, exit: minutes on the scale of time; cause: 0 observation ended, 1 event, 2 death.
    """

    entry: Whole
    exit: Whole
    cause: Whole
    people: Whole


@dataclass(frozen=True, slots=True)
class Risk:
    """Risk until a time: counts are up to that time, shares are from 0 to 1.

    share, low and high are None where nobody was observed for so long, and so is without.
    """

    people: int
    at_risk: int
    events: int
    deaths: int
    share: float | None
    low: float | None
    high: float | None
    without: float | None


@dataclass(frozen=True, slots=True)
class _Curve:
    """F and S after each time of an event or a death, and the sums that its variance is made of."""

    times: Whole
    risk: Floats
    alive: Floats
    sums: tuple[Floats, ...]

    def place(self, time: int) -> int:
        """Return the place of the last time up to this one; -1: there is none."""
        return int(np.searchsorted(self.times, time, side="right")) - 1

    def variance(self, place: int) -> float:
        """Return the variance of F by the delta method."""
        f = self.risk[place]
        g, fg, ffg, h, k, fk = (float(each[place]) for each in self.sums)
        return float(f * f * g - 2 * f * fg + ffg + h - 2 * (f * k - fk))


def risks(seen: Observed, start: int, until: Sequence[int], longest_gap: int) -> list[Risk]:
    """Return the risk from `start` until each of these times (minutes).

    longest_gap: minutes for which nobody may be under observation; after a longer gap the risk is
    not known. Without delayed entry there are no gaps.
    """
    curve = _curve(seen)
    known_until = _known_until(seen, start, curve, longest_gap)
    return [_risk(seen, start, time, curve, time <= known_until) for time in until]


def _curve(seen: Observed) -> _Curve:
    times = np.unique(seen.exit[seen.cause != CENSORED])
    events, deaths = (_count(seen, cause, times) for cause in (EVENT, DEATH))
    leave = events + deaths
    n = _came(seen, times) - _left_before(seen, times)
    alive = np.asarray(np.cumprod(1.0 - leave / n), dtype=np.float64)
    before = np.concatenate(([1.0], alive[:-1]))
    risk = np.minimum(np.asarray(np.cumsum(before * events / n), dtype=np.float64), 1.0)
    stay = np.maximum(n - leave, 1)  # where nobody stays, nothing is added later
    g = leave / (n * stay.astype(np.float64))
    h = before * before * events * (n - events) / n.astype(np.float64) ** 3
    k = before * events / n.astype(np.float64) ** 2
    parts: list[Floats] = [g, risk * g, risk * risk * g, h, k, risk * k]
    sums = tuple(np.cumsum(each) for each in parts)
    return _Curve(times, risk, alive, sums)


def _count(seen: Observed, cause: int, times: Whole) -> Whole:
    which = seen.cause == cause
    counts = np.zeros(len(times), dtype=np.int64)
    np.add.at(counts, np.searchsorted(times, seen.exit[which]), seen.people[which])
    return counts


def _came(seen: Observed, times: Whole) -> Whole:
    """Return how many have come under observation up to each time, this one included."""
    return _summed(seen.entry, seen.people, times, "right")


def _left_before(seen: Observed, times: Whole) -> Whole:
    return _summed(seen.exit, seen.people, times, "left")


def _summed(at: Whole, people: Whole, times: Whole, side: Literal["left", "right"]) -> Whole:
    order = np.argsort(at, kind="stable")
    total = np.concatenate(([0], np.cumsum(people[order])))
    found: Whole = total[np.searchsorted(at[order], times, side=side)]
    return found


def _known_until(seen: Observed, start: int, curve: _Curve, longest_gap: int) -> float:
    """Return the time until which the risk is known; infinite if nobody is left to be observed."""
    order = np.argsort(seen.entry, kind="stable")
    entries = seen.entry[order]
    covered = np.maximum.accumulate(np.concatenate(([start], seen.exit[order])))
    gaps = np.flatnonzero(entries - covered[:-1] > longest_gap)
    if gaps.size:
        return float(covered[gaps[0]])
    nobody = curve.times[curve.alive == 0.0]
    if not nobody.size:
        return float(seen.exit.max())
    # a few who all leave before others come would make certain what is not known
    return float(nobody[0]) - 1 if entries[-1] > nobody[0] else math.inf


def _risk(seen: Observed, start: int, time: int, curve: _Curve, known: bool) -> Risk:
    place = curve.place(time)
    now = np.array([time], dtype=np.int64)
    gone = int(seen.people[(seen.exit == time) & (seen.cause != CENSORED)].sum())
    at_risk = int(_came(seen, now)[0] - _left_before(seen, now)[0]) - gone
    here = seen.exit <= time
    events, deaths = (int(seen.people[here & (seen.cause == c)].sum()) for c in (EVENT, DEATH))
    people = int(seen.people.sum())
    if not known:
        return Risk(people, at_risk, events, deaths, None, None, None, None)
    share = float(curve.risk[place]) if place >= 0 else 0.0
    without = float(curve.alive[place]) if place >= 0 else 1.0
    if events:
        variance = curve.variance(place)
        alike = share * (1.0 - share) / variance if variance > 0 else float(events)
    else:
        alike = _people_without_events(seen, start, time, curve)
    low, high = wilson_limits(share, alike)
    return Risk(people, at_risk, events, deaths, share, low, high, without)


def _people_without_events(seen: Observed, start: int, time: int, curve: _Curve) -> float:
    """Return the number of people that equation 3 takes where nothing happened."""
    edges = np.unique(np.concatenate((seen.entry, seen.exit, curve.times, [start, time])))
    edges = edges[(edges >= start) & (edges <= time)]
    since, lengths = edges[:-1], np.diff(edges)
    n = _came(seen, since) - _summed(seen.exit, seen.people, since, "right")
    places = np.searchsorted(curve.times, since, side="right")
    alive = np.concatenate(([1.0], curve.alive))[places]
    there = n > 0
    square = float(np.sum((alive**2 * lengths)[there] / n[there]))
    return float(np.sum((alive * lengths)[there])) / square if square > 0 else 0.0

"""Fractures after a first one in follow-up: against the population, by age and sex, cumulative."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from cohortsim.validation.compare import NotThereError
from cohortsim.validation.outcomes.gradients import by_cell, last_term
from cohortsim.validation.outcomes.lives import Flags, Lives
from cohortsim.validation.outcomes.regression import poisson
from cohortsim.validation.outcomes.sums import Array, Index, Sums, counted, ratio
from cohortsim.validation.outcomes.targets import OLDEST, Outcome

if TYPE_CHECKING:
    from cohortsim.validation.outcomes.observed import Observed

HALF = 0.5  # years to both sides of the time after a first fracture
BAND = 5  # years of age
BANDS = OLDEST // BAND + 1


def against_population(outcome: Outcome, seen: Observed) -> Sums:
    """Rate some years after a first fracture against the population's of the same age and sex.

    Observed over expected: expected from the rate of all fractures of these sites in everybody, by
    sex and five years of attained age.
    """
    lives = seen.lives(outcome)
    years = _years(outcome)
    who, first, second, start, stop = _after(outcome, lives, years - HALF, years + HALF)
    middle = lives.age + (start + stop) / 2
    band = _band(middle)
    index = (lives.group[who], lives.sex[who], band[who])
    hit = ((second >= start) & (second < stop)).astype(np.float64)
    shape = (2, BANDS)
    observed = counted(lives.groups, shape, *index, weights=hit[who])
    time = counted(lives.groups, shape, *index, weights=np.maximum(stop - start, 0)[who])
    events, lived = _population(lives, outcome)
    del first

    def make(total: Array) -> float:
        seen_, time_, events_, lived_ = total
        there = (time_ > 0) & (lived_ > 0)
        expected = float((time_[there] * events_[there] / lived_[there]).sum())
        return ratio(float(seen_[there].sum()), expected)

    return Sums(np.stack([observed, time, events, lived], axis=1), lives.people(who), make)


def per_year_of_age(outcome: Outcome, seen: Observed) -> Sums:
    """Rate ratio of a next fracture per year of age at the first, adjusted for sex."""
    return _regressed(outcome, seen, 2)


def women_to_men_after(outcome: Outcome, seen: Observed) -> Sums:
    """Rate ratio of a next fracture of women against men, adjusted for age at the first."""
    return _regressed(outcome, seen, 1)


def next_within(outcome: Outcome, seen: Observed) -> Sums:
    """Percent with a second fracture within some years of the first; the dead have none.

    Of first fractures that are followed for so long.
    """
    lives = seen.lives(outcome)
    years = _years(outcome)
    who, first, second, _, _ = _after(outcome, lives, 0.0, years)
    who = who & (first <= lives.years - years)
    hit = who & (second < first + years)
    sums = np.stack([lives.people(hit), lives.people(who)], axis=1)
    return Sums(sums, sums[:, 1], lambda total: 100 * ratio(total[0], total[1]))


def prior_at_landmark(outcome: Outcome, seen: Observed) -> Sums:
    """Rate ratio of a fracture after half of the follow-up, by a fracture of `factor` before it."""
    lives = seen.lives(outcome)
    landmark = seen.years / 2
    who = lives.chosen(outcome) & (lives.exit > landmark)
    before = (lives.first(outcome.factor) < landmark).astype(np.int64)
    people, when = lives.all(outcome.site)
    late = when >= landmark
    after = np.full(lives.count, np.inf)
    np.minimum.at(after, people[late], when[late])
    end = np.minimum(lives.exit, after)
    cells = by_cell(lives, who, before, None, 2, after <= lives.exit, end - landmark)
    return last_term(cells, 2, density=False)


def _regressed(outcome: Outcome, seen: Observed, term: int) -> Sums:
    lives = seen.lives(outcome)
    who, first, second, start, stop = _after(outcome, lives, 0.0, _years(outcome))
    with np.errstate(invalid="ignore"):
        age = np.where(np.isfinite(first), lives.age + first, 0.0)
    place = np.clip(age.astype(np.int64), 0, OLDEST - 1)
    end = np.minimum(second, stop)
    index = (lives.group[who], lives.sex[who], place[who])
    hit = (second < stop).astype(np.float64)
    shape = (2, OLDEST)
    sums = np.stack(
        [counted(lives.groups, shape, *index, weights=w[who]) for w in (hit, end - start)], axis=1
    )
    sex, ages = (
        a.ravel().astype(float) for a in np.meshgrid(*map(np.arange, shape), indexing="ij")
    )
    x = np.stack([np.ones_like(sex), 1 - sex, (ages - 70) / 10], axis=1)
    scale = 10.0 if term == 2 else 1.0

    def make(total: Array) -> float:
        events, time = total.reshape(2, -1)
        return math.exp(float(poisson(x, events, time)[term]) / scale)

    return Sums(sums, lives.people(who), make)


def _after(
    outcome: Outcome, lives: Lives, low: float, high: float
) -> tuple[Flags, Array, Array, Array, Array]:
    """Return who had a first fracture, its time, that of the second, and start and end.

    start and end: the time between `low` and `high` years after the first that is lived, in years
    from index. Who had the second before `low` is no longer at risk of it. Ages are those at the
    first fracture.
    """
    first = lives.first(outcome.site)
    start = first + low
    stop = np.minimum(first + high, lives.exit)
    age = lives.age + np.where(np.isfinite(first), first, 0)
    who: Flags = np.isfinite(first) & np.isin(lives.sex, outcome.sexes)
    who &= (age >= outcome.age_from) & (age < outcome.age_to + 1) & (stop > start)
    people, when = lives.all(outcome.site)
    late = when > first[people]
    second = np.full(lives.count, np.inf)
    np.minimum.at(second, people[late], when[late])
    who &= second >= start
    if not who.any():
        raise NotThereError("nobody is followed for so long after a first fracture")
    start, stop = (np.where(who, t, 0.0) for t in (start, stop))
    return who, first, second, start, stop


def _population(lives: Lives, outcome: Outcome) -> tuple[Array, Array]:
    """Return all fractures and all years lived by group, sex and five years of attained age."""
    people, when = lives.all(outcome.site)
    band = _band(lives.age[people] + when)
    shape = (2, BANDS)
    events = counted(lives.groups, shape, lives.group[people], lives.sex[people], band)
    lived = np.zeros_like(events)
    for k in range(BANDS):
        low, high = k * BAND - lives.age, (k + 1) * BAND - lives.age
        time = np.clip(np.minimum(high, lives.exit) - np.maximum(low, 0), 0, None)
        lived[:, :, k] = counted(lives.groups, (2,), lives.group, lives.sex, weights=time)
    return events, lived


def _band(age: Array) -> Index:
    return np.clip(age // BAND, 0, BANDS - 1).astype(np.int64)


def _years(outcome: Outcome) -> float:
    if outcome.years is None:
        raise NotThereError("the row says no years")
    return outcome.years

"""Death after fracture: against people of the same age without one, and against the population."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cohortsim.validation.compare import NotThereError
from cohortsim.validation.outcomes.gradients import factor_ratio
from cohortsim.validation.outcomes.lives import Flags, Lives
from cohortsim.validation.outcomes.repeats import BAND
from cohortsim.validation.outcomes.sums import Array, Sums, counted, ratio
from cohortsim.validation.outcomes.targets import OLDEST, Outcome

if TYPE_CHECKING:
    from cohortsim.validation.outcomes.observed import Observed

HALF_AGE = 3  # years of age to both sides of an age, each counted from half a year before it
SMR_YEARS = 5.0
CASES, CASE_DEATHS, CONTROLS, CONTROL_DEATHS = 0, 1, 2, 3


def excess(outcome: Outcome, seen: Observed) -> Sums:
    """Percentage points by which more have died some years after a fracture than without it.

    At one age: a straight line through the three years of age to both sides, weighted by fractures,
    because those who break at 70 or about it are older than 70 in the mean.
    """
    sums, people = _matched(outcome, seen)
    return Sums(sums, people, lambda t: 100 * _excess_at(t, outcome.age_from))


def death_ratio(outcome: Outcome, seen: Observed) -> Sums:
    """Share that has died some years after a fracture against the share without it."""
    sums, people = _matched(outcome, seen)
    return Sums(sums, people, lambda t: ratio(*_died(t)))


def died_after(outcome: Outcome, seen: Observed) -> Sums:
    """Percent that has died some years after a first fracture, or lives (`factor` lives)."""
    sums, people = _matched(outcome, seen)
    place = 1 if outcome.against == "controls" else 0

    def make(total: Array) -> float:
        share = 100 * _died(total)[place]
        return 100 - share if outcome.factor == "lives" else share

    return Sums(sums, people, make)


def hazard_ratio(outcome: Outcome, seen: Observed) -> Sums:
    """Rate of death in the first years after a fracture against that without it, same age and sex."""
    lives, who, when, until = _cases(outcome, seen)
    years = _years(outcome)
    dead = who & lives.died & (lives.exit < when + years)
    time = np.minimum(lives.exit, when + years) - when
    age = np.floor(lives.age + np.where(np.isfinite(when), when, 0)).astype(np.int64)
    index = (lives.group[who], lives.sex[who], np.clip(age[who], 0, OLDEST))
    shape = (2, OLDEST + 1)
    here = [
        counted(lives.groups, shape, *index, weights=w[who]) for w in (dead.astype(float), time)
    ]
    without = _of_everybody(lives, outcome, until, 1)
    sums = np.stack([*here, *without], axis=1)

    def make(total: Array) -> float:
        deaths, time_, others, lived = total
        there = (time_ > 0) & (lived > 0)
        expected = float((time_[there] * others[there] / lived[there]).sum())
        return ratio(float(deaths[there].sum()), expected)

    return Sums(sums, lives.people(who), make)


def standardised_ratio(outcome: Outcome, seen: Observed) -> Sums:
    """Deaths in the five years after a first fracture over those expected of the population."""
    lives, who, when, _ = _cases(outcome, seen)
    end = np.minimum(lives.exit, when + (outcome.years or SMR_YEARS))
    observed = _by_attained_age(lives, who, when, end, lives.died & (lives.exit <= end), BAND)
    everybody = _of_everybody(lives, outcome, np.full(lives.count, np.inf), BAND)
    sums = np.stack([*observed, *everybody], axis=1)

    def make(total: Array) -> float:
        deaths, time, others, lived = total
        there = (time > 0) & (lived > 0)
        expected = float((time[there] * others[there] / lived[there]).sum())
        return ratio(float(deaths[there].sum()), expected)

    return Sums(sums, lives.people(who), make)


def factor_death_ratio(outcome: Outcome, seen: Observed) -> Sums:
    """Ratio of death rates of those with a factor at index, adjusted for age and sex."""
    return factor_ratio(outcome, seen)


# --- cases, and those without a fracture ----------------------------------------------------------


def _matched(outcome: Outcome, seen: Observed) -> tuple[Array, Array]:
    """Return cases, their deaths, controls and theirs: (groups, 4, sexes, ages).

    Cases: first fracture within half a year of an age. Controls: alive and without such a fracture at
    that age; later ones do not take them out.
    """
    lives, who, when, until = _cases(outcome, seen)
    years = _years(outcome)
    latest = np.inf if lives.ends_with_death else lives.years - years
    who = who & (when <= latest)
    age = lives.age + np.where(np.isfinite(when), when, 0)
    place = np.clip(np.floor(age + 0.5), 0, OLDEST - 1).astype(np.int64)
    shape = (2, OLDEST)
    index = (lives.group[who], lives.sex[who], place[who])
    dead = lives.died & (lives.exit < when + years)
    made = [
        counted(lives.groups, shape, *index),
        counted(lives.groups, shape, *index, weights=dead[who].astype(np.float64)),
        np.zeros((lives.groups, *shape)),
        np.zeros((lives.groups, *shape)),
    ]
    for sex in outcome.sexes:
        mine = lives.sex == sex
        born, group = lives.age[mine], lives.group[mine]
        free, dies = np.minimum(until, lives.exit)[mine], lives.exit[mine]
        dies = np.where(lives.died[mine], dies, np.inf)
        for a in np.unique(place[who & mine]):
            start = a - born
            there = (start >= 0) & (start < free) & (start <= latest)
            gone = there & (dies < start + years)
            made[CONTROLS][:, sex, a] = counted(lives.groups, (), group[there])
            made[CONTROL_DEATHS][:, sex, a] = counted(lives.groups, (), group[gone])
    return np.stack(made, axis=1), lives.people(who)


def _excess_at(total: Array, age: int) -> float:
    cases, deaths, controls, others = total.sum(axis=1)  # of one sex, or of both together
    there = np.flatnonzero((cases > 0) & (controls > 0))
    if not len(there):
        raise NotThereError("nobody had such a fracture")
    more = deaths[there] / cases[there] - others[there] / controls[there]
    x = np.stack([np.ones(len(there)), there - float(age)], axis=1)[:, : min(len(there), 2)]
    weighted = x * cases[there][:, None]
    return float(np.linalg.solve(x.T @ weighted, weighted.T @ more)[0])


def _died(total: Array) -> tuple[float, float]:
    """Return the share of cases that died, and that of controls with the cases' ages and sexes."""
    cases, deaths, controls, others = total
    there = (cases > 0) & (controls > 0)
    n = float(cases[there].sum())
    if n <= 0:
        raise NotThereError("nobody had such a fracture")
    expected = float((cases[there] * others[there] / controls[there]).sum())
    return float(deaths[there].sum()) / n, expected / n


def _cases(outcome: Outcome, seen: Observed) -> tuple[Lives, Flags, Array, Array]:
    """Return who had a first fracture at these ages, when, and when time without one ends."""
    lives = seen.lives(outcome)
    first = lives.first(outcome.site)
    age = lives.age + np.where(np.isfinite(first), first, 0)
    low, high = float(outcome.age_from), float(outcome.age_to + 1)
    if outcome.age_from == outcome.age_to:
        low, high = low - HALF_AGE - 0.5, low + HALF_AGE + 0.5
    who: Flags = np.isfinite(first) & np.isin(lives.sex, outcome.sexes)
    who &= (age >= low) & (age < high) & (first < lives.exit)
    if not who.any():
        raise NotThereError("nobody had such a fracture at these ages in the study")
    return lives, who, first, first


def _of_everybody(lives: Lives, outcome: Outcome, until: Array, width: int) -> tuple[Array, Array]:
    """Return deaths and years lived of all people of the sexes, from index until a time."""
    who: Flags = np.isin(lives.sex, outcome.sexes)
    start, end = np.zeros(lives.count), np.minimum(lives.exit, until)
    return _by_attained_age(lives, who, start, end, lives.died & (lives.exit <= until), width)


def _by_attained_age(
    lives: Lives, who: Flags, start: Array, end: Array, dead: Flags, width: int
) -> tuple[Array, Array]:
    """Return deaths and years lived from start to end of these people: (groups, sexes, bands)."""
    bands = OLDEST // width + 1
    age, group, sex = lives.age[who], lives.group[who], lives.sex[who]
    begin, stop, gone = age + start[who], age + end[who], dead[who]
    last = np.clip(stop // width, 0, bands - 1).astype(np.int64)
    deaths = counted(lives.groups, (2, bands), group[gone], sex[gone], last[gone])
    lived = np.zeros_like(deaths)
    for k in range(bands):
        time = np.minimum((k + 1) * width, stop) - np.maximum(k * width, begin)
        there = time > 0
        if there.any():
            index = (group[there], sex[there])
            lived[:, :, k] = counted(lives.groups, (2,), *index, weights=time[there])
    return deaths, lived


def _years(outcome: Outcome) -> float:
    if outcome.years is None:
        raise NotThereError("the row says no years")
    return outcome.years

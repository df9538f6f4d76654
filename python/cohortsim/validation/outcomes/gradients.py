"""Risk gradients: Poisson regressions of first fractures after index, adjusted for age and sex.

People are put into cells of sex, age at index (2.5 years), what the ratio is of, and where it is
adjusted for it, density (z-score, 0.25). The regression is of the cells: sex, age and age squared as
terms, one term for each level of the factor but its first, one for density.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cohortsim.validation.compare import NotThereError
from cohortsim.validation.outcomes.lives import Flags, Lives
from cohortsim.validation.outcomes.regression import poisson
from cohortsim.validation.outcomes.sums import Array, Index, Sums, counted, ratio
from cohortsim.validation.outcomes.targets import Outcome

if TYPE_CHECKING:
    from cohortsim.validation.outcomes.observed import Observed

AGE_STEP = 2.5  # years
FIRST_AGE, AGE_CELLS = 20.0, 40
Z_STEP, Z_CELLS = 0.25, 32  # z-scores from -4 to 4
BMI_MIDDLE, BMI_HALF = 25.0, 1.5  # kg/m2
NECK = "abmd_femoral_neck"
ROTTERDAM_HALF = 2.5  # years to both sides of an age
EVENTS, TIME = 0, 1
CM_PER_M = 100.0


@dataclass(frozen=True)
class Cells:
    """Events and time by group and cell, and what the cells are, in the order of the last axis.

    sums: (groups, 2, cells); sex, age (years from the middle, by ten), level, z: of each cell.
    """

    sums: Array
    people: Array
    sex: Array
    age: Array
    level: Index
    z: Array

    def terms(self, levels: int, *, density: bool) -> Array:
        """Return the terms of the regression: one, sex, age, age squared, levels, density."""
        made = [np.ones_like(self.age), self.sex, self.age, self.age**2]
        made += [(self.level == k).astype(float) for k in range(1, levels)]
        if density:
            made.append(-self.z)
        return np.stack(made, axis=1)


def per_sd(outcome: Outcome, seen: Observed) -> Sums:
    """Rate ratio per SD lower density (`factor`); SD between people of one age and sex."""
    lives = seen.lives(outcome)
    who = lives.chosen(outcome)
    z = z_scores(lives, who, outcome.factor)
    cells = _cells(outcome, lives, who, np.zeros(lives.count, dtype=np.int64), z, 1)
    return last_term(cells, 1, density=True)


def factor_ratio(outcome: Outcome, seen: Observed) -> Sums:
    """Rate ratio of those with a factor against those without it."""
    lives = seen.lives(outcome)
    cells = _factor_cells(outcome, lives, density=False)
    return last_term(cells, 2, density=False)


def factor_ratio_at_same_density(outcome: Outcome, seen: Observed) -> Sums:
    """Rate ratio of those with a factor against those without it, adjusted for density."""
    cells = _factor_cells(outcome, seen.lives(outcome), density=True)
    x = cells.terms(2, density=True)
    return _coefficient(cells, x, -2)


def share_by_density(outcome: Outcome, seen: Observed) -> Sums:
    """Percent of the logarithm of a factor's rate ratio that adjusting for density takes away."""
    cells = _factor_cells(outcome, seen.lives(outcome), density=True)
    crude = _independent(cells.terms(2, density=False), -1)
    adjusted = _independent(cells.terms(2, density=True), -2)

    def make(total: Array) -> float:
        first = poisson(crude, total[EVENTS], total[TIME])[-1]
        second = poisson(adjusted, total[EVENTS], total[TIME])[-1]
        if first <= 0:
            raise NotThereError("the factor does not raise the risk")
        return float(100 * (1 - second / first))

    return Sums(cells.sums, cells.people, make)


def body_mass(outcome: Outcome, seen: Observed) -> Sums:
    """Rate ratio of a body mass index (`factor`, kg/m2) against 25, each 1.5 to both sides."""
    lives = seen.lives(outcome)
    bmi = lives.column("body_weight") / (lives.column("height") / CM_PER_M) ** 2
    there = np.abs(bmi - float(outcome.factor)) < BMI_HALF
    middle = np.abs(bmi - BMI_MIDDLE) < BMI_HALF
    who = lives.chosen(outcome) & (there | middle)
    cells = _cells(outcome, lives, who, there.astype(np.int64), None, 2)
    return last_term(cells, 2, density=False)


def rise(outcome: Outcome, seen: Observed) -> Sums:
    """How many times higher the rate is at age_to than at age_from; 2.5 years to both sides."""
    _, sums, people = _at_two_ages(outcome, seen)
    return Sums(sums, people, lambda t: ratio(_over(t[1]), _over(t[0])))


def rise_by_density(outcome: Outcome, seen: Observed) -> Sums:
    """The part of that rise that lower density at age_to brings, at one gradient for all ages.

    exp(b x (mean density at age_from - at age_to)): b from a regression on density and age of all
    between the two ages, as De Laet and others did.
    """
    lives, _, _ = _at_two_ages(outcome, seen)
    who = _near(lives, outcome, outcome.age_from - ROTTERDAM_HALF, outcome.age_to + ROTTERDAM_HALF)
    density = lives.column(NECK)
    young, old = (
        _near(lives, outcome, age - ROTTERDAM_HALF, age + ROTTERDAM_HALF)
        for age in (outcome.age_from, outcome.age_to)
    )
    middle, scale = float(np.nanmean(density[who])), float(np.nanstd(density[who]))
    z = (density - middle) / scale
    cells = _cells(outcome, lives, who, np.zeros(lives.count, dtype=np.int64), z, 1)
    x = _independent(cells.terms(1, density=True), -1)
    means = []
    for chosen in (young, old):
        chosen = chosen & np.isfinite(z)
        means += [lives.people(chosen)]
        means += [counted(lives.groups, (), lives.group[chosen], weights=z[chosen])]
    sums = np.concatenate([cells.sums.reshape(lives.groups, -1), np.stack(means, axis=1)], axis=1)
    shape = cells.sums.shape[1:]

    def make(total: Array) -> float:
        events, time = total[:-4].reshape(shape)
        n_young, z_young, n_old, z_old = total[-4:]
        fall = ratio(z_young, n_young) - ratio(z_old, n_old)
        return math.exp(float(poisson(x, events, time)[-1]) * fall)

    return Sums(sums, cells.people, make)


# --- cells --------------------------------------------------------------------------------------


def z_scores(lives: Lives, who: Flags, name: str) -> Array:
    """Return densities in SD from the mean of their sex and age (a straight line in age)."""
    density = lives.column(name)
    z = np.full(lives.count, np.nan)
    for sex in np.unique(lives.sex[who]):
        mine = who & (lives.sex == sex) & np.isfinite(density)
        if mine.sum() < 3:
            continue
        age = lives.age[mine] - lives.age[mine].mean()
        slope = float(age @ density[mine]) / max(float(age @ age), 1e-12)
        off = density[mine] - density[mine].mean() - slope * age
        z[mine] = off / off.std()
    return z


def _factor_cells(outcome: Outcome, lives: Lives, *, density: bool) -> Cells:
    who = lives.chosen(outcome)
    level = (lives.column(outcome.factor) > 0).astype(np.int64)
    z = z_scores(lives, who, NECK) if density else None
    return _cells(outcome, lives, who, level, z, 2)


def _cells(
    outcome: Outcome, lives: Lives, who: Flags, level: Index, z: Array | None, levels: int
) -> Cells:
    until = lives.years if outcome.years is None else outcome.years
    first = lives.first(outcome.site)
    end = np.minimum(np.minimum(lives.exit, until), first)
    return by_cell(lives, who, level, z, levels, first <= end, end)


def by_cell(
    lives: Lives, who: Flags, level: Index, z: Array | None, levels: int, event: Flags, time: Array
) -> Cells:
    """Return events and time by cell: of who, by level, z-score, event or not, and years."""
    if z is not None:
        who = who & np.isfinite(z)
    if not who.any():
        raise NotThereError("nobody of that sex and age in the study")
    age = np.clip((lives.age[who] - FIRST_AGE) / AGE_STEP, 0, AGE_CELLS - 1).astype(np.int64)
    if z is None:
        place = np.zeros(int(who.sum()), dtype=np.int64)
        z_cells = 1
    else:
        place = np.clip(np.floor(z[who] / Z_STEP) + Z_CELLS // 2, 0, Z_CELLS - 1).astype(np.int64)
        z_cells = Z_CELLS
    shape = (2, AGE_CELLS, levels, z_cells)
    index = (lives.group[who], lives.sex[who], age, level[who], place)
    numbers = [
        counted(lives.groups, shape, *index, weights=w)
        for w in (event[who].astype(np.float64), time[who])
    ]
    sex, ages, kinds, zs = np.meshgrid(*map(np.arange, shape), indexing="ij")
    kept = (numbers[TIME].sum(axis=0) > 0).ravel()
    middle = FIRST_AGE + (ages.ravel()[kept] + 0.5) * AGE_STEP
    return Cells(
        np.stack([n.reshape(lives.groups, -1)[:, kept] for n in numbers], axis=1),
        lives.people(who),
        sex.ravel()[kept].astype(float),
        (middle - middle.mean()) / 10,
        kinds.ravel()[kept],
        (zs.ravel()[kept] - Z_CELLS // 2 + 0.5) * Z_STEP,
    )


def last_term(cells: Cells, levels: int, *, density: bool) -> Sums:
    """Return the rate ratio of the last term: of the last level, or of density."""
    return _coefficient(cells, cells.terms(levels, density=density), -1)


def _coefficient(cells: Cells, x: Array, place: int) -> Sums:
    """Return exp of a coefficient."""
    x = _independent(x, place)

    def make(total: Array) -> float:
        return math.exp(float(poisson(x, total[EVENTS], total[TIME])[-1]))

    return Sums(cells.sums, cells.people, make)


def _independent(x: Array, place: int) -> Array:
    """Return the columns that are not made of those before them, the wanted one as the last."""
    terms = x.shape[1]
    order = [k for k in range(terms) if k != place % terms] + [place % terms]
    kept: list[int] = []
    for k in order:
        if np.linalg.matrix_rank(x[:, [*kept, k]]) == len(kept) + 1:
            kept.append(k)
    if kept[-1] != order[-1]:
        raise NotThereError("the factor cannot be told from age and sex")
    return x[:, kept]


def _at_two_ages(outcome: Outcome, seen: Observed) -> tuple[Lives, Array, Array]:
    """Return events and time at the two ages: (groups, 2 ages, 2)."""
    lives = seen.lives(outcome)
    until = seen.years if outcome.years is None else outcome.years
    first = lives.first(outcome.site)
    end = np.minimum(np.minimum(lives.exit, until), first)
    made = []
    for age in (outcome.age_from, outcome.age_to):
        who = _near(lives, outcome, age - ROTTERDAM_HALF, age + ROTTERDAM_HALF)
        made += [
            counted(lives.groups, (), lives.group[who], weights=w[who])
            for w in ((first <= end).astype(np.float64), end)
        ]
    sums = np.stack(made, axis=1).reshape(lives.groups, 2, 2)
    return lives, sums, sums[:, :, TIME].sum(axis=1)


def _near(lives: Lives, outcome: Outcome, low: float, high: float) -> Flags:
    return np.isin(lives.sex, outcome.sexes) & (lives.age >= low) & (lives.age < high)


def _over(events_and_time: Array) -> float:
    return ratio(float(events_and_time[EVENTS]), float(events_and_time[TIME]))

"""Osteoporosis and osteopenia at the femoral neck, and a density model that meets their shares."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from populations.age_trend import Knots
from populations.definitions import DECADES, OLDER_FROM, OPEN_AGE, Array
from populations.distribution import Model, inverse_q, normal_cdf
from populations.reading import column
from populations.survey import aged, known

FEMORAL_NECK_MEAN, FEMORAL_NECK_SD = 0.858, 0.120  # g/cm2, women 20-29, looker1998
OSTEOPOROSIS, OSTEOPENIA = -2.5, -1.0  # T-scores at or below

# About the standard errors: a gap of one GAP counts like a change of one STEP.
GAP = 0.5  # percentage points of a class share
GAP_OF_FEW = 1.0  # the same, of a population of which few people were surveyed
STEP = 0.05  # spreads, of a location; log, of a spread
ROUNDS = 8

AGES: Array = np.arange(float(OLDER_FROM), OPEN_AGE + 1.0)


def t_score(density: Array) -> Array:
    """Femoral-neck T-score by the reference of women of 20-29."""
    return (density - FEMORAL_NECK_MEAN) / FEMORAL_NECK_SD


def classes(density: Array, weight: Array) -> tuple[float, float]:
    """Percent osteoporosis and percent osteopenia."""
    t = t_score(density)
    low = float(np.average(t <= OSTEOPOROSIS, weights=weight))
    middle = float(np.average((t > OSTEOPOROSIS) & (t <= OSTEOPENIA), weights=weight))
    return 100 * low, 100 * middle


def survey_classes(people: pl.DataFrame) -> Array:
    """Percent osteoporosis and osteopenia by decade, one after the other."""
    scanned = known(people, "fn_bmd")
    parts = [aged(scanned, low, high) for low, high in DECADES]
    return np.array([classes(column(p, "fn_bmd"), column(p, "weight")) for p in parts]).ravel()


@dataclass(frozen=True)
class ClassMatch:
    """A fitted model, the shares it should meet and the persons of 50 and over by age."""

    model: Model
    target: Array
    persons: Array
    gap: float = GAP

    @property
    def free(self) -> npt.NDArray[np.intp]:
        """Knots that move: those from 50 on but the last, which is extrapolated."""
        return np.flatnonzero(self.model.knots.ages >= OLDER_FROM)[:-1]

    def moved(self, step: Array) -> Model:
        """Move the locations of the free knots, then their spreads, by steps."""
        knots, free = self.model.knots, self.free
        location, spread = knots.location.copy(), knots.spread.copy()
        location[free] += STEP * step[: len(free)] * knots.spread[free]
        spread[free] *= np.exp(STEP * step[len(free) :])
        location[-1] += location[-2] - knots.location[-2]  # the extrapolated knot goes along
        spread[-1] = spread[-2]
        return Model(Knots(knots.ages, location, spread), self.model.q)

    def gaps(self, step: Array) -> Array:
        """Share of the moved model less target, in gaps."""
        trial = self.moved(step)
        limits = FEMORAL_NECK_MEAN + FEMORAL_NECK_SD * np.array([OSTEOPOROSIS, OSTEOPENIA])
        below = [
            normal_cdf(inverse_q(trial, np.full(len(AGES), limit), AGES + 0.5)) for limit in limits
        ]
        made = []
        for low, high in DECADES:
            inside = (low <= AGES) & (high >= AGES)
            osteoporosis, both = (
                100 * float(np.average(b[inside], weights=self.persons[inside])) for b in below
            )
            made += [osteoporosis, both - osteoporosis]
        return np.asarray((np.array(made) - self.target) / self.gap, dtype=np.float64)

    def improved(self, step: Array) -> Array:
        """One Gauss-Newton step of the sum of squared gaps and squared steps."""
        base = self.gaps(step)
        unit = np.eye(len(step))
        jacobian = np.stack([(self.gaps(step + 0.01 * e) - base) / 0.01 for e in unit], axis=1)
        return step - np.linalg.solve(jacobian.T @ jacobian + unit, jacobian.T @ base + step)


def match_classes(model: Model, people: pl.DataFrame, persons: Array, small: bool = False) -> Model:
    """Move location and spread from 50 on towards the class shares of femoral-neck density.

    Penalized least squares: a gap of 0.5 percentage points counts like a change of a location by
    0.05 spreads or of a spread by 5 %, which are about their standard errors.
    """
    gap = GAP_OF_FEW if small else GAP
    match = ClassMatch(model, survey_classes(people), persons[OLDER_FROM : OPEN_AGE + 1], gap)
    step = np.zeros(2 * len(match.free))
    for _ in range(ROUNDS):
        step = match.improved(step)
    return match.moved(step)

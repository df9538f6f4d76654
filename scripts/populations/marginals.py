"""Location, spread and quantiles of the continuous characteristics that the survey measured."""

from __future__ import annotations

import math

import numpy as np
import polars as pl

from populations.age_trend import Knots, continued, fit_knots
from populations.definitions import (
    FIVE_YEAR_MIDDLES,
    LAST_KNOT,
    MENOPAUSE,
    OLDER_FROM,
    YOUNGEST,
    Array,
    Continuous,
    forward,
)
from populations.distribution import (
    NORMAL,
    Z_KNOTS,
    Model,
    normal_cdf,
    smooth_quantiles,
    standardize,
)
from populations.reading import column
from populations.survey import CALCIUM_COLUMN, DIET_WEIGHT, known

SPREAD_PARAMETERS = 4.0  # effective parameters of the squared residuals
SMALL_SHARE = 0.7  # of the effective parameters, where few people were surveyed

# Usual calcium intake from food: mean (mg/d), share above 1200 mg/d, at 51-70 and 71+ (bailey2010).
USUAL_CALCIUM = {"women": ((788.0, 0.09), (748.0, 0.08)), "men": ((951.0, 0.22), (871.0, 0.15))}
USUAL_CALCIUM_LIMIT = 1200.0
CALCIUM_PARAMETERS = 4.0

MENOPAUSE_RANGE = (35.0, 61.0)  # answers outside are moved to the ends
MENOPAUSE_BANDWIDTH = 1.5  # years; women round the age they recall, so its density has heaps


def fit_continuous(
    spec: Continuous, people: pl.DataFrame, top: float, small: bool = False
) -> Model:
    """Fit knots and Q of one characteristic in one sex."""
    share = SMALL_SHARE if small else 1.0
    part = known(people, spec.column)
    age, weight = column(part, "age"), column(part, "weight")
    y = forward(spec.transform, column(part, spec.column))
    ages = np.array([*FIVE_YEAR_MIDDLES, top])
    location = fit_knots(age, y, weight, ages, share * spec.parameters)
    residual = y - np.interp(age, ages, location)
    spread = np.sqrt(fit_knots(age, residual**2, weight, ages, share * SPREAD_PARAMETERS))
    knots = continued(ages, location, spread)
    old = age >= OLDER_FROM
    return Model(knots, smooth_quantiles((residual / knots.spread_at(age))[old], weight[old]))


# --- calcium intake -------------------------------------------------------------------------


def fit_calcium(people: pl.DataFrame, sex: str, top: float) -> Model:
    """Mean of the recall by age, spread of usual intake, lognormal.

    One day's intake spreads wider than usual intake, so the survey gives the mean alone. Beyond the
    oldest band the mean does not change.
    """
    part = known(people.filter(pl.col(CALCIUM_COLUMN) > 0), DIET_WEIGHT)
    weight = column(part, DIET_WEIGHT)
    ages = np.array([*FIVE_YEAR_MIDDLES, top])
    intake = column(part, CALCIUM_COLUMN)
    mean = fit_knots(column(part, "age"), intake, weight / weight.mean(), ages, CALCIUM_PARAMETERS)
    sd = usual_calcium_log_sd(sex)
    location = np.log(mean) - sd * sd / 2
    location = np.append(location, location[-1])
    knots = Knots(np.append(ages, LAST_KNOT), location, np.full(len(location), sd))
    return Model(knots, Z_KNOTS.copy())


def usual_calcium_log_sd(sex: str) -> float:
    """Log SD of a lognormal with the published mean and share above the limit, mean of two ages."""
    found = []
    for mean, above in USUAL_CALCIUM[sex]:
        z = NORMAL.inv_cdf(1 - above)
        gap = math.log(USUAL_CALCIUM_LIMIT / mean)
        found.append(z - math.sqrt(z * z - 2 * gap))  # root of gap + s^2 / 2 = z s
    return sum(found) / len(found)


# --- age at menopause -----------------------------------------------------------------------


def fit_menopause(people: pl.DataFrame) -> Model:
    """Natural menopause of women 55-75: kernel-smoothed against heaping, mean and SD kept."""
    part = known(people, MENOPAUSE)
    weight = column(part, "weight")
    age = np.clip(column(part, MENOPAUSE) + 0.5, *MENOPAUSE_RANGE)
    mean = float(np.average(age, weights=weight))
    sd = math.sqrt(float(np.average((age - mean) ** 2, weights=weight)))
    grid = np.linspace(25, 70, 1801)
    q = standardize(np.interp(normal_cdf(Z_KNOTS), smoothed_cdf(age, weight, grid), grid))
    # The characteristic is an age, not one that changes with age: two equal knots.
    return Model(Knots(np.array([float(YOUNGEST), LAST_KNOT]), np.full(2, mean), np.full(2, sd)), q)


def smoothed_cdf(age: Array, weight: Array, grid: Array) -> Array:
    """Weighted distribution function of ages at a grid, by a normal kernel."""
    density = np.zeros_like(grid)
    for value, share in zip(age, weight, strict=True):
        density += share * np.exp(-0.5 * ((grid - value) / MENOPAUSE_BANDWIDTH) ** 2)
    return np.asarray(np.cumsum(density) / density.sum(), dtype=np.float64)

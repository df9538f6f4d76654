"""Physical activity: location, spread and quantiles although a third of people report none.

The latent value of those without activity is not seen, so residuals cannot be standardized. Instead
the quantiles that are seen, by ten-year band, are fitted by one Q stretched and moved in each band.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import polars as pl

from populations.age_trend import continued, fit_knots
from populations.definitions import TOP_AGE, Array, forward
from populations.distribution import (
    NORMAL,
    Z_KNOTS,
    Model,
    normal_cdf,
    normal_inverse,
    upper_slope,
    weighted_quantiles,
)
from populations.reading import column
from populations.survey import ACTIVITY_COLUMN, known

ACTIVITY_FLOOR = math.log1p(30.0)  # latent log1p(MET min/wk) at which any activity is reported

TEN_YEAR_MIDDLES = (25.0, 35.0, 45.0, 55.0, 65.0, 75.0)
NONE_PARAMETERS = 5.0  # effective parameters of the share without activity
THRESHOLD_WEIGHT = 5.0  # of the floor, in a band's line: the share without activity comes first
SMALLEST_SPREAD = 0.2

REACH = 2.0  # Q is fitted within this z and straight beyond
INNER: Array = Z_KNOTS[np.abs(Z_KNOTS) <= REACH]
ROUNDS = 200  # of fitting bands and Q in turn


def fit_activity(people: pl.DataFrame, top: float) -> Model:
    """Location and spread by ten-year band and one Q, fitted in turn to the bands' quantiles."""
    part = known(people, ACTIVITY_COLUMN)
    age, weight = column(part, "age"), column(part, "weight")
    y = forward("log1p", column(part, ACTIVITY_COLUMN))
    middles = np.array([*TEN_YEAR_MIDDLES, top])
    none = (y < ACTIVITY_FLOOR).astype(np.float64)
    chance_none = fit_knots(age, none, weight, middles, NONE_PARAMETERS)
    z_floor = normal_inverse(np.clip(chance_none, 0.03, 0.9))
    seen = np.stack(
        [
            seen_quantiles(y[band], weight[band], floor)
            for band, floor in zip(bands(age), z_floor, strict=True)
        ]
    )
    location, spread, q = fit_in_turn(seen, z_floor)
    return Model(continued(middles, location, spread), straight_tails(q))


def bands(age: Array) -> list[npt.NDArray[np.bool_]]:
    """Who is in each ten-year band; the last one is open."""
    closed = [(age >= middle - 5) & (age < middle + 5) for middle in TEN_YEAR_MIDDLES]
    return [*closed, age >= TOP_AGE]


def seen_quantiles(y: Array, weight: Array, z_floor: float) -> Array:
    """Latent value of a band at INNER; NaN where the people have no activity."""
    active = y >= ACTIVITY_FLOOR
    none = float(NORMAL.cdf(z_floor))
    seen = np.full(len(INNER), np.nan)
    for k, z in enumerate(INNER):
        if z > z_floor:
            window = np.clip(
                (normal_cdf(z + np.linspace(-0.2, 0.2, 9)) - none) / (1 - none), 0.0, 1.0
            )
            seen[k] = weighted_quantiles(y[active], weight[active], window).mean()
    return seen


def fit_in_turn(seen: Array, z_floor: Array) -> tuple[Array, Array, Array]:
    """Location and spread of the bands and Q at INNER, with Q(0) = 0 and Q(2) = 2."""
    q = INNER.copy()
    for _ in range(ROUNDS):
        location, spread = fit_bands(seen, z_floor, q)
        q = np.maximum.accumulate(fit_q(seen, location, spread, q))
        centre = float(np.interp(0.0, INNER, q))
        scale = float(q[-1] - np.interp(0.0, INNER, q)) / 2.0
        q, location, spread = (q - centre) / scale, location + spread * centre, spread * scale
    return location, spread, q


def fit_bands(seen: Array, z_floor: Array, q: Array) -> tuple[Array, Array]:
    """Straight line of the seen values on Q in each band: its start and slope."""
    location, spread = np.zeros(len(seen)), np.ones(len(seen))
    for i, values in enumerate(seen):
        use = np.isfinite(values)
        # The threshold itself is one more point, and counts more than the others.
        xs = np.append(q[use], np.interp(z_floor[i], INNER, q))
        ys = np.append(values[use], ACTIVITY_FLOOR)
        slope, start = np.polyfit(xs, ys, 1, w=np.append(np.ones(use.sum()), THRESHOLD_WEIGHT))
        location[i], spread[i] = start, max(slope, SMALLEST_SPREAD)
    return location, spread


def fit_q(seen: Array, location: Array, spread: Array, q: Array) -> Array:
    """Least-squares Q at INNER given the bands; where no band is active, at the slope of z."""
    q = q.copy()
    lowest = int(np.flatnonzero(np.isfinite(seen).any(axis=0))[0])
    for k in range(len(INNER)):
        use = np.isfinite(seen[:, k])
        if use.any():
            moments = ((seen[use, k] - location[use]) * spread[use]).sum()
            q[k] = moments / (spread[use] ** 2).sum()
        else:
            q[k] = q[lowest] + (INNER[k] - INNER[lowest])
    return q


def straight_tails(q: Array) -> Array:
    """Q at Z_KNOTS: above, the last slope goes on; below, where nobody is seen, that of z."""
    full = np.interp(Z_KNOTS, INNER, q)
    full = np.where(Z_KNOTS > REACH, q[-1] + upper_slope(INNER, q) * (Z_KNOTS - REACH), full)
    return np.where(Z_KNOTS < -REACH, q[0] + (Z_KNOTS + REACH), full)

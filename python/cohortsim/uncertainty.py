"""Intervals: exact for counts, Wilson for shares, normal for paired differences."""

from __future__ import annotations

import math
from typing import Any

import polars as pl

CONFIDENCE = 0.95
Z = 1.959963984540054


def garwood(events: Any) -> tuple[Any, Any]:
    """Return the exact 95 % Poisson interval of counts (Garwood 1936), as two arrays."""
    import numpy as np
    from scipy.special import gammaincinv

    counts = np.asarray(events, dtype=np.float64)
    tail = (1.0 - CONFIDENCE) / 2.0
    low = np.where(counts > 0, gammaincinv(np.where(counts > 0, counts, 1.0), tail), 0.0)
    return low, gammaincinv(counts + 1.0, 1.0 - tail)


def scaled_poisson(total: int, squares: int, unit: int) -> tuple[float, float]:
    """Return the 95 % interval of a sum of weights of events that happen by chance.

    Garwood's interval of the number of events of equal weight that would vary alike (Dobson et
    al. 1991). total, squares: sums of the weights and of their squares, whole numbers in units of 1 /
    `unit`. Without weight, events of weight 1 might have happened.
    """
    if not total:
        return 0.0, float(garwood(0)[1])
    weight = squares / total
    low, high = garwood(total / weight)
    return float(low) * weight / unit, float(high) * weight / unit


def poisson_low(count: str) -> pl.Expr:
    """Return the lower limit of the expected count."""
    return pl.col(count).map_batches(_low, return_dtype=pl.Float64)


def poisson_high(count: str) -> pl.Expr:
    """Return the upper limit of the expected count."""
    return pl.col(count).map_batches(_high, return_dtype=pl.Float64)


def wilson(count: pl.Expr, total: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """Return the Wilson 95 % interval of a share, as two expressions from 0 to 1."""
    share = count / total
    middle = (share + Z * Z / (2 * total)) / (1 + Z * Z / total)
    half = ((share * (1 - share) / total + Z * Z / (4 * total * total)).sqrt() * Z) / (
        1 + Z * Z / total
    )
    low = pl.when(count == 0).then(0.0).otherwise(middle - half)
    high = pl.when(count == total).then(1.0).otherwise(middle + half)
    return low, high


def wilson_limits(share: float, people: float) -> tuple[float, float]:
    """Return the Wilson 95 % interval of a share among so many people, from 0 to 1.

    `people` may be no whole number: as many as would give the share its variance. Of nobody nothing
    is known: 0 to 1.
    """
    if people <= 0:
        return 0.0, 1.0
    middle = (share + Z * Z / (2 * people)) / (1 + Z * Z / people)
    half = math.sqrt(share * (1 - share) / people + Z * Z / (4 * people * people)) * Z
    half /= 1 + Z * Z / people
    return (0.0 if share == 0 else middle - half), (1.0 if share == 1 else middle + half)


def mean_limits(
    people: int, total: int, squares: int, unit: int
) -> tuple[float | None, float | None, float | None, float | None]:
    """Return mean, SD between people, and the normal 95 % interval of the mean.

    Args:
        people, total, squares: how many, and the sums of their values and of the squares of these,
            whole numbers; the values are in units of 1 / `unit`.

    Nobody has no mean, and one person no SD (n - 1 below the root) and no interval.
    """
    if not people:
        return None, None, None, None
    mean = total / (people * unit)
    if people == 1:
        return mean, None, None, None
    # whole numbers of any size: nothing is lost where the two are nearly equal
    spread = max(0, people * squares - total * total) / (people * (people - 1))
    sd = math.sqrt(spread) / unit
    half = Z * sd / math.sqrt(people)
    return mean, sd, mean - half, mean + half


def _low(series: pl.Series) -> pl.Series:
    return pl.Series(series.name, garwood(series.to_numpy())[0])


def _high(series: pl.Series) -> pl.Series:
    return pl.Series(series.name, garwood(series.to_numpy())[1])

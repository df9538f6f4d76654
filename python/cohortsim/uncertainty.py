"""Intervals: exact for counts, Wilson for shares, normal for paired differences."""

from __future__ import annotations

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
    low = np.where(counts > 0, gammaincinv(np.maximum(counts, 1.0), tail), 0.0)
    return low, gammaincinv(counts + 1.0, 1.0 - tail)


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


def _low(series: pl.Series) -> pl.Series:
    return pl.Series(series.name, garwood(series.to_numpy())[0])


def _high(series: pl.Series) -> pl.Series:
    return pl.Series(series.name, garwood(series.to_numpy())[1])

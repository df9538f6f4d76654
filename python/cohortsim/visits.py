"""Sums at visits -> mean changes since index, as a trial reports them. LazyFrame -> DataFrame.

Sums are added as integers; only the finished means are floating-point numbers, so that they do not
depend on batches or threads.
"""

from __future__ import annotations

import math

import polars as pl

KEYS = ("arm", "cohort", "month", "measure")
SUMS = ("people", "change_sum", "change_square_sum", "peak_sum")
UNITS_PER_PERCENT = 1000  # the core counts relative changes in units of 1e-5
SCHEMA = {
    "change_percent": pl.Float64,
    "sd_percent": pl.Float64,
    "se_percent": pl.Float64,
    "from_peak_percent": pl.Float64,
}


def changes(visits: pl.LazyFrame) -> pl.DataFrame:
    """Return mean change since index, its spread, and the mean distance from the young adult.

    The spread is that between people (n - 1 below the root), and is missing for one person alone.
    """
    keys = list(KEYS)
    sums = [pl.col(name).cast(pl.Int64).sum() for name in SUMS]
    summed = visits.group_by(keys).agg(*sums).sort(keys).collect()
    rows = [_means(*row) for row in summed.select(SUMS).iter_rows()]
    means = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    return pl.concat([summed.select(*keys, "people"), means], how="horizontal")


def _means(
    people: int, change: int, squares: int, peak: int
) -> tuple[float, float | None, float | None, float]:
    scale = people * UNITS_PER_PERCENT
    spread = None
    if people > 1:
        # whole numbers of any size: nothing is lost where the two are nearly equal
        spread = math.sqrt((people * squares - change * change) / (people * (people - 1)))
        spread /= UNITS_PER_PERCENT
    error = None if spread is None else spread / math.sqrt(people)
    return change / scale, spread, error, peak / scale

"""Individual follow-up -> time lived by attained age and year, to the minute.

Everybody's time is cut at birthdays and at anniversaries of index (Lexis 1875). Both fall at the
start of a month, as the core counts ages; so the sums are those of the table `person_time`.
"""

from __future__ import annotations

import polars as pl

from cohortsim.units import MINUTES_PER_MONTH, MINUTES_PER_YEAR, MONTHS_PER_YEAR


def pieces(lives: pl.LazyFrame) -> pl.LazyFrame:
    """Return a row for each age and year of follow-up that a life has time in.

    `lives` holds age_months (at index), `start` and `stop` (minutes since index) and any other
    columns, which are kept. Columns added: age (completed years), year (from 0), minutes.
    """
    start, stop = pl.col("start").cast(pl.Int64), pl.col("stop").cast(pl.Int64)
    first = start // MINUTES_PER_YEAR
    last = (stop - 1) // MINUTES_PER_YEAR
    years = (
        lives.filter(stop > start)
        .with_columns(pl.int_ranges(first, last + 1, dtype=pl.Int64).alias("year"))
        .explode("year")
    )
    age_at_start = pl.col("age_months").cast(pl.Int64) + MONTHS_PER_YEAR * pl.col("year")
    begins = pl.col("year") * MINUTES_PER_YEAR
    before = MONTHS_PER_YEAR - age_at_start % MONTHS_PER_YEAR  # months until the birthday
    birthday = begins + before * MINUTES_PER_MONTH
    completed = age_at_start // MONTHS_PER_YEAR
    halves = [
        years.with_columns(
            (completed + older).cast(pl.UInt8).alias("age"),
            (_until(to, start, stop) - _until(since, start, stop)).alias("minutes"),
        )
        for older, since, to in (
            (0, begins, birthday),
            (1, birthday, begins + MINUTES_PER_YEAR),
        )
    ]
    return (
        pl.concat(halves)
        .filter(pl.col("minutes") > 0)
        .with_columns(pl.col("year").cast(pl.UInt8))
        .drop("start", "stop")
    )


def _until(minute: pl.Expr, start: pl.Expr, stop: pl.Expr) -> pl.Expr:
    """Return the minutes lived between `start` and a minute."""
    return pl.min_horizontal(pl.max_horizontal(minute, start), stop) - start

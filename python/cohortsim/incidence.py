"""Events and time lived -> rates. Sums are of integers only, so that batches change nothing."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from cohortsim.lexis import pieces
from cohortsim.strata import counted, every, filled, with_age_band
from cohortsim.uncertainty import poisson_high, poisson_low
from cohortsim.units import MINUTES_PER_YEAR, MONTHS_PER_YEAR

PERSON_TIME_STRATA = ("arm", "cohort", "sex", "age_band", "age", "year", "class")
CUTTING = frozenset(("age_band", "age", "year"))  # strata that change while a person lives


def event_rates(
    events: pl.LazyFrame, time: pl.LazyFrame, by: Sequence[str], kinds: Sequence[str], count: str
) -> pl.DataFrame:
    """Return events of these kinds, person_years and rate_per_1000 with its exact 95 % interval.

    `events` and `time` (minutes) hold the strata. `by` may hold `site`; then there is a row for
    each kind. Combinations of strata without time are rows with 0 and without a rate.
    """
    strata = [name for name in by if name != "site"]
    kind = pl.Enum(list(kinds))
    told = events.filter(pl.col("event").cast(pl.String).is_in(list(kinds))).with_columns(
        pl.col("event").cast(pl.String).cast(kind).alias("site")
    )
    numbers = counted(told, by, pl.len().alias(count)).collect()
    lived = counted(time, strata, pl.col("minutes").sum().cast(pl.Int64)).collect()
    grid = every([lived.select(strata), numbers.select(strata)], strata)
    if "site" in by:
        sites = pl.DataFrame({"site": pl.Series(kinds, dtype=kind)})
        grid = (grid.join(sites, how="cross") if strata else sites).select(by).sort(by)
    table = filled(filled(grid, lived, strata, ["minutes"]), numbers, by, [count])
    return with_rate(table, by, count)


def falls(time: pl.LazyFrame, by: Sequence[str]) -> pl.DataFrame:
    """Return falls (months with a fall), person_years and rate_per_1000 with its 95 % interval."""
    sums = (pl.col("falls").sum().cast(pl.Int64), pl.col("minutes").sum().cast(pl.Int64))
    found = counted(time, by, *sums).collect()
    grid = every([found.select(by)], by)
    return with_rate(filled(grid, found, by, ["falls", "minutes"]), by, "falls")


def of_events(events: pl.LazyFrame, bands: Sequence[int]) -> pl.LazyFrame:
    """Give events the strata of person-time: completed years of age, year of follow-up."""
    return with_age_band(
        events.with_columns(
            (pl.col("age_months") // MONTHS_PER_YEAR).cast(pl.UInt8).alias("age"),
            (pl.col("month") // MONTHS_PER_YEAR).cast(pl.UInt8).alias("year"),
        ),
        bands,
    )


def time_of(
    people: pl.LazyFrame, follow_up: pl.LazyFrame, by: Sequence[str], bands: Sequence[int]
) -> pl.LazyFrame:
    """Return the minutes that these people lived in each stratum, cut at birthdays if need be."""
    lives = follow_up.select(
        "person", "arm", pl.lit(0).alias("start"), pl.col("minutes").alias("stop")
    ).join(people, on="person")
    if CUTTING.isdisjoint(by):
        whole = lives.with_columns(pl.col("stop").cast(pl.Int64).alias("minutes"))
    else:
        whole = with_age_band(pieces(lives), bands)
    return counted(whole, by, pl.col("minutes").sum())


def with_rate(table: pl.DataFrame, by: Sequence[str], count: str) -> pl.DataFrame:
    """Turn counts and minutes into person_years and a rate; no time, no rate."""
    years = pl.col("minutes") / MINUTES_PER_YEAR

    def rate(number: pl.Expr) -> pl.Expr:
        return pl.when(pl.col("minutes") > 0).then(1000 * number / years)

    made = table.select(
        *by,
        pl.col(count),
        years.alias("person_years"),
        rate(pl.col(count)).alias("rate_per_1000"),
        rate(poisson_low(count)).alias("low"),
        rate(poisson_high(count)).alias("high"),
    )
    return made.sort(list(by)) if by else made

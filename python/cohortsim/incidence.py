"""Events and person-time -> rates. LazyFrame -> LazyFrame; sums are of integers only."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from cohortsim.strata import counted, with_age_band
from cohortsim.uncertainty import poisson_high, poisson_low
from cohortsim.units import MINUTES_PER_YEAR, MONTHS_PER_YEAR

PERSON_TIME_STRATA = ("arm", "cohort", "sex", "age_band", "age", "year", "class")


def fracture_rates(
    events: pl.LazyFrame,
    person_time: pl.LazyFrame,
    by: Sequence[str],
    sites: Sequence[str],
    bands: Sequence[int],
) -> pl.LazyFrame:
    """Return fractures, person_years and rate_per_1000 with its exact 95 % interval.

    `by` may hold `site`; then there is a row for each site, also where nothing happened. Every
    fracture counts, also a person's second one.
    """
    strata = [name for name in by if name != "site"]
    time = _person_time(person_time, strata, bands)
    fractures = _stratified(events, bands).filter(
        pl.col("event").cast(pl.String).is_in(list(sites))
    )
    if "site" not in by:
        return _rates(time, counted(fractures, strata, pl.len().alias("events")), strata)
    kind = pl.Enum(list(sites))
    named = fractures.with_columns(pl.col("event").cast(pl.String).cast(kind).alias("site"))
    keys = [*strata, "site"]
    every = time.join(pl.LazyFrame({"site": pl.Series(list(sites), dtype=kind)}), how="cross")
    numbers = counted(named, keys, pl.len().alias("events"))
    return _rates(every, numbers, keys).select([*by, pl.exclude(by)]).sort(list(by))


def mortality(
    events: pl.LazyFrame, person_time: pl.LazyFrame, by: Sequence[str], bands: Sequence[int]
) -> pl.LazyFrame:
    """Return deaths, person_years and rate_per_1000 with its exact 95 % interval."""
    deaths = _stratified(events, bands).filter(pl.col("event").cast(pl.String) == "death")
    numbers = counted(deaths, by, pl.len().alias("deaths"))
    return _rates(_person_time(person_time, by, bands), numbers, by, "deaths")


def falls(person_time: pl.LazyFrame, by: Sequence[str], bands: Sequence[int]) -> pl.LazyFrame:
    """Return falls (months with a fall), person_years and rate_per_1000 with its 95 % interval."""
    banded = with_age_band(person_time, bands)
    sums = (pl.col("falls").sum().cast(pl.Int64), pl.col("minutes").sum().cast(pl.Int64))
    return _with_rate(counted(banded, by, *sums), by, "falls")


def _person_time(
    person_time: pl.LazyFrame, by: Sequence[str], bands: Sequence[int]
) -> pl.LazyFrame:
    banded = with_age_band(person_time, bands)
    return counted(banded, by, pl.col("minutes").sum().cast(pl.Int64))


def _stratified(events: pl.LazyFrame, bands: Sequence[int]) -> pl.LazyFrame:
    """Give events the strata of person-time: completed years of age, year of follow-up."""
    return with_age_band(
        events.with_columns(
            (pl.col("age_months") // MONTHS_PER_YEAR).cast(pl.UInt8).alias("age"),
            (pl.col("month") // MONTHS_PER_YEAR).cast(pl.UInt8).alias("year"),
        ),
        bands,
    )


def _rates(
    time: pl.LazyFrame, numbers: pl.LazyFrame, keys: Sequence[str], count: str = "events"
) -> pl.LazyFrame:
    if keys:
        joined = time.join(numbers, on=list(keys), how="left")
    else:
        joined = pl.concat([time, numbers], how="horizontal")
    whole = joined.with_columns(pl.col(count).fill_null(0).cast(pl.Int64))
    return _with_rate(whole, keys, count)


def _with_rate(frame: pl.LazyFrame, keys: Sequence[str], count: str) -> pl.LazyFrame:
    years = pl.col("minutes") / MINUTES_PER_YEAR
    made = frame.select(
        *keys,
        pl.col(count),
        years.alias("person_years"),
        (1000 * pl.col(count) / years).alias("rate_per_1000"),
        (1000 * poisson_low(count) / years).alias("low"),
        (1000 * poisson_high(count) / years).alias("high"),
    )
    return made.sort(list(keys)) if keys else made

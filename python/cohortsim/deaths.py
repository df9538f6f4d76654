"""Deaths that fractures cause, beside the excess of deaths after a fracture, whatever its cause.

The core says of each death how many percent of its hazard fractures caused; their sum is the number
of deaths caused. The excess is what an epidemiologist sees from outside: deaths of people who broke
a bone in follow-up, less those expected at the death rates of people of the same sex and age (and
stratum) who had not. It is larger, because the frail break their bones and would have died sooner.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import polars as pl

from cohortsim.incidence import of_events
from cohortsim.lexis import pieces
from cohortsim.strata import every, filled, with_age_band
from cohortsim.uncertainty import Z, scaled_poisson
from cohortsim.units import MINUTES_PER_MONTH, MINUTES_PER_YEAR

COUNTS = (
    *("minutes", "minutes_after", "deaths", "deaths_after"),
    *("percents", "percents_after", "squares"),
)


def counts(
    people: pl.LazyFrame,
    follow_up: pl.LazyFrame,
    events: pl.LazyFrame,
    kinds: Sequence[str],
    keys: Sequence[str],
    bands: Sequence[int],
    *,
    all_time: bool,
) -> pl.LazyFrame:
    """Return sums by `keys`: time and deaths, in all and from a first fracture of `kinds` on.

    `keys` hold sex and age; percents are the sums of what fractures caused, squares of its squares.
    Without `all_time` only the time from a fracture on is counted: a table has all the other.
    """
    who = ["person", "arm"]
    time = pl.col("month").cast(pl.Int64) * MINUTES_PER_MONTH + pl.col("minute")
    timed = events.with_columns(time.alias("time"))
    broken = (
        timed.filter(pl.col("event").cast(pl.String).is_in(list(kinds)))
        .group_by(who)
        .agg(pl.col("time").min().alias("since"))
    )
    whole = follow_up.select(*who, pl.lit(0).alias("start"), pl.col("minutes").alias("stop"))
    after = whole.join(broken, on=who).with_columns(pl.col("since").alias("start")).drop("since")
    lived = [
        with_age_band(pieces(rows.join(people, on="person")), bands)
        .group_by(list(keys))
        .agg(pl.col("minutes").sum().alias(name))
        for rows, name in ((whole, "minutes"), (after, "minutes_after"))
        if all_time or name != "minutes"
    ]
    dead = timed.filter(pl.col("event").cast(pl.String) == "death")
    of_people = people.drop("cohort", "sex", "age_months")
    dead = of_events(dead.join(of_people, on="person"), bands)
    dead = dead.join(broken, on=who, how="left")
    late = pl.col("since").is_not_null().cast(pl.Int64)
    percent = pl.col("attributable").cast(pl.Int64)
    died = dead.group_by(list(keys)).agg(
        pl.len().cast(pl.Int64).alias("deaths"),
        late.sum().alias("deaths_after"),
        percent.sum().alias("percents"),
        (percent * late).sum().alias("percents_after"),
        (percent * percent).sum().alias("squares"),
    )
    return pl.concat([*lived, died], how="diagonal")


def caused(events: pl.LazyFrame) -> tuple[int, int]:
    """Return the sum of percents of deaths that fractures caused, and of their squares."""
    percent = pl.col("attributable").cast(pl.Int64)
    sums = events.select(percent.sum(), (percent * percent).sum().alias("squares")).collect()
    return sums.row(0)


def added_up(sums: Sequence[pl.LazyFrame], keys: Sequence[str]) -> pl.DataFrame:
    """Return `counts` of all batches together, sorted, 0 where nothing was counted."""
    whole = pl.concat(sums, how="diagonal").group_by(list(keys))
    added = [pl.col(name).cast(pl.Int64).sum() for name in COUNTS]
    return whole.agg(added).sort(list(keys)).collect()


def table(sums: pl.DataFrame, by: Sequence[str]) -> pl.DataFrame:
    """Return deaths, what fractures caused of them, and the excess after a fracture, by stratum.

    `sums` are `counts` added up: a row for each stratum, sex and age.
    """
    ages = sums.with_columns(*_expected())
    floats = ("expected", "spread")
    added = [pl.col(*COUNTS, "matched_deaths", "matched_percents").sum(), pl.col(*floats).sum()]
    found = ages.group_by(list(by)).agg(added) if by else ages.select(added)
    names = [*COUNTS, "matched_deaths", "matched_percents"]
    grid = every([found.select(by)], by)
    rows = filled(grid, found, by, names).with_columns(pl.col(*floats).fill_null(0.0))
    rows = rows.sort(list(by)) if by else rows
    made = pl.DataFrame([_row(row) for row in rows.iter_rows(named=True)], schema=SCHEMA)
    return pl.concat([rows.select(by), made], how="horizontal") if by else made


def _expected() -> list[pl.Expr]:
    """Deaths expected after a fracture, and what these expected numbers vary by, at each age.

    Where nobody of that sex and age was left without a fracture, nothing can be expected, and time
    and deaths there are not compared.
    """
    reference = pl.col("minutes") - pl.col("minutes_after")
    others = pl.col("deaths") - pl.col("deaths_after")
    ratio = pl.when(reference > 0).then(pl.col("minutes_after") / reference).otherwise(0.0)
    return [
        (ratio * others).alias("expected"),
        (ratio * ratio * others).alias("spread"),
        pl.when(reference > 0).then("deaths_after").otherwise(0).alias("matched_deaths"),
        pl.when(reference > 0).then("percents_after").otherwise(0).alias("matched_percents"),
    ]


SCHEMA = {
    "deaths": pl.Int64,
    "person_years": pl.Float64,
    "caused": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "caused_percent": pl.Float64,
    "caused_per_1000": pl.Float64,
    "deaths_after": pl.Int64,
    "person_years_after": pl.Float64,
    "expected_after": pl.Float64,
    "excess_after": pl.Float64,
    "excess_low": pl.Float64,
    "excess_high": pl.Float64,
    "caused_after": pl.Float64,
    "caused_of_excess_percent": pl.Float64,
}


def _row(row: dict[str, Any]) -> dict[str, Any]:
    years = row["minutes"] / MINUTES_PER_YEAR
    low, high = scaled_poisson(row["percents"], row["squares"], 100)
    observed = row["minutes_after"] > 0
    excess = row["matched_deaths"] - row["expected"]
    half = Z * math.sqrt(row["matched_deaths"] + row["spread"])
    caused_after = row["matched_percents"] / 100
    return {
        "deaths": row["deaths"],
        "person_years": years,
        "caused": row["percents"] / 100,
        "low": low,
        "high": high,
        "caused_percent": row["percents"] / row["deaths"] if row["deaths"] else None,
        "caused_per_1000": 10 * row["percents"] / years if years else None,
        "deaths_after": row["deaths_after"],
        "person_years_after": row["minutes_after"] / MINUTES_PER_YEAR,
        "expected_after": row["expected"] if observed else None,
        "excess_after": excess if observed else None,
        "excess_low": excess - half if half else None,
        "excess_high": excess + half if half else None,
        "caused_after": row["percents_after"] / 100,
        "caused_of_excess_percent": 100 * caused_after / excess if excess > 0 else None,
    }

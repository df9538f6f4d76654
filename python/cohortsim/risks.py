"""People, follow-up and events -> when each person leaves, and why -> risks with death competing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from cohortsim.columns import DEATH
from cohortsim.strata import every
from cohortsim.survival import CENSORED, EVENT, Observed, Risk, risks
from cohortsim.survival import DEATH as DIED
from cohortsim.units import MINUTES_PER_MONTH, MINUTES_PER_YEAR

KEYS = ["person", "arm"]
LONGEST_GAP = MINUTES_PER_YEAR  # ages are known in completed years
RISK_COLUMNS = {
    "people": pl.Int64,
    "at_risk": pl.Int64,
    "events": pl.Int64,
    "deaths": pl.Int64,
    "percent": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "without_percent": pl.Float64,
}


def since_index(
    people: pl.LazyFrame,
    follow_up: pl.LazyFrame,
    events: pl.LazyFrame,
    kinds: Sequence[str],
    until: Sequence[int],
) -> pl.LazyFrame:
    """Return everybody's entry, exit (minutes since index) and cause, with the strata of people.

    Exits are moved to the next of the times `until` (ascending), which changes no risk there:
    before the end of the study people only leave by an event or by death.
    """
    lives = _lives(people, follow_up, _first(_timed(events), kinds), kinds)
    place = pl.sum_horizontal([(pl.col("exit") > time).cast(pl.UInt32) for time in until])
    times = pl.lit(pl.Series([*until, until[-1] + 1], dtype=pl.Int64))
    return lives.with_columns(
        pl.lit(0, dtype=pl.Int64).alias("entry"), times.gather(place).alias("exit")
    )


def since_birth(
    people: pl.LazyFrame,
    follow_up: pl.LazyFrame,
    events: pl.LazyFrame,
    kinds: Sequence[str],
    at: int,
) -> pl.LazyFrame:
    """Return entry, exit (age in minutes) and cause of those observed from an age on.

    Who is older at index comes under observation later; what happened before `at` (minutes of age)
    does not count.
    """
    later = _timed(events).filter(
        pl.col("age_months").cast(pl.Int64) * MINUTES_PER_MONTH + pl.col("minute") >= at
    )
    born = pl.col("age_months").cast(pl.Int64) * MINUTES_PER_MONTH
    lives = _lives(people, follow_up, _first(later, kinds), kinds)
    return lives.with_columns(
        pl.max_horizontal(born, pl.lit(at, dtype=pl.Int64)).alias("entry"),
        (born + pl.col("exit")).alias("exit"),
    ).filter(pl.col("exit") >= at)


def since_fracture(
    people: pl.LazyFrame,
    follow_up: pl.LazyFrame,
    events: pl.LazyFrame,
    index: Sequence[str],
    kinds: Sequence[str],
) -> pl.LazyFrame:
    """Return entry, exit (minutes since a person's first fracture of `index`) and cause.

    `age_months` becomes that at the index fracture.
    """
    timed = _timed(events)
    first = (
        timed.filter(pl.col("event").cast(pl.String).is_in(list(index)))
        .sort("time")
        .group_by(KEYS)
        .agg(pl.col("time").first().alias("since"), pl.col("age_months").first())
    )
    later = timed.join(first.select(*KEYS, "since"), on=KEYS).filter(
        pl.col("time") > pl.col("since")
    )
    broken = first.join(people.drop("age_months"), on="person")
    found = _lives(broken, follow_up, _first(later, kinds), kinds, [*KEYS])
    return found.with_columns(
        pl.lit(0, dtype=pl.Int64).alias("entry"), (pl.col("exit") - pl.col("since")).alias("exit")
    )


def _timed(events: pl.LazyFrame) -> pl.LazyFrame:
    time = pl.col("month").cast(pl.Int64) * MINUTES_PER_MONTH + pl.col("minute")
    return events.with_columns(time.alias("time"))


def _first(events: pl.LazyFrame, kinds: Sequence[str]) -> pl.LazyFrame:
    wanted = events.filter(pl.col("event").cast(pl.String).is_in(list(kinds)))
    return wanted.group_by(KEYS).agg(pl.col("time").min().alias("first"))


def _lives(
    people: pl.LazyFrame,
    follow_up: pl.LazyFrame,
    first: pl.LazyFrame,
    kinds: Sequence[str],
    on: Sequence[str] = ("person",),
) -> pl.LazyFrame:
    """Return exit (minutes since index) and cause: the event if there is one, else how one left."""
    end = pl.col("minutes").cast(pl.Int64)
    died = EVENT if DEATH in kinds else DIED
    left = pl.when("died").then(died).otherwise(CENSORED)
    return (
        follow_up.select(*KEYS, "minutes", "died")
        .join(people, on=list(on))
        .join(first, on=KEYS, how="left")
        .with_columns(
            pl.coalesce(pl.col("first"), end).alias("exit"),
            pl.when(pl.col("first").is_not_null()).then(EVENT).otherwise(left).alias("cause"),
        )
    )


def table(
    lives: pl.LazyFrame, by: Sequence[str], start: int, until: Sequence[int] | None
) -> pl.DataFrame:
    """Return the risk until each time, in percent with 95 % intervals, a row for each stratum.

    until: minutes on the scale of `lives`; None: as long as anybody in the stratum is observed.
    Column `until` has the minutes; the risk is missing where it is not known.
    """
    keys = [*by, "entry", "exit", "cause"]
    counts = lives.group_by(keys).agg(pl.len().cast(pl.Int64).alias("n")).sort(keys).collect()
    grid = every([counts.select(by)], by)
    groups: dict[tuple[Any, ...], pl.DataFrame]
    groups = counts.partition_by(by, as_dict=True) if by else {(): counts}
    rows = []
    for stratum in grid.iter_rows() if by else [()]:
        found = groups.get(stratum, counts.clear())
        rows += [(*stratum, time, *risk) for time, risk in _risks(found, start, until)]
    schema = {name: counts.schema[name] for name in by} | {"until": pl.Int64} | RISK_COLUMNS
    return pl.DataFrame(rows, schema=schema, orient="row")


def _risks(
    found: pl.DataFrame, start: int, until: Sequence[int] | None
) -> list[tuple[int | None, tuple[Any, ...]]]:
    if found.is_empty():
        nobody = (0, 0, 0, 0, None, None, None, None)
        times: Sequence[int | None] = until or [None]
        return [(time, nobody) for time in times]
    numbers = (found[name].to_numpy().astype(np.int64) for name in ("entry", "exit", "cause", "n"))
    seen = Observed(*numbers)
    ends = until or [int(seen.exit.max())]
    made = risks(seen, start, ends, LONGEST_GAP)
    return [(time, _row(risk)) for time, risk in zip(ends, made, strict=True)]


def _row(risk: Risk) -> tuple[Any, ...]:
    shares = (risk.share, risk.low, risk.high, risk.without)
    percents = (None if share is None else 100 * share for share in shares)
    return (risk.people, risk.at_risk, risk.events, risk.deaths, *percents)

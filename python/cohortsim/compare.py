"""What an arm averts, person by person: the same people with the same luck live in both arms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from cohortsim.columns import CLASSES
from cohortsim.strata import counted, with_age_band
from cohortsim.uncertainty import Z, garwood
from cohortsim.units import MONTHS_PER_YEAR

PAIRED_STRATA = ("cohort", "sex", "age_band", "age")
ANY = "any_fracture"


def averted(
    events: pl.LazyFrame,
    states: pl.LazyFrame,
    by: Sequence[str],
    outcomes: Mapping[str, Sequence[str]],
    bands: Sequence[int],
    arm: str,
    versus: str,
) -> pl.LazyFrame:
    """Return events averted by `arm` against `versus`, also per 1,000 people with 95 % interval.

    `outcomes` are the rows: each with the events that it holds.
    The interval comes from the differences of each person; where all are the same it is that of
    no event among so many people, to either side. Strata are those at index.
    """
    people = _people(states, by, bands, versus)
    rows = pl.LazyFrame({"event": pl.Series(list(outcomes), dtype=pl.Enum(list(outcomes)))})
    pairs = _differences(events, by, outcomes, bands, arm, versus)
    keys = [*by, "event"]
    d = pl.col("difference")
    sums = counted(
        pairs,
        keys,
        d.sum().cast(pl.Int64).alias("averted"),
        (d * d).sum().cast(pl.Int64).alias("squares"),
        pl.col("with").sum().cast(pl.Int64).alias("events"),
        pl.col("without").sum().cast(pl.Int64).alias("events_versus"),
    )
    every = people.join(rows, how="cross").join(sums, on=keys, how="left")
    zeros = pl.col("averted", "squares", "events", "events_versus").fill_null(0)
    return _with_interval(every.with_columns(zeros), by, arm, versus).sort(keys)


def _people(
    states: pl.LazyFrame, by: Sequence[str], bands: Sequence[int], versus: str
) -> pl.LazyFrame:
    """Count the people at index, in one arm and at one density site: everybody once."""
    site = pl.col("site").to_physical() == pl.col("site").to_physical().min()
    start = states.filter(pl.col("arm").cast(pl.String) == versus, pl.col("year") == 0).filter(site)
    total = pl.sum_horizontal(CLASSES).sum().cast(pl.Int64).alias("people")
    return counted(with_age_band(start, bands), by, total)


def _differences(
    events: pl.LazyFrame,
    by: Sequence[str],
    outcomes: Mapping[str, Sequence[str]],
    bands: Sequence[int],
    arm: str,
    versus: str,
) -> pl.LazyFrame:
    """Return one row for each person and outcome that happened in one of the two arms."""
    at_index = ((pl.col("age_months") - pl.col("month")) // MONTHS_PER_YEAR).cast(pl.UInt8)
    of_arm = pl.col("arm").cast(pl.String)
    told = with_age_band(
        events.filter(of_arm.is_in([arm, versus])).with_columns(
            at_index.alias("age"),
            pl.col("event").cast(pl.String).alias("kind"),
            (of_arm == arm).cast(pl.Int32).alias("with"),
            (of_arm == versus).cast(pl.Int32).alias("without"),
        ),
        bands,
    )
    pairs = [(kind, outcome) for outcome, kinds in outcomes.items() for kind in kinds]
    held_by = pl.LazyFrame(
        {
            "kind": [kind for kind, _ in pairs],
            "event": pl.Series([o for _, o in pairs], dtype=pl.Enum(list(outcomes))),
        }
    )
    keys = ["person", *by, "event"]
    both = told.drop("event").join(held_by, on="kind").group_by(keys)
    return both.agg(pl.col("with").sum(), pl.col("without").sum()).with_columns(
        (pl.col("without") - pl.col("with")).cast(pl.Int64).alias("difference")
    )


def _with_interval(frame: pl.LazyFrame, by: Sequence[str], arm: str, versus: str) -> pl.LazyFrame:
    n, s1, s2 = pl.col("people"), pl.col("averted"), pl.col("squares")
    mean = s1 / n
    variance = (s2 - s1 * s1 / n) / pl.max_horizontal(n - 1, pl.lit(1))
    unseen = float(garwood(0)[1])  # no spread to be seen: what no event leaves possible
    half = pl.when(variance == 0).then(unseen / n).otherwise(Z * (variance / n).sqrt())
    return frame.select(
        pl.lit(arm).alias("arm"),
        pl.lit(versus).alias("versus"),
        *by,
        "event",
        "people",
        "events_versus",
        "events",
        "averted",
        (1000 * mean).alias("averted_per_1000"),
        (1000 * (mean - half)).alias("low"),
        (1000 * (mean + half)).alias("high"),
    )

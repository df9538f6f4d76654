"""States -> prevalence of the density classes, and mean density. LazyFrame -> LazyFrame."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from cohortsim.columns import CLASSES
from cohortsim.strata import counted, with_age_band
from cohortsim.uncertainty import wilson

STATE_STRATA = ("arm", "cohort", "sex", "age_band", "age", "year", "site")
MICROGRAMS_PER_GRAM = 1_000_000


def prevalence(states: pl.LazyFrame, by: Sequence[str], bands: Sequence[int]) -> pl.LazyFrame:
    """Return the living people, how many are in each class, and percent with 95 % intervals."""
    sums = [pl.col(name).sum().cast(pl.Int64) for name in CLASSES]
    people = pl.sum_horizontal(CLASSES)
    found = counted(with_age_band(states, bands), by, *sums).with_columns(people.alias("people"))
    total = pl.col("people")
    percents: list[pl.Expr] = []
    for name in CLASSES:
        shares = (pl.col(name) / total, *wilson(pl.col(name), total))
        percents += [
            pl.when(total > 0).then(100 * share).alias(f"{name}_{part}")
            for share, part in zip(shares, ("percent", "low", "high"), strict=True)
        ]
    return found.select(*by, "people", *CLASSES, *percents)


def mean_abmd(states: pl.LazyFrame, by: Sequence[str], bands: Sequence[int]) -> pl.LazyFrame:
    """Return the living people and their mean areal density, g/cm2."""
    people = pl.sum_horizontal(CLASSES).sum().cast(pl.Int64).alias("people")
    found = counted(with_age_band(states, bands), by, people, pl.col("abmd_sum").sum())
    mean = pl.col("abmd_sum") / MICROGRAMS_PER_GRAM / pl.col("people")
    known = pl.when(pl.col("people") > 0).then(mean)
    return found.select(*by, "people", known.alias("abmd_g_per_cm2"))

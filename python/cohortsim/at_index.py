"""People at index with the strata that a table is split by, batch by batch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from cohortsim.columns import CLASSES
from cohortsim.strata import CLASS_AT_INDEX, Split
from cohortsim.units import MONTHS_PER_YEAR

Parts = list[pl.LazyFrame]
WHO = ("cohort", "sex")


def people(parts: Parts, by: Split, request: Mapping[str, Any]) -> Parts:
    """Return for each part of `persons`: person, age_months, cohort, sex and the strata at index."""
    labels = [(groups, groups.edges(pl.concat(parts))) for groups in by.groups.values()]
    keep = list(dict.fromkeys(["person", "age_months", *WHO, *by.at_index]))
    made = []
    for part in parts:
        rows = part
        if CLASS_AT_INDEX in by.at_index:
            rows = rows.with_columns(_class(request))
        for groups, edges in labels:
            rows = groups.added(rows, edges)
        made.append(rows.select(keep))
    return made


def with_age(people: pl.LazyFrame) -> pl.LazyFrame:
    """Add `age` at index in completed years."""
    return people.with_columns(
        (pl.col("age_months") // MONTHS_PER_YEAR).cast(pl.UInt8).alias("age")
    )


def _class(request: Mapping[str, Any]) -> pl.Expr:
    """Return the class of density at index, computed in 32 bits as the core does."""
    numbers, site = request["parameters"], request["class_site"]

    def single(value: float) -> pl.Expr:
        return pl.lit(value, dtype=pl.Float32)

    mean = single(numbers[f"density.reference_mean.{site}"])
    per_sd = single(1.0 / numbers[f"density.reference_sd.{site}"])
    t_score = (pl.col(f"abmd_{site}") - mean) * per_sd
    limits = [single(numbers[f"density.{name}_t_score"]) for name in CLASSES[1:]]
    worse = pl.sum_horizontal([(t_score <= limit).cast(pl.UInt32) for limit in limits])
    labels = pl.lit(pl.Series(CLASSES, dtype=pl.Enum(CLASSES)))
    return labels.gather(worse).alias(CLASS_AT_INDEX)

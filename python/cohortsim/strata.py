"""Strata: the columns that tables can be split by, and age bands."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

import polars as pl

from cohortsim.errors import Problem, ResultsError, nearest, one_of
from cohortsim.mistakes import shown


def checked(
    by: str | Iterable[str], allowed: Iterable[str], place: str, noun: str = "stratum"
) -> list[str]:
    """Return `by` as a list. Raises ResultsError at `place`: what is not among those allowed."""
    options = list(allowed)
    named: list[Any] = list(by) if isinstance(by, Iterable) and not isinstance(by, str) else [by]
    problems = [
        Problem(
            place,
            f"no {noun} {shown(name)}",
            one_of(options),
            nearest(str(name), options) or "choose one of them",
        )
        for name in named
        if not isinstance(name, str) or name not in options
    ]
    if problems:
        raise ResultsError(problems)
    return list(dict.fromkeys(named))


def chosen(name: str, allowed: Iterable[str], place: str, noun: str) -> str:
    """Return `name`. Raises ResultsError at `place`: it is not among those allowed."""
    return checked([name], allowed, place, noun)[0]


def band_labels(bands: Sequence[int]) -> list[str]:
    """Return the labels of age bands that begin at these ages: `under 50`, `50-59`, ..., `90+`."""
    between = [f"{low}-{high - 1}" for low, high in pairwise(bands)]
    below = [f"under {bands[0]}"] if bands[0] > 0 else []
    return [*below, *between, f"{bands[-1]}+"]


def with_age_band(frame: pl.LazyFrame, bands: Sequence[int]) -> pl.LazyFrame:
    """Add `age_band` (an Enum in ascending order) from `age` in completed years."""
    labels = band_labels(bands)
    edges = [band for band in bands if band > 0]
    place = pl.lit(0, dtype=pl.UInt32)
    for edge in edges:
        place = place + (pl.col("age") >= edge).cast(pl.UInt32)
    named = place.replace_strict(
        list(range(len(labels))), labels, return_dtype=pl.Enum(labels)
    ).alias("age_band")
    return frame.with_columns(named)


def counted(frame: pl.LazyFrame, by: Sequence[str], *sums: pl.Expr) -> pl.LazyFrame:
    """Return sums of integers by stratum, sorted; one row where `by` is empty."""
    if not by:
        return frame.select(*sums)
    return frame.group_by(list(by)).agg(*sums).sort(list(by))

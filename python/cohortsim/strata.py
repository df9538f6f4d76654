"""Strata: the columns that tables can be split by, and age bands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import polars as pl

from cohortsim.errors import Problem, ResultsError, nearest, one_of
from cohortsim.groups import MISSING, Groups
from cohortsim.mistakes import shown

By = str | Groups | Iterable[str | Groups]
CLASS_AT_INDEX = "class_at_index"
NO_STRATA = ("person", "age_months", "spine", "source_row")  # columns that tell people apart
OF_AGE = ("age", "age_band")  # the one says the other


@dataclass(frozen=True, slots=True)
class Split:
    """What a table is split by: names in their order, and which of them people have at index."""

    names: list[str]
    at_index: list[str] = field(default_factory=list)
    groups: dict[str, Groups] = field(default_factory=dict)


def split(
    by: By, fixed: Sequence[str], persons: Mapping[str, pl.DataType] | None, place: str
) -> Split:
    """Return what `by` names: strata of the measure, and columns of people.

    Args:
        by: names, and groups by numbers.
        fixed: strata that the measure knows itself.
        persons: columns of people at index with their types; None where they were not kept.
        place: where the mistake is, for messages.

    Raises ResultsError: all strata that are unknown, or numbers that have to be grouped first.
    """
    given: list[Any] = list(by) if isinstance(by, Iterable) and not isinstance(by, str) else [by]
    kinds = {} if persons is None else dict(persons)
    own = [name for name, kind in kinds.items() if _splits(name, kind)]
    if persons is not None:
        own.append(CLASS_AT_INDEX)
    options = list(dict.fromkeys([*fixed, *own]))
    numbers = [name for name, kind in kinds.items() if kind.is_numeric() and name not in NO_STRATA]
    problems: list[Problem] = []
    for item in given:
        if isinstance(item, Groups):
            problems += _of_groups(item, kinds, numbers, place)
        elif not isinstance(item, str) or item not in options:
            problems.append(_unknown(item, options, numbers, persons is None, place))
    if problems:
        raise ResultsError(problems)
    names = list(dict.fromkeys(i.name if isinstance(i, Groups) else i for i in given))
    groups = {item.name: item for item in given if isinstance(item, Groups)}
    at_index = [name for name in names if name in groups or name not in fixed]
    return Split(names, at_index, groups)


def _splits(name: str, kind: pl.DataType) -> bool:
    """Has this column of people few enough values to split by?"""
    if name in NO_STRATA:
        return False
    return isinstance(kind, pl.Enum) or kind == pl.Boolean or kind.is_integer()


def _of_groups(
    groups: Groups, kinds: Mapping[str, pl.DataType], numbers: list[str], place: str
) -> list[Problem]:
    if not kinds:
        needed, advice = "needs rows of people", "set `record: {persons: true}`"
        return [Problem(place, f"groups of {groups.column}", needed, advice)]
    wanted = [(groups.column, numbers), *((w, list(kinds)) for w in groups.within)]
    return [
        Problem(
            place,
            f'no column of people "{name}"',
            one_of(allowed),
            nearest(name, allowed) or "choose one of them",
        )
        for name, allowed in wanted
        if name not in allowed
    ]


def _unknown(
    item: Any, options: list[str], numbers: list[str], not_kept: bool, place: str
) -> Problem:
    if isinstance(item, str) and item in numbers:
        found = f"{item} is a number of each person"
        advice = f'use cs.quantiles("{item}", 4) or cs.bands("{item}", [...])'
        return Problem(place, found, "needs groups of people", advice)
    advice = nearest(str(item), options) or "choose one of them"
    if not_kept:
        advice += "; columns of people need `record: {persons: true}`"
    return Problem(place, f"no stratum {shown(item)}", one_of(options, limit=40), advice)


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


def every(tables: Sequence[pl.DataFrame], by: Sequence[str]) -> pl.DataFrame:
    """Return every combination of the values that strata have in these tables, sorted.

    Booleans and groups of numbers have all their values; age and age band go together.
    """
    together = [name for name in OF_AGE if name in by]
    units = [[name] for name in by if name not in OF_AGE] + ([together] if together else [])
    grid = pl.DataFrame({"": [0]})
    for unit in units:
        grid = grid.join(_values([table.select(unit) for table in tables]), how="cross")
    return grid.select(*by).sort(list(by))


def _values(tables: Sequence[pl.DataFrame]) -> pl.DataFrame:
    found = pl.concat(tables).unique()
    name, kind = next(iter(found.schema.items()))
    if kind == pl.Boolean:
        return pl.DataFrame({name: [False, True]})
    if isinstance(kind, pl.Enum) and MISSING in kind.categories:
        there = [c for c in kind.categories if c != MISSING or c in found[name]]
        return pl.DataFrame({name: pl.Series(there, dtype=kind)})
    return found


def filled(
    grid: pl.DataFrame, table: pl.DataFrame, by: Sequence[str], counts: Sequence[str]
) -> pl.DataFrame:
    """Return the rows of the grid with the counts of a table, 0 where nothing was counted."""
    if by:
        found = grid.join(table, on=list(by), how="left", nulls_equal=True, maintain_order="left")
    else:
        found = grid.join(table, how="cross") if grid.width else table
    return found.with_columns(pl.col(*counts).fill_null(0).cast(pl.Int64))

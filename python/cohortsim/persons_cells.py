"""Raw cells -> numbers, column by column; each cell that is wrong is named, up to a limit.

Missing values are empty cells, `NA` or `NaN` of a CSV, and null or NaN of a Parquet file or frame.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cohortsim.errors import Problem, brief
from cohortsim.persons_columns import Column
from cohortsim.persons_reading import Raw

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Told = Callable[[int], tuple[str, str, str]]
"""Says of a row what was found, what is needed, what to do."""
DECIMAL_COMMA = re.compile(r"[+-]?[0-9]*,[0-9]+")
MOST_ROWS = 10
"""Most rows that are named for one kind of mistake in one column; the rest are counted."""
NO_VALUE = ("", "na", "nan", "null", "none")
SEX_CODES = {"women": 0.0, "woman": 0.0, "female": 0.0, "f": 0.0}
SEX_CODES |= {"men": 1.0, "man": 1.0, "male": 1.0, "m": 1.0}
YES_NO = {"0": 0.0, "1": 1.0, "false": 0.0, "true": 1.0, "0.0": 0.0, "1.0": 1.0}


@dataclass(frozen=True, slots=True)
class Found:
    """A problem and the row where it stands, so that problems can be sorted."""

    row: int
    problem: Problem


class Cells:
    """Takes the cells of one source; `problems` holds what is wrong with them."""

    def __init__(self, raw: Raw) -> None:
        self.raw = raw
        self.problems: list[Found] = []

    def take(self, column: Column, series: pl.Series, named: str) -> Floats | None:
        """Return the numbers of a column (NaN: missing), or None where it holds no such cells.

        `named` is the column's name in the file, for messages.
        """
        if series.null_count() == len(series) and len(series):
            return self._empty(column, named)
        if column.kind == "id":
            return self._ids(series, named)
        values = self._numbers(column, series, named)
        if values is not None:
            self._check(column, values, series, named)
        return values

    def _numbers(self, column: Column, series: pl.Series, named: str) -> Floats | None:
        kind = series.dtype
        if column.kind == "sex" and kind in (pl.String, pl.Categorical, pl.Enum):
            return self._words(column, series.cast(pl.String), named, SEX_CODES)
        if column.kind == "yes_no" and kind in (pl.Boolean, pl.String, pl.Categorical, pl.Enum):
            text = series.cast(pl.String)
            return self._words(column, text, named, YES_NO)
        if column.kind != "sex" and self.raw.is_text:
            return self._parsed(column, series, named)
        if column.kind != "sex" and kind.is_numeric():
            numbers = series.cast(pl.Float64).fill_null(math.nan).to_numpy()
            if not np.isnan(numbers).all() or not len(numbers):
                return np.asarray(numbers, dtype=np.float64)
            return self._empty(column, named)
        said = "text" if kind == pl.String else "yes or no" if kind == pl.Boolean else str(kind)
        if column.kind == "sex" and kind.is_numeric():
            said = f"numbers ({_some(series)})"
        return self._none(named, f"holds {said}", column.needs, "convert the column")

    def _words(
        self, column: Column, series: pl.Series, named: str, codes: dict[str, float]
    ) -> Floats | None:
        words = series.str.strip_chars().str.to_lowercase()
        missing = (words.is_null() | words.is_in(NO_VALUE)).to_numpy()
        if missing.all() and len(missing):
            return self._empty(column, named)
        values = words.replace_strict(codes, default=None, return_dtype=pl.Float64)
        numbers = values.fill_null(math.nan).to_numpy()
        wrong = np.isnan(numbers) & ~missing
        self._rows(wrong, named, lambda row: (_quoted(series[row]), column.needs, "correct it"))
        return np.asarray(numbers, dtype=np.float64)

    def _parsed(self, column: Column, series: pl.Series, named: str) -> Floats | None:
        text = series.str.strip_chars()
        missing = (text.is_null() | text.str.to_lowercase().is_in(NO_VALUE)).to_numpy()
        if missing.all() and len(missing):
            return self._empty(column, named)
        numbers = text.cast(pl.Float64, strict=False).fill_null(math.nan).to_numpy()
        wrong = np.isnan(numbers) & ~missing
        self._rows(wrong, named, lambda row: _not_a_number(column, series[row]))
        return np.asarray(numbers, dtype=np.float64)

    def _check(self, column: Column, values: Floats, series: pl.Series, named: str) -> None:
        """Look for numbers out of range, and for cells that must not be empty."""
        if column.kind in ("sex", "age", "weight"):
            empty = np.isnan(values)
            if self.raw.is_text or series.dtype in (pl.String, pl.Categorical, pl.Enum):
                empty &= _is_missing(series)  # what is there but wrong has been told
            advice = "fill it, or leave the row out"
            self._rows(empty, named, lambda row: ("is empty", column.needs, advice))
        if column.kind == "sex":
            return
        if column.kind == "yes_no":
            wrong = ~(np.isnan(values) | (values == 0) | (values == 1))
            self._rows(wrong, named, lambda row: (f"{values[row]:g}", column.needs, "correct it"))
            return
        wrong = (values < column.low) | (values > column.high) | np.isinf(values)
        self._rows(wrong, named, lambda row: _out_of_range(column, float(values[row])))

    def _ids(self, series: pl.Series, named: str) -> Floats | None:
        """Look for ids that are there twice; they are for messages only, and go no further."""
        try:
            text = series.cast(pl.String)
        except pl.exceptions.PolarsError:
            found = f"holds {series.dtype}"
            return self._none(named, found, "needs texts or numbers", "convert it")
        if series.dtype.is_float():
            text = pl.select(pl.when(series.is_nan()).then(None).otherwise(text)).to_series()
        elif self.raw.is_text:
            text = text.str.strip_chars()
        first: dict[str, int] = {}
        doubled = (text.is_duplicated() & text.is_not_null()).to_numpy()
        again = np.zeros(len(doubled), dtype=np.bool_)
        for row in np.flatnonzero(doubled):
            again[row] = first.setdefault(text[int(row)], int(row)) != row
        self._rows(
            again,
            named,
            lambda row: (
                f"{_quoted(text[row])} is also that of {self.raw.name(first[text[row]])}",
                "needs each person once",
                "remove or rename one",
            ),
        )
        return None

    def women_only(self, values: Floats, sex: Floats, named: str) -> None:
        """Note each man who has what only women have."""
        wrong = ~np.isnan(values) & (sex == 1.0)
        advice = "leave the cell empty"
        self._rows(wrong, named, lambda row: (f"{values[row]:g}, of a man", "women only", advice))

    def _none(self, named: str, found: str, needed: str, advice: str) -> Floats | None:
        """Note what is wrong with a whole column, and return that it has no numbers."""
        place = f"{self.raw.shown} {named}"
        self.problems.append(Found(-1, Problem(place, found, needed, advice)))
        return None

    def _empty(self, column: Column, named: str) -> Floats | None:
        advice = "fill it" if column.required else "remove the column"
        return self._none(named, "no value in any row", "needs one at least", advice)

    def _rows(self, wrong: Flags, named: str, told: Told) -> None:
        """Note each wrong row; of many, the first, and how many more there are."""
        rows = [int(row) for row in np.flatnonzero(wrong)]
        for row in rows[:MOST_ROWS]:
            self.problems.append(Found(row, Problem(self.raw.place(row, named), *told(row))))
        if len(rows) > MOST_ROWS:
            found = f"the like in {len(rows) - MOST_ROWS:,} more rows"
            problem = Problem(f"{self.raw.shown} {named}", found, *told(rows[MOST_ROWS])[1:])
            self.problems.append(Found(rows[MOST_ROWS], problem))


def _is_missing(series: pl.Series) -> Flags:
    text = series.cast(pl.String).str.strip_chars().str.to_lowercase()
    return np.asarray((text.is_null() | text.is_in(NO_VALUE)).to_numpy(), dtype=np.bool_)


def _quoted(value: object) -> str:
    return f'"{brief(value, 40)}"'


def _some(series: pl.Series) -> str:
    seen = series.drop_nulls().unique(maintain_order=True).head(3).to_list()
    return ", ".join(f"{value:g}" for value in seen)


def _not_a_number(column: Column, text: str) -> tuple[str, str, str]:
    advice = f"write a number, or {_without(column)}"
    if DECIMAL_COMMA.fullmatch(text.strip()):
        advice = "write decimals with a point"
    return _quoted(text), column.needs, advice


def _without(column: Column) -> str:
    must = column.kind in ("sex", "age", "weight")
    return "leave the row out" if must else "leave the cell empty"


def _out_of_range(column: Column, value: float) -> tuple[str, str, str]:
    for slip in column.slips:
        if column.low <= value * slip.factor <= column.high:
            return f"{value:g}", column.needs, f"did you give {slip.words}?"
    if column.name.startswith("abmd_") and -10 < value <= 0:
        return f"{value:g}", column.needs, "did you give a T-score?"
    needs = column.needs
    if column.kind == "weight" and value > column.high:
        needs = f"needs at most {column.high:g}"
    return f"{value:g}", needs, f"correct it, or {_without(column)}"


def sorted_problems(found: list[Found]) -> Iterator[Problem]:
    """Yield problems in the order of the rows."""
    for item in sorted(found, key=lambda item: item.row):
        yield item.problem

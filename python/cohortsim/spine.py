"""Sums of the table `spine` -> prevalence of deformity, height loss, kyphosis, back; distributions.

Sums are added as whole numbers; only the finished means and shares are floating-point numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from cohortsim.columns import BACK, LEVELS, SHAPES
from cohortsim.errors import Problem, ResultsError
from cohortsim.strata import counted, every, filled
from cohortsim.uncertainty import mean_limits, wilson_limits

SPINE_STRATA = ("arm", "cohort", "sex", "age_band", "age", "year")
THRESHOLD = "spine.hyperkyphosis_from"
SUMS = (
    *("people", "deformed", "deformities", "moderate", "severe"),
    *("height_loss_sum", "height_loss_square_sum", "kyphosis_sum", "kyphosis_square_sum"),
    *("hyperkyphotic", *BACK),
)
SHARES = ("deformed", "mild", "moderate", "severe", "hyperkyphotic", *BACK)
OF_PEOPLE = {f"people_{part}": part for part in ("percent", "low", "high")}
THREE = (1, 2, 3)
GRADES = ("mild", "moderate", "severe")
OF_LEVEL = {
    **dict.fromkeys(("people", "deformed"), pl.Int64),
    **dict.fromkeys(("deformed_percent", "deformed_low", "deformed_high"), pl.Float64),
    **dict.fromkeys((*GRADES, *SHAPES), pl.Int64),
}
MOST_INTERVALS = 10_000
PER_CM = 1000  # the core counts height loss in units of 10 um
PER_DEGREE = 1000
TENTHS = 10  # squares of kyphosis are those of tenths of a degree


def table(rows: pl.LazyFrame, by: Sequence[str]) -> pl.DataFrame:
    """Return counts, percents and means with 95 % intervals, a row for each stratum."""
    sums = [pl.col(name).cast(pl.Int64).sum() for name in SUMS]
    found = counted(rows, by, *sums).collect()
    grid = every([found.select(by)], by)
    at_least = filled(grid, found, by, SUMS)
    whole = at_least.with_columns(  # from "this grade or more" to the grade of the worst level
        (pl.col("deformed") - pl.col("moderate")).alias("mild"),
        (pl.col("moderate") - pl.col("severe")).alias("moderate"),
    )
    made = pl.DataFrame([_row(row) for row in whole.iter_rows(named=True)], schema=_schema())
    return pl.concat([whole.select(by), made], how="horizontal") if by else made


def of_people(people: pl.LazyFrame, hyperkyphosis_from: float) -> pl.LazyFrame:
    """Return rows of the table `spine`, one for each person at index, with the person's strata."""
    height = (pl.col("height_loss").cast(pl.Float64) * PER_CM).round().cast(pl.Int64)
    degrees = pl.col("kyphosis").cast(pl.Float64)
    tenths = (degrees * TENTHS).round().cast(pl.Int64)
    return people.with_columns(
        pl.lit(1).alias("people"),
        (pl.col("worst_grade") >= 1).alias("deformed"),
        (pl.col("worst_grade") >= 2).alias("moderate"),
        (pl.col("worst_grade") >= 3).alias("severe"),
        height.alias("height_loss_sum"),
        (height * height).alias("height_loss_square_sum"),
        (degrees * PER_DEGREE).round().cast(pl.Int64).alias("kyphosis_sum"),
        (tenths * tenths).alias("kyphosis_square_sum"),
        (degrees >= hyperkyphosis_from).alias("hyperkyphotic"),
    )


def _schema() -> dict[str, Any]:
    shares = {
        name: kind
        for share in SHARES
        for name, kind in (
            (share, pl.Int64),
            (f"{share}_percent", pl.Float64),
            (f"{share}_low", pl.Float64),
            (f"{share}_high", pl.Float64),
        )
    }
    means = {
        f"{what}_{part}": pl.Float64
        for what in ("height_loss", "kyphosis")
        for part in ("mean", "sd", "low", "high")
    }
    return {"people": pl.Int64, "deformities": pl.Int64} | shares | means


def _row(row: Mapping[str, int]) -> dict[str, Any]:
    people = row["people"]
    made: dict[str, Any] = {"people": people, "deformities": row["deformities"]}
    for share in SHARES:
        made |= _percent(share, row[share], people)
    squares = row["kyphosis_square_sum"] * (PER_DEGREE // TENTHS) ** 2
    measured = {
        "height_loss": (row["height_loss_sum"], row["height_loss_square_sum"], PER_CM),
        "kyphosis": (row["kyphosis_sum"], squares, PER_DEGREE),
    }
    for what, sums in measured.items():
        parts = zip(("mean", "sd", "low", "high"), mean_limits(people, *sums), strict=True)
        made |= {f"{what}_{part}": number for part, number in parts}
    return made


def _percent(name: str, count: int, people: int) -> dict[str, Any]:
    if not people:
        return {name: count, f"{name}_percent": None, f"{name}_low": None, f"{name}_high": None}
    share = count / people
    low, high = wilson_limits(share, people)
    return {
        name: count,
        f"{name}_percent": 100 * share,
        f"{name}_low": 100 * low,
        f"{name}_high": 100 * high,
    }


def by_level(rows: pl.LazyFrame, by: Sequence[str]) -> pl.DataFrame:
    """Return how many people have a deformity at each level, by grade and shape.

    `rows` hold the column `code`: grade of level i in bits 2 i and 2 i + 1, shape from bit 26 on.
    """
    sums = [pl.len().cast(pl.Int64).alias("people")]
    for i, level in enumerate(LEVELS):
        grade, shape = _bits(2 * i), _bits(2 * len(LEVELS) + 2 * i)
        for name, code in (("grade", grade), ("shape", shape)):
            sums += [(code == k).sum().cast(pl.Int64).alias(f"{level} {name} {k}") for k in THREE]
    found = counted(rows, by, *sums).collect()
    counts = [name for name in found.columns if name not in by]
    whole = filled(every([found.select(by)], by), found, by, counts)
    made = [
        {name: row[name] for name in by} | {"level": level} | _level(row, level)
        for row in whole.iter_rows(named=True)
        for level in LEVELS
    ]
    schema = {name: whole.schema[name] for name in by} | {"level": pl.Enum(LEVELS)} | OF_LEVEL
    return pl.DataFrame(made, schema=schema)


def _bits(first: int) -> pl.Expr:
    return (pl.col("code") // (1 << first)) & 3


def _level(row: Mapping[str, Any], level: str) -> dict[str, Any]:
    grades = {name: row[f"{level} grade {k}"] for k, name in zip(THREE, GRADES, strict=True)}
    shapes = {name: row[f"{level} shape {k}"] for k, name in zip(THREE, SHAPES, strict=True)}
    share = _percent("deformed", sum(grades.values()), row["people"])
    return {"people": row["people"]} | share | grades | shapes


def histogram(rows: pl.LazyFrame, column: str, width: float, by: Sequence[str]) -> pl.DataFrame:
    """Return how many people have a value in each interval of this width, by stratum.

    Intervals are [k x width, (k + 1) x width) and reach from the lowest to the highest value of all;
    people without a value are not counted. Raises ResultsError: more than MOST_INTERVALS.
    """
    value = pl.col(column).cast(pl.Float64)
    known = rows.filter(pl.col(column).is_not_null())
    lowest, highest = known.select(value.min(), value.max().alias("high")).collect().row(0)
    span = (highest - lowest) / width if highest is not None else 0.0
    if span > MOST_INTERVALS:
        said = f"width {width:g} makes {span:,.0f} intervals"
        needed = f"needs at most {MOST_INTERVALS:,}"
        raise ResultsError(Problem("distribution(width=...)", said, needed, "take a wider one"))
    keys = [*by, "place"]
    known = known.with_columns((value / width).floor().cast(pl.Int64).alias("place"))
    found = counted(known, keys, pl.len().cast(pl.Int64).alias("people")).collect()
    grid = every([found.select(by)], by)
    grid = grid.join(_places(found["place"]), how="cross") if by else _places(found["place"])
    whole = filled(grid, found, keys, ["people"])
    total = pl.col("people").sum()
    rows_of = whole.with_columns((total.over(list(by)) if by else total).alias("of"))
    shares = [_percent("people", *row) for row in rows_of.select("people", "of").iter_rows()]
    schema = {"people": pl.Int64} | dict.fromkeys(OF_PEOPLE, pl.Float64)
    edges = [(pl.col("place") * width).alias("from"), ((pl.col("place") + 1) * width).alias("to")]
    made = [whole.select(*by, *edges), pl.DataFrame(shares, schema=schema).rename(OF_PEOPLE)]
    return pl.concat(made, how="horizontal")


def _places(found: pl.Series) -> pl.DataFrame:
    """Return every interval between the first and the last that somebody is in."""
    if found.is_empty():
        return pl.DataFrame({"place": found})
    return pl.DataFrame({"place": range(found.min(), found.max() + 1)})  # type: ignore[arg-type, operator]

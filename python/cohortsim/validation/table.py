"""Comparisons -> the table of every published number, and how well they agree by layer.

Only numbers of one kind are summed up together: changes (% or percentage points), distance from
the young adult (%), rates (% a year), spread between people (percentage points), correlations.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import polars as pl

from cohortsim.columns import MARKERS
from cohortsim.validation.compare import Comparison
from cohortsim.validation.targets import DENSITY, LAYERS, Kind

QUANTITIES: dict[Kind, str] = {
    "change": "change",
    "arm": "change",
    "cohort": "change",
    "peak": "from_peak",
    "yearly": "rate",
    "sd": "spread",
    "tracking": "correlation",
}
UNITS = {"change": "pp", "from_peak": "pp", "rate": "%/a", "spread": "pp", "correlation": "1"}
USES = ("calibrated", "compared")
ALL = "all"
ORDERS = ((*LAYERS, ALL), (*DENSITY, *MARKERS), tuple(UNITS), USES)  # of rows of the summary
WORST = 5
SCHEMA = {
    "id": pl.String,
    "layer": pl.String,
    "trial": pl.String,
    "cohort": pl.String,
    "arm": pl.String,
    "against": pl.String,
    "quantity": pl.String,
    "measure": pl.String,
    "month": pl.Int64,
    "unit": pl.String,
    "published": pl.Float64,
    "published_low": pl.Float64,
    "published_high": pl.Float64,
    "simulated": pl.Float64,
    "simulated_low": pl.Float64,
    "simulated_high": pl.Float64,
    "difference": pl.Float64,
    "use": pl.String,
    "recalled": pl.Boolean,
    "people": pl.Int64,
    "source": pl.String,
    "not_evaluated": pl.String,
    "note": pl.String,
}


def table(comparisons: Sequence[Comparison]) -> pl.DataFrame:
    """Return one row for each published number, by layer, in the order of the file.

    Simulated numbers carry their 95 % Monte Carlo interval; `not_evaluated` says why a number has
    none. `recalled`: the published number is remembered and not yet read in its source.
    """
    sorted_ = sorted(comparisons, key=lambda c: _place(LAYERS, c.target.layer))
    return pl.DataFrame([_row(c) for c in sorted_], schema=SCHEMA, orient="row")


def summary(rows: pl.DataFrame) -> pl.DataFrame:
    """Return root mean square and mean difference by layer, measure, quantity and use.

    The layer `all` holds all layers together. Columns: points (evaluated), not_evaluated, rmse, mean
    (difference), largest (difference, with its sign); in pp, %/a or 1, as `unit` says.
    """
    keys = ["layer", "measure", "quantity", "use"]
    everything = rows.with_columns(layer=pl.lit(ALL))
    made = [
        (*key, UNITS[str(key[2])], *_agreement(group))
        for key, group in pl.concat([rows, everything]).group_by(keys, maintain_order=True)
    ]
    schema: dict[str, type[pl.DataType]] = dict.fromkeys([*keys, "unit"], pl.String)
    schema |= {"points": pl.Int64, "not_evaluated": pl.Int64}
    schema |= dict.fromkeys(("rmse", "mean", "largest"), pl.Float64)
    made.sort(key=lambda row: tuple(_place(order, row[k]) for k, order in enumerate(ORDERS)))
    return pl.DataFrame(made, schema=schema, orient="row")


def worst(rows: pl.DataFrame, *, markers: bool = False) -> pl.DataFrame:
    """Return the five rows that differ most: of density (pp and %/a), or of turnover markers."""
    mine = pl.col("measure").is_in(MARKERS) if markers else ~pl.col("measure").is_in(MARKERS)
    kept = rows.filter(
        mine, pl.col("quantity") != "correlation", pl.col("difference").is_not_null()
    )
    return kept.sort(pl.col("difference").abs(), descending=True).head(WORST)


def rmse(rows: pl.DataFrame) -> float | None:
    """Return the root mean square of the differences, None where there are none."""
    return _agreement(rows)[2]


def _agreement(rows: pl.DataFrame) -> tuple[int, int, float | None, float | None, float | None]:
    found = rows["difference"].drop_nulls().to_list()
    if not found:
        return 0, rows.height, None, None, None
    square = math.fsum(d * d for d in found) / len(found)
    mean = math.fsum(found) / len(found)
    return len(found), rows.height - len(found), math.sqrt(square), mean, max(found, key=abs)


def _place(order: Sequence[str], word: object) -> int:
    return order.index(str(word)) if word in order else len(order)


def _row(comparison: Comparison) -> tuple[object, ...]:
    t = comparison.target
    return (
        t.id,
        t.layer,
        t.trial,
        t.cohort,
        t.arm,
        t.against,
        QUANTITIES[t.kind],
        t.measure,
        t.month,
        t.unit,
        t.published,
        t.low,
        t.high,
        comparison.simulated,
        comparison.low,
        comparison.high,
        comparison.difference,
        USES[0] if t.calibrated else USES[1],
        t.recalled,
        comparison.people,
        t.source,
        comparison.reason,
        t.note,
    )

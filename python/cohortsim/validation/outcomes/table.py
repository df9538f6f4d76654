"""Compared outcomes -> the table of every published number, and how well they agree by layer.

Ratios agree by their logarithms; everything else by simulated over published less one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import polars as pl

from cohortsim.validation.outcomes.sums import Compared
from cohortsim.validation.outcomes.targets import LAYERS

USES = ("calibrated", "compared")
SCHEMA = {
    "id": pl.String,
    "layer": pl.String,
    "study": pl.String,
    "measure": pl.String,
    "cohort": pl.String,
    "arm": pl.String,
    "against": pl.String,
    "factor": pl.String,
    "sex": pl.String,
    "age_from": pl.Int64,
    "age_to": pl.Int64,
    "site": pl.String,
    "years": pl.Float64,
    "unit": pl.String,
    "published": pl.Float64,
    "published_low": pl.Float64,
    "published_high": pl.Float64,
    "simulated": pl.Float64,
    "simulated_low": pl.Float64,
    "simulated_high": pl.Float64,
    "difference": pl.Float64,
    "relative": pl.Float64,
    "z": pl.Float64,
    "inside": pl.Boolean,
    "use": pl.String,
    "recalled": pl.Boolean,
    "people": pl.Int64,
    "source": pl.String,
    "not_evaluated": pl.String,
    "note": pl.String,
}


def table(compared: Sequence[Compared]) -> pl.DataFrame:
    """Return one row for each published outcome, by layer, in the order of the file.

    Simulated numbers carry their 95 % Monte Carlo interval. relative: simulated / published - 1 (none
    where 0 was published); z: difference in standard errors of both; inside: is the simulated number
    in the published interval? `not_evaluated` says why a number has none.
    """
    sorted_ = sorted(compared, key=lambda c: LAYERS.index(c.outcome.layer))
    return pl.DataFrame([_row(c) for c in sorted_], schema=SCHEMA, orient="row")


def summary(rows: pl.DataFrame) -> pl.DataFrame:
    """Return agreement by layer and use.

    Columns: points (evaluated), not_evaluated, relative (median of the absolute), within_25_percent
    (percent of points), z_rms (root mean square of z), intervals (how many were published) and inside
    (percent of them that contain the simulated number).
    """
    made = []
    for layer in LAYERS:
        for use in USES:
            mine = rows.filter(layer=layer, use=use)
            if mine.is_empty():
                continue
            found = mine.filter(pl.col("difference").is_not_null())
            relative = found["relative"].drop_nulls().abs()
            z = found["z"].drop_nulls()
            inside = found["inside"].drop_nulls()
            made.append(
                (
                    layer,
                    use,
                    found.height,
                    mine.height - found.height,
                    _percent(relative.median()),
                    _percent((relative <= 0.25).mean()),
                    math.sqrt(float((z * z).mean())) if len(z) else None,  # type: ignore[arg-type]
                    len(inside),
                    _percent(inside.mean()),
                )
            )
    schema = {
        "layer": pl.String,
        "use": pl.String,
        "points": pl.Int64,
        "not_evaluated": pl.Int64,
        "median_off_percent": pl.Float64,
        "within_25_percent": pl.Float64,
        "z_rms": pl.Float64,
        "intervals": pl.Int64,
        "inside_percent": pl.Float64,
    }
    return pl.DataFrame(made, schema=schema, orient="row")


def _percent(share: object) -> float | None:
    return None if share is None else 100 * float(share)  # type: ignore[arg-type]


def _row(c: Compared) -> tuple[object, ...]:
    o = c.outcome
    relative = None if c.simulated is None or o.published == 0 else c.simulated / o.published - 1
    return (
        o.id,
        o.layer,
        o.study,
        o.measure,
        o.cohort,
        o.arm,
        o.against,
        o.factor,
        o.sex,
        o.age_from,
        o.age_to,
        o.site,
        o.years,
        o.unit,
        o.published,
        o.low,
        o.high,
        c.simulated,
        c.low,
        c.high,
        c.difference,
        relative,
        c.z,
        c.inside,
        USES[0] if o.calibrated else USES[1],
        o.recalled,
        c.people,
        o.source,
        c.reason,
        o.note,
    )

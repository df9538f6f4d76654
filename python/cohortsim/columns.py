"""Raw columns of the core -> Polars frames: codes become names, flags become Booleans.

Names, types, units and meanings of the columns are the core's; nothing of that is repeated here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from cohortsim.fields import SEXES

TABLES = ("persons", "follow_up", "events", "person_time", "states", "spine", "visits")
OF_PERSONS = ("persons", "follow_up")
OF_VISITS = ("visits",)
MARKERS = ("ctx", "p1np")  # in `measure` after the density sites
CLASSES = ("normal", "osteopenia", "osteoporosis")
FLAGS = ("prior_fracture", "died", "recorded")
DEATH = "death"
DEFORMITY = "vertebral_deformity"
NURSING_HOME = "nursing_home_entry"
SPINAL_SITE = "clinical_vertebral"  # a deformity that came to attention counts at this site, too
LEVELS = (*(f"T{n}" for n in range(4, 13)), *(f"L{n}" for n in range(1, 5)))
SHAPES = ("wedge", "biconcave", "crush")
BACK = ("back_pain", "back_disability", "limited_activity", "bed_rest")
FROM_ONE = ("level", "shape")  # code 0 says that there is none
ROW_ORDER = {
    "persons": ["person"],
    "follow_up": ["person", "arm"],
    "events": ["person", "arm", "month", "minute", "event"],
}


def kept(record_persons: bool, visits: bool = False) -> list[str]:
    """Return the names of the tables that a run keeps."""
    left_out = (() if record_persons else OF_PERSONS) + (() if visits else OF_VISITS)
    return [table for table in TABLES if table not in left_out]


class Names:
    """The names behind the codes of one request."""

    def __init__(self, request: Mapping[str, Any], density_sites: list[str]) -> None:
        self.risk_factors = [factor["id"] for factor in request["risk_factors"]]
        self.categories = {
            "arm": [arm["name"] for arm in request["arms"]],
            "cohort": [cohort["name"] for cohort in request["cohorts"]],
            "sex": list(SEXES),
            "class": list(CLASSES),
            "event": [
                DEATH,
                *(site["id"] for site in request["fracture_sites"]),
                DEFORMITY,
                NURSING_HOME,
            ],
            "level": list(LEVELS),
            "shape": list(SHAPES),
            "site": density_sites,
            "measure": [*density_sites, *MARKERS],
        }

    @property
    def fracture_sites(self) -> list[str]:
        """Ids of the fracture sites in the order of their codes."""
        return self.categories["event"][1:-2]


def frames(raw: Mapping[str, Mapping[str, Any]], names: Names) -> dict[str, pl.DataFrame]:
    """Return one frame for each table of a batch; rows of people in the order of the people.

    So the order of rows over all batches does not depend on the size of a batch.
    """
    made = {table: frame(columns, names) for table, columns in raw.items()}
    return {
        table: rows.sort(ROW_ORDER[table]) if table in ROW_ORDER else rows
        for table, rows in made.items()
    }


def frame(columns: Mapping[str, Any], names: Names) -> pl.DataFrame:
    """Return the frame of one table."""
    made: list[pl.Series] = []
    for name, values in columns.items():
        series = pl.Series(name, values)
        if name in names.categories:
            made.append(_named(series, names.categories[name], name in FROM_ONE))
        elif name in FLAGS:
            made.append(series.cast(pl.Boolean))
        elif name == "minutes":  # sums of 32 bits would overflow in the hands of users
            made.append(series.cast(pl.UInt64))
        elif name == "risk_factors":
            made += _bits(series, names.risk_factors)
        elif name == "back":
            made += _bits(series, BACK)
        elif name == "source_row":
            made.append(series.replace(-1, None))
        elif series.dtype.is_float():  # what does not apply to a person is missing, not a number
            made.append(series.fill_nan(None))
        else:
            made.append(series)
    return _without_what_does_not_apply(pl.DataFrame(made))


def _without_what_does_not_apply(rows: pl.DataFrame) -> pl.DataFrame:
    """Leave out grades of events that are no deformity, and causes of events that are no death."""
    missing = []
    if "level" in rows.columns:
        of_a_level = pl.col("level").is_not_null()
        missing += [
            pl.when(of_a_level).then(name).alias(name) for name in ("grade", "grade_before")
        ]
    if "attributable" in rows.columns:
        died = pl.col("event") == DEATH
        missing.append(pl.when(died).then("attributable").alias("attributable"))
    return rows.with_columns(missing)


def _named(codes: pl.Series, categories: list[str], from_one: bool) -> pl.Series:
    names = [None, *categories] if from_one else categories
    words = pl.Series(codes.name, names, dtype=pl.Enum(categories))
    return words.gather(codes.cast(pl.UInt32))


def _bits(series: pl.Series, ids: Sequence[str]) -> list[pl.Series]:
    numbers = series.to_numpy()
    return [pl.Series(id_, (numbers >> bit) & 1 == 1) for bit, id_ in enumerate(ids)]

"""The written tables of one population, read back, and the people they give."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import polars as pl

from populations.age_trend import Knots
from populations.definitions import ORDER, Array, backward
from populations.distribution import Model, evaluate_q
from populations.rates import Rate, log_linear
from populations.reading import column


@dataclass(frozen=True)
class Tables:
    """The tables that the comparison needs."""

    characteristics: pl.DataFrame
    quantiles: pl.DataFrame
    prevalence: pl.DataFrame
    correlation: pl.DataFrame
    fracture_incidence: pl.DataFrame
    falls: pl.DataFrame

    @staticmethod
    def read(folder: Path, like: Path) -> Tables:
        """Read the tables of a folder; those that it lacks are taken from another."""
        names = [f"{field.name}.csv" for field in fields(Tables)]
        paths = [path if (path := folder / name).is_file() else like / name for name in names]
        return Tables(*(pl.read_csv(path) for path in paths))

    def model(self, name: str, sex: str) -> Model:
        """Knots and quantile function of a characteristic."""
        knots = part_of(self.characteristics, name, sex)
        ages, location = column(knots, "age"), column(knots, "location")
        q = column(part_of(self.quantiles, name, sex), "q")
        return Model(Knots(ages, location, column(knots, "spread")), q)

    def values(self, name: str, sex: str, transform: str, age: Array, z: Array) -> Array:
        """Values of a characteristic at ages and latent normals."""
        knots = part_of(self.characteristics, name, sex)
        q = column(part_of(self.quantiles, name, sex), "q")
        ages = column(knots, "age")
        location = np.interp(age, ages, column(knots, "location"))
        spread = np.interp(age, ages, column(knots, "spread"))
        return backward(transform, location + spread * evaluate_q(q, z))

    def chance(self, name: str, sex: str, age: Array) -> Array:
        """Prevalence at ages."""
        part = part_of(self.prevalence, name, sex)
        return np.interp(age, column(part, "age"), column(part, "prevalence"))

    def latent(self, sex: str) -> Array:
        """Correlation matrix in ORDER."""
        part = self.correlation.filter(pl.col("sex") == sex)
        cells = {(row, name): r for row, name, r in part.select("row", "column", "r").iter_rows()}
        return np.array([[cells[row, name] for name in ORDER] for row in ORDER])

    def sites(self) -> list[str]:
        """Fracture sites, as written."""
        return self.fracture_incidence["site"].unique(maintain_order=True).to_list()

    def fracture_rate(self, site: str, sex: str) -> Rate:
        """Fractures per person-year by age."""
        here = (pl.col("site") == site) & (pl.col("sex") == sex)
        part = self.fracture_incidence.filter(here)
        return log_linear(column(part, "age"), column(part, "rate"))

    def falls_rate(self, sex: str) -> Rate:
        """Falls per person-year by age."""
        part = self.falls.filter(pl.col("sex") == sex)
        return log_linear(column(part, "age"), column(part, "rate"))


def part_of(table: pl.DataFrame, name: str, sex: str) -> pl.DataFrame:
    """Rows of one characteristic in one sex."""
    return table.filter((pl.col("characteristic") == name) & (pl.col("sex") == sex))

"""The tables of a population: CSV text -> numbers by sex, checked, as the model takes them."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Mapping
from typing import Any

from cohortsim.entries import Population
from cohortsim.errors import CatalogError, Problem
from cohortsim.fields import SEXES

TABLES: dict[str, tuple[str, ...]] = {
    "age_structure": ("age", "women", "men"),
    "life_table": ("age", "women", "men"),
    "characteristics": ("characteristic", "sex", "age", "location", "spread"),
    "quantiles": ("characteristic", "sex", "z", "q"),
    "correlation": ("sex", "row", "column", "r"),
    "prevalence": ("characteristic", "sex", "age", "prevalence"),
    "fracture_incidence": ("site", "sex", "age", "rate"),
    "falls": ("sex", "age", "rate"),
}

Row = dict[str, str]
Plain = dict[str, Any]


class Tables:
    """The CSV tables of one population, taken apart and checked; all problems are collected."""

    def __init__(self, population: Population, texts: Mapping[str, str], shown: str) -> None:
        self.population = population
        self.shown = shown
        self.problems: list[Problem] = []
        self.rows = {name: self._rows(name, texts.get(name, "")) for name in TABLES}
        if self.problems:
            raise CatalogError(self.problems)

    def plain(self) -> Plain:
        """Return the population as the request holds it.

        Raises:
            CatalogError: a table is not complete or holds an impossible number.
        """
        made = {
            "id": self.population.id,
            "age_structure": self._by_year("age_structure", lambda x: x >= 0, "0 or more persons"),
            "life_table": self._by_year("life_table", lambda x: 0 <= x <= 1, "0 to 1"),
            "characteristics": self._characteristics(),
            "correlation": self._correlation(),
            "prevalence": self._curves("prevalence", "characteristic", "prevalence", "id"),
            "fracture_incidence": self._curves("fracture_incidence", "site", "rate", "site"),
            "falls": self._knots("falls", self.rows["falls"], "rate", lambda x: x > 0),
        }
        if self.problems:
            raise CatalogError(self.problems)
        return made

    def _rows(self, name: str, text: str) -> list[Row]:
        rows = list(csv.DictReader(io.StringIO(text)))
        has = tuple(rows[0]) if rows else ()
        lacking = [column for column in TABLES[name] if column not in has]
        if lacking:
            self._wrong(
                name, 1, f"no column {', '.join(lacking)}", f"needs {','.join(TABLES[name])}"
            )
            return []
        return rows

    def _wrong(self, table: str, line: int, found: str, needed: str) -> None:
        entry = self.population.tables.get(table)
        file = entry.file if entry else f"{table}.csv"
        place = f"{self.shown}/{file}:{line}"
        if len(self.problems) < 50:
            self.problems.append(Problem(place, found, needed, "correct the table"))

    def _number(
        self,
        table: str,
        line: int,
        row: Row,
        column: str,
        good: Callable[[float], bool] | None,
        of: str,
    ) -> float:
        try:
            value = float(row[column])
        except (TypeError, ValueError):
            value = math.nan
        if not math.isfinite(value) or (good is not None and not good(value)):
            self._wrong(table, line, f"{column} is {row.get(column)!r}", f"needs {of}")
        return value

    def _by_year(self, table: str, good: Callable[[float], bool], of: str) -> Plain:
        rows = self.rows[table]
        ages = [
            int(self._number(table, i + 2, row, "age", lambda x: x == int(x), "whole years") or 0)
            for i, row in enumerate(rows)
        ]
        if ages != list(range(ages[0], ages[0] + len(ages))):
            self._wrong(table, 2, "the ages have gaps", "needs every single year, ascending")
        made: Plain = {"first_age": ages[0]}
        for sex in SEXES:
            made[sex] = [
                self._number(table, i + 2, row, sex, good, of) for i, row in enumerate(rows)
            ]
        return made

    def _knots(
        self, table: str, rows: list[Row], column: str, good: Callable[[float], bool]
    ) -> Plain:
        made: Plain = {}
        for sex in SEXES:
            mine = [(i, row) for i, row in enumerate(rows) if row["sex"] == sex]
            ages = [self._number(table, i + 2, row, "age", None, "an age") for i, row in mine]
            values = [
                self._number(table, i + 2, row, column, good, "a possible value") for i, row in mine
            ]
            if ages != sorted(set(ages)):
                self._wrong(table, 2, f"ages of {sex} do not ascend", "needs ascending ages")
            made[sex] = {"ages": ages, "values": values}
        return made

    def _curves(self, table: str, key: str, column: str, name: str) -> list[Plain]:
        groups: dict[str, list[Row]] = {}
        for row in self.rows[table]:
            groups.setdefault(row[key], []).append(row)

        def good(value: float) -> bool:
            return 0 <= value <= 1 if column == "prevalence" else value >= 0

        return [
            {name: id_, **self._knots(table, rows, column, good)} for id_, rows in groups.items()
        ]

    def _characteristics(self) -> list[Plain]:
        made = []
        for id_ in self.population.correlation_order:
            if id_ not in self.population.transforms:
                continue
            entry: Plain = {"id": id_, "transform": self.population.transforms[id_]}
            for sex in SEXES:
                knots = self._mine("characteristics", id_, sex)
                shape = self._mine("quantiles", id_, sex)
                if not knots or not shape:
                    if id_ != "menopause_age" or sex != "men":
                        self._wrong(
                            "characteristics", 1, f"nothing on {id_} of {sex}", "needs rows"
                        )
                    entry[sex] = None
                    continue
                entry[sex] = {
                    "ages": [float(row["age"]) for row in knots],
                    "location": [float(row["location"]) for row in knots],
                    "spread": [float(row["spread"]) for row in knots],
                    "z": [float(row["z"]) for row in shape],
                    "q": [float(row["q"]) for row in shape],
                }
            made.append(entry)
        return made

    def _mine(self, table: str, id_: str, sex: str) -> list[Row]:
        numbers = [column for column in TABLES[table] if column not in ("characteristic", "sex")]
        mine = []
        for index, row in enumerate(self.rows[table]):
            if row["characteristic"] == id_ and row["sex"] == sex:
                for column in numbers:
                    self._number(table, index + 2, row, column, None, "a finite number")
                mine.append(row)
        return [] if self.problems else mine

    def _correlation(self) -> Plain:
        order = {id_: place for place, id_ in enumerate(self.population.correlation_order)}
        made: Plain = {}
        for sex in SEXES:
            matrix = [[math.nan] * len(order) for _ in order]
            for index, row in enumerate(self.rows["correlation"]):
                if row["sex"] != sex:
                    continue
                r = self._number(
                    "correlation", index + 2, row, "r", lambda x: -1 <= x <= 1, "-1 to 1"
                )
                if row["row"] in order and row["column"] in order:
                    matrix[order[row["row"]]][order[row["column"]]] = r
            if any(math.isnan(r) for line in matrix for r in line):
                self._wrong("correlation", 1, f"pairs of {sex} are missing", "needs every pair")
            made[sex] = matrix
        return made

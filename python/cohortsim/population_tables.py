"""The tables of a population: CSV text -> numbers by sex, checked, as the model takes them."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from cohortsim.errors import CatalogError, Problem
from cohortsim.fields import SEXES
from cohortsim.population import CHARACTERISTICS, OPTIONAL, TABLES, Population

PROBABILITY = "the probability of death within a year, 0 to 1"
RATE = "a rate per person-year, more than 0 and less than 1"
TREND = "the change of ln rate per year, -0.2 to 0.2"
MOST_PROBLEMS = 50

Row = dict[str, str]
Lines = list[tuple[int, Row]]
Plain = dict[str, Any]


@dataclass(frozen=True, slots=True)
class TableText:
    """The text of a table, and how messages name its file."""

    shown: str
    text: str


class Tables:
    """The CSV tables of one population, taken apart and checked; all problems are collected."""

    def __init__(self, population: Population, texts: Mapping[str, TableText], shown: str) -> None:
        self.population = population
        self.texts = texts
        self.shown = shown
        self.problems: list[Problem] = []
        self.rows = {name: self._rows(name) for name in TABLES}
        if self.problems:
            raise CatalogError(self.problems)

    def plain(self) -> Plain:
        """Return the population as the request holds it, bone density as the table has it.

        Raises:
            CatalogError: a table is not complete or holds an impossible number.
        """
        made = {
            "id": self.population.id,
            "age_structure": self._by_age("age_structure", lambda x: x >= 0, "0 or more persons"),
            "life_table": self._life_table(),
            "characteristics": self._characteristics(),
            "correlation": self._correlation(),
            "prevalence": self._curves("prevalence", "characteristic", "prevalence", "id"),
            "fracture_incidence": self._curves("fracture_incidence", "site", "rate", "site"),
            "vertebral_deformity": self._knots(
                "vertebral_deformity", self.rows["vertebral_deformity"], "rate", _is_rate, RATE
            ),
            "falls": self._knots(
                "falls", self.rows["falls"], "rate", lambda x: 0 < x <= 100, "falls per year"
            ),
            "trend": self._trend(),
        }
        if self.problems:
            raise CatalogError(self.problems)
        return made

    # --- rows and numbers ------------------------------------------------------------------------

    def _rows(self, name: str) -> Lines:
        if name not in self.texts:
            if name not in OPTIONAL:
                self._wrong(name, None, f'no table "{name}"', "needs it")
            return []
        reader = csv.DictReader(io.StringIO(self.texts[name].text.lstrip("\ufeff")))
        try:
            rows = [(reader.line_num, row) for row in reader]
        except csv.Error as error:
            self._wrong(name, reader.line_num, f"not CSV ({error})", "needs comma-separated values")
            return []
        needed = TABLES[name]
        has = [str(column) for column in reader.fieldnames or ()]
        lacking = [column for column in needed if column not in has]
        if lacking or not rows:
            found = f"no column {', '.join(lacking)} in {','.join(has)[:60]!r}" if lacking else ""
            self._wrong(name, 1, found or "no rows", f"needs {','.join(needed)}")
            return []
        if "sex" in needed:
            for line, row in rows:
                if row["sex"] not in SEXES:
                    self._wrong(name, line, f"sex is {row['sex']!r}", f"needs {' or '.join(SEXES)}")
        return rows

    def _wrong(self, table: str, line: int | None, found: str, needed: str) -> None:
        at = self.texts.get(table)
        place = f"{at.shown}:{line}" if at else f"{self.shown}/population.yaml tables"
        if len(self.problems) < MOST_PROBLEMS:
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
            return math.nan
        return value

    def _whole(self, table: str, line: int, row: Row, column: str) -> int:
        value = self._number(table, line, row, column, float.is_integer, f"a whole {column}")
        return -1 if math.isnan(value) else int(value)

    # --- by single year of age -------------------------------------------------------------------

    def _by_age(self, table: str, good: Callable[[float], bool], of: str) -> Plain:
        rows = self.rows[table]
        first = self._first_age(table, rows)
        return {"first_age": first} | {
            sex: [self._number(table, line, row, sex, good, of) for line, row in rows]
            for sex in SEXES
        }

    def _first_age(self, table: str, rows: Lines) -> int:
        ages = [(line, self._whole(table, line, row, "age")) for line, row in rows]
        for (_, before), (line, after) in pairwise(ages):
            if after != before + 1 and min(before, after) >= 0:
                found = f"age {after} after age {before}"
                self._wrong(table, line, found, "needs every single year of age, ascending")
                break
        return ages[0][1]

    def _life_table(self) -> Plain:
        table = "life_table"
        years: dict[int, Lines] = {}
        for line, row in self.rows[table]:
            own = self.population.calendar_year
            year = self._whole(table, line, row, "year") if "year" in row else own
            years.setdefault(year, []).append((line, row))
        made: Plain = {"first_age": 0, "years": sorted(years)} | {sex: [] for sex in SEXES}
        lengths = set()
        for place, year in enumerate(sorted(years)):
            rows = years[year]
            first = self._first_age(table, rows)
            lengths.add((first, len(rows)))
            if place and len(lengths) == 2:
                found = f"the ages of {year} are not those of {sorted(years)[0]}"
                self._wrong(table, rows[0][0], found, "needs the same ages in every year")
                break
            made["first_age"] = first
            for sex in SEXES:
                made[sex].append(
                    [
                        self._number(table, line, row, sex, lambda x: 0 <= x <= 1, PROBABILITY)
                        for line, row in rows
                    ]
                )
        return made

    # --- by knots of age -------------------------------------------------------------------------

    def _knots(
        self, table: str, rows: Lines, column: str, good: Callable[[float], bool], of: str
    ) -> Plain:
        made: Plain = {}
        for sex in SEXES:
            mine = [(line, row) for line, row in rows if row["sex"] == sex]
            ages = [self._number(table, line, row, "age", None, "an age") for line, row in mine]
            values = [self._number(table, line, row, column, good, of) for line, row in mine]
            if not mine:
                last = rows[-1][0] if rows else 1
                self._wrong(table, last, f"no rows of {sex}", "needs women and men")
            for place, (before, after) in enumerate(pairwise(ages), start=1):
                if after <= before:
                    found = f"age {after:g} of {sex} after age {before:g}"
                    self._wrong(table, mine[place][0], found, "needs ascending ages")
            made[sex] = {"ages": ages, "values": values}
        return made

    def _curves(self, table: str, key: str, column: str, name: str) -> list[Plain]:
        groups: dict[str, Lines] = {}
        for line, row in self.rows[table]:
            groups.setdefault(row[key], []).append((line, row))
        good, of = (_is_share, "0 to 1") if column == "prevalence" else (_is_rate, RATE)
        return [
            {name: id_, **self._knots(table, rows, column, good, of)}
            for id_, rows in groups.items()
        ]

    def _trend(self) -> list[Plain]:
        table = "secular_trend"
        made: list[Plain] = []
        for line, row in self.rows[table]:
            if any(row["site"] == before["site"] for before in made):
                self._wrong(table, line, f"{row['site']} a second time", "needs one row for a site")
            numbers = {
                sex: self._number(table, line, row, sex, lambda x: abs(x) <= 0.2, TREND)
                for sex in SEXES
            }
            made.append({"site": row["site"], "women": numbers["women"], "men": numbers["men"]})
        return made

    # --- characteristics and their correlations --------------------------------------------------

    def _characteristics(self) -> list[Plain]:
        made = []
        for id_ in CHARACTERISTICS:
            if not self._is_described(id_):
                continue
            entry: Plain = {"id": id_, "transform": self.population.transforms[id_]}
            for sex in SEXES:
                knots = self._mine("characteristics", id_, sex)
                shape = self._mine("quantiles", id_, sex)
                for table, rows in (("characteristics", knots), ("quantiles", shape)):
                    if not rows and (id_, sex) != ("menopause_age", "men"):
                        self._wrong(table, 1, f"nothing on {id_} of {sex}", "needs rows")
                entry[sex] = (
                    {
                        "ages": [row["age"] for row in knots],
                        "location": [row["location"] for row in knots],
                        "spread": [row["spread"] for row in knots],
                        "z": [row["z"] for row in shape],
                        "q": [row["q"] for row in shape],
                    }
                    if knots and shape
                    else None
                )
            made.append(entry)
        return made

    def _is_described(self, id_: str) -> bool:
        before = len(self.problems)
        for key in ("transforms", "correlation_order"):
            if id_ not in getattr(self.population, key):
                self.problems.append(
                    Problem(
                        f"{self.shown}/population.yaml {key}",
                        f"no {id_}",
                        f"every population needs {', '.join(CHARACTERISTICS)}",
                        f"add it with its rows in the tables, or take {key} over with `like`",
                    )
                )
        return len(self.problems) == before

    def _mine(self, table: str, id_: str, sex: str) -> list[dict[str, float]]:
        columns = [column for column in TABLES[table] if column not in ("characteristic", "sex")]
        return [
            {
                column: self._number(table, line, row, column, None, "a finite number")
                for column in columns
            }
            for line, row in self.rows[table]
            if row["characteristic"] == id_ and row["sex"] == sex
        ]

    def _correlation(self) -> Plain:
        table = "correlation"
        order = {id_: place for place, id_ in enumerate(self.population.correlation_order)}
        made: Plain = {}
        for sex in SEXES:
            matrix = [[math.nan] * len(order) for _ in order]
            for line, row in self.rows[table]:
                if row["sex"] == sex and row["row"] in order and row["column"] in order:
                    r = self._number(table, line, row, "r", lambda x: -1 <= x <= 1, "-1 to 1")
                    matrix[order[row["row"]]][order[row["column"]]] = r
            missing = [
                f"{one} with {other}"
                for one in order
                for other in order
                if math.isnan(matrix[order[one]][order[other]])
            ]
            if missing:
                found = f"no correlation of {sex}: {', '.join(missing[:3])}"
                more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
                self._wrong(table, 1, found + more, "needs every pair, both ways")
            made[sex] = matrix
        return made


def _is_rate(value: float) -> bool:
    return 0 < value < 1


def _is_share(value: float) -> bool:
    return 0 <= value <= 1

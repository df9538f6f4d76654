"""A population with its tables, put together along the line of populations that it is like."""

from __future__ import annotations

import copy
import hashlib
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from cohortsim.entries import Quantity
from cohortsim.errors import CatalogError, Problem
from cohortsim.fields import SEXES
from cohortsim.fracture_sites import SPINE
from cohortsim.population import CHARACTERISTICS, PRIOR_FRACTURE, TABLES, Population
from cohortsim.population_tables import Tables, TableText

HIP = "hip"
Read = Callable[[Path, str], tuple[str, Problem | None]]
Take = Callable[[str, Quantity], float]
Plain = dict[str, Any]


@dataclass(frozen=True)
class PopulationData:
    """A population with its tables.

    `entry` holds what was taken from other populations too; `tables` is the request's form of it with
    bone density before offsets; `offsets` are (full name, density site, g/cm2) to be added to it;
    `taken_from` tells from which population an inherited table comes.
    """

    entry: Population
    tables: Plain
    offsets: tuple[tuple[str, str, Quantity], ...]
    texts: Mapping[str, TableText]
    taken_from: Mapping[str, str]
    shown: str

    @cached_property
    def plain(self) -> Plain:
        """The population as the request holds it, with the offsets as the files have them."""
        return self.taken(lambda _, quantity: quantity.value)

    def taken(self, take: Take) -> Plain:
        """Return the population as the request holds it; `take` says which offset is used."""
        amounts: dict[str, float] = {}
        for name, site, quantity in self.offsets:
            amounts[site] = amounts.get(site, 0.0) + take(name, quantity)
        made = dict(self.tables)
        made["characteristics"] = [
            _moved(entry, amounts.get(entry["id"].removeprefix("abmd_"), 0.0))
            for entry in self.tables["characteristics"]
        ]
        return made

    def quantities(self) -> Iterator[tuple[str, Quantity]]:
        """Yield (full name, quantity) of each number that is not in a table."""
        for name, _, quantity in self.offsets:
            yield name, quantity
        ratio = self.entry.scanned_mortality_ratio
        if ratio is not None:
            yield self.ratio_name, ratio

    @property
    def ratio_name(self) -> str:
        """Full name of the mortality ratio of the scanned."""
        return f"populations.{self.entry.id}.scanned_mortality_ratio"

    @property
    def checksums(self) -> dict[str, str]:
        """SHA-256 of the text of each table."""
        return {
            name: hashlib.sha256(text.text.encode()).hexdigest()
            for name, text in self.texts.items()
        }

    def ordered(self, matrix: list[list[float]], factors: Iterable[str]) -> list[list[float]]:
        """Return a correlation matrix in the core's order: characteristics, then risk factors by id."""
        places = {id_: place for place, id_ in enumerate(self.entry.correlation_order)}
        order = [places[id_] for id_ in (*CHARACTERISTICS, PRIOR_FRACTURE, *factors)]
        return [[matrix[row][column] for column in order] for row in order]

    def lacking(self, sites: Iterable[str], factors: Iterable[str]) -> Iterator[Problem]:
        """Yield what the fracture sites and risk factors of a study need and this does not have."""
        known = {entry["site"] for entry in self.tables["fracture_incidence"]}
        yield from self._lacks("fracture_incidence", "fracture site", set(sites) - known)
        binary = {PRIOR_FRACTURE, *factors}
        known = {entry["id"] for entry in self.tables["prevalence"]}
        yield from self._lacks("prevalence", "risk factor", binary - known)
        order = set(self.entry.correlation_order)
        yield from self._lacks("correlation", "risk factor", binary - order)
        trends = {entry["site"] for entry in self.tables["trend"]} - {*sites, "vertebral_deformity"}
        for site in sorted(trends):
            needed = f"needs one of {', '.join(sites)}, vertebral_deformity"
            place = self.texts["secular_trend"].shown
            yield Problem(place, f'no fracture site "{site}"', needed, "correct the table")

    def _lacks(self, table: str, what: str, missing: set[str]) -> Iterator[Problem]:
        for id_ in sorted(missing):
            needed = f"population {self.entry.id} needs it for each {what}"
            place = self.texts[table].shown
            advice = "add its rows, and its place in `correlation_order`"
            advice = advice if table == "correlation" else "add rows for women and men"
            yield Problem(place, f'no {table.replace("_", " ")} of "{id_}"', needed, advice)


def assembled(
    entry: Population, folder: Path, shown: str, other: PopulationData | None, read: Read
) -> PopulationData:
    """Return a population with its tables.

    Args:
        entry: what its own file says.
        folder: where its tables lie.
        shown: how messages name that folder.
        other: the population that it is like, if any.
        read: returns the text of a file, or the problem that kept it from being read.

    Raises:
        CatalogError: a table is missing, wrong or not complete.
    """
    own, problems = _own_texts(entry, folder, shown, read)
    if problems:
        raise CatalogError(problems)
    resolved = entry.after(other.entry) if other else entry
    texts = {**(other.texts if other else {}), **own}
    tables = Tables(resolved, texts, shown).plain()
    taken_from: dict[str, str] = {}
    offsets: tuple[tuple[str, str, Quantity], ...] = ()
    if other is not None:
        _complete(entry, tables, own, other, shown)
        taken_from = {
            name: other.taken_from.get(name, other.entry.id) for name in texts if name not in own
        }
        offsets = other.offsets if "characteristics" not in own else ()
    name = f"populations.{entry.id}.bmd_offset"
    offsets += tuple((f"{name}.{site}", site, q) for site, q in entry.bmd_offset.items())
    return PopulationData(resolved, tables, offsets, texts, taken_from, shown)


def _own_texts(
    entry: Population, folder: Path, shown: str, read: Read
) -> tuple[dict[str, TableText], list[Problem]]:
    texts: dict[str, TableText] = {}
    problems: list[Problem] = []
    for name, file in entry.tables.items():
        text, problem = read(folder / file.file, f"{shown}/{file.file}")
        texts[name] = TableText(f"{shown}/{file.file}", text)
        problems += [problem] if problem else []
    for name in TABLES:
        if name not in entry.tables and (folder / f"{name}.csv").is_file():
            found = f"the file {name}.csv is here, but not under `tables`"
            needed = "needs each table with its file and source"
            advice = f"add `{name}: {{file: {name}.csv, source: ...}}`, or move the file away"
            problems.append(Problem(f"{shown}/population.yaml tables", found, needed, advice))
    return texts, problems


def _complete(
    entry: Population,
    tables: Plain,
    own: Mapping[str, TableText],
    other: PopulationData,
    shown: str,
) -> None:
    """Add what an own table does not hold: risk factors, and fracture sites as the file asks."""
    given = set[str]()
    for table, key in (("prevalence", "id"), ("fracture_incidence", "site")):
        given = {row[key] for row in tables[table]}
        tables[table] += [row for row in other.tables[table] if row[key] not in given]
    given = given if "fracture_incidence" in own else set()
    if entry.sites_not_given != "in_proportion_to_hip":
        return
    if HIP not in given:
        found, needed = (
            "in_proportion_to_hip without own rates of hip",
            "needs fractures of the hip",
        )
        place = f"{shown}/population.yaml sites_not_given"
        raise CatalogError(Problem(place, found, needed, "add rows of hip to fracture_incidence"))
    hips = [_of_site(data, HIP) for data in (tables, other.tables)]
    tables["fracture_incidence"] = [
        row if row["site"] in given else {"site": row["site"]} | _scaled(row, *hips)
        for row in tables["fracture_incidence"]
    ]
    if SPINE not in given and "vertebral_deformity" not in own:
        tables["vertebral_deformity"] = _scaled(tables["vertebral_deformity"], *hips)


def _of_site(tables: Plain, site: str) -> Plain:
    found: Plain = next(row for row in tables["fracture_incidence"] if row["site"] == site)
    return found


def _scaled(knots: Plain, hip: Plain, hip_there: Plain) -> Plain:
    """Return knots times the ratio of two curves of hip fracture at each age."""
    return {
        sex: {
            "ages": knots[sex]["ages"],
            "values": [
                value * _at(hip[sex], age) / _at(hip_there[sex], age)
                for age, value in zip(knots[sex]["ages"], knots[sex]["values"], strict=True)
            ],
        }
        for sex in SEXES
    }


def _at(knots: Plain, age: float) -> float:
    """Return a rate at an age: log-linear between knots, held outside, as the core does."""
    ages, values = knots["ages"], knots["values"]
    if age <= ages[0] or age >= ages[-1]:
        return float(values[0] if age <= ages[0] else values[-1])
    after = next(place for place, knot in enumerate(ages) if knot > age)
    share = (age - ages[after - 1]) / (ages[after] - ages[after - 1])
    low, high = (math.log(values[place]) for place in (after - 1, after))
    return math.exp(low + share * (high - low))


def _moved(entry: Plain, amount: float) -> Plain:
    """Return a characteristic with its location moved by an amount."""
    if amount == 0.0:
        return entry
    moved = copy.deepcopy(entry)
    for sex in SEXES:
        moved[sex]["location"] = [location + amount for location in moved[sex]["location"]]
    return moved

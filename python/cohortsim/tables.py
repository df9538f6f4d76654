"""The tables of a run, and what all measures made from them share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from cohortsim import store
from cohortsim.at_index import people, with_age
from cohortsim.columns import DEATH, DEFORMITY, NURSING_HOME, OF_VISITS, TABLES
from cohortsim.errors import Problem, ResultsError
from cohortsim.mistakes import shown
from cohortsim.scenario import Scenario
from cohortsim.strata import By, Split, chosen, split, with_age_band

AT_INDEX = ("arm", "cohort", "sex", "age_band", "age")  # strata that everybody has at index


class Tables:
    """Lazy frames of a run, their names, and the strata that they can be split by."""

    def __init__(
        self, parts: store.Parts, record: dict[str, Any], folder: Path | None = None
    ) -> None:
        self._parts = parts
        self.provenance = record
        self.folder = folder
        self.scenario = Scenario.model_validate(record["scenario"])

    def __repr__(self) -> str:
        where = str(self.folder) if self.folder else "in memory"
        s = self.scenario
        size = f"{s.headcount:,} people, {s.years} years, {len(s.arms)} arms"
        return f"<Results of {s.name}: {size}; {where}>"

    @property
    def persons(self) -> pl.LazyFrame:
        """One row per person: who they are at index. ResultsError: the run did not keep it."""
        return self._table("persons")

    @property
    def follow_up(self) -> pl.LazyFrame:
        """One row per person and arm: how long they were followed, density and spine at exit."""
        return self._table("follow_up")

    @property
    def events(self) -> pl.LazyFrame:
        """One row per event: fractures, vertebral deformities, nursing home entries, deaths.

        A deformity that came to clinical attention has two rows of the same minute: one as
        vertebral_deformity, one as clinical_vertebral.
        """
        return self._table("events")

    @property
    def person_time(self) -> pl.LazyFrame:
        """Minutes lived and months with a fall by arm, cohort, sex, age, year and class."""
        return self._table("person_time")

    @property
    def states(self) -> pl.LazyFrame:
        """The living by class of density, at index and each anniversary, at each density site."""
        return self._table("states")

    def rows(self, table: str) -> pl.LazyFrame:
        """Return the rows of a table by its name. ResultsError: the run did not keep it."""
        return self._table(chosen(table, TABLES, "rows(table)", "table"))

    def parts(self, table: str) -> list[pl.LazyFrame]:
        """Return the rows of a table batch by batch, in the order of the people.

        Raises ResultsError: the run did not keep it.
        """
        self.rows(table)
        return list(self._parts[table])

    @property
    def kept(self) -> list[str]:
        """Names of the tables that the run kept."""
        return list(self._parts)

    @property
    def arms(self) -> list[str]:
        """Names of the arms."""
        return [arm.name for arm in self.scenario.arms]

    @property
    def sites(self) -> list[str]:
        """Ids of the fracture sites."""
        return [site["id"] for site in self.provenance["fracture_sites"]]

    @property
    def groups(self) -> dict[str, list[str]]:
        """Groups of fracture sites, such as major_osteoporotic, and their members."""
        groups: dict[str, list[str]] = {"any": self.sites}
        for site in self.provenance["fracture_sites"]:
            for group in site["groups"]:
                if group != "any":
                    groups.setdefault(group, []).append(site["id"])
        return groups

    # --- what measures share --------------------------------------------------------------------

    @property
    def _bands(self) -> Sequence[int]:
        return self.scenario.age_bands

    def _table(self, name: str) -> pl.LazyFrame:
        if name not in self._parts:
            found, needed = f"no table {name}", "needs a run that kept it"
            key = "visits: [0, 12]" if name in OF_VISITS else "persons: true"
            raise ResultsError(Problem("results", found, needed, f"set `record: {{{key}}}`"))
        return pl.concat(self._parts[name])

    def _split(self, by: By, fixed: Sequence[str], place: str) -> Split:
        """Return what `by` names. ResultsError: what is no stratum."""
        return split(by, fixed, self._columns_of_persons(), place)

    def _columns_of_persons(self) -> Mapping[str, pl.DataType] | None:
        parts = self._parts.get("persons")
        return dict(parts[0].collect_schema()) if parts else None

    def _by_person(self, by: Split, *tables: str) -> Iterator[tuple[pl.LazyFrame, ...]]:
        """Yield batch by batch the people with their strata, and the rows of tables about them."""
        found = [people(self.parts("persons"), by, self.provenance["request"])]
        found += [self.parts(table) for table in tables]
        if len({len(parts) for parts in found}) > 1:
            sizes = ", ".join(map(str, map(len, found)))
            found_, needed = f"tables of {sizes} parts", "needs the same parts of each table"
            raise ResultsError(Problem("results", found_, needed, "run the study again"))
        yield from zip(*found, strict=True)

    def _with_age(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        return with_age_band(with_age(rows), self._bands)

    def _of_arm(self, frame: pl.LazyFrame, by: Split, arm: str | None) -> pl.LazyFrame:
        """Keep one arm, unless rows of several arms are wanted: no person is counted twice."""
        if arm is None and "arm" in by.names:
            return frame
        return frame.filter(pl.col("arm").cast(pl.String) == self._arm(arm, 0))

    def _arm(self, name: str | None, place: int) -> str:
        return self.arms[place] if name is None else chosen(name, self.arms, "arm", "arm")

    def _outcome(
        self, name: str, place: str, *, death: bool = True, recorded: bool = False
    ) -> list[str]:
        """Return the events of an outcome: a site, the sites of a group, or another event."""
        others = [DEFORMITY, NURSING_HOME, *([DEATH] if death else [])]
        options = [*self.sites, *self.groups, *others]
        named = chosen(name, options, place, "outcome")
        if recorded:
            self._has_register(place, [named])
        return self.groups.get(named, [named])

    def _has_register(self, place: str, wanted: list[str]) -> None:
        """Raise ResultsError: deformities of vertebrae are in no register."""
        if DEFORMITY in wanted:
            found, needed = f"{DEFORMITY} with recorded_only", "needs what registers record"
            advice = 'ask for "clinical_vertebral", or leave recorded_only out'
            raise ResultsError(Problem(place, found, needed, advice))

    def _at(self, rows: pl.LazyFrame, by: Split, year: int | None, what: str) -> pl.LazyFrame:
        """Keep one anniversary. Raises ResultsError: there is none such."""
        if "year" in by.names or year is None:
            return rows
        if isinstance(year, bool) or year not in range(self.scenario.years + 1):
            found, needed = f"no anniversary {shown(year)}", f"needs 0 to {self.scenario.years}"
            raise ResultsError(
                Problem(f"{what}(year=...)", found, needed, "choose one, or None for all")
            )
        return rows.filter(pl.col("year") == year)

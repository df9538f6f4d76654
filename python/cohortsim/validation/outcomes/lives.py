"""People of one arm as arrays: who they are, how long they lived, and when what happened to them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cohortsim.units import MINUTES_PER_MONTH, MINUTES_PER_YEAR, MONTHS_PER_YEAR
from cohortsim.validation.compare import NotThereError
from cohortsim.validation.outcomes.sums import Array, Index
from cohortsim.validation.outcomes.targets import Outcome

Flags = NDArray[np.bool_]
SPINE = "clinical_vertebral"
DEFORMITY = "vertebral_deformity"
NEW_DEFORMITY = "new_vertebral_deformity"  # of a level that was intact
MAJOR = (SPINE, "hip", "distal_forearm", "proximal_humerus")
HAND_AND_REST = "other"  # sites that Kanis and others do not call osteoporotic
NEVER = np.inf


def members(site: str, sites: tuple[str, ...]) -> tuple[str, ...]:
    """Return the events that a site or a group of sites stands for. Raises NotThereError."""
    groups = {
        "any": sites,
        "major_osteoporotic": MAJOR,
        "osteoporotic": tuple(s for s in sites if s != HAND_AND_REST),
        "non_vertebral": tuple(s for s in sites if s != SPINE),
        "other_major": tuple(
            s for s in ("pelvis", "proximal_humerus", "ribs", "tibia") if s in sites
        ),
        "minor": tuple(s for s in ("distal_forearm", "other") if s in sites),
    }
    if site in groups:
        return groups[site]
    if site not in (*sites, "death", DEFORMITY, NEW_DEFORMITY):
        raise NotThereError(f'the study has no fracture site "{site}"')
    return (site,)


def happened(events: pl.DataFrame, site: str, sites: tuple[str, ...]) -> pl.DataFrame:
    """Return the events of a site or group of sites."""
    names = members(site, sites)
    if names == (NEW_DEFORMITY,):
        name = pl.col("event").cast(pl.String) == DEFORMITY
        return events.filter(name & (pl.col("grade_before") == 0))
    return events.filter(pl.col("event").cast(pl.String).is_in(names))


def registered(events: pl.DataFrame) -> pl.DataFrame:
    """Leave out what registers miss of the clinical vertebral fractures."""
    return (
        events.filter(pl.col("recorded").cast(pl.Boolean))
        if "recorded" in events.columns
        else events
    )


def years_since_index(events: pl.DataFrame) -> Array:
    """Return when events happened, in years from index."""
    minutes = events["month"].cast(pl.Int64) * MINUTES_PER_MONTH + events["minute"].cast(pl.Int64)
    return minutes.to_numpy() / MINUTES_PER_YEAR


class Lives:
    """People in the order of their numbers.

    group, sex (0 women, 1 men), age (years at index), exit (years from index), died; cohort (codes);
    `column` and `at_exit` are what the tables of persons and follow-up hold. Without these tables the
    people are those who died: for studies that last all lives.
    """

    def __init__(
        self,
        tables: Mapping[str, pl.DataFrame],
        sites: tuple[str, ...],
        years: int,
        groups: int,
        recorded: bool,
    ) -> None:
        events = tables["events"]
        self._events = registered(events) if recorded else events
        self.sites, self.years, self.groups = sites, years, groups
        if "persons" in tables:
            self._persons = tables["persons"].sort("person")
            self._follow_up = tables["follow_up"].sort("person")
            self.exit: Array = self._follow_up["minutes"].to_numpy() / MINUTES_PER_YEAR
            self.died: Flags = self._follow_up["died"].to_numpy()
            self.age: Array = self._persons["age_months"].to_numpy() / MONTHS_PER_YEAR
            self.ends_with_death = False
        else:
            deaths = events.filter(pl.col("event").cast(pl.String) == "death").sort("person")
            self._persons, self._follow_up = deaths, deaths.clear()
            self.exit = years_since_index(deaths)
            self.died = np.ones(deaths.height, dtype=np.bool_)
            self.ends_with_death = True
            before = deaths["age_months"].cast(pl.Int64) - deaths["month"].cast(pl.Int64)
            self.age = before.to_numpy() / MONTHS_PER_YEAR
        self.group: Index = self._persons["group"].to_numpy()
        self.sex: Index = self._persons["sex"].to_physical().to_numpy().astype(np.int64)
        self.cohort: Index = self._persons["cohort"].to_physical().to_numpy().astype(np.int64)
        self._first: dict[str, Array] = {}

    @property
    def count(self) -> int:
        """How many people there are."""
        return len(self.exit)

    def column(self, name: str) -> Array:
        """Return what persons are at index, missing as NaN. Raises NotThereError."""
        return self._numbers(self._persons, name)

    def at_exit(self, name: str) -> Array:
        """Return what persons are at exit. Raises NotThereError."""
        return self._numbers(self._follow_up, name)

    def first(self, site: str) -> Array:
        """Return the first event of a site in years from index; infinity where there is none."""
        if site not in self._first:
            who, when = self.all(site)
            made = np.full(self.count, NEVER)
            np.minimum.at(made, who, when)
            self._first[site] = made
        return self._first[site]

    def all(self, site: str) -> tuple[Index, Array]:
        """Return place of the person and time in years from index of every event of a site."""
        rows = self.events(site)
        return self.places(rows), years_since_index(rows)

    def events(self, site: str) -> pl.DataFrame:
        """Return all events of a site, of people that are here."""
        rows = happened(self._events, site, self.sites)
        if self._has_gaps:
            rows = rows.filter(pl.col("person").is_in(self._persons["person"].implode()))
        return rows

    def places(self, rows: pl.DataFrame) -> Index:
        """Return the places of the persons of some rows."""
        numbers = self._persons["person"].to_numpy()
        return np.searchsorted(numbers, rows["person"].to_numpy()).astype(np.int64)

    def chosen(self, outcome: Outcome) -> Flags:
        """Return who is of the cohort, the sex and the ages (at index) of a published number."""
        made = np.isin(self.sex, outcome.sexes)
        made &= (self.age >= outcome.age_from) & (self.age < outcome.age_to + 1)
        if outcome.cohort:
            names = self._persons["cohort"].cast(pl.String).unique().to_list()
            code = pl.Series([outcome.cohort], dtype=self._persons["cohort"].dtype).to_physical()[0]
            made &= (self.cohort == code) if outcome.cohort in names else False
        return made

    def people(self, who: Flags) -> Array:
        """Return how many of these people each group holds."""
        return np.bincount(self.group[who], minlength=self.groups).astype(np.float64)

    @cached_property
    def _has_gaps(self) -> bool:
        numbers = self._persons["person"]
        return self.count > 0 and int(numbers[-1]) != self.count - 1

    def _numbers(self, rows: pl.DataFrame, name: str) -> Array:
        if name not in rows.columns:
            raise NotThereError(f"persons have no column {name}")
        series = rows[name]
        if series.dtype == pl.Boolean:
            return series.cast(pl.Float64).to_numpy()
        return series.to_physical().cast(pl.Float64).fill_null(np.nan).to_numpy()

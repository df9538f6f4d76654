"""Incidence and absolute risk: from events, person-time and states, without tables of persons.

Vertebral fractures that registers miss are left out: rates and risks of populations were published
from registers.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from cohortsim.units import MINUTES_PER_YEAR, MONTHS_PER_YEAR
from cohortsim.validation.compare import NotThereError
from cohortsim.validation.outcomes.lives import MAJOR, happened, registered, years_since_index
from cohortsim.validation.outcomes.sums import Array, Sums, counted, ratio
from cohortsim.validation.outcomes.targets import OLDEST, Outcome

if TYPE_CHECKING:
    from cohortsim.validation.outcomes.observed import Observed

BAND = 5  # years of age, for standardisation
AGES = OLDEST + BAND
PER = {"per 1000 py": 1_000, "per 10000 py": 10_000, "per 100000 py": 100_000}
EVENTS, TIME, PEOPLE = 0, 1, 2


def rate(outcome: Outcome, seen: Observed) -> Sums:
    """Events per person-time at attained ages, standardised to the sex and age at index.

    Every event counts, also a person's second one. Rates of bands of five years of age are weighted
    by the people of the study at index; where nobody is of these ages at index, by time.
    """
    per = PER[outcome.unit]
    by_group = _by_age(outcome, seen)
    return Sums(by_group, _people(by_group), lambda total: per * _standardised(total))


def women_to_men(outcome: Outcome, seen: Observed) -> Sums:
    """Ratio of the rates of women and men, both standardised to the age of all at index."""
    by_group = _by_age(replace(outcome, sex="both"), seen)

    def make(total: Array) -> float:
        weights = total[PEOPLE].sum(axis=0)
        women, men = (np.stack([*total[:2, sex], weights])[:, None] for sex in (0, 1))
        return ratio(_standardised(women), _standardised(men))

    return Sums(by_group, _people(by_group), make)


def per_fall(outcome: Outcome, seen: Observed) -> Sums:
    """Fractures in percent of months with a fall."""
    events = _of_ages(registered(seen.table("events", outcome)), outcome, "age_months")
    time = _of_ages(seen.table("person_time", outcome), outcome, "age")
    fractures = happened(events, outcome.site, seen.sites)
    by_group = np.stack(
        [
            counted(seen.groups, (), fractures["group"].to_numpy()),
            counted(seen.groups, (), time["group"].to_numpy(), weights=time["falls"].to_numpy()),
        ],
        axis=1,
    )
    return Sums(by_group, by_group[:, 1], lambda total: 100 * ratio(total[0], total[1]))


def risk(outcome: Outcome, seen: Observed) -> Sums:
    """Percent of people with a first fracture within some years of index; the dead have none."""
    return _risk(outcome, seen, (outcome.site,))


def sum_of_risks(outcome: Outcome, seen: Observed) -> Sums:
    """Sum of the risks of the four major sites, each by itself."""
    return _risk(outcome, seen, MAJOR)


def _risk(outcome: Outcome, seen: Observed, sites: tuple[str, ...]) -> Sums:
    if outcome.years is not None and outcome.years > seen.years:
        raise NotThereError(f"the study lasts {seen.years} years")
    people = at_index(outcome, seen)
    events = registered(seen.table("events", outcome))
    at_start = pl.col("age_months").cast(pl.Int64) - pl.col("month").cast(pl.Int64)
    events = _of_ages(events.with_columns(age_at_index=at_start), outcome, "age_at_index")
    within = seen.years if outcome.years is None else outcome.years
    events = events.filter(pl.Series(years_since_index(events) < within, dtype=pl.Boolean))
    hit = np.zeros(seen.groups)
    for site in sites:
        first = happened(events, site, seen.sites).unique("person")
        hit += counted(seen.groups, (), first["group"].to_numpy())
    return Sums(np.stack([hit, people], axis=1), people, lambda total: 100 * total[0] / total[1])


def at_index(outcome: Outcome, seen: Observed) -> Array:
    """Return how many people of a cohort, sex and ages each group holds at index."""
    states = seen.table("states", outcome).filter(pl.col("year") == 0)
    states = _of_ages(
        states.filter(pl.col("site").cast(pl.String) == "femoral_neck"), outcome, "age"
    )
    people = states["normal"] + states["osteopenia"] + states["osteoporosis"]
    return counted(seen.groups, (), states["group"].to_numpy(), weights=people.to_numpy())


def _by_age(outcome: Outcome, seen: Observed) -> Array:
    """Return events, years lived and people at index: (groups, 3, sexes, bands of age)."""
    events = _of_ages(registered(seen.table("events", outcome)), outcome, "age_months")
    fractures = happened(events, outcome.site, seen.sites)
    fractures = fractures.with_columns(age=pl.col("age_months") // MONTHS_PER_YEAR)
    time = _of_ages(seen.table("person_time", outcome), outcome, "age")
    states = seen.table("states", outcome).filter(
        pl.col("year") == 0, pl.col("site").cast(pl.String) == "femoral_neck"
    )
    states = _of_ages(states, outcome, "age").with_columns(
        people=pl.sum_horizontal("normal", "osteopenia", "osteoporosis")
    )
    years = time["minutes"].to_numpy() / MINUTES_PER_YEAR
    tables = ((fractures, None), (time, years), (states, states["people"].to_numpy()))
    made = []
    for rows, weights in tables:
        sex = rows["sex"].to_physical().to_numpy().astype(np.int64)
        band = (rows["age"].cast(pl.Int64).to_numpy() - outcome.age_from) // BAND
        shape = (2, AGES // BAND)
        made.append(
            counted(seen.groups, shape, rows["group"].to_numpy(), sex, band, weights=weights)
        )
    return np.stack(made, axis=1)


def _standardised(sums: Array) -> float:
    """Return the rate of (events, time, weights; sexes; bands), weighted."""
    events, time, weights = sums
    there = time > 0
    if not (weights[there]).any():
        weights = time
    if not there.any():
        raise NotThereError("nobody lives at these ages in the study")
    rates = events[there] / time[there]
    return float((rates * weights[there]).sum() / weights[there].sum())


def _people(by_group: Array) -> Array:
    """Return the weight of each group: years lived."""
    made: Array = by_group[:, TIME].sum(axis=(1, 2))
    return made


def _of_ages(rows: pl.DataFrame, outcome: Outcome, column: str) -> pl.DataFrame:
    """Keep sex and ages of a published number; months of age where the column holds months."""
    in_years = pl.col(column) if column == "age" else pl.col(column) // MONTHS_PER_YEAR
    sexes = ("women", "men")
    wanted = [sexes[code] for code in outcome.sexes]
    return rows.filter(
        pl.col("sex").cast(pl.String).is_in(wanted),
        in_years.is_between(outcome.age_from, outcome.age_to),
    )

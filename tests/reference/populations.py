"""Tables of populations: shape (2 sexes, 121 completed years), from the JSON that is compiled."""

from __future__ import annotations

from typing import Any

import numpy as np

from .systems import Floats

Plain = dict[str, Any]

SEXES = ("women", "men")
AGES = np.arange(121)
MONTHS_PER_YEAR = 12


def by_knots(table: Plain, logarithmic: bool) -> Floats:
    """Return values at completed years from knots by age; n completed years are n + 1/2 on average."""
    rows = []
    for sex in SEXES:
        values = np.asarray(table[sex]["values"], dtype=np.float64)
        if logarithmic:
            rows.append(np.exp(np.interp(AGES + 0.5, table[sex]["ages"], np.log(values))))
        else:
            rows.append(np.interp(AGES + 0.5, table[sex]["ages"], values))
    return np.array(rows)


def by_year(table: Plain, keep_last: bool) -> Floats:
    """Return values of a table by single years of age; 0 outside, or the last one past its end."""
    rows = np.zeros((2, len(AGES)))
    for k, sex in enumerate(SEXES):
        first, values = table["first_age"], table[sex]
        rows[k, first : first + len(values)] = values
        if keep_last:
            rows[k, first + len(values) :] = values[-1]
    return rows


def death_hazard(population: Plain, year: int | None = None) -> Floats:
    """Return the hazard of death per month of the life table of a calendar year.

    Log-linear between the years of the tables, held before the first and after the last; the year of
    index if none is given.
    """
    table = population["life_table"]
    by_calendar = []
    for k in range(len(table["years"])):
        one = {"first_age": table["first_age"]} | {sex: table[sex][k] for sex in SEXES}
        q = np.minimum(by_year(one, keep_last=True), 0.999_999)
        by_calendar.append(-np.log1p(-q) / MONTHS_PER_YEAR)
    return between_years(table["years"], by_calendar, year or population["calendar_year"])


def between_years(years: list[int], tables: list[Floats], year: int) -> Floats:
    """Return the table of a year, log-linear between those around it."""
    if year <= years[0]:
        return tables[0]
    if year >= years[-1]:
        return tables[-1]
    k = int(np.searchsorted(years, year, side="right"))
    share = (year - years[k - 1]) / (years[k] - years[k - 1])
    a, b = tables[k - 1], tables[k]
    some = (a > 0.0) & (b > 0.0)
    ratio = np.where(some, b, 1.0) / np.where(some, a, 1.0)
    return np.where(some, a * ratio**share, 0.0)


def trend(population: Plain, site: str, year: int) -> Floats:
    """Return by how much a year's incidence differs from that of the year it was measured in, by sex."""
    change = next((t for t in population["trend"] if t["site"] == site), None)
    if change is None:
        return np.ones(2)
    passed = year - population["incidence_year"]
    ratio: Floats = np.exp(np.array([change[sex] for sex in SEXES]) * passed)
    return ratio


def fall_hazard(population: Plain) -> Floats:
    """Return the population's hazard of falls per month."""
    return by_knots(population["falls"], logarithmic=True) / MONTHS_PER_YEAR


def fracture_hazard(population: Plain, site: str) -> Floats:
    """Return the population's incidence of fractures at a site per month."""
    table = next(t for t in population["fracture_incidence"] if t["site"] == site)
    return by_knots(table, logarithmic=True) / MONTHS_PER_YEAR


def deformity_hazard(population: Plain) -> Floats:
    """Return the population's incidence of new or worse vertebral deformities per month."""
    return by_knots(population["vertebral_deformity"], logarithmic=True) / MONTHS_PER_YEAR


def site_hazard(population: Plain, site: Plain) -> Floats:
    """Return what the offset of a site is solved for: at the spine every deformity counts."""
    if site["of_the_spine"]:
        return deformity_hazard(population)
    return fracture_hazard(population, site["id"])


def prevalence(population: Plain, characteristic: str) -> Floats:
    """Return the prevalence of a binary characteristic."""
    table = next(t for t in population["prevalence"] if t["id"] == characteristic)
    return by_knots(table, logarithmic=False)

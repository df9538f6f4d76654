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
    """Return values of a table by single years; 0 outside, or the last one past its end."""
    rows = np.zeros((2, len(AGES)))
    for k, sex in enumerate(SEXES):
        first, values = table["first_age"], table[sex]
        rows[k, first : first + len(values)] = values
        if keep_last:
            rows[k, first + len(values) :] = values[-1]
    return rows


def death_hazard(population: Plain) -> Floats:
    """Return the life table's hazard of death per month."""
    q = np.minimum(by_year(population["life_table"], keep_last=True), 0.999_999)
    return -np.log1p(-q) / MONTHS_PER_YEAR


def fall_hazard(population: Plain) -> Floats:
    """Return the population's hazard of falls per month."""
    return by_knots(population["falls"], logarithmic=True) / MONTHS_PER_YEAR


def fracture_hazard(population: Plain, site: str) -> Floats:
    """Return the population's incidence of fractures at a site per month."""
    table = next(t for t in population["fracture_incidence"] if t["site"] == site)
    return by_knots(table, logarithmic=True) / MONTHS_PER_YEAR


def prevalence(population: Plain, characteristic: str) -> Floats:
    """Return the prevalence of a binary characteristic."""
    table = next(t for t in population["prevalence"] if t["id"] == characteristic)
    return by_knots(table, logarithmic=False)

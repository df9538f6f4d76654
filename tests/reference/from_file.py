"""People of a user's own file: which row each person is, and what is drawn where nothing is known.

One person after another, by the definition of a conditional normal distribution. Columns hold NaN where
nothing is known; numbers in brackets are those of the equations in the header of the source.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from . import chance
from .chance import Ints
from .people import CHARACTERISTICS, WIDEST, People, normal_of, value_at
from .populations import MONTHS_PER_YEAR, SEXES, Plain, prevalence
from .systems import Floats

Columns = Mapping[str, NDArray[np.float64]]
RAREST = 1e-6
"""Prevalences nearer to 0 or 1 count as this where they are known against all odds."""


@dataclass(frozen=True)
class Known:
    """What a cell says of a latent normal number: its value, or a bound and the side of it."""

    value: float
    side: int
    """0 exactly this, 1 above it, -1 at most this."""


def rows_of(request: Plain, cohort: Plain, columns: Columns, number: Ints, attempt: int) -> Ints:
    """Return the row of each person (1): side by side, each as long as its weight."""
    sex, age = columns["sex"], np.floor(columns["age"])
    oldest = np.inf if cohort["age_to"] >= 100 else cohort["age_to"]
    weight = columns.get("weight", np.ones(len(sex)))
    sexes = [SEXES.index(name) for name in cohort["sexes"]]
    inside = np.isin(sex, sexes) & (age >= cohort["age_from"]) & (age <= oldest) & (weight > 0.0)
    rows = np.flatnonzero(inside)
    ends = np.cumsum(weight[rows]) / np.sum(weight[rows])
    if attempt == 0:
        position = (number + 0.5) / request["people"]
    else:
        position = chance.once(request["seed"], number, attempt, chance.FILE_ROW)
    found = np.minimum(np.searchsorted(ends, position, side="right"), len(rows) - 1)
    return np.asarray(rows[found])


def people_of(
    request: Plain, population: int, cohort: Plain, columns: Columns, number: Ints, attempt: int
) -> People:
    """Return candidates of an attempt for the places of these numbers."""
    described = request["populations"][population]
    factors = [factor["id"] for factor in request["risk_factors"]]
    names = [*CHARACTERISTICS, "prior_fracture", *factors]
    rows = rows_of(request, cohort, columns, number, attempt)
    sex = columns["sex"][rows].astype(np.int64)
    age_months = months_of(request, columns, rows, number, attempt)
    values = {name: np.zeros(len(rows)) for name in CHARACTERISTICS}
    has = {name: np.zeros(len(rows), dtype=np.bool_) for name in names[len(CHARACTERISTICS) :]}
    for i, row in enumerate(rows):
        cells = {name: float(columns[name][row]) for name in names if name in columns}
        cells = {name: x for name, x in cells.items() if not np.isnan(x)}
        of_sex, age = SEXES[sex[i]], int(age_months[i])
        luck = [
            chance.once(request["seed"], number[i : i + 1], attempt, chance.CHARACTERISTIC + k)[0]
            for k in range(len(names))
        ]
        z = drawn(described, names, of_sex, age, cells, luck)
        for k, name in enumerate(names):
            if name in values:
                entry = next(c for c in described["characteristics"] if c["id"] == name)
                own = value_at(entry, of_sex, np.array([age / MONTHS_PER_YEAR]), z[k : k + 1])[0]
                values[name][i] = cells.get(name, own)
            else:
                share = prevalence(described, name)[sex[i], age // MONTHS_PER_YEAR]
                has[name][i] = cells.get(name, ndtr(z[k]) > 1.0 - share)
    return People(
        number=number,
        attempt=np.full_like(number, attempt),
        cohort=np.full_like(number, request["cohorts"].index(cohort)),
        population=np.full_like(number, population),
        sex=sex,
        age_months=age_months,
        values=values,
        prior_fracture=has["prior_fracture"],
        risk_factors=np.array([has[name] for name in factors]).reshape(len(factors), -1).T,
        proneness=normal_of(request["seed"], number, attempt, chance.FALL_PRONENESS),
        source_row=rows,
    )


def months_of(request: Plain, columns: Columns, rows: Ints, number: Ints, attempt: int) -> Ints:
    """Return ages in months: exact, or with a month of birth if all ages are whole years (3)."""
    age = columns["age"]
    years = np.floor(age[rows]).astype(np.int64)
    if np.all(age == np.floor(age)):
        u = chance.once(request["seed"], number, attempt, chance.BIRTH_MONTH)
        return years * MONTHS_PER_YEAR + np.floor(12.0 * u).astype(np.int64)
    within = np.floor((age[rows] - years) * MONTHS_PER_YEAR + 1e-6).astype(np.int64)
    return years * MONTHS_PER_YEAR + within


def drawn(
    described: Plain,
    names: list[str],
    sex: str,
    age_months: int,
    cells: Mapping[str, float],
    luck: list[float],
) -> Floats:
    """Return latent normal numbers given what is known (2): values first, then bounds, then the rest."""
    correlation = np.array(described["correlation"][sex])
    known = {
        k: latent(described, name, sex, age_months, cells[name])
        for k, name in enumerate(names)
        if name in cells
    }
    exact = [k for k, of in known.items() if of.side == 0]
    order = exact + [k for k in known if k not in exact]
    order += [k for k in range(len(names)) if k not in known]
    z = np.zeros(len(names))
    for place, k in enumerate(order):
        before = order[:place]
        pull = np.linalg.solve(correlation[np.ix_(before, before)], correlation[before, k])
        mean, sd = pull @ z[before], np.sqrt(1.0 - pull @ correlation[before, k])
        of = known.get(k)
        if of is None:
            z[k] = mean + sd * ndtri(luck[k])
        elif of.side == 0:
            z[k] = of.value
        else:
            # Of the normal distribution cut off at the bound, the same part as the luck of the whole.
            bound = (of.value - mean) / sd
            if of.side > 0:
                z[k] = mean - sd * ndtri((1.0 - luck[k]) * ndtr(-bound))
            else:
                z[k] = mean + sd * ndtri(luck[k] * ndtr(bound))
    return np.clip(z, -WIDEST, WIDEST)


def latent(described: Plain, name: str, sex: str, age_months: int, x: float) -> Known:
    """Return what a cell says of the latent number of its characteristic."""
    if name not in CHARACTERISTICS:
        age = age_months // MONTHS_PER_YEAR
        share = prevalence(described, name)[SEXES.index(sex), age]
        bound = -float(ndtri(np.clip(share, RAREST, 1.0 - RAREST)))
        return Known(bound, 1 if x == 1.0 else -1)
    entry = next(c for c in described["characteristics"] if c["id"] == name)
    m = entry[sex] or entry["women"]
    location, spread = (
        float(np.interp(age_months / MONTHS_PER_YEAR, m["ages"], m[part]))
        for part in ("location", "spread")
    )
    transform = entry["transform"]
    of = {"log": np.log, "log1p": np.log1p}.get(transform)
    value = float(of(x)) if of else x
    z = inverse_quantile(m["z"], m["q"], (value - location) / spread) if spread > 0.0 else 0.0
    # Distributions that would go below 0 end there: then the number is only known to be low.
    at_floor = x <= 0.0 and transform not in ("log", "signed")
    return Known(float(np.clip(z, -WIDEST, WIDEST)), -1 if at_floor else 0)


def inverse_quantile(knots: list[float], quantiles: list[float], q: float) -> float:
    """Return the normal number of a quantile: the middle of those that have it; lines go on."""
    x, y = np.array(knots), np.array(quantiles)
    if len(x) == 1:
        return 0.0
    here = x[y == q]
    if len(here) > 1:
        return float((here[0] + here[-1]) / 2.0)
    k = int(np.clip(np.searchsorted(y, q, side="right"), 1, len(x) - 1))
    if y[k] == y[k - 1]:
        return float(np.copysign(np.inf, q - y[k]))
    return float(x[k - 1] + (x[k] - x[k - 1]) * (q - y[k - 1]) / (y[k] - y[k - 1]))

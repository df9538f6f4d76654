"""People: what is measured of them, and what follows from it for their bones and falls.

Arrays over people have the shape (n,). A request is the JSON that the kernel compiles.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

from . import chance
from .balance import SITES
from .chance import Ints
from .populations import MONTHS_PER_YEAR, SEXES, Plain, prevalence
from .systems import Bools, Floats, Parameters, Person, habitual_load

CHARACTERISTICS = (
    "abmd_femoral_neck",
    "abmd_total_hip",
    "abmd_lumbar_spine",
    "abmd_distal_radius",
    "body_weight",
    "height",
    "calcium_intake",
    "serum_25ohd",
    "activity",
    "menopause_age",
    "frailty",
)
NEVER = 1.0e6
"""Months from index that no life reaches."""
WIDEST = 5.0
"""Largest |z| of characteristics and spreads between people."""
EVEN_PEOPLE, EVEN_STEP, EVEN_SHIFT = 4096, 1457, 2531
"""People of an even sample, and the generator and the shift of the lattice that they stand on."""


@dataclass(frozen=True)
class People:
    """People at index."""

    number: Ints
    attempt: Ints
    """Which of the candidates who were screened for each place, from 0."""
    cohort: Ints
    """Position of the cohort; -1 for people of no cohort."""
    population: Ints
    sex: Ints
    age_months: Ints
    values: dict[str, Floats]
    """Continuous characteristics."""
    prior_fracture: Bools
    risk_factors: Bools
    """Shape (n, number of risk factors)."""
    proneness: Floats
    """Standard normal numbers of proneness to falls."""
    source_row: Ints
    """Row of the file of persons; -1 for people who were drawn."""

    @property
    def age(self) -> Ints:
        """Completed years."""
        return self.age_months // MONTHS_PER_YEAR


def measured(
    request: Plain,
    number: Ints,
    population: Ints,
    sex: Ints,
    age_months: Ints,
    attempt: int = 0,
    place: Ints | None = None,
) -> People:
    """Return people of a population, sex and age with correlated characteristics of their own.

    `place`: of people of an even sample, their places in it; their normal numbers are not drawn.
    """
    factors = [factor["id"] for factor in request["risk_factors"]]
    names = [*CHARACTERISTICS, "prior_fracture", *factors]
    seed = request["seed"]
    if place is None:
        independent = np.array(
            [
                ndtri(chance.once(seed, number, attempt, chance.CHARACTERISTIC + k))
                for k in range(len(names))
            ]
        )
        proneness = normal_of(seed, number, attempt, chance.FALL_PRONENESS)
    else:
        independent = np.array([even_normal(place, k) for k in range(len(names))])
        proneness = even_normal(place, len(names))
    values = {name: np.zeros(len(number)) for name in CHARACTERISTICS}
    has = {name: np.zeros(len(number), dtype=np.bool_) for name in names[len(CHARACTERISTICS) :]}
    years = age_months / MONTHS_PER_YEAR
    for i, described in enumerate(request["populations"]):
        for j, its_name in enumerate(SEXES):
            here = (population == i) & (sex == j)
            lower = np.linalg.cholesky(np.array(described["correlation"][its_name]))
            z = np.clip(lower @ independent[:, here], -WIDEST, WIDEST)
            for k, name in enumerate(CHARACTERISTICS):
                entry = next(c for c in described["characteristics"] if c["id"] == name)
                values[name][here] = value_at(entry, its_name, years[here], z[k])
            for k, name in enumerate(has, start=len(CHARACTERISTICS)):
                share = prevalence(described, name)[j, age_months[here] // MONTHS_PER_YEAR]
                has[name][here] = ndtr(z[k]) > 1.0 - share
    return People(
        number=number,
        attempt=np.full_like(number, attempt),
        cohort=np.full_like(number, -1),
        population=population,
        sex=sex,
        age_months=age_months,
        values=values,
        prior_fracture=has["prior_fracture"],
        risk_factors=np.array([has[name] for name in factors], dtype=np.bool_)
        .reshape(len(factors), -1)
        .T,
        proneness=proneness,
        source_row=np.full_like(number, -1),
    )


def even_normal(place: Ints, k: int) -> Floats:
    """Return the k-th independent normal number of the people at some places of an even sample.

    Every coordinate takes each quantile of so many once; together they are a lattice, moved so that
    nobody is the least in everything.
    """
    step = pow(EVEN_STEP, k, EVEN_PEOPLE)
    moved = (place * step + (k + 1) * EVEN_SHIFT) % EVEN_PEOPLE
    return np.asarray(ndtri((moved + 0.5) / EVEN_PEOPLE))


def value_at(characteristic: Plain, sex: str, age: Floats, z: Floats) -> Floats:
    """Return location(age) + spread(age) x quantile(z), transformed back."""
    m = characteristic[sex] or characteristic["women"]
    location = np.interp(age, m["ages"], m["location"])
    spread = np.interp(age, m["ages"], m["spread"])
    value: Floats
    x = location + spread * residual_quantile(m["z"], m["q"], z)
    match characteristic["transform"]:
        case "log":
            value = np.exp(x)
        case "log1p":
            value = np.maximum(0.0, np.expm1(x))
        case "signed":
            value = x
        case _:
            value = np.maximum(0.0, x)
    return value


def residual_quantile(knots: list[float], quantiles: list[float], z: Floats) -> Floats:
    """Return the piecewise linear quantile, going on with its last slopes."""
    x: Floats = np.array(knots)
    y: Floats = np.array(quantiles)
    if len(x) == 1:
        return np.full_like(z, y[0])
    k = np.clip(np.searchsorted(x, z, side="right"), 1, len(x) - 1)
    return y[k - 1] + (y[k] - y[k - 1]) * (z - x[k - 1]) / (x[k] - x[k - 1])


def normal_of(seed: int, number: Ints, attempt: Ints | int, decision: int) -> Floats:
    """Return a standard normal number of each person, held within what was measured."""
    u = chance.once(seed, number, attempt, decision)
    z: Floats = np.clip(ndtri(u), -WIDEST, WIDEST)
    return z


def spread_between_people(z: Floats, cv: float) -> Floats:
    """Return lognormal factors of mean 1 and this coefficient of variation."""
    variance = math.log(1.0 + cv**2)
    return np.exp(math.sqrt(variance) * z - variance / 2.0)


def person_of(request: Plain, people: People) -> Person:
    """Return what the balance needs of these people."""
    p: Parameters = request["parameters"]

    def spread(decision: int, name: str) -> Floats:
        z = normal_of(request["seed"], people.number, people.attempt, decision)
        return spread_between_people(z, p[f"cohort.{name}_cv"])

    male = people.sex == 1
    sensitivity = spread(chance.ESTROGEN_SENSITIVITY, "estrogen_sensitivity")
    return Person(
        male=male,
        menopause_age=people.values["menopause_age"],
        turnover=spread(chance.TURNOVER, "turnover"),
        estrogen_half_effect=p["remodeling.estrogen_half_effect"] * sensitivity,
        formation_ageing=spread(chance.FORMATION_AGEING, "formation_ageing"),
        modelling=spread(chance.MODELLING, "modelling"),
        anabolic_response=spread(chance.ANABOLIC_RESPONSE, "anabolic_response"),
        drug_sensitivity=spread(chance.DRUG_SENSITIVITY, "drug_sensitivity"),
        load_ageing=spread(chance.LOAD_AGEING, "load_decline"),
        habitual_load=habitual_load(
            p, male, people.values["activity"], people.values["body_weight"]
        ),
        calcium_intake=people.values["calcium_intake"],
        serum_25ohd=people.values["serum_25ohd"],
    )


def lasting_fall_ratio(request: Plain, people: People) -> Floats:
    """Return what stays of individual ratios of fall rates (falls, equation 3)."""
    p: Parameters = request["parameters"]
    sd = p["falls.proneness_sd"]
    ratio: Floats = np.exp(sd * people.proneness - sd**2 / 2.0)
    inactive = people.values["activity"] < p["falls.inactive_below"]
    ratio *= np.where(inactive, p["falls.inactivity_ratio"], 1.0)
    for k, factor in enumerate(request["risk_factors"]):
        ratio *= np.where(people.risk_factors[:, k], factor["falls_ratio"], 1.0)
    return ratio


def is_one_of(sex: Ints, names: list[str]) -> Bools:
    """Return who is of one of the sexes."""
    return np.isin(sex, [SEXES.index(name) for name in names])


def t_score(request: Plain, site: str, abmd: Floats) -> Floats:
    """Return the T-score of an areal density, g/cm2 (density, equation 2)."""
    p: Parameters = request["parameters"]
    mean, sd = p[f"density.reference_mean.{site}"], p[f"density.reference_sd.{site}"]
    return (abmd - mean) / sd


def within(x: Floats, low: float | None, high: float | None) -> Bools:
    """Return what lies in a range, both ends included; no end excludes nothing."""
    above: Bools = x >= (-np.inf if low is None else low)
    return above & (x <= (np.inf if high is None else high))


def density_class(request: Plain, site: str, abmd: Floats) -> Ints:
    """Return 0 normal, 1 osteopenia, 2 osteoporosis (density, equation 3)."""
    p: Parameters = request["parameters"]
    t = t_score(request, site, abmd)
    low = (t <= p["density.osteopenia_t_score"]).astype(np.int64)
    return low + (t <= p["density.osteoporosis_t_score"])


def density_at_index(people: People) -> Floats:
    """Return measured areal density, g/cm2, by person and density site."""
    return np.array([people.values[f"abmd_{site}"] for site in SITES]).T

"""Populations, recruiting and exposures: who the people of a request are and what acts on them when.

Arrays over people have the shape (n,). A request is the JSON that the kernel compiles.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from . import chance
from .balance import SITES, TARGETS, Floats, Inputs, Parameters, Person, habitual_load
from .chance import Ints

Plain = dict[str, Any]
Bools = NDArray[np.bool_]

SEXES = ("women", "men")
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
)
AGES = np.arange(121)
MONTHS_PER_YEAR = 12
NEVER = 1.0e6
"""Months from index that no life reaches."""
WIDEST = 5.0
"""Largest |z| of characteristics and spreads between people."""


# Tables of a population: shape (2 sexes, 121 completed years)


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


# Recruiting


@dataclass(frozen=True)
class People:
    """People at index."""

    number: Ints
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

    @property
    def age(self) -> Ints:
        """Completed years."""
        return self.age_months // MONTHS_PER_YEAR


def recruited(request: Plain, number: Ints) -> People:
    """Return the people of these numbers."""
    seed = request["seed"]
    cohort = cohort_of(request, chance.once(seed, number, chance.COHORT))
    names = [p["id"] for p in request["populations"]]
    population = np.array([names.index(c["population"]) for c in request["cohorts"]])[cohort]
    sex, age = sex_and_age(request, cohort, chance.once(seed, number, chance.SEX_AND_AGE))
    month = np.floor(12.0 * chance.once(seed, number, chance.BIRTH_MONTH)).astype(np.int64)
    people = measured(request, number, population, sex, age * MONTHS_PER_YEAR + month)
    values = dict(people.values)
    for k, c in enumerate(request["cohorts"]):
        for profile in c["set"]:
            who = (cohort == k) & is_one_of(sex, profile["sexes"])
            name = profile["characteristic"]
            values[name] = np.where(who, profile["value"], values[name])
    return replace(people, cohort=cohort, values=values)


def cohort_of(request: Plain, u: Floats) -> Ints:
    """Return the cohort that a draw falls in, by cumulative share."""
    edges = np.cumsum([c["share"] for c in request["cohorts"]])
    return np.minimum(np.searchsorted(edges, u, side="right"), len(edges) - 1)


def sex_and_age(request: Plain, cohort: Ints, u: Floats) -> tuple[Ints, Ints]:
    """Return sex and completed years, as frequent as in the cohort's part of its population."""
    sex, age = np.zeros_like(cohort), np.zeros_like(cohort)
    for k, c in enumerate(request["cohorts"]):
        population = next(p for p in request["populations"] if p["id"] == c["population"])
        living = by_year(population["age_structure"], keep_last=False)
        cells = [
            (s, a)
            for s, name in enumerate(SEXES)
            if name in c["sexes"]
            for a in range(c["age_from"], min(c["age_to"], 120) + 1)
            if living[s, a] > 0
        ]
        edges = np.cumsum([living[cell] for cell in cells])
        edges /= edges[-1]
        here = cohort == k
        cell = np.minimum(np.searchsorted(edges, u[here], side="right"), len(cells) - 1)
        sex[here], age[here] = np.array(cells)[cell].T
    return sex, age


def measured(
    request: Plain,
    number: Ints,
    population: Ints,
    sex: Ints,
    age_months: Ints,
    first_normal: Floats | None = None,
) -> People:
    """Return people of a population, sex and age with correlated characteristics of their own.

    `first_normal` replaces the first independent normal number (femoral-neck density).
    """
    factors = [factor["id"] for factor in request["risk_factors"]]
    names = [*CHARACTERISTICS, "prior_fracture", *factors]
    independent = np.array(
        [
            ndtri(chance.once(request["seed"], number, chance.CHARACTERISTIC + k))
            for k in range(len(names))
        ]
    )
    if first_normal is not None:
        independent[0] = first_normal
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
        cohort=np.full_like(number, -1),
        population=population,
        sex=sex,
        age_months=age_months,
        values=values,
        prior_fracture=has["prior_fracture"],
        risk_factors=np.array([has[name] for name in factors], dtype=np.bool_)
        .reshape(len(factors), -1)
        .T,
    )


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


def spread_between_people(request: Plain, number: Ints, decision: int, cv: float) -> Floats:
    """Return lognormal factors of mean 1 and this coefficient of variation."""
    variance = math.log(1.0 + cv**2)
    z: Floats = np.clip(ndtri(chance.once(request["seed"], number, decision)), -WIDEST, WIDEST)
    return np.exp(math.sqrt(variance) * z - variance / 2.0)


def person_of(request: Plain, people: People) -> Person:
    """Return what the balance needs of these people."""
    p: Parameters = request["parameters"]

    def spread(decision: int, name: str) -> Floats:
        return spread_between_people(request, people.number, decision, p[f"cohort.{name}_cv"])

    male = people.sex == 1
    sensitivity = spread(chance.ESTROGEN_SENSITIVITY, "estrogen_sensitivity")
    return Person(
        male=male,
        menopause_age=people.values["menopause_age"],
        turnover=spread(chance.TURNOVER, "turnover"),
        estrogen_half_effect=p["remodeling.estrogen_half_effect"] * sensitivity,
        formation_ageing=spread(chance.FORMATION_AGEING, "formation_ageing"),
        habitual_load=habitual_load(
            p, male, people.values["activity"], people.values["body_weight"]
        ),
        calcium_intake=people.values["calcium_intake"],
        serum_25ohd=people.values["serum_25ohd"],
    )


def fall_ratio(request: Plain, people: People) -> Floats:
    """Return individual ratios of fall rates (falls, equation 2)."""
    p: Parameters = request["parameters"]
    sd = p["falls.proneness_sd"]
    z = np.clip(
        ndtri(chance.once(request["seed"], people.number, chance.FALL_PRONENESS)), -WIDEST, WIDEST
    )
    ratio: Floats = np.exp(sd * z - sd**2 / 2.0)
    low = people.values["serum_25ohd"] < p["falls.vitamin_d_low_below"]
    inactive = people.values["activity"] < p["falls.inactive_below"]
    ratio *= np.where(low, p["falls.vitamin_d_low_ratio"], 1.0)
    ratio *= np.where(inactive, p["falls.inactivity_ratio"], 1.0)
    for k, factor in enumerate(request["risk_factors"]):
        ratio *= np.where(people.risk_factors[:, k], factor["falls_ratio"], 1.0)
    return ratio


# Exposures


@dataclass(frozen=True)
class Acting:
    """An exposure of these people: it acts while start <= months from index < stop."""

    start: Floats
    stop: Floats
    effects: list[Plain]
    medicine: bool


def is_one_of(sex: Ints, names: list[str]) -> Bools:
    """Return who is of one of the sexes."""
    return np.isin(sex, [SEXES.index(name) for name in names])


def t_score(request: Plain, site: str, abmd: Floats) -> Floats:
    """Return the T-score of an areal density, g/cm2 (density, equation 2)."""
    p: Parameters = request["parameters"]
    mean, sd = p[f"density.reference_mean.{site}"], p[f"density.reference_sd.{site}"]
    return (abmd - mean) / sd


def density_class(request: Plain, site: str, abmd: Floats) -> Ints:
    """Return 0 normal, 1 osteopenia, 2 osteoporosis (density, equation 3)."""
    p: Parameters = request["parameters"]
    t = t_score(request, site, abmd)
    low = (t <= p["density.osteopenia_t_score"]).astype(np.int64)
    return low + (t <= p["density.osteoporosis_t_score"])


def acting(request: Plain, people: People, exposure: Plain, cohort: int | None) -> Acting:
    """Return when an exposure acts on these people; `cohort` is the only one that has it."""
    who = is_one_of(people.sex, exposure["sexes"])
    if cohort is not None:
        who &= people.cohort == cohort
    if exposure["age_from"] is not None:
        who &= people.age >= exposure["age_from"]
    if exposure["age_to"] is not None:
        who &= people.age <= exposure["age_to"]
    if exposure["site"] is not None:
        t = t_score(request, exposure["site"], people.values[f"abmd_{exposure['site']}"])
        who &= t <= exposure["t_score_at_most"]
    luck = chance.EXPOSURE + chance.address_of_name(exposure["luck"])
    who &= chance.once(request["seed"], people.number, luck) < exposure["uptake"]

    start = np.full(len(people.number), float(exposure["start_month"]))
    if exposure["anchor"] == "menopause":
        start += np.floor(12.0 * people.values["menopause_age"] - people.age_months)
    months = np.full(len(start), NEVER if exposure["months"] is None else exposure["months"])
    if exposure["persistence"] is not None:
        u = chance.once(request["seed"], people.number, luck + 1)
        months = np.minimum(months, months_persisted(exposure["persistence"], u))
    return Acting(
        start=np.where(who, start, NEVER),
        stop=np.where(who, start + months, NEVER),
        effects=exposure["effects"],
        medicine=exposure["medicine"],
    )


def months_persisted(persistence: Plain, u: Floats) -> Floats:
    """Return when a share u still takes it: log-linear between knots, going on with the last slope."""
    month, share = np.array(persistence["months"]), np.array(persistence["share"])
    later = [int(np.argmax(share[1:] <= x)) + 1 if (share[1:] <= x).any() else -1 for x in u]
    k = np.where(np.array(later) == -1, len(share) - 1, later)
    slope = (np.log(share[k]) - np.log(share[k - 1])) / (month[k] - month[k - 1])
    flat = slope == 0.0
    since = (np.log(u) - np.log(share[k - 1])) / np.where(flat, -1.0, slope)
    return np.where(flat, NEVER, month[k - 1] + since)


def of_arm(request: Plain, people: People, arm: int) -> list[Acting]:
    """Return the exposures of an arm."""
    names = [c["name"] for c in request["cohorts"]]
    return [
        acting(request, people, e, None if e["cohort"] is None else names.index(e["cohort"]))
        for e in request["arms"][arm]["exposures"]
    ]


def of_cohorts(request: Plain, people: People) -> list[Acting]:
    """Return the exposures of the cohorts, which every arm has."""
    return [
        acting(request, people, e, k)
        for k, c in enumerate(request["cohorts"])
        for e in c["exposures"]
    ]


def of_risk_factors(request: Plain, people: People) -> list[Acting]:
    """Return the exposures of who has a risk factor."""
    made = []
    for k, factor in enumerate(request["risk_factors"]):
        start, stop = factor["start_month"], factor["stop_month"]
        has = people.risk_factors[:, k]
        made.append(
            Acting(
                start=np.where(has, -NEVER if start is None else start, NEVER),
                stop=np.where(has, NEVER if stop is None else stop, NEVER),
                effects=factor["effects"],
                medicine=False,
            )
        )
    return made


def inputs_at(exposures: list[Acting], months: Floats) -> Inputs:
    """Return the sum of what acts at a time, months from index, by target."""
    total = {target: np.zeros(len(months)) for target in TARGETS}
    for exposure in exposures:
        acts = (exposure.start <= months) & (months < exposure.stop)
        for effect in exposure.effects:
            total[effect["target"]] += np.where(acts, effect["amount"], 0.0)
    return total


def medicine_months(exposures: list[Acting], months_begun: Floats) -> Ints:
    """Return months of follow-up begun on medicines, summed over medicines."""
    total = np.zeros(len(months_begun))
    for e in exposures:
        if e.medicine:
            last = np.minimum(np.ceil(e.stop), months_begun)
            total += np.maximum(0.0, last - np.maximum(0.0, np.ceil(e.start)))
    return total.astype(np.int64)


def density_at_index(people: People) -> Floats:
    """Return measured areal density, g/cm2, by person and density site."""
    return np.array([people.values[f"abmd_{site}"] for site in SITES]).T

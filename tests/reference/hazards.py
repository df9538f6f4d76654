"""Hazards of falls, fractures and death, and the fractures before index that still count.

Arrays over people have the shape (n,); hazards are per month.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from . import chance, populations
from .balance import State
from .chance import Ints
from .people import NEVER, People, fall_ratio
from .populations import AGES, Plain
from .systems import Bools, Floats

Means = dict[str, dict[str, Floats]]
"""Mean relative risks by population and quantity: arrays (2 sexes, 121 ages)."""


def of_population(request: Plain, table: Any, who: People, age: Ints) -> Floats:
    """Return a function of (population) -> table (2 sexes, 121 ages), read for each person."""
    tables = np.array([table(population) for population in request["populations"]])
    values: Floats = tables[who.population, who.sex, np.minimum(age, AGES[-1])]
    return values


def mean_of(request: Plain, means: Means, name: str, who: People, age: Ints) -> Floats:
    """Return the population's mean of a relative risk at each person's sex and an age."""
    return of_population(request, lambda population: means[population["id"]][name], who, age)


def probability(hazard: Floats, months: float = 1.0) -> Floats:
    """Return 1 - exp(-hazard x months)."""
    return np.asarray(-np.expm1(-hazard * months))


def relative_fracture_hazard(
    request: Plain, site: Plain, who: People, abmd: Floats, resorption: Floats, prior: Bools
) -> Floats:
    """Return r of a fracture site (fracture, equation 1); abmd is that of its density site."""
    reference = request["parameters"][f"density.reference_mean.{site['density_site']}"]
    r: Floats = site["gradient_per_sd"] ** ((reference - abmd) / site["sd"])
    r = r * resorption ** site["turnover_exponent"]
    r = r * np.where(prior, site["prior_fracture_ratio"], 1.0)
    for k, factor in enumerate(request["risk_factors"]):
        ratio = factor["hazard_ratios"].get(site["id"], 1.0)
        r = r * np.where(who.risk_factors[:, k], ratio, 1.0)
    return r


def fall_factor(site: Plain, fall_per_expected: Floats) -> Floats:
    """Return (1 - s) + s x fall / p_fall (fracture, equation 2)."""
    s: float = site["share_from_falls"]
    return (1.0 - s) + s * fall_per_expected


def death_ratio_after(site: Plain, sex: Ints, months: Floats) -> Floats:
    """Return the relative hazard of death by months since a fracture (mortality, equation 2)."""
    ratio: Floats = np.ones(len(months))
    for step in site["mortality_after"]:
        holds = (step["from_month"] <= months) & (months < site["mortality_until_month"])
        ratio = np.where(holds, np.where(sex == 1, step["men"], step["women"]), ratio)
    return ratio


def death_ratio_of_factors(request: Plain, who: People) -> Floats:
    """Return the relative hazard of death by risk factors."""
    ratio: Floats = np.ones(len(who.number))
    for k, factor in enumerate(request["risk_factors"]):
        ratio *= np.where(who.risk_factors[:, k], factor["mortality_ratio"], 1.0)
    return ratio


def months_since_fracture(request: Plain, who: People, state: State, means: Means) -> Floats:
    """Return months since the last fracture before index that still counts, by fracture site."""
    falls = of_population(request, populations.fall_hazard, who, who.age)
    own_falls = falls * fall_ratio(request, who)
    own_falls /= mean_of(request, means, "fall", who, who.age)
    fall_per_expected = probability(own_falls) / probability(falls)
    all_sites = []
    for site in request["fracture_sites"]:
        r = otherwise(request, site, who, state) * fall_factor(site, fall_per_expected)
        mean = mean_of(request, means, f"fracture.{site['id']}", who, who.age)
        all_sites.append(earlier_fracture(request, site, who, r / mean))
    return np.array(all_sites).reshape(len(all_sites), -1).T


def otherwise(request: Plain, site: Plain, who: People, state: State) -> Floats:
    """Return the relative hazard at index without the ratio for an earlier fracture."""
    abmd = who.values[f"abmd_{site['density_site']}"]
    nobody = np.zeros_like(who.prior_fracture)
    return relative_fracture_hazard(request, site, who, abmd, state["resorption"], nobody)


def earlier_fracture(request: Plain, site: Plain, who: People, relative: Floats) -> Floats:
    """Return months since a fracture at one site drawn at a relative hazard, survived until index.

    Only people with a history of fracture have one; they have it as often as keeps its frequency
    among all people what the hazard says.
    """
    since = np.full(len(who.number), NEVER)
    if not site["mortality_after"]:
        return since
    first = chance.EARLIER_FRACTURE + 4 * site["decision"]
    whether, when, survived = (
        chance.once(request["seed"], who.number, who.attempt, first + k) for k in range(3)
    )
    window = site["mortality_until_month"]
    age = np.maximum(0, who.age - int(request["parameters"]["cohort.earlier_fracture_age_shift"]))
    hazard = of_population(
        request, lambda population: populations.fracture_hazard(population, site["id"]), who, age
    )
    death = of_population(request, populations.death_hazard, who, age)
    months = np.floor(when * window)
    excess = np.zeros(len(since))
    for month in range(int(window)):
        ratio = death_ratio_after(site, who.sex, np.full(len(since), float(month)))
        excess += np.where(month < months, (ratio - 1.0) * death, 0.0)
    history = of_population(
        request,
        lambda population: populations.prevalence(population, "prior_fracture"),
        who,
        who.age,
    )
    share = probability(hazard * relative, window) / history
    had = who.prior_fracture & (whether < share) & (survived < np.exp(-excess))
    return np.where(had, months, since)

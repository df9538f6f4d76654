"""Hazards of falls, fractures and death, and the fractures before index that still count.

Arrays over people have the shape (n,); hazards are per month.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import chance, populations
from .balance import State
from .chance import Ints
from .people import NEVER, People, lasting_fall_ratio
from .populations import AGES, MONTHS_PER_YEAR, Plain
from .strength import ln_load, ln_ratio, ln_strength, share_broken
from .systems import Bools, Floats, Inputs

Means = dict[str, dict[str, Floats]]
"""Means and offsets by population and quantity: arrays (2 sexes, 121 ages)."""


@dataclass(frozen=True)
class Lived:
    """What the hazards need of people at one time."""

    who: People
    abmd: dict[str, Floats]
    """g/cm2 by density site."""
    state: State
    inputs: Inputs
    frailty: Floats
    """Without instability."""
    instability: Floats

    @property
    def effective(self) -> Floats:
        """Effective frailty."""
        return self.frailty + self.instability


def of_population(request: Plain, table: Any, who: People, age: Ints) -> Floats:
    """Return a function of (population) -> table (2 sexes, 121 ages), read for each person."""
    tables = np.array([table(population) for population in request["populations"]])
    values: Floats = tables[who.population, who.sex, np.minimum(age, AGES[-1])]
    return values


def mean_of(request: Plain, means: Means, name: str, who: People, age: Ints) -> Floats:
    """Return a mean or offset of the population at each person's sex and an age."""
    return of_population(request, lambda population: means[population["id"]][name], who, age)


def probability(hazard: Floats, months: float = 1.0) -> Floats:
    """Return 1 - exp(-hazard x months)."""
    return np.asarray(-np.expm1(-hazard * months))


# Falls


def fall_ratio(request: Plain, lived: Lived) -> Floats:
    """Return individual ratios of fall rates (falls, equations 2 to 4)."""
    p = request["parameters"]
    serum = lived.who.values["serum_25ohd"] + lived.inputs["serum_25ohd"]
    low = np.where(serum < p["falls.vitamin_d_low_below"], p["falls.vitamin_d_low_ratio"], 1.0)
    grown = np.exp(p["falls.frailty_exponent"] * lived.effective + lived.inputs["falls"])
    return lasting_fall_ratio(request, lived.who) * grown * low


# Fractures


def loadings(site: Plain, fell: Floats, p_fall: Floats) -> Floats:
    """Return loading events of a month (fracture, equations 1 and 3)."""
    s = site["share_from_falls"]
    if site["of_the_spine"]:
        return np.asarray((1.0 - s) + s * fell / p_fall)
    return np.asarray(fell + p_fall * (1.0 - s) / s)


def burden(request: Plain, site: Plain, lived: Lived) -> Floats:
    """Return ln(load / strength) without the population's offset (strength, equations 1 and 2)."""
    abmd = lived.abmd[site["density_site"]]
    strength = ln_strength(request, site, abmd, lived.state, lived.inputs)
    return ln_load(site, lived.who, lived.effective) - strength


def weight(
    request: Plain, site: Plain, who: People, fell: Floats, p_fall: Floats, prior: Floats
) -> Floats:
    """Return what multiplies the probability of breaking."""
    return loadings(site, fell, p_fall) * np.exp(ln_ratio(request, site, who, prior))


# Death


def death_ratio_after(site: Plain, sex: Ints, months: Floats) -> Floats:
    """Return the relative hazard of death by months since a fracture (mortality)."""
    ratio: Floats = np.ones(len(months))
    for step in site["mortality_after"]:
        holds = (step["from_month"] <= months) & (months < site["mortality_until_month"])
        ratio = np.where(holds, np.where(sex == 1, step["men"], step["women"]), ratio)
    return ratio


def death_ratio_after_all(request: Plain, sex: Ints, since: Floats) -> Floats:
    """Return what all earlier fractures together cause; since: (n, fracture sites), months."""
    ratio: Floats = np.ones(len(sex))
    for k, site in enumerate(request["fracture_sites"]):
        ratio = ratio * death_ratio_after(site, sex, since[:, k])
    return ratio


def death_ratio_of_factors(request: Plain, who: People) -> Floats:
    """Return the relative hazard of death by risk factors and by what people a cohort is of."""
    ratio: Floats = np.ones(len(who.number))
    for k, factor in enumerate(request["risk_factors"]):
        ratio *= np.where(who.risk_factors[:, k], factor["mortality_ratio"], 1.0)
    for k, cohort in enumerate(request["cohorts"]):
        ratio *= np.where(who.cohort == k, cohort["mortality_ratio"], 1.0)
    return ratio


def death_ratio_of_frailty(request: Plain, frailty: Floats) -> Floats:
    """Return the relative hazard of death by effective frailty."""
    ratio: Floats = np.exp(request["parameters"]["mortality.frailty_exponent"] * frailty)
    return ratio


# Frailty


def aged(request: Plain, frailty: Floats, life_table: Floats) -> Floats:
    """Return frailty a month later (frailty, equation 1)."""
    theta = request["parameters"]["mortality.frailty_exponent"]
    return frailty + theta * life_table * (1.0 + 0.5 * theta * frailty)


def left_of_instability(request: Plain, months: Floats | float) -> Floats:
    """Return the share of instability that is left after some months (frailty, equation 2)."""
    half_life = request["parameters"]["fracture.instability_half_life"]
    left: Floats = np.exp(-math.log(2.0) * np.asarray(months) / (half_life * MONTHS_PER_YEAR))
    return left


# Fractures before index


def months_since_fractures(
    request: Plain, means: Means, lived: Lived
) -> tuple[Floats, Floats]:
    """Return months since the last fracture before index (n, sites), and the instability left of them.

    Drawn at the hazard that people have without what earlier fractures bring.
    """
    who = lived.who
    falls = of_population(request, populations.fall_hazard, who, who.age)
    own = fall_ratio(request, lived) / mean_of(request, means, "fall_undated", who, who.age)
    fell, p_fall = probability(falls * own), probability(falls)
    all_sites = []
    for site in request["fracture_sites"]:
        offset = mean_of(request, means, f"offset_undated.{site['id']}", who, who.age)
        hazard = undated_hazard(request, site, lived, fell, p_fall, offset)
        incidence = of_population(
            request, lambda of, site=site: populations.fracture_hazard(of, site["id"]), who, who.age
        )
        all_sites.append(earlier_fracture(request, site, who, hazard / incidence))
    since = np.array(all_sites).T
    return since, instability_left(request, since)


def undated_hazard(
    request: Plain, site: Plain, lived: Lived, fell: Floats, p_fall: Floats, offset: Floats
) -> Floats:
    """Return the hazard without the ratio for an earlier fracture."""
    nobody = np.zeros(len(fell))
    times = weight(request, site, lived.who, fell, p_fall, nobody)
    return times * share_broken(burden(request, site, lived) + offset, site["spread"])


def instability_left(request: Plain, since: Floats) -> Floats:
    """Return the instability that fractures have left; since: (n, sites), months, NEVER if none."""
    total = np.zeros(len(since))
    for k, site in enumerate(request["fracture_sites"]):
        left = site["instability"] * left_of_instability(request, since[:, k])
        total += np.where(since[:, k] < NEVER, left, 0.0)
    return total


def earlier_fracture(request: Plain, site: Plain, who: People, relative: Floats) -> Floats:
    """Return months since a fracture at one site drawn at a relative hazard, survived until index.

    Only people with a history of fracture have one; they have it as often as keeps its frequency
    among all people what the hazard says.
    """
    p = request["parameters"]
    first = chance.EARLIER_FRACTURE + 4 * site["decision"]
    whether, when, survived = (
        chance.once(request["seed"], who.number, who.attempt, first + k) for k in range(3)
    )
    window = p["fracture.history_years"] * MONTHS_PER_YEAR
    age = np.maximum(0, who.age - int(p["cohort.earlier_fracture_age_shift"]))
    hazard = of_population(
        request, lambda population: populations.fracture_hazard(population, site["id"]), who, age
    )
    death = of_population(request, populations.death_hazard, who, age)
    months = np.floor(when * window)
    excess = np.zeros(len(months))
    for month in range(math.ceil(window)):
        ratio = death_ratio_after(site, who.sex, np.full(len(months), float(month)))
        excess += np.where(month < months, (ratio - 1.0) * death, 0.0)
    history = of_population(
        request,
        lambda population: populations.prevalence(population, "prior_fracture"),
        who,
        who.age,
    )
    share = probability(hazard * relative, window) / history
    had: Bools = who.prior_fracture & (whether < share) & (survived < np.exp(-excess))
    return np.where(had, months, NEVER)

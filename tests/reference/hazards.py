"""Hazards of falls, fractures and death, and what frailty does.

Arrays over people have the shape (n,); hazards are per month.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from . import spine
from .balance import State
from .chance import Ints
from .people import People, lasting_fall_ratio, value_at
from .populations import AGES, MONTHS_PER_YEAR, SEXES, Plain
from .spine import Spine
from .strength import ln_load, ln_ratio, ln_strength, share_broken
from .systems import Floats, Inputs

Table = Callable[[Plain], Floats]
"""A population's table by sex and age: shape (2, 121)."""
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


def of_population(request: Plain, table: Table, who: People, age: Ints) -> Floats:
    """Return what a table of the population says at each person's sex and an age."""
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
    return np.asarray(lasting_fall_ratio(request, lived.who) * grown * low)


# Fractures


def loadings(site: Plain, fell: Floats, p_fall: Floats) -> Floats:
    """Return loading events of a month (fracture, equations 1 and 3)."""
    s = site["share_from_falls"]
    if site["of_the_spine"]:
        return np.asarray((1.0 - s) + s * fell / p_fall)
    return np.asarray(fell + p_fall * (1.0 - s) / s)


def usual_course(request: Plain, means: Means, site: Plain, who: People, age: Ints) -> Floats:
    """Return what the usual course of density until an age adds to demand: c C - a X."""
    density = f"abmd_{site['density_site']}"

    def of(population: Plain) -> Floats:
        known = next(c for c in population["characteristics"] if c["id"] == density)
        none = np.zeros(len(AGES))
        measured = np.array([value_at(known, sex, AGES + 0.5, none) for sex in SEXES])
        usual = means[population["id"]][f"course.{site['density_site']}"]
        strength: Floats = site["strength_exponent"] * np.log(measured)
        return site["change_exponent"] * np.log(usual) - strength

    return of_population(request, of, who, age)


def burden(request: Plain, site: Plain, lived: Lived) -> Floats:
    """Return ln(load / strength) without the population's offset (strength, equations 1 and 2)."""
    abmd = lived.abmd[site["density_site"]]
    strength = ln_strength(request, site, lived.who, abmd, lived.state, lived.inputs)
    return ln_load(site, lived.who, lived.effective) - strength


def weight(
    request: Plain, site: Plain, who: People, fell: Floats, p_fall: Floats, prior: Floats
) -> Floats:
    """Return what multiplies the probability of breaking."""
    return loadings(site, fell, p_fall) * np.exp(ln_ratio(request, site, who, prior))


def bone_hazard(site: Plain, margin: Floats, times: Floats) -> Floats:
    """Return the hazard of breaking a bone that is no vertebra (fracture, equation 2).

    `margin`: ln(load / strength) with the population's offset; `times`: what multiplies.
    """
    return times * share_broken(margin, site["spread"])


def level_hazards(
    request: Plain, site: Plain, of: Spine, excess: Floats, margin: Floats, times: Floats
) -> Floats:
    """Return the hazard of each level of the spine, (n, 13), at a kyphosis above the mean (spine, 3)."""
    p = request["parameters"]
    by = spine.by_level(p, site, of, margin + spine.kyphosis_load(p, excess))
    return times[:, None] * by


# Death


def death_ratio_after(site: Plain, sex: Ints, age: Ints, months: Floats) -> Floats:
    """Return the relative hazard of death by months since a fracture (mortality, equation 3).

    `age` in completed years: the excess is that of people of 80, and differs between 50 and 100.
    """
    ratio: Floats = np.ones(len(months))
    for step in site["mortality_after"]:
        holds = (step["from_month"] <= months) & (months < site["mortality_until_month"])
        ratio = np.where(holds, np.where(sex == 1, step["men"], step["women"]), ratio)
    slope = site.get("mortality_age_slope") or {"women": 0.0, "men": 0.0}
    decades = (np.clip(age, 50, 100) - 80) / 10.0
    excess = (ratio - 1.0) * np.exp(np.where(sex == 1, slope["men"], slope["women"]) * decades)
    return np.asarray(np.maximum(1.0, 1.0 + excess))


def death_ratio_after_all(request: Plain, sex: Ints, age: Ints, since: Floats) -> Floats:
    """Return what all earlier fractures together cause; since: (n, fracture sites), months."""
    ratio: Floats = np.ones(len(sex))
    for k, site in enumerate(request["fracture_sites"]):
        ratio = ratio * death_ratio_after(site, sex, age, since[:, k])
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
    pulled: Floats = frailty + theta * life_table * (1.0 + 0.5 * theta * frailty)
    return pulled


def left_of_instability(request: Plain, months: Floats | float) -> Floats:
    """Return the share of instability that is left after some months (frailty, equation 2)."""
    half_life = request["parameters"]["fracture.instability_half_life"]
    left: Floats = np.exp(-math.log(2.0) * np.asarray(months) / (half_life * MONTHS_PER_YEAR))
    return left

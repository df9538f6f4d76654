"""What makes a population come out at its own rates: mean ratios, and offsets of load against strength.

They are those of a sample of the population itself, spread evenly over what is measured: no cohort's
profile is set and no cohort's exposure acts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.optimize import brentq

from . import balance, exposures, people, populations, spine
from .balance import SITES
from .brought import measured_margin, site_of_the_spine, spine_at_index
from .dated import earlier_fracture, instability_left, undated_hazard
from .hazards import (
    Lived,
    Means,
    bone_hazard,
    burden,
    death_ratio_after_all,
    death_ratio_of_factors,
    death_ratio_of_frailty,
    fall_ratio,
    level_hazards,
    of_population,
    probability,
    weight,
)
from .index import lived_of, lived_to_index
from .people import EVEN_PEOPLE, People
from .populations import AGES, MONTHS_PER_YEAR, Plain
from .spine import Spine
from .strength import ln_ratio
from .systems import Floats

FIRST_REFERENCE_PERSON = 2**62
OLDEST, EVERY = 100, 5
"""Oldest age of a sample, and years between the ages that have one."""

SPINES = 4
"""Spines of each of these people: few have many deformities, and they carry much of the hazard."""

Offset = tuple[float, float]
"""Offset, and d ln(mean hazard) / d offset there."""
Quantities = dict[str, Any]
"""Means, and offsets as Offset, of one population, sex and age."""


def solved(mean: Callable[[float], float], incidence: float) -> Offset:
    """Return the offset at which a mean hazard is an incidence."""

    def above(x: float) -> float:
        return float(np.log(mean(x) / incidence))

    b = float(brentq(above, -20.0, 20.0, xtol=1e-14, rtol=1e-14))
    step = 1e-4
    return b, (above(b + step) - above(b - step)) / (2.0 * step)


def reference_people(request: Plain, population: int, sex: int, age: int) -> People:
    """Return the even sample of a population at one sex and age."""
    place = np.arange(EVEN_PEOPLE, dtype=np.int64)
    return people.measured(
        request,
        number=FIRST_REFERENCE_PERSON + (sex * len(AGES) + age) * EVEN_PEOPLE + place,
        population=np.full_like(place, population),
        sex=np.full_like(place, sex),
        age_months=np.full_like(place, age * MONTHS_PER_YEAR + MONTHS_PER_YEAR // 2),
        place=place,
    )


def means_at(request: Plain, population: int, sex: int, age: int) -> Quantities:
    """Return means and offsets of one population, sex and age.

    First without what earlier fractures bring, which dates them; then with it.
    """
    who = reference_people(request, population, sex, age)
    acting = exposures.of_risk_factors(request, who)
    person = people.person_of(request, who)
    state = lived_to_index(request, who, person, acting)
    found: Quantities = {}
    relative = balance.relative_density(request["parameters"], person, state)
    for k, density_site in enumerate(SITES):
        found[f"course.{density_site}"] = float(np.exp(np.mean(np.log(relative[:, k]))))

    before = lived_of(who, state, acting)
    found["fall_undated"], fell, p_fall = falls_of(request, before)
    intact, none = [spine.intact(EVEN_PEOPLE)], np.zeros(EVEN_PEOPLE)
    all_since = []
    for site in request["fracture_sites"]:
        offset = offset_of(
            request, site, before, weight(request, site, who, fell, p_fall, none), intact
        )
        found[f"offset_undated.{site['id']}"] = offset
        own = undated_hazard(request, site, before, fell, p_fall, none + offset[0])
        all_since.append(earlier_fracture(request, site, who, own))
    since = np.array(all_since).T

    now = lived_of(who, state, acting, instability_left(request, since))
    found["fall"], fell, p_fall = falls_of(request, now)
    found["offset_history.spine"] = offset_of_history(request, who)
    past = none + found["offset_history.spine"][0]
    brought = [spine_at_index(request, who, {}, past, draw) for draw in range(SPINES)]
    prior = who.prior_fracture.astype(np.float64)
    for site in request["fracture_sites"]:
        times = weight(request, site, who, fell, p_fall, prior)
        found[f"offset.{site['id']}"] = offset_of(request, site, now, times, brought)
        if site["of_the_spine"]:
            margin = burden(request, site, now) + found[f"offset.{site['id']}"][0]
            found["attention"] = attention_of(request, site, who, margin, times, brought)
    death = death_ratio_of_factors(request, who) * death_ratio_of_frailty(request, now.effective)
    death = death * death_ratio_after_all(request, who.sex, who.age, since)
    found["death"] = float(np.mean(death))
    return found


def falls_of(request: Plain, lived: Lived) -> tuple[float, Floats, Floats]:
    """Return the mean ratio of falls, and each person's and the population's probability of one."""
    own = fall_ratio(request, lived)
    mean = float(np.mean(own))
    falls = of_population(request, populations.fall_hazard, lived.who, lived.who.age)
    return mean, probability(falls * own / mean), probability(falls)


def incidence_of(request: Plain, site: Plain, who: People) -> float:
    """Return what the mean hazard of an even sample must be."""

    def breaking(population: Plain) -> Floats:
        return populations.site_hazard(population, site)

    return float(of_population(request, breaking, who, who.age)[0])


def offset_of(request: Plain, site: Plain, lived: Lived, times: Floats, of: list[Spine]) -> Offset:
    """Return the offset of a site for people as they have lived, with one spine of each or more."""
    margin = burden(request, site, lived)
    if site["of_the_spine"]:
        return offset_of_levels(request, site, lived.who, margin, times, of)
    return solved(
        lambda x: float(np.mean(bone_hazard(site, margin + x, times))),
        incidence_of(request, site, lived.who),
    )


def offset_of_levels(
    request: Plain, site: Plain, who: People, margin: Floats, times: Floats, of: list[Spine]
) -> Offset:
    """Return the offset of the spine."""
    age = who.age_months / MONTHS_PER_YEAR
    excess = [spine.excess_kyphosis(request, who, one, age) for one in of]

    def mean(x: float) -> float:
        hazards = [
            np.sum(level_hazards(request, site, one, bent, margin + x, times), axis=1)
            for one, bent in zip(of, excess, strict=True)
        ]
        return float(np.mean(hazards))

    return solved(mean, incidence_of(request, site, who))


def attention_of(
    request: Plain, site: Plain, who: People, margin: Floats, times: Floats, of: list[Spine]
) -> float:
    """Return the share of these people's compressions that come to clinical attention."""
    age = who.age_months / MONTHS_PER_YEAR
    noticed, every = 0.0, 0.0
    for one in of:
        bent = spine.excess_kyphosis(request, who, one, age)
        hazards = level_hazards(request, site, one, bent, margin, times)
        noticed += float(np.sum(hazards * spine.attention_at(request["parameters"], one.grade)))
        every += float(np.sum(hazards))
    return noticed / every


def offset_of_history(request: Plain, who: People) -> Offset:
    """Return the offset of intact spines by what is measured alone."""
    found = site_of_the_spine(request)
    if found is None:
        return 0.0, 1.0
    _, site = found
    ratio = np.exp(ln_ratio(request, site, who, who.prior_fracture.astype(np.float64)))
    margin = measured_margin(request, site, who)
    return offset_of_levels(request, site, who, margin, ratio, [spine.intact(len(margin))])


# Every age


def means_of_all(request: Plain) -> Means:
    """Return means and offsets of every population at every sex and age."""
    youngest = int(request["parameters"]["cohort.youngest_age"])
    ages = range(youngest, OLDEST + 1, EVERY)
    found: Means = {}
    for i, population in enumerate(request["populations"]):
        cells = [[means_at(request, i, sex, age) for age in ages] for sex in (0, 1)]
        found[population["id"]] = {
            name: at_every_age(
                request, population, name, ages, [[c[name] for c in row] for row in cells]
            )
            for name in cells[0][0]
        }
        attention = found[population["id"]].pop("attention")
        found[population["id"]]["recorded"] = recorded(request, population, attention)
    return found


def at_every_age(
    request: Plain, population: Plain, name: str, ages: range, found: list[list[Any]]
) -> Floats:
    """Return a quantity at every completed year of age from its samples, (2 sexes, ages).

    Means are log-linear between the samples; offsets follow the incidence of each year of age.
    """
    if not name.startswith("offset"):
        return np.array([np.exp(np.interp(AGES, ages, np.log(row))) for row in found])
    site = next((s for s in request["fracture_sites"] if name.endswith(f".{s['id']}")), None)
    if site is None:
        incidence = populations.deformity_hazard(population)
    else:
        incidence = populations.site_hazard(population, site)
    rows = []
    for sex, row in enumerate(found):
        values, slopes = np.array(row).T
        between = np.exp(np.interp(AGES, ages, np.log(incidence[sex, list(ages)])))
        moved = np.log(incidence[sex] / between) / np.interp(AGES, ages, slopes)
        rows.append(np.interp(AGES, ages, values) + moved)
    return np.array(rows)


def recorded(request: Plain, population: Plain, attention: Floats) -> Floats:
    """Return the share of noticed compressions that registers of fractures have."""
    found = site_of_the_spine(request)
    if found is None:
        return np.zeros((2, len(AGES)))
    _, site = found
    noticed = populations.deformity_hazard(population) * attention
    return np.minimum(1.0, populations.fracture_hazard(population, site["id"]) / noticed)


def means_of_model(derived: dict[str, Any]) -> Means:
    """Return the means that a compiled model says it uses."""
    return {
        population: {name: np.asarray(table) for name, table in quantities.items()}
        for population, quantities in derived.items()
    }

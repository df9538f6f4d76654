"""Fractures before index that still count: when they were, and the instability that they left.

Arrays over people have the shape (n,); times are months before index.
"""

from __future__ import annotations

import math

import numpy as np

from . import chance, populations, spine
from .hazards import (
    Lived,
    Means,
    bone_hazard,
    burden,
    death_ratio_after,
    death_ratio_of_frailty,
    fall_ratio,
    left_of_instability,
    level_hazards,
    mean_of,
    of_population,
    probability,
    weight,
)
from .people import NEVER, People
from .populations import MONTHS_PER_YEAR, Plain
from .systems import Bools, Floats


def months_since_fractures(request: Plain, means: Means, lived: Lived) -> tuple[Floats, Floats]:
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
        all_sites.append(earlier_fracture(request, site, who, hazard))
    since = np.array(all_sites).T
    return since, instability_left(request, since)


def undated_hazard(
    request: Plain, site: Plain, lived: Lived, fell: Floats, p_fall: Floats, offset: Floats
) -> Floats:
    """Return the hazard without what earlier fractures bring; vertebrae are as if intact."""
    who = lived.who
    times = weight(request, site, who, fell, p_fall, np.zeros(len(fell)))
    margin = burden(request, site, lived) + offset
    if not site["of_the_spine"]:
        return bone_hazard(site, margin, times)
    intact = spine.intact(len(fell))
    excess = spine.excess_kyphosis(request, who, intact, who.age_months / MONTHS_PER_YEAR)
    by: Floats = np.sum(level_hazards(request, site, intact, excess, margin, times), axis=1)
    return by


def instability_left(request: Plain, since: Floats) -> Floats:
    """Return the instability that fractures have left; since: (n, sites), months, NEVER if none."""
    total = np.zeros(len(since))
    for k, site in enumerate(request["fracture_sites"]):
        left = site["instability"] * left_of_instability(request, since[:, k])
        total += np.where(since[:, k] < NEVER, left, 0.0)
    return total


def earlier_fracture(request: Plain, site: Plain, who: People, own: Floats) -> Floats:
    """Return months since a fracture at one site, survived until index; NEVER if there was none.

    Only people with a history of fracture have one; they have it as often as keeps its frequency
    among all people what the hazard says. `own`: hazard at index, which is set against incidence.
    """
    p = request["parameters"]
    first = chance.EARLIER_FRACTURE + 4 * site["decision"]
    whether, when, survived = (
        chance.once(request["seed"], who.number, who.attempt, first + k) for k in range(3)
    )
    window = p["fracture.history_years"] * MONTHS_PER_YEAR
    age = np.maximum(0, who.age - int(p["cohort.earlier_fracture_age_shift"]))

    def fractures(population: Plain) -> Floats:
        return populations.fracture_hazard(population, site["id"])

    def breaking(population: Plain) -> Floats:
        return populations.site_hazard(population, site)

    def with_history(population: Plain) -> Floats:
        return populations.prevalence(population, "prior_fracture")

    relative = own / of_population(request, breaking, who, who.age)
    hazard = of_population(request, fractures, who, age) * relative
    share = probability(hazard, window) / of_population(request, with_history, who, who.age)
    months = np.floor(when * window)
    death = of_population(request, populations.death_hazard, who, age)
    excess = np.zeros(len(months))
    for month in range(math.ceil(window)):
        ratio = death_ratio_after(site, who.sex, age, np.full(len(months), float(month)))
        unsteady = site["instability"] * left_of_instability(request, float(month))
        ratio = ratio * death_ratio_of_frailty(request, unsteady)
        excess += np.where(month < months, (ratio - 1.0) * death, 0.0)
    had: Bools = who.prior_fracture & (whether < share) & (survived < np.exp(-excess))
    return np.where(had, months, NEVER)

"""Index: people who have lived from peak bone mass until follow-up starts, and a population's means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import ndtri

from . import balance, exposures, people, populations
from .balance import State
from .exposures import Course
from .hazards import (
    Means,
    death_ratio_after,
    death_ratio_of_factors,
    earlier_fracture,
    fall_factor,
    months_since_fracture,
    of_population,
    otherwise,
    probability,
    relative_fracture_hazard,
)
from .people import People
from .populations import AGES, Plain
from .systems import Floats, Person

DISTANT_STEPS, RECENT_MONTHS = 64, 24
REFERENCE_PEOPLE, FIRST_REFERENCE_PERSON = 2048, 2**62


@dataclass(frozen=True)
class AtIndex:
    """People with the balance and the risks that they bring to index."""

    people: People
    person: Person
    state: State
    scale: Floats
    """g/cm2 per relative density, (n, 4)."""
    exposures: list[Course]
    """Those that every arm has."""
    months_since: Floats
    """Since the last fracture that counts, (n, fracture sites)."""


def lived_to_index(request: Plain, who: People, person: Person, acting: list[Course]) -> State:
    """Return the balance at index.

    The last two years, and all the time since the first medicine of the cohort, are lived by the month,
    the time from peak until then in 64 equal steps.
    """
    p = request["parameters"]
    # Months from index: whole numbers and 128ths of them, so that edges of exposures are met exactly.
    from_peak = who.age_months - 12.0 * p["cohort.history_from"]
    treated = np.ceil(-exposures.earliest_medicine(request, who))
    recent = np.maximum(RECENT_MONTHS, treated)
    recent = np.minimum(recent, np.maximum(RECENT_MONTHS, np.floor(from_peak)))
    distant = np.maximum(0.0, from_peak - recent)

    def lived(state: State, start: Floats, months: Floats) -> State:
        inputs = exposures.inputs_at(acting, start + months / 2.0, start, months)
        return balance.month(
            p, person, inputs, state, (who.age_months + start) / 12.0, months / 12.0
        )

    state = balance.at_peak(p, person)
    for k in range(DISTANT_STEPS):
        start = -(recent + distant) + distant * k / DISTANT_STEPS
        state = lived(state, start, distant / DISTANT_STEPS)
    one = np.ones(len(distant))
    for before in range(int(np.max(recent)), 0, -1):
        # Who goes by the month for a shorter time waits.
        state = balance.either(before <= recent, lived(state, -before * one, one), state)
    return state


def at_index(request: Plain, who: People, means: Means) -> AtIndex:
    """Return people as follow-up finds them."""
    p = request["parameters"]
    person = people.person_of(request, who)
    acting = exposures.of_risk_factors(request, who) + exposures.of_cohorts(request, who)
    state = lived_to_index(request, who, person, acting)
    scale = people.density_at_index(who) / balance.relative_density(p, person, state)
    return AtIndex(
        people=who,
        person=person,
        state=state,
        scale=scale,
        exposures=acting,
        months_since=months_since_fracture(request, who, state, means),
    )


# What makes a population come out at its own rates


def mean_relative_risks(request: Plain, population: int, sex: int, age: int) -> dict[str, float]:
    """Return the means over a reference sample of a population at one sex and age.

    The sample is of the population itself: no cohort's profile is set and no cohort's exposure acts.
    """
    n = REFERENCE_PEOPLE
    first = FIRST_REFERENCE_PERSON + (sex * len(AGES) + age) * n
    who = people.measured(
        request,
        number=np.arange(first, first + n, dtype=np.int64),
        population=np.full(n, population),
        sex=np.full(n, sex),
        age_months=np.full(n, age * 12 + 6),
        first_normal=ndtri((np.arange(n) + 0.5) / n),
    )
    acting = exposures.of_risk_factors(request, who)
    state = lived_to_index(request, who, people.person_of(request, who), acting)

    fall_ratio = people.fall_ratio(request, who)
    means = {"fall": float(np.mean(fall_ratio))}
    falls = of_population(request, populations.fall_hazard, who, who.age)
    fall_per_expected = probability(falls * fall_ratio / means["fall"]) / probability(falls)
    death = death_ratio_of_factors(request, who)
    for site in request["fracture_sites"]:
        abmd = who.values[f"abmd_{site['density_site']}"]
        r = relative_fracture_hazard(
            request, site, who, abmd, state["resorption"], who.prior_fracture
        )
        r = r * fall_factor(site, fall_per_expected)
        means[f"fracture.{site['id']}"] = float(np.mean(r))
        own = otherwise(request, site, who, state) * fall_factor(site, fall_per_expected)
        since = earlier_fracture(request, site, who, own / np.mean(r))
        death = death * death_ratio_after(site, who.sex, since)
    means["death"] = float(np.mean(death))
    return means


def means_of_all(request: Plain) -> Means:
    """Return the means of every population at every sex and age, log-linear between samples."""
    youngest = int(request["parameters"]["cohort.youngest_age"])
    ages = range(youngest, 101, 5)
    found: Means = {}
    for i, population in enumerate(request["populations"]):
        cells = [[mean_relative_risks(request, i, sex, age) for age in ages] for sex in (0, 1)]
        found[population["id"]] = {
            name: np.exp(
                [np.interp(AGES, ages, np.log([cell[name] for cell in row])) for row in cells]
            )
            for name in cells[0][0]
        }
    return found


def means_of_model(derived: dict[str, Any]) -> Means:
    """Return the means that a compiled model says it uses."""
    return {
        population: {name: np.asarray(table) for name, table in quantities.items()}
        for population, quantities in derived.items()
    }

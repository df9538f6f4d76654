"""Index: people who have lived from peak bone mass until follow-up starts, and a population's means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtri

from . import balance, exposures, people, populations, spine
from .balance import SITES, State
from .exposures import Course
from .hazards import (
    Lived,
    Means,
    death_ratio_after_all,
    death_ratio_of_factors,
    death_ratio_of_frailty,
    earlier_fracture,
    fall_ratio,
    instability_left,
    mean_of,
    months_since_fractures,
    of_population,
    burden,
    probability,
    undated_hazard,
    weight,
)
from .people import People
from .populations import AGES, MONTHS_PER_YEAR, Plain
from .spine import Spine
from .strength import ln_load, ln_ratio, measured_strength, share_broken
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
    instability: Floats
    spine: Spine


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
    since, instability = months_since_fractures(request, means, lived_of(who, state, acting))
    return AtIndex(
        people=who,
        person=person,
        state=state,
        scale=scale,
        exposures=acting,
        months_since=since,
        instability=instability,
        spine=spine_at_index(request, who, means),
    )


def lived_of(
    who: People, state: State, acting: list[Course], instability: Floats | None = None
) -> Lived:
    """Return what the hazards need of people at index; what acted in the last month acts on."""
    one = np.ones(len(who.number))
    return Lived(
        who=who,
        abmd={site: who.values[f"abmd_{site}"] for site in SITES},
        state=state,
        inputs=exposures.inputs_at(acting, -0.5 * one, -one, one),
        frailty=who.values["frailty"],
        instability=0.0 * one if instability is None else instability,
    )


def site_of_the_spine(request: Plain) -> tuple[int, Plain] | None:
    """Return position and entry of the fracture site that the spine is."""
    return next(
        ((k, s) for k, s in enumerate(request["fracture_sites"]) if s["of_the_spine"]), None
    )


def measured_margin(site: Plain, request: Plain, who: People) -> Floats:
    """Return ln(load / strength) of the spine as far as it is measured, without kyphosis."""
    abmd = who.values[f"abmd_{site['density_site']}"]
    return ln_load(site, who, who.values["frailty"]) - measured_strength(request, site, abmd)


def spine_at_index(
    request: Plain, who: People, means: Means | None, offset: Floats | None = None
) -> Spine:
    """Return the deformities that people bring to index; `offset` is that of `means` if not given."""
    found = site_of_the_spine(request)
    if found is None:
        return spine.intact(len(who.number))
    _, site = found
    if offset is None:
        assert means is not None
        offset = mean_of(request, means, "offset_history.spine", who, who.age)
    yearly = np.array(
        [MONTHS_PER_YEAR * populations.deformity_hazard(of) for of in request["populations"]]
    )
    lived = np.zeros(len(who.number))
    for k in range(len(yearly)):
        here = who.population == k
        lived[here] = spine.lived_incidence(yearly[k], who.sex[here], who.age_months[here])
    prior = who.prior_fracture.astype(np.float64)
    return spine.at_index(
        request,
        site,
        who,
        lived,
        of_population(request, populations.deformity_hazard, who, who.age),
        measured_margin(site, request, who) + offset,
        np.exp(ln_ratio(request, site, who, prior)),
    )


# What makes a population come out at its own rates


def solved(mean: Any, incidence: float) -> tuple[float, float]:
    """Return the offset at which a mean hazard is an incidence, and d ln(mean) / d offset there."""
    b = float(brentq(lambda x: np.log(mean(x) / incidence), -20.0, 20.0, xtol=1e-14, rtol=1e-14))
    step = 1e-4
    slope = (np.log(mean(b + step)) - np.log(mean(b - step))) / (2.0 * step)
    return b, float(slope)


def means_at(request: Plain, population: int, sex: int, age: int) -> dict[str, Any]:
    """Return means, and offsets with their slopes, of a reference sample at one sex and age.

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
    falls = of_population(request, populations.fall_hazard, who, who.age)
    p_fall = probability(falls)

    before = lived_of(who, state, acting)
    own = fall_ratio(request, before)
    found: dict[str, Any] = {"fall_undated": float(np.mean(own))}
    fell = probability(falls * own / np.mean(own))
    all_since = []
    nobody = np.zeros(n)
    for site in request["fracture_sites"]:
        times, margin = weight(request, site, who, fell, p_fall, nobody), burden(request, site, before)
        incidence = of_population(
            request, lambda of, site=site: populations.fracture_hazard(of, site["id"]), who, who.age
        )
        b, slope = solved(
            lambda x, t=times, m=margin, s=site: np.mean(t * share_broken(m + x, s["spread"])),
            incidence[0],
        )
        found[f"offset_undated.{site['id']}"] = (b, slope)
        hazard = undated_hazard(request, site, before, fell, p_fall, np.full(n, b))
        all_since.append(earlier_fracture(request, site, who, hazard / incidence))
    since = np.array(all_since).T
    instability = instability_left(request, since)

    now = lived_of(who, state, acting, instability)
    own = fall_ratio(request, now)
    found["fall"] = float(np.mean(own))
    fell = probability(falls * own / np.mean(own))
    prior = who.prior_fracture.astype(np.float64)
    for site in request["fracture_sites"]:
        incidence = of_population(
            request, lambda of, site=site: populations.site_hazard(of, site), who, who.age
        )[0]
        times, margin = weight(request, site, who, fell, p_fall, prior), burden(request, site, now)
        if site["of_the_spine"]:
            found |= offsets_of_the_spine(request, site, who, times, margin, incidence)
            continue
        found[f"offset.{site['id']}"] = solved(
            lambda x, t=times, m=margin, s=site: np.mean(t * share_broken(m + x, s["spread"])),
            incidence,
        )
    death = death_ratio_of_factors(request, who) * death_ratio_of_frailty(request, now.effective)
    found["death"] = float(np.mean(death * death_ratio_after_all(request, who.sex, since)))
    return found


def offsets_of_the_spine(
    request: Plain, site: Plain, who: People, times: Floats, margin: Floats, incidence: float
) -> dict[str, tuple[float, float]]:
    """Return the offsets of the spine: that of its past and that of the month."""
    p = request["parameters"]
    age = who.age_months / MONTHS_PER_YEAR

    def mean_hazard(times: Floats, margin: Floats, of: Spine) -> Any:
        angle = spine.excess_kyphosis(request, who, of, age)
        demand = margin + p["spine.kyphosis_load"] * angle / 10.0
        return lambda x: np.mean(times * np.sum(spine.by_level(p, site, of, demand + x), axis=1))

    intact = spine.intact(len(age))
    prior = who.prior_fracture.astype(np.float64)
    ratio = np.exp(ln_ratio(request, site, who, prior))
    past = solved(mean_hazard(ratio, measured_margin(site, request, who), intact), incidence)
    brought = spine_at_index(request, who, None, np.full(len(age), past[0]))
    return {
        "offset_history.spine": past,
        f"offset.{site['id']}": solved(mean_hazard(times, margin, brought), incidence),
    }


def means_of_all(request: Plain) -> Means:
    """Return means and offsets of every population at every sex and age.

    Means are log-linear between the samples; offsets follow the incidence of each year of age.
    """
    youngest = int(request["parameters"]["cohort.youngest_age"])
    ages = range(youngest, 101, 5)
    found: Means = {}
    for i, population in enumerate(request["populations"]):
        cells = [[means_at(request, i, sex, age) for age in ages] for sex in (0, 1)]
        found[population["id"]] = {
            name: np.array(
                [
                    offsets_by_age(request, population, name, sex, ages, [c[name] for c in row])
                    if name.startswith("offset")
                    else np.exp(np.interp(AGES, ages, np.log([c[name] for c in row])))
                    for sex, row in enumerate(cells)
                ]
            )
            for name in cells[0][0]
        }
    return found


def offsets_by_age(
    request: Plain,
    population: Plain,
    name: str,
    sex: int,
    ages: range,
    solved_at: list[tuple[float, float]],
) -> Floats:
    """Return an offset at every completed year of age."""
    kind, _, id_ = name.partition(".")
    site = next((s for s in request["fracture_sites"] if s["id"] == id_), None)
    if kind == "offset_history":
        incidence = populations.deformity_hazard(population)[sex]
    elif kind == "offset_undated":
        incidence = populations.fracture_hazard(population, id_)[sex]
    else:
        assert site is not None
        incidence = populations.site_hazard(population, site)[sex]
    values, slopes = np.array(solved_at).T
    between = np.exp(np.interp(AGES, ages, np.log(incidence[list(ages)])))
    moved = np.log(incidence / between) / np.interp(AGES, ages, slopes)
    return np.asarray(np.interp(AGES, ages, values) + moved)


def means_of_model(derived: dict[str, Any]) -> Means:
    """Return the means that a compiled model says it uses."""
    return {
        population: {name: np.asarray(table) for name, table in quantities.items()}
        for population, quantities in derived.items()
    }

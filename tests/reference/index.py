"""Index: people who have lived from peak bone mass until follow-up starts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from . import balance, exposures, people
from .balance import SITES, State
from .brought import spine_at_index
from .dated import months_since_fractures
from .exposures import Course
from .hazards import Lived, Means
from .people import People
from .populations import Plain
from .spine import Spine
from .systems import Floats, Person

DISTANT_STEPS, RECENT_MONTHS = 64, 24


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

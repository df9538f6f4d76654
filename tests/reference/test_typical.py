"""Courses of typical people, which parameters are fitted with: individual constants are given."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from cohortsim import _core

from . import arms, balance, exposures, people
from .pairs import shipped
from .populations import Plain
from .systems import Floats, Person

MONTHS_OF_HISTORY_STEP, RECENT_MONTHS = 6, 24
SPREADS = (
    "turnover",
    "estrogen_sensitivity",
    "formation_ageing",
    "modelling",
    "anabolic_response",
    "drug_sensitivity",
    "load_decline",
)
NORMALS = [
    [0.0] * 7,
    [0.8, -1.2, 0.5, 1.5, -0.7, 1.1, -0.4],
    [-1.0, 0.3, -2.0, -0.6, 2.0, -1.5, 1.0],
]
LATER = [0.0, -4.0, 3.5]
"""Years by which menopause comes later, for each of the same people."""
VISITS = [0, 1, 6, 12, 24, 37]


def person_of(p: dict[str, float], course: Plain) -> Person:
    """Return the people of a course."""
    z = dict(zip(SPREADS, np.array([normals for normals, _ in course["people"]]).T, strict=True))
    own = {
        name: people.spread_between_people(normal, p[f"cohort.{name}_cv"])
        for name, normal in z.items()
    }
    one = np.ones(len(course["people"]))
    calcium, vitamin_d = course["calcium_intake"], course["serum_25ohd"]
    usual = (p["minerals.reference_calcium_intake"], p["minerals.reference_serum_25ohd"])
    return Person(
        male=np.full(len(one), course["male"]),
        menopause_age=np.array([course["menopause_age"] + later for _, later in course["people"]]),
        turnover=own["turnover"],
        estrogen_half_effect=p["remodeling.estrogen_half_effect"] * own["estrogen_sensitivity"],
        formation_ageing=own["formation_ageing"],
        modelling=own["modelling"],
        anabolic_response=own["anabolic_response"],
        drug_sensitivity=own["drug_sensitivity"],
        load_ageing=own["load_decline"],
        habitual_load=one,
        calcium_intake=one * (usual[0] if calcium is None else calcium),
        serum_25ohd=one * (usual[1] if vitamin_d is None else vitamin_d),
    )


def followed(p: dict[str, float], course: Plain) -> Floats:
    """Return what visits measure of the people of a course, (people, visits, 6)."""
    person = person_of(p, course)
    one = np.ones(len(person.turnover))
    nothing = exposures.inputs_at([], one, one, one)
    state = balance.at_peak(p, person)
    first, recent = p["cohort.history_from"], RECENT_MONTHS / 12.0
    distant = course["age"] - recent - first
    steps = int(np.ceil(distant * 12.0 / MONTHS_OF_HISTORY_STEP))
    ages = [(first + k * distant / steps, distant / steps) for k in range(steps)]
    ages += [(course["age"] - recent + k / 12.0, 1.0 / 12.0) for k in range(RECENT_MONTHS)]
    for age, years in ages:
        state = balance.month(p, person, nothing, state, age * one, years * one)

    acting = [
        exposures.Course(
            start=one * effect["start_month"], stop=one * effect["stop_month"], effects=[effect]
        )
        for effect in course["effects"][0]
    ]
    seen = []
    for month in range(max(course["visits"]) + 1):
        if month in course["visits"]:
            seen.append(balance.measures(p, person, state))
        inputs = exposures.inputs_at(acting, month * one, month * one, one)
        age = course["age"] + month / 12.0
        state = balance.month(p, person, inputs, state, age * one, one / 12.0)
    return np.stack(seen, axis=1)


def course_of(arm: arms.Arm, **changes: Any) -> Plain:
    """Return the course of an arm, for a few people who differ."""
    effects = [
        {
            "target": act.target,
            "amount": act.amount,
            "every_months": act.every,
            "start_month": act.start,
            "stop_month": act.stop,
        }
        for act in arm.acts
    ]
    return {
        "age": float(arm.index_age),
        "male": arm.sex == "men",
        "menopause_age": arms.MENOPAUSE,
        "calcium_intake": None,
        "serum_25ohd": None,
        "people": list(zip(NORMALS, LATER, strict=True)),
        "effects": [effects],
        "visits": VISITS,
    } | changes


@pytest.mark.parametrize("alone", [False, True], ids=["a few", "alone"])
def test_the_same_courses(alone: bool) -> None:
    """Everybody of a course shares its exposures."""
    p: dict[str, float] = shipped()["parameters"]
    some = {"people": [(NORMALS[1], LATER[1])]} if alone else {}
    courses = [course_of(arm, **some) for arm in arms.ARMS.values()]
    courses += [course_of(arms.ARMS["untreated"], calcium_intake=400.0, serum_25ohd=30.0, **some)]
    request = json.dumps({"parameter_sets": [p], "courses": courses})
    found = _core.courses(request)[0].reshape(len(courses), -1, len(VISITS), 6)
    for course, kernel in zip(courses, found, strict=True):
        np.testing.assert_allclose(kernel, followed(p, course), rtol=1e-12)

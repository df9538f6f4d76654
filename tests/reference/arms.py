"""A few lives without chance: one and the same person under known exposures.

She (or he) has the reference weight, activity, calcium and vitamin D, no spread between people, a last
period at 50, and cannot die: what is left of a study is the balance.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from . import balance, chance, people, twin
from .people import MONTHS_PER_YEAR, Plain

MENOPAUSE = 50.0


@dataclass(frozen=True)
class Arm:
    """A life from index on: (target, amount, from year, to year) of each exposure."""

    index_age: int
    years: int
    exposures: list[tuple[str, float, float, float]] = field(default_factory=list)
    sex: str = "women"


ARMS = {
    "untreated": Arm(50, 35),
    "untreated man": Arm(50, 35, sex="men"),
    "alendronate for 10 years": Arm(66, 10, [("bisphosphonate_uptake", 40.69, 0, 10)]),
    "alendronate for 5 years": Arm(66, 10, [("bisphosphonate_uptake", 40.69, 0, 5)]),
    "bed rest for 4 months": Arm(60, 3, [("load", -1.0, 0, 1 / 3)]),
    "training": Arm(60, 3, [("load", 0.2, 0, 3)]),
    "glucocorticoid": Arm(60, 5, [("glucocorticoid", 1.0, 0, 5)]),
    "hormone therapy for 5 years": Arm(51, 10, [("estrogen_replacement", 1.0, 0, 5)]),
    "aromatase inhibition": Arm(60, 5, [("estrogen_suppression", 1.0, 0, 5)]),
    "androgen deprivation": Arm(65, 5, [("androgen_deprivation", 1.0, 0, 5)], sex="men"),
    "calcium and vitamin D": Arm(
        70, 5, [("calcium_intake", 1000.0, 0, 5), ("serum_25ohd", 20.0, 0, 5)]
    ),
    "blockade of RANKL for 2 years": Arm(66, 5, [("rankl_inhibition", 0.9, 0, 2)]),
    "stimulus of modelling for 1 year": Arm(66, 3, [("modelling_stimulus", 5.0, 0, 1)]),
}


def request_of(shipped: Plain, parameters: dict[str, float], arm: Arm) -> Plain:
    """Return the request of a life, made of the shipped one and these parameters."""
    made = copy.deepcopy(shipped)
    made |= {"months": MONTHS_PER_YEAR * (arm.years + 1), "precision": "f64", "seed": 1}
    made["parameters"] |= parameters
    for name in ("turnover", "estrogen_sensitivity", "formation_ageing"):
        made["parameters"][f"cohort.{name}_cv"] = 0.0
    for factor in made["risk_factors"]:
        factor["effects"] = []
    for population in made["populations"]:
        for sex in people.SEXES:
            population["life_table"][sex] = [0.0] * len(population["life_table"][sex])
    p, cohort = made["parameters"], made["cohorts"][0]
    settings = {
        "menopause_age": MENOPAUSE,
        "body_weight": p[f"loading.reference_weight.{arm.sex}"],
        "activity": p["loading.reference_activity"],
        "calcium_intake": p["minerals.reference_calcium_intake"],
        "serum_25ohd": p["minerals.reference_serum_25ohd"],
    }
    cohort |= {"sexes": [arm.sex], "age_from": arm.index_age, "age_to": arm.index_age}
    cohort |= {"share": 1.0, "exposures": []}
    cohort["set"] = [
        {"characteristic": name, "value": value, "sexes": [arm.sex]}
        for name, value in settings.items()
    ]
    made["cohorts"] = [cohort]
    made["arms"] = [{"name": "arm", "exposures": [exposure_of(*e) for e in arm.exposures]}]
    return made


def exposure_of(target: str, amount: float, from_year: float, to_year: float) -> Plain:
    """Return an exposure of everybody, as a request has it."""
    return {
        "name": target,
        "cohort": None,
        "sexes": list(people.SEXES),
        "age_from": None,
        "age_to": None,
        "site": None,
        "t_score_at_most": None,
        "anchor": "index",
        "start_month": round(MONTHS_PER_YEAR * from_year),
        "months": round(MONTHS_PER_YEAR * (to_year - from_year)),
        "uptake": 1.0,
        "persistence": None,
        "luck": target,
        "medicine": False,
        "effects": [{"target": target, "amount": amount}],
    }


def person_in_her_birth_month(request: Plain) -> int:
    """Return the first person who is exactly the index age, to the month."""
    numbers = np.arange(200, dtype=np.int64)
    month = np.floor(12.0 * chance.once(request["seed"], numbers, chance.BIRTH_MONTH))
    return int(numbers[month == 0][0])


def life_of_twin(request: Plain, number: int, years: int) -> dict[str, list[float]]:
    """Return density relative to the young adult and markers at index and at each anniversary."""
    p = request["parameters"]
    who = people.recruited(request, np.array([number]))
    person = people.person_of(request, who)
    state = twin.lived_to_index(request, who, person, [])
    exposures = people.of_arm(request, who, 0)
    life: dict[str, list[float]] = {site: [] for site in balance.SITES}
    life |= {"resorption": [], "p1np": []}
    for month in range(MONTHS_PER_YEAR * years + 1):
        if month % MONTHS_PER_YEAR == 0:
            density = balance.relative_density(p, person, state)[0]
            for site, value in zip(balance.SITES, density, strict=True):
                life[site].append(float(value))
            life["resorption"].append(float(state["resorption"][0]))
            life["p1np"].append(float(balance.p1np(p, state)[0]))
        inputs = people.inputs_at(exposures, np.array([float(month)]))
        age = (who.age_months + month) / 12.0
        state = balance.step(p, person, inputs, state, age, np.array([1.0 / 12.0]))
    return life


def life_of_kernel(trace: dict[str, Any], years: int) -> dict[str, list[float]]:
    """Return density relative to index and markers at index and at each anniversary, from a trace."""
    at = np.arange(years + 1) * MONTHS_PER_YEAR
    life = {}
    for site in balance.SITES:
        abmd = trace[f"abmd_{site}"]
        life[site] = (abmd[at] / abmd[0]).tolist()
    return life | {name: trace[name][at].tolist() for name in ("resorption", "p1np")}

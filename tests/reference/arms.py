"""A few lives without chance: people under known exposures, each alone and one after another.

She (or he) has the reference weight, activity, calcium and vitamin D, no spread between people, a last
period at 50, and cannot die: what is left of a study is the balance. All lives are arms of one study
whose cohorts differ in sex and age; of each arm one person is looked at.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from . import balance, chance, exposures, people, recruiting, systems
from .balance import COMPARTMENTS, SITES, State
from .index import lived_to_index
from .populations import MONTHS_PER_YEAR, SEXES, Plain
from .systems import Floats, Inputs, Person

MENOPAUSE = 50.0
PEOPLE = 400
"""People of the study: enough for one of every cohort who is born in the month of index."""


@dataclass(frozen=True)
class Act:
    """What acts on a target from a month until another: a level, or an amount every so many months."""

    target: str
    amount: float
    start: int
    stop: int
    every: int | None = None


@dataclass(frozen=True)
class Arm:
    """A life from index on."""

    index_age: int
    years: int
    acts: list[Act] = field(default_factory=list)
    sex: str = "women"


def alendronate(start: int, stop: int) -> list[Act]:
    return [Act("bisphosphonate_uptake", 40.0, start, stop)]


def zoledronate(start: int, stop: int, every: int = 12, amount: float = 160.0) -> list[Act]:
    return [Act("bisphosphonate_dose", amount, start, stop, every)]


def denosumab(start: int, stop: int, amount: float = 1.0) -> list[Act]:
    return [Act("rankl_antibody", amount, start, stop, 6)]


def romosozumab(start: int, stop: int, amount: float = 1.0) -> list[Act]:
    return [Act("sclerostin_antibody", amount, start, stop)]


def teriparatide(start: int, stop: int, amount: float = 1.0) -> list[Act]:
    targets = ("pth_analogue_formation", "pth_analogue_resorption")
    return [Act(target, amount, start, stop) for target in targets]


def level(target: str, amount: float, start: int, stop: int) -> list[Act]:
    return [Act(target, amount, start, stop)]


ARMS = {
    "untreated": Arm(50, 30),
    "untreated man": Arm(50, 30, sex="men"),
    # medicines, each alone
    "alendronate for 10 years": Arm(66, 10, alendronate(0, 120)),
    "alendronate for 5 years": Arm(66, 10, alendronate(0, 60)),
    "zoledronate once": Arm(66, 8, zoledronate(0, 12)),
    "zoledronate yearly for 3 years": Arm(66, 8, zoledronate(0, 36)),
    "zoledronate, small doses every 18 months": Arm(66, 6, zoledronate(0, 54, 18, 32.0)),
    "denosumab for 10 years": Arm(66, 10, denosumab(0, 120)),
    "denosumab for 2 years": Arm(66, 6, denosumab(0, 24)),
    "denosumab once, late dose 14 mg": Arm(66, 3, denosumab(5, 11, 14 / 60)),
    "romosozumab for 1 year": Arm(66, 4, romosozumab(0, 12)),
    "romosozumab 140 mg for 2 years": Arm(66, 4, romosozumab(0, 24, 140 / 210)),
    "teriparatide for 2 years": Arm(66, 5, teriparatide(0, 24)),
    "teriparatide 40 ug for 18 months": Arm(66, 4, teriparatide(0, 18, 2.0)),
    "raloxifene for 4 years": Arm(60, 6, level("estrogen_receptor_modulation", 1.0, 0, 48)),
    "hormone therapy for 5 years": Arm(51, 10, level("estrogen_replacement", 1.0, 0, 60)),
    "aromatase inhibitor for 5 years": Arm(60, 8, level("estrogen_suppression", 1.0, 0, 60)),
    "raloxifene under aromatase inhibitor": Arm(
        60,
        5,
        level("estrogen_suppression", 1.0, 0, 60)
        + level("estrogen_receptor_modulation", 0.5, 12, 60),
    ),
    "androgen deprivation for 2 years": Arm(
        66, 5, level("androgen_deprivation", 1.0, 0, 24), sex="men"
    ),
    "glucocorticoid for 3 years": Arm(60, 5, level("glucocorticoid", 1.0, 0, 36)),
    "glucocorticoid, high dose for 3 months": Arm(60, 2, level("glucocorticoid", 6.0, 0, 3)),
    # sequences, withdrawals, combinations
    "teriparatide, then denosumab": Arm(66, 6, teriparatide(0, 24) + denosumab(24, 48)),
    "denosumab, then teriparatide": Arm(66, 6, denosumab(0, 24) + teriparatide(24, 48)),
    "teriparatide with denosumab": Arm(66, 5, teriparatide(0, 24) + denosumab(0, 24)),
    "alendronate, then teriparatide": Arm(66, 9, alendronate(0, 60) + teriparatide(60, 84)),
    "alendronate, then romosozumab": Arm(66, 5, alendronate(0, 36) + romosozumab(36, 48)),
    "romosozumab, then alendronate": Arm(66, 5, romosozumab(0, 12) + alendronate(12, 60)),
    "romosozumab, then denosumab": Arm(66, 6, romosozumab(0, 12) + denosumab(12, 48)),
    "denosumab, then zoledronate": Arm(66, 6, denosumab(0, 24) + zoledronate(24, 36)),
    "glucocorticoid with zoledronate": Arm(
        60, 4, level("glucocorticoid", 1.0, 0, 48) + zoledronate(12, 48)
    ),
    # load
    "bed rest for 4 months": Arm(60, 4, level("load", -1.0, 0, 4)),
    "spinal cord injury": Arm(60, 5, level("load", -0.9, 0, 60)),
    "training": Arm(60, 5, level("load", 0.2, 0, 36)),
    # diet
    "calcium and vitamin D": Arm(
        70, 5, level("calcium_intake", 1000.0, 0, 60) + level("serum_25ohd", 20.0, 0, 48)
    ),
    "vitamin D in great excess": Arm(70, 2, level("serum_25ohd", 200.0, 0, 24)),
    "calcium early and late": Arm(
        50, 20, level("calcium_intake", 600.0, 0, 24) + level("calcium_intake", 600.0, 180, 240)
    ),
    "more protein": Arm(70, 3, level("protein_intake", 30.0, 0, 36)),
    "less protein": Arm(70, 3, level("protein_intake", -20.0, 0, 24)),
    "everything at once": Arm(
        66,
        4,
        level("glucocorticoid", 0.5, 0, 48)
        + level("load", -0.5, 6, 12)
        + level("calcium_intake", 500.0, 0, 48)
        + level("estrogen_replacement", 0.5, 0, 30)
        + denosumab(0, 18)
        + romosozumab(3, 15)
        + teriparatide(9, 33)
        + alendronate(20, 40)
        + zoledronate(24, 48),
    ),
}


# The study


def groups() -> list[tuple[str, int]]:
    """Return sex and age at index of each cohort."""
    return sorted({(arm.sex, arm.index_age) for arm in ARMS.values()})


def request_of(shipped: Plain, parameters: dict[str, float], precision: str = "f64") -> Plain:
    """Return the request of all lives, made of the shipped one and these parameters."""
    made = copy.deepcopy(shipped)
    years = max(arm.years for arm in ARMS.values())
    made |= {"months": MONTHS_PER_YEAR * (years + 1), "precision": precision, "seed": 1}
    made |= {"people": PEOPLE, "visits": []}
    p: dict[str, float] = made["parameters"]
    p |= parameters
    p |= {name: 0.0 for name in p if name.startswith("cohort.") and name.endswith("_cv")}
    for site in made["fracture_sites"]:
        site["healing_draw"] = 0.0  # a fracture is chance
    for factor in made["risk_factors"]:
        factor["effects"] = []
    for population in made["populations"]:
        for sex in SEXES:
            tables = population["life_table"][sex]
            population["life_table"][sex] = [[0.0] * len(table) for table in tables]
    made["cohorts"] = [cohort_of(made, sex, age) for sex, age in groups()]
    made["arms"] = [
        {"name": name, "exposures": [exposure_of(act) for act in arm.acts]}
        for name, arm in ARMS.items()
    ]
    return made


def cohort_of(request: Plain, sex: str, age: int) -> Plain:
    """Return the cohort of one sex and age, as a request has it."""
    p = request["parameters"]
    settings = {
        "menopause_age": MENOPAUSE,
        "body_weight": p[f"loading.reference_weight.{sex}"],
        "activity": p["loading.reference_activity"],
        "calcium_intake": p["minerals.reference_calcium_intake"],
        "serum_25ohd": p["minerals.reference_serum_25ohd"],
    }
    return {
        "name": f"{sex} of {age}",
        "population": request["populations"][0]["id"],
        "share": 1.0 / len(groups()),
        "sexes": [sex],
        "age_from": age,
        "age_to": age,
        "set": [
            {"characteristic": name, "value": value, "sexes": [sex]}
            for name, value in settings.items()
        ],
        "exposures": [],
        "entry": None,
        "mortality_ratio": 1.0,
        "persons": None,
    }


def exposure_of(act: Act) -> Plain:
    """Return an exposure of everybody, as a request has it."""
    return {
        "name": act.target,
        "cohort": None,
        "sexes": list(SEXES),
        "age_from": None,
        "age_to": None,
        "site": None,
        "t_score_at_least": None,
        "t_score_at_most": None,
        "prior_fracture": None,
        "anchor": "index",
        "after": None,
        "start_month": act.start,
        "months": act.stop - act.start,
        "uptake": 1.0,
        "persistence": None,
        "luck": act.target,
        "medicine": False,
        "effects": [{"target": act.target, "amount": act.amount, "every_months": act.every}],
        "stop": None,
    }


def person_of(request: Plain, name: str) -> int:
    """Return the first person of an arm's cohort who is exactly the index age, to the month."""
    arm = ARMS[name]
    numbers = np.arange(request["people"], dtype=np.int64)
    once = (
        chance.once(request["seed"], numbers, 0, k) for k in (chance.COHORT, chance.BIRTH_MONTH)
    )
    cohort, month = next(once), next(once)
    here = recruiting.cohort_of(request, cohort) == groups().index((arm.sex, arm.index_age))
    return int(numbers[here & (np.floor(12.0 * month) == 0)][0])


# Lives: named columns, one number a month, from index to the last anniversary


def life_of_twin(request: Plain, name: str) -> dict[str, Floats]:
    """Return what the kernel's trace says of a life; density is relative to the young adult."""
    p = request["parameters"]
    who = recruiting.recruited(request, np.array([person_of(request, name)]), {})
    person = people.person_of(request, who)
    acting = exposures.of_arm(request, who, list(ARMS).index(name))
    state = lived_to_index(request, who, person, [])
    one = np.ones(1)
    seen: list[dict[str, float]] = []
    for month in range(MONTHS_PER_YEAR * ARMS[name].years + 1):
        inputs = exposures.inputs_at(acting, month * one, month * one, one)
        age = (who.age_months + month) / 12.0
        seen.append(read(p, person, inputs, state, age))
        state = balance.month(p, person, inputs, state, age, one / 12.0)
    return {key: np.array([now[key] for now in seen]) for key in seen[0]}


def read(
    p: systems.Parameters, person: Person, inputs: Inputs, state: State, age: Floats
) -> dict[str, float]:
    """Return what a trace says of one person at the start of a month."""
    estrogen = systems.sex_steroid_signal(p, person, inputs, age)
    columns = {
        "sex_steroid_signal": estrogen,
        "parathyroid_hormone": systems.parathyroid_hormone(p, person, inputs, age, estrogen),
        "ctx": balance.ctx(p, state),
        "p1np": balance.p1np(p, state),
        "bisphosphonate_at_surface": state["surface_bisphosphonate"],
        "bisphosphonate_buried": state["buried_bisphosphonate"],
    }
    same = ("resorption", "refilling", "modelling", "precursors", "microdamage", "healing")
    columns |= {key: state[key] for key in (*same, "rankl_antibody", "sclerostin_adaptation")}
    density = balance.relative_density(p, person, state)
    columns |= {site: density[:, k] for k, site in enumerate(SITES)}
    columns |= {f"volume_{c}": state["volume"][:, k] for k, c in enumerate(COMPARTMENTS)}
    return {key: float(column[0]) for key, column in columns.items()}


def life_of_kernel(trace: dict[str, Any], name: str) -> dict[str, Floats]:
    """Return the same of a trace; density is relative to index."""
    months = MONTHS_PER_YEAR * ARMS[name].years + 1
    life = {key: np.asarray(column[:months]) for key, column in trace.items()}
    for site in SITES:
        life[site] = life[f"abmd_{site}"] / life[f"abmd_{site}"][0]
    return life


def since_index(life: dict[str, Floats]) -> dict[str, Floats]:
    """Return a life of the twin as the kernel sees it: density relative to index."""
    return {key: x / x[0] if key in SITES else x for key, x in life.items()}


def at_anniversaries(life: dict[str, Floats], columns: Iterable[str]) -> dict[str, list[float]]:
    """Return some columns at index and at each anniversary."""
    return {key: life[key][::MONTHS_PER_YEAR].tolist() for key in columns}

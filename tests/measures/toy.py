"""A made-up run: random lives as plain records, and the tables that the core would write of them.

What measures say of the tables is held against plain loops over the records.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import cohortsim as cs
import numpy as np
import polars as pl
from cohortsim import columns
from cohortsim.results import Results
from cohortsim.units import MINUTES_PER_MONTH

ARMS = ["usual", "treated"]
COHORTS = ["town", "country"]
SEXES = ["women", "men"]
SITES = ["hip", "clinical_vertebral", "other"]
GROUPS = {"hip": ["major", "any"], "clinical_vertebral": ["major", "any"], "other": ["any"]}
DENSITY_SITES = ["lumbar_spine", "total_hip", "femoral_neck", "distal_radius"]
RISK_FACTORS = ["alcohol", "smoking"]
CLASSES = ["normal", "osteopenia", "osteoporosis"]
BANDS = [60, 70, 80]
YEARS = 4
MONTHS = 12 * YEARS
BATCH = 50
EVENTS = ["death", *SITES, columns.DEFORMITY, columns.NURSING_HOME]
REQUEST: dict[str, Any] = {
    "risk_factors": [{"id": id_} for id_ in RISK_FACTORS],
    "arms": [{"name": name} for name in ARMS],
    "cohorts": [{"name": name} for name in COHORTS],
    "fracture_sites": [{"id": site} for site in SITES],
    "class_site": "femoral_neck",
    "parameters": {
        "density.reference_mean.femoral_neck": 0.858,
        "density.reference_sd.femoral_neck": 0.12,
        "density.osteopenia_t_score": -1.0,
        "density.osteoporosis_t_score": -2.5,
        "spine.hyperkyphosis_from": 50.0,
    },
}
SCENARIO = {
    "cohortsim": 1,
    "name": "toy",
    "years": YEARS,
    "seed": 1,
    "cohorts": [{"name": name, "population": "us", "share": 0.5} for name in COHORTS],
    "arms": [{"name": name} for name in ARMS],
    "age_bands": BANDS,
}


@dataclass
class Event:
    """Something that happened."""

    month: int
    minute: int
    kind: str
    level: int = 0
    grade: int = 0
    grade_before: int = 0
    shape: int = 0
    recorded: bool = True
    attributable: int = 0

    @property
    def time(self) -> int:
        return self.month * MINUTES_PER_MONTH + self.minute


@dataclass
class Life:
    """One person in one arm."""

    person: Person
    arm: str
    events: list[Event] = field(default_factory=list)

    @property
    def died(self) -> bool:
        return any(event.kind == "death" for event in self.events)

    @property
    def minutes(self) -> int:
        deaths = [event.time for event in self.events if event.kind == "death"]
        return deaths[0] if deaths else MONTHS * MINUTES_PER_MONTH

    def months(self) -> Iterator[tuple[int, int]]:
        """Yield each month with the minutes lived in it."""
        for month in range(MONTHS):
            lived = min(MINUTES_PER_MONTH, self.minutes - month * MINUTES_PER_MONTH)
            if lived > 0:
                yield month, lived

    def first(self, kinds: list[str], since: int = 0) -> int | None:
        """Return the minute of the first of these events, from a minute on."""
        times = [e.time for e in self.events if e.kind in kinds and e.time >= since]
        return min(times, default=None)


@dataclass
class Person:
    """Who somebody is at index."""

    number: int
    cohort: str
    sex: str
    age_months: int
    body_weight: float
    menopause_age: float
    prior_fracture: bool
    risk_factors: dict[str, bool]
    abmd: float
    kyphosis: float
    height_loss: float
    worst_grade: int
    back: int
    grades: list[int]
    shapes: list[int]

    @property
    def spine(self) -> int:
        """Grades in bits 0 to 25, shapes in bits 26 to 51, noticed deformities above."""
        code = 5 << 52
        for level in range(13):
            code |= self.grades[level] << 2 * level | self.shapes[level] << 26 + 2 * level
        return code

    def stratum(self, name: str) -> Any:
        """Return the value of a stratum at index."""
        if name in self.risk_factors:
            return self.risk_factors[name]
        if name == "class_at_index":
            return CLASSES[self.class_in(0)]
        if name in columns.BACK:
            return bool(self.back >> columns.BACK.index(name) & 1)
        return getattr(self, name)

    def class_in(self, month: int) -> int:
        """Return the class of density in a month: it falls after two years."""
        t_score = (self.abmd - 0.858) / 0.12
        return min(2, (t_score <= -1) + (t_score <= -2.5) + (month >= 24))


def lives(seed: int, people: int = 120) -> list[Life]:
    """Return random people, each in every arm."""
    luck = random.Random(seed)
    found = []
    for number in range(people):
        sex = luck.choice(SEXES)
        person = Person(
            number=number,
            cohort=luck.choice(COHORTS),
            sex=sex,
            age_months=luck.randint(12 * 62, 12 * 85),
            body_weight=float(luck.randint(45, 110)),
            menopause_age=luck.uniform(44, 55) if sex == "women" else float("nan"),
            prior_fracture=luck.random() < 0.3,
            risk_factors={name: luck.random() < 0.25 for name in RISK_FACTORS},
            abmd=luck.uniform(0.5, 1.0),
            kyphosis=luck.uniform(15, 70),
            height_loss=luck.uniform(0, 8),
            worst_grade=luck.choice([0, 0, 0, 1, 2, 3]),
            back=luck.randrange(16),
            grades=[luck.choice([0, 0, 1, 2, 3]) for _ in range(13)],
            shapes=[luck.randint(1, 3) for _ in range(13)],
        )
        person.shapes = [
            shape * (g > 0) for shape, g in zip(person.shapes, person.grades, strict=True)
        ]
        found += [Life(person, arm, _events(luck)) for arm in ARMS]
    return found


def _events(luck: random.Random) -> list[Event]:
    found: list[Event] = []
    for month in range(MONTHS):
        now = []
        for kind in ("hip", "other"):
            if luck.random() < 0.02:
                now.append(Event(month, luck.randrange(MINUTES_PER_MONTH), kind))
        if luck.random() < 0.02:
            now += _compressed(luck, month)
        for hip in [event for event in now if event.kind == "hip"]:
            if luck.random() < 0.2 and all(e.kind != columns.NURSING_HOME for e in found):
                now.append(Event(month, hip.minute, columns.NURSING_HOME))
                break
        if luck.random() < 0.01:
            share = luck.choice([0, 20, 60]) if found else 0
            death = Event(month, luck.randrange(MINUTES_PER_MONTH), "death", attributable=share)
            return [*found, *(e for e in now if e.minute < death.minute), death]
        found += now
    return found


def _compressed(luck: random.Random, month: int) -> list[Event]:
    minute, before = luck.randrange(MINUTES_PER_MONTH), luck.randrange(3)
    what: dict[str, Any] = {
        "level": luck.randint(1, 13),
        "grade": luck.randint(before + 1, 3),
        "grade_before": before,
        "shape": luck.randint(1, 3),
    }
    found = [Event(month, minute, columns.DEFORMITY, **what)]
    if luck.random() < 0.4:
        recorded = luck.random() < 0.5
        found.append(Event(month, minute, columns.SPINAL_SITE, recorded=recorded, **what))
    return found


def results(found: list[Life]) -> Results:
    """Return the results of these lives, in parts of `BATCH` people."""
    people = 1 + max(life.person.number for life in found)
    names = columns.Names(REQUEST, DENSITY_SITES)
    parts: dict[str, list[pl.LazyFrame]] = {}
    for first in range(0, people, BATCH):
        mine = [life for life in found if first <= life.person.number < first + BATCH]
        for table, frame in columns.frames(_raw(mine), names).items():
            parts.setdefault(table, []).append(frame.lazy())
    sites = [{"id": site, "groups": GROUPS[site]} for site in SITES]
    scenario = cs.load(SCENARIO | {"people": people}).plain()
    return Results(parts, {"scenario": scenario, "fracture_sites": sites, "request": REQUEST})


def _raw(found: list[Life]) -> dict[str, dict[str, Any]]:
    return {
        "persons": _persons(found),
        "follow_up": _table(
            {
                "person": (np.uint64, [life.person.number for life in found]),
                "arm": (np.uint8, [ARMS.index(life.arm) for life in found]),
                "minutes": (np.uint32, [life.minutes for life in found]),
                "died": (np.uint8, [life.died for life in found]),
                "kyphosis": (np.float32, [life.person.kyphosis + 1 for life in found]),
                "height_loss": (np.float32, [life.person.height_loss + 1 for life in found]),
                "worst_grade": (np.uint8, [life.person.worst_grade for life in found]),
                "back": (np.uint8, [life.person.back for life in found]),
                "spine": (np.uint64, [life.person.spine for life in found]),
            }
        ),
        "events": _event_rows(found),
        "person_time": _person_time(found),
        "spine": _spine(found),
    }


def _persons(found: list[Life]) -> dict[str, Any]:
    who = [life.person for life in found if life.arm == ARMS[0]]
    bits = [sum(p.risk_factors[f] << k for k, f in enumerate(RISK_FACTORS)) for p in who]
    return _table(
        {
            "person": (np.uint64, [p.number for p in who]),
            "cohort": (np.uint8, [COHORTS.index(p.cohort) for p in who]),
            "sex": (np.uint8, [SEXES.index(p.sex) for p in who]),
            "age_months": (np.uint16, [p.age_months for p in who]),
            "body_weight": (np.float32, [p.body_weight for p in who]),
            "menopause_age": (np.float32, [p.menopause_age for p in who]),
            "prior_fracture": (np.uint8, [p.prior_fracture for p in who]),
            "risk_factors": (np.uint32, bits),
            "abmd_femoral_neck": (np.float32, [p.abmd for p in who]),
            "kyphosis": (np.float32, [p.kyphosis for p in who]),
            "height_loss": (np.float32, [p.height_loss for p in who]),
            "worst_grade": (np.uint8, [p.worst_grade for p in who]),
            "deformities": (np.uint8, [p.worst_grade for p in who]),
            "back": (np.uint8, [p.back for p in who]),
            "spine": (np.uint64, [p.spine for p in who]),
            "source_row": (np.int64, [-1 for _ in who]),
        }
    )


def _event_rows(found: list[Life]) -> dict[str, Any]:
    rows = [(life, event) for life in found for event in life.events]
    own = ("level", "grade", "grade_before", "shape", "recorded", "attributable")
    return _table(
        {
            "person": (np.uint64, [life.person.number for life, _ in rows]),
            "arm": (np.uint8, [ARMS.index(life.arm) for life, _ in rows]),
            "month": (np.uint16, [event.month for _, event in rows]),
            "minute": (np.uint16, [event.minute for _, event in rows]),
            "event": (np.uint8, [EVENTS.index(event.kind) for _, event in rows]),
            "age_months": (np.uint16, [life.person.age_months + e.month for life, e in rows]),
            "cohort": (np.uint8, [COHORTS.index(life.person.cohort) for life, _ in rows]),
            "sex": (np.uint8, [SEXES.index(life.person.sex) for life, _ in rows]),
            "class": (np.uint8, [life.person.class_in(event.month) for life, event in rows]),
        }
        | {name: (np.uint8, [getattr(event, name) for _, event in rows]) for name in own}
    )


def _person_time(found: list[Life]) -> dict[str, Any]:
    minutes: Counter[tuple[int, ...]] = Counter()
    for life in found:
        p = life.person
        who = (ARMS.index(life.arm), COHORTS.index(p.cohort), SEXES.index(p.sex))
        for month, lived in life.months():
            minutes[(*who, (p.age_months + month) // 12, month // 12, p.class_in(month))] += lived
    keys = sorted(minutes)
    names = ("arm", "cohort", "sex", "age", "year", "class")
    return _table(
        {name: (np.uint8, [key[k] for key in keys]) for k, name in enumerate(names)}
        | {
            "minutes": (np.uint64, [minutes[key] for key in keys]),
            "falls": (np.uint64, [1 for _ in keys]),
        }
    )


def _spine(found: list[Life]) -> dict[str, Any]:
    """Return the spines at each anniversary: kyphosis grows by a degree a year."""
    sums: dict[tuple[int, ...], list[int]] = {}
    for life in found:
        p = life.person
        who = (ARMS.index(life.arm), COHORTS.index(p.cohort), SEXES.index(p.sex))
        for year in range(YEARS + 1):
            if life.minutes < 12 * year * MINUTES_PER_MONTH:
                continue
            cell = sums.setdefault((*who, p.age_months // 12 + year, year), [0] * 14)
            degrees = float(np.float32(p.kyphosis)) + year
            height = round(float(np.float32(p.height_loss)) * 1000)
            back = [p.back >> k & 1 for k in range(4)]
            grades = [p.worst_grade >= 1, p.worst_grade, p.worst_grade >= 2, p.worst_grade >= 3]
            shape = [height, height * height, round(degrees * 1000), round(degrees * 10) ** 2]
            for k, value in enumerate([1, *grades, *shape, degrees >= 50, *back]):
                cell[k] += value
    keys = sorted(sums)
    strata = ("arm", "cohort", "sex", "age", "year")
    counts = ("people", "deformed", "deformities", "moderate", "severe")
    signed = ("height_loss_sum", "height_loss_square_sum", "kyphosis_sum", "kyphosis_square_sum")
    names = (*counts, *signed, "hyperkyphotic", *columns.BACK)
    return _table(
        {name: (np.uint8, [key[k] for key in keys]) for k, name in enumerate(strata)}
        | {
            name: (np.int64 if name in signed else np.uint64, [sums[key][k] for key in keys])
            for k, name in enumerate(names)
        }
    )


def _table(made: dict[str, tuple[Any, list[Any]]]) -> dict[str, Any]:
    return {name: np.array(values, dtype=kind) for name, (kind, values) in made.items()}

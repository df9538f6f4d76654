"""Typical arms -> courses that the core follows -> what each target asks for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from cohortsim.calibration.evidence import MEASURES, Evidence, Target, TypicalArm
from cohortsim.calibration.free import Floats, Free
from cohortsim.catalog import Catalog
from cohortsim.core import core
from cohortsim.entries import Quantity
from cohortsim.exposures import effects_of

BACKGROUND = "calcium_vitamin_d"
"""What both arms of most trials were given."""
SPREADS = 7
"""Individual constants of a person, `SPREADS` of the core."""
LONGEST = 1200
Values = Mapping[str, float]


class Courses:
    """Simulates the typical people of all arms that the targets name."""

    def __init__(self, evidence: Evidence, catalog: Catalog, free: Free, people: int = 1) -> None:
        """Prepare the courses.

        Args:
            evidence: targets, arms and weights.
            catalog: parameters and medicines.
            free: which of their numbers vary.
            people: people whose mean is taken in each arm: 1 is the typical person, more are spread
                over the individual constants by a Sobol sequence.
        """
        self.evidence, self.catalog, self.free = evidence, catalog, free
        self.targets = evidence.targets
        self.normals = _normals(people)
        visits: dict[str, set[int]] = {}
        for target in self.targets:
            for arm in filter(None, (target.arm, target.other_arm)):
                visits.setdefault(arm, set()).update((0, target.since, target.month))
        self.visits = {arm: sorted(months) for arm, months in visits.items()}
        self.first: dict[str, int] = {}
        rows = 0
        for arm, months in self.visits.items():
            self.first[arm] = rows
            rows += len(months) * len(self._people(evidence.arms[arm]))

    def simulated(self, values: Floats) -> Floats:
        """Return what is simulated for each target, shape (sets, targets), of values (sets, n)."""
        sets = [dict(zip(self.free.names, one, strict=True)) for one in np.atleast_2d(values)]
        request = {
            "parameter_sets": [self._parameters(one) for one in sets],
            "courses": [self._course(self.evidence.arms[arm], sets) for arm in self.visits],
        }
        seen = core().courses(json.dumps(request))
        return np.stack([self._answer(target, seen) for target in self.targets], axis=1)

    def _answer(self, target: Target, seen: Floats) -> Floats:
        measure = MEASURES.index(target.measure)

        def of(arm: str, month: int) -> Floats:
            """Values of the people of an arm at a visit, shape (sets, people)."""
            visits = self.visits[arm]
            rows = self.first[arm] + visits.index(month)
            last = rows + len(visits) * len(self._people(self.evidence.arms[arm]))
            values: Floats = seen[:, rows : last : len(visits), measure]
            return values

        def change(arm: str, since: int) -> Floats:
            # as trials do: the mean of people's own changes
            mean: Floats = np.mean(of(arm, target.month) / of(arm, since) - 1.0, axis=1)
            return 100.0 * mean

        if target.is_against_peak:
            return 100.0 * (np.mean(of(target.arm, target.month), axis=1) - 1.0)
        if target.is_yearly:
            return change(target.arm, target.since) / ((target.month - target.since) / 12.0)
        other = target.other_arm
        return change(target.arm, 0) - (change(other, 0) if other else 0.0)

    def _parameters(self, values: Values) -> dict[str, float]:
        return {n: values.get(n, q.value) for n, q in self.catalog.parameters.items()}

    def _course(self, arm: TypicalArm, sets: list[dict[str, float]]) -> dict[str, Any]:
        before = arm.months_before_index
        return {
            "age": arm.age - before / 12.0,
            "male": arm.sex == "men",
            "menopause_age": arm.menopause_age,
            "calcium_intake": None,
            "serum_25ohd": None,
            "people": self._people(arm),
            "effects": [self._effects(arm, values) for values in sets],
            "visits": [month + before for month in self.visits[arm.id]],
        }

    def _people(self, arm: TypicalArm) -> list[tuple[list[float], float]]:
        spread = self.evidence.weights.menopause_spread
        later = spread.years if arm.trial in spread.trials and arm.sex == "women" else [0.0]
        return [(normals, years) for normals in self.normals for years in later]

    def _effects(self, arm: TypicalArm, values: Values) -> list[dict[str, Any]]:
        before = arm.months_before_index
        made = []
        for exposure in arm.exposures:
            start = exposure.start_month + before
            if exposure.medicine is not None:
                dose = exposure.dose.value if exposure.dose else None
                effects = self._of_medicine(exposure.medicine, dose, values)
            else:
                bare = {"target": exposure.target, "amount": exposure.amount}
                effects = [bare | {"every_months": None}]
            made += [_during(effect, start, start + exposure.months) for effect in effects]
        if arm.calcium_vitamin_d:
            effects = self._of_medicine(BACKGROUND, None, values)
            made += [_during(effect, before, LONGEST) for effect in effects]
        return made

    def _of_medicine(self, id_: str, dose: float | None, values: Values) -> list[dict[str, Any]]:
        medicine = self.catalog.medicine(id_)

        def take(name: str, quantity: Quantity) -> float:
            return values.get(name, quantity.value)

        every = medicine.interval.whole_months
        return effects_of(f"medicines.{id_}", medicine.effects, take, medicine.scale(dose), every)


def _during(effect: dict[str, Any], start: int, stop: int) -> dict[str, Any]:
    return effect | {"start_month": start, "stop_month": stop}


def _normals(people: int) -> list[list[float]]:
    if people == 1:
        return [[0.0] * SPREADS]
    from scipy.stats import norm, qmc

    points = norm.ppf(qmc.Sobol(SPREADS, scramble=True, rng=1).random(people))
    # A small sample is made to have exactly the mean and spread that it stands for.
    centred = (points - points.mean(axis=0)) / points.std(axis=0)
    return [[float(x) for x in row] for row in centred]

"""Treatments and profiles -> exposures, as the request holds them: who, when, which effects."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from cohortsim.catalog import PROFILE_KINDS, Catalog
from cohortsim.entries import Effect, Medicine, Quantity
from cohortsim.fields import AS_MEASURED
from cohortsim.scenario import Cohort, Scenario
from cohortsim.treatments import Course, MedianPersistence, StopRule, Treatment, Who

Take = Callable[[str, Quantity], float]


def of_arm(scenario: Scenario, place: int, catalog: Catalog, take: Take) -> list[dict[str, Any]]:
    """Return the exposures of an arm; the same medicine has the same luck in every arm."""
    arm = scenario.arms[place]
    return _Courses(scenario, None, catalog, take).of(arm.medicines, 0)


def of_cohort(
    scenario: Scenario, cohort: Cohort, catalog: Catalog, take: Take
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return (characteristics that profiles set, exposures of the cohort in every arm)."""
    settings: list[dict[str, Any]] = []
    exposures: list[dict[str, Any]] = []
    for kind in PROFILE_KINDS:
        for id_ in getattr(cohort, kind):
            if id_ == AS_MEASURED:
                continue
            profile = catalog.profile(kind, id_)
            base = f"profiles.{profile.id}"
            for characteristic, quantity in profile.set.items():
                value = take(f"{base}.set.{characteristic}", quantity)
                settings.append(
                    {
                        "characteristic": characteristic,
                        "value": value,
                        "sexes": list(profile.sexes),
                    }
                )
            if profile.effects:
                exposures.append(
                    _exposure(profile.id)
                    | {
                        "cohort": cohort.name,
                        "sexes": list(profile.sexes),
                        "anchor": profile.course.anchor,
                        "start_month": profile.course.start_month,
                        "months": profile.course.months,
                        "luck": f"{kind}/{profile.id}",
                        "effects": effects_of(base, profile.effects, take),
                    }
                )
    courses = _Courses(scenario, cohort.name, catalog, take)
    return settings, [*exposures, *courses.of(cohort.medicines, len(exposures))]


class _Courses:
    """Makes exposures of treatments and of the courses that follow them, in the order of the text."""

    def __init__(
        self, scenario: Scenario, cohort: str | None, catalog: Catalog, take: Take
    ) -> None:
        self.scenario, self.cohort, self.catalog, self.take = scenario, cohort, catalog, take
        self.seen: Counter[str] = Counter()

    def of(self, treatments: Iterable[Treatment], first: int) -> list[dict[str, Any]]:
        """Return the exposures; `first` is the position of the first one in its list."""
        made: list[dict[str, Any]] = []
        for treatment in treatments:
            start, months = treatment.start_month, treatment.planned_months
            made.append(self._one(treatment, months))
            made[-1] |= self._who(treatment.who, made[-1]["sexes"]) | {"start_month": start}
            for following in treatment.then:
                after = first + len(made) - 1
                wait = following.wait_months
                one = self._one(following, following.months)
                made.append(one | {"after": after, "start_month": wait})
        return made

    def _one(self, course: Course, months: int | None) -> dict[str, Any]:
        medicine = self.catalog.medicine(course.medicine)
        luck = f"{medicine.id}#{self.seen[medicine.id]}"
        self.seen[medicine.id] += 1
        base = f"medicines.{medicine.id}"
        scale = medicine.scale(course.dose.value if course.dose else None)
        every = medicine.interval.whole_months
        return _exposure(medicine.id) | {
            "cohort": self.cohort,
            "sexes": list(medicine.sexes),
            "months": months,
            "uptake": course.uptake,
            "medicine": True,
            "persistence": _persistence(course, medicine),
            # the name of the arm is never part of it: a medicine has the same luck in every arm
            "luck": luck if self.cohort is None else f"{self.cohort}/{luck}",
            "stop": self._stop(course.stop),
            "effects": effects_of(base, medicine.effects, self.take, scale, every),
        }

    def _who(self, who: Who, sexes: Iterable[str]) -> dict[str, Any]:
        judged = who.t_score_at_most is not None or who.t_score_at_least is not None
        return {
            "sexes": [sex for sex in who.sexes if sex in sexes],
            "age_from": who.ages.from_ if who.ages else None,
            "age_to": who.ages.to if who.ages else None,
            "site": (who.site or self.scenario.classify_at) if judged else None,
            "t_score_at_most": who.t_score_at_most,
            "t_score_at_least": who.t_score_at_least,
            "prior_fracture": who.prior_fracture,
        }

    def _stop(self, rule: StopRule | None) -> dict[str, Any] | None:
        if rule is None:
            return None
        judged = rule.t_score_at_least is not None
        return {
            "every_months": rule.every_months,
            "site": (rule.site or self.scenario.classify_at) if judged else None,
            "t_score_at_least": rule.t_score_at_least,
            "at_fracture": rule.at_fracture,
        }


def effects_of(
    base: str,
    effects: Iterable[Effect],
    take: Take,
    scale: float = 1.0,
    every_months: int | None = None,
) -> list[dict[str, Any]]:
    """Return effects as the request holds them.

    Args:
        base: full name of what has the effects.
        effects: the effects, with the amounts of the dose that the data file names.
        take: takes each amount into the model.
        scale: the dose that is taken, relative to that of the data file.
        every_months: interval of the doses, for effects that act per dose.
    """
    made = []
    for index, effect in enumerate(effects):
        amount = take(f"{base}.effects[{index}].amount", effect.amount)
        made.append(
            {
                "target": effect.target,
                "amount": amount * effect.at(scale),
                "every_months": every_months if effect.shape == "per_dose" else None,
            }
        )
    return made


def _exposure(name: str) -> dict[str, Any]:
    """Return an exposure of everybody, for good, without an effect."""
    return {
        "name": name,
        "cohort": None,
        "sexes": ["women", "men"],
        "age_from": None,
        "age_to": None,
        "site": None,
        "t_score_at_most": None,
        "t_score_at_least": None,
        "prior_fracture": None,
        "anchor": "index",
        "after": None,
        "start_month": 0,
        "months": None,
        "uptake": 1.0,
        "persistence": None,
        "luck": name,
        "medicine": False,
        "stop": None,
        "effects": [],
    }


def _persistence(course: Course, medicine: Medicine) -> dict[str, list[float]] | None:
    if isinstance(course.persistence, MedianPersistence):
        return {"months": [0.0, course.persistence.months_median], "share": [1.0, 0.5]}
    if course.persistence == "full" or medicine.persistence is None:
        return None
    curve = medicine.persistence.curve
    return {"months": [point.month for point in curve], "share": [point.share for point in curve]}

"""Treatments and profiles -> exposures, as the request holds them: who, when, which effects."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from cohortsim.catalog import PROFILE_KINDS, Catalog
from cohortsim.entries import Effect, Medicine, Quantity
from cohortsim.scenario import AS_MEASURED, Cohort, MedianPersistence, Scenario, Treatment

Take = Callable[[str, Quantity], float]


def of_arm(scenario: Scenario, place: int, catalog: Catalog, take: Take) -> list[dict[str, Any]]:
    """Return the exposures of an arm; the same medicine has the same luck in every arm."""
    arm = scenario.arms[place]
    return _of_treatments(scenario, arm.medicines, None, "", catalog, take)


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
                        "effects": _effects(base, profile.effects, take),
                    }
                )
    prefix = f"{cohort.name}/"
    treatments = _of_treatments(scenario, cohort.medicines, cohort.name, prefix, catalog, take)
    return settings, [*exposures, *treatments]


def _of_treatments(
    scenario: Scenario,
    treatments: Iterable[Treatment],
    cohort: str | None,
    prefix: str,
    catalog: Catalog,
    take: Take,
) -> list[dict[str, Any]]:
    seen: Counter[str] = Counter()
    made = []
    for treatment in treatments:
        medicine = catalog.medicine(treatment.medicine)
        who = treatment.who
        site = who.site or scenario.classify_at
        made.append(
            _exposure(medicine.id)
            | {
                "cohort": cohort,
                "sexes": list(who.sexes),
                "age_from": who.ages.from_ if who.ages else None,
                "age_to": who.ages.to if who.ages else None,
                "site": site if who.t_score_at_most is not None else None,
                "t_score_at_most": who.t_score_at_most,
                "start_month": treatment.start_month,
                "months": treatment.months,
                "uptake": treatment.uptake,
                "medicine": True,
                "persistence": _persistence(treatment, medicine),
                "luck": f"{prefix}{medicine.id}#{seen[medicine.id]}",
                "effects": _effects(f"medicines.{medicine.id}", medicine.effects, take),
            }
        )
        seen[medicine.id] += 1
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
        "anchor": "index",
        "start_month": 0,
        "months": None,
        "uptake": 1.0,
        "persistence": None,
        "luck": name,
        "medicine": False,
        "effects": [],
    }


def _persistence(treatment: Treatment, medicine: Medicine) -> dict[str, list[float]] | None:
    if isinstance(treatment.persistence, MedianPersistence):
        return {"months": [0.0, treatment.persistence.months_median], "share": [1.0, 0.5]}
    if treatment.persistence == "full" or medicine.persistence is None:
        return None
    curve = medicine.persistence.curve
    return {"months": [point.month for point in curve], "share": [point.share for point in curve]}


def _effects(base: str, effects: Iterable[Effect], take: Take) -> list[dict[str, Any]]:
    return [
        {"target": effect.target, "amount": take(f"{base}.effects[{index}].amount", effect.amount)}
        for index, effect in enumerate(effects)
    ]

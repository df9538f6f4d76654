"""The request is canonical, complete, and says where each value comes from."""

from __future__ import annotations

import json

import cohortsim as cs
import pytest
from cohortsim import request
from cohortsim.treatments import MedianPersistence


def test_the_text_is_canonical_and_has_a_fingerprint(study: cs.Scenario) -> None:
    first, second = request.build(study), request.build(cs.load(study.plain()))
    assert first.text == second.text
    assert len(first.fingerprint) == 64
    assert json.loads(first.text) == first.data
    assert first.text == json.dumps(first.data, sort_keys=True, separators=(",", ":"))


def test_every_value_has_unit_range_source_and_status(study: cs.Scenario) -> None:
    built = request.build(study)
    numbers = [value for value in built.values if "value" in value]
    assert {v["name"] for v in numbers} >= set(built.data["parameters"])
    for value in numbers:
        assert {"unit", "low", "high", "source", "status"} <= value.keys()
    tables = [value for value in built.values if "sha256" in value]
    assert {v["name"] for v in tables} >= {"populations.us.life_table", "populations.us.falls"}


def test_an_override_changes_the_value_and_keeps_the_reason(study: cs.Scenario) -> None:
    name = "fracture_sites.hip.gradient_per_sd"
    override = {"parameter": name, "value": 2.5, "unit": "1", "reason": "why not"}
    built = request.build(study.changed(overrides=[override]))
    entry = next(value for value in built.values if value["name"] == name)
    assert built.data["fracture_sites"][0]["gradient_per_sd"] == 2.5
    assert entry["value"] == 2.5
    assert entry["reason"] == "why not"
    assert entry["replaced_value"] == 2.9
    assert entry["within_plausible_range"] is True
    assert built.fingerprint != request.build(study).fingerprint


def test_the_same_medicine_has_the_same_luck_in_every_arm(study: cs.Scenario) -> None:
    plain = study.plain()
    plain["arms"].append(plain["arms"][1] | {"name": "third"})
    plain["arms"][2]["medicines"] = [
        plain["arms"][1]["medicines"][0] | {"persistence": "full"},
        plain["arms"][1]["medicines"][0] | {"start_month": 12},
    ]
    arms = request.build(cs.load(plain)).data["arms"]
    assert [e["luck"] for e in arms[1]["exposures"]] == ["alendronate#0"]
    assert [e["luck"] for e in arms[2]["exposures"]] == ["alendronate#0", "alendronate#1"]
    assert arms[2]["exposures"][0]["persistence"] is None


def test_profiles_and_cohort_medicines_become_exposures_of_the_cohort(study: cs.Scenario) -> None:
    plain = study.plain()
    plain["cohorts"][0] |= {
        "hormones": ["early_menopause", "hormone_therapy"],
        "medicines": [{"medicine": "alendronate", "persistence": {"months_median": 18}}],
    }
    cohort = request.build(cs.load(plain)).data["cohorts"][0]
    assert cohort["set"] == [{"characteristic": "menopause_age", "value": 42.0, "sexes": ["women"]}]
    therapy, medicine = cohort["exposures"]
    assert (therapy["name"], therapy["anchor"]) == ("hormone_therapy", "menopause")
    assert medicine["luck"] == "women/alendronate#0"
    assert medicine["cohort"] == "women"
    assert medicine["persistence"] == {"months": [0.0, 18.0], "share": [1.0, 0.5]}


def test_who_is_eligible_is_passed_on(study: cs.Scenario) -> None:
    exposure = request.build(study).data["arms"][1]["exposures"][0]
    assert exposure["site"] == "femoral_neck"
    assert exposure["t_score_at_most"] == -1.0
    assert exposure["age_from"] is None
    assert MedianPersistence(months_median=18).months_median == 18.0


@pytest.mark.parametrize(("people", "years"), [(10, 3), (400, 1)])
def test_a_changed_study_is_checked_anew(study: cs.Scenario, people: int, years: int) -> None:
    built = request.build(study.changed(people=people, years=years))
    assert (built.data["people"], built.data["months"]) == (people, years * 12)
    with pytest.raises(cs.ScenarioError, match="life table"):
        request.build(study.changed(years=80))

"""The request is canonical, complete, and says where each value comes from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cohortsim as cs
import pytest
from cohortsim import exposures, request
from cohortsim.catalog import Catalog
from cohortsim.entries import Quantity
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
    name = "fracture_sites.hip.share_from_falls"
    override = {"parameter": name, "value": 0.92, "unit": "1", "reason": "why not"}
    built = request.build(study.changed(overrides=[override]))
    entry = next(value for value in built.values if value["name"] == name)
    assert built.data["fracture_sites"][0]["share_from_falls"] == 0.92
    assert entry["value"] == 0.92
    assert entry["reason"] == "why not"
    assert entry["replaced_value"] == 0.95
    assert entry["within_plausible_range"] is True
    assert built.fingerprint != request.build(study).fingerprint


def test_the_same_medicine_has_the_same_luck_in_every_arm(study: cs.Scenario) -> None:
    plain = study.plain()
    plain["arms"].append(plain["arms"][1] | {"name": "third"})
    plain["arms"][2]["medicines"] = [
        plain["arms"][1]["medicines"][0] | {"persistence": "full", "months": 12},
        plain["arms"][1]["medicines"][0] | {"start_month": 12},
    ]
    arms = request.build(cs.load(plain)).data["arms"]
    assert [e["luck"] for e in arms[1]["exposures"]] == ["alendronate#0"]
    assert [e["luck"] for e in arms[2]["exposures"]] == ["alendronate#0", "alendronate#1"]
    assert arms[2]["exposures"][0]["persistence"] is None


def test_profiles_and_cohort_medicines_become_exposures_of_the_cohort(study: cs.Scenario) -> None:
    plain = study.plain()
    plain["arms"][1]["medicines"] = []
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


def value(_: str, quantity: Quantity) -> float:
    return quantity.value


def test_courses_follow_each_other_by_position(rich: cs.Scenario) -> None:
    catalog = Catalog(rich.origin.folder)
    made = exposures.of_arm(rich, 1, catalog, value)
    keys = ("luck", "after", "start_month", "months")
    assert [tuple(exposure[key] for key in keys) for exposure in made] == [
        ("patch#0", None, 0, 12),
        ("tablet#0", 0, 0, 24),
        ("pill#0", 1, 12, 24),
        ("infusion#0", 2, 0, None),
        ("infusion#1", None, 6, 12),
    ]
    first, second = made[0], made[1]
    assert (first["t_score_at_most"], first["t_score_at_least"]) == (-1.0, -4.0)
    assert (first["site"], first["prior_fracture"]) == ("femoral_neck", True)
    assert (second["site"], second["prior_fracture"], second["age_from"]) == (None, None, None)
    assert first["stop"] == {
        "every_months": 6,
        "site": "total_hip",
        "t_score_at_least": -2.0,
        "at_fracture": True,
    }
    assert second["stop"] is None
    _, of_women = exposures.of_cohort(rich, rich.cohorts[0], catalog, value)
    assert [(e["luck"], e["after"], e["start_month"]) for e in of_women] == [
        ("hormones/hormone_therapy", None, 0),
        ("women/supplement#0", None, 0),
        ("women/pill#0", None, -36),
        ("women/tablet#0", 2, 6),
    ]


def test_effects_scale_with_the_dose_and_doses_have_an_interval(rich: cs.Scenario) -> None:
    made = exposures.of_arm(rich, 1, Catalog(rich.origin.folder), value)
    assert made[1]["effects"] == [
        {"target": "glucocorticoid", "amount": 0.75, "every_months": None},
        {"target": "load", "amount": 0.5, "every_months": None},
    ]
    assert made[3]["effects"] == [
        {"target": "glucocorticoid", "amount": 0.5, "every_months": 12},
        {"target": "load", "amount": 0.5, "every_months": None},
    ]


def test_an_effect_may_rise_less_than_the_dose(rich_file: Path, tablet: str) -> None:
    own = rich_file.parent / "medicines" / "tablet.yaml"
    changed = tablet.replace(
        "target: glucocorticoid", "target: glucocorticoid\n    dose_exponent: 0.5"
    )
    own.write_text(changed, encoding="utf-8")
    study = cs.load(rich_file)
    made = exposures.of_arm(study, 1, Catalog(study.origin.folder), value)
    assert made[1]["effects"][0]["amount"] == pytest.approx(0.5 * 1.5**0.5)
    assert made[1]["effects"][1]["amount"] == 0.5


def test_recruitment_and_visits_are_passed_on(study: cs.Scenario, rich: cs.Scenario) -> None:
    deformed = {"at_least": 1, "grade_at_least": 2}
    rules: dict[str, Any] = {"prior_fracture": False, "years_since_menopause": {"from": 5}}
    rules["vertebral_deformities"] = deformed
    plain = study.plain() | {"record": {"visits": [0, 12]}}
    plain["cohorts"][0]["entry"] = rich.plain()["cohorts"][0]["entry"] | rules
    plain["cohorts"][1]["entry"] = {}
    data = request.build(cs.load(plain)).data
    assert data["format"] == 3
    assert data["visits"] == [0, 12]
    assert data["cohorts"][0]["entry"] == {
        "t_scores": [
            {"site": "total_hip", "at_least": None, "at_most": -2.5},
            {"site": "lumbar_spine", "at_least": -4.0, "at_most": None},
        ],
        "any_t_score": True,
        "prior_fracture": False,
        "years_since_menopause_from": 5.0,
        "years_since_menopause_to": None,
        "vertebral_deformities": deformed | {"at_most": None},
    }
    assert data["cohorts"][1]["entry"] is None
    assert request.build(study).data["visits"] == []


def test_the_request_has_the_form_that_the_core_reads(study: cs.Scenario) -> None:
    built = request.build(study.changed(calendar_year=2030, secular_trend=True))
    data = built.data
    assert data["secular_trend"] is True
    population = data["populations"][0]
    assert set(population) == set(POPULATION.split())
    assert population["calendar_year"] == 2030
    optional = {"mortality_age_slope"}
    sites = {frozenset(set(site) - optional) for site in data["fracture_sites"]}
    assert sites == {frozenset(SITE.split())}
    assert {frozenset(cohort) for cohort in data["cohorts"]} == {frozenset(COHORT.split())}
    homes = [site["nursing_home"] for site in data["fracture_sites"] if site["nursing_home"]]
    for home in homes:
        assert len(home["women"]["ages"]) == len(home["women"]["values"])
    ages = len(population["life_table"]["women"][0])
    for sex in ("women", "men"):
        table = population["life_table"][sex]
        assert [len(year) for year in table] == [ages] * len(population["life_table"]["years"])
    size = 12 + len(data["risk_factors"])
    assert len(population["correlation"]["men"]) == size
    assert request.build(study).data["populations"][0]["calendar_year"] == 2019


def test_people_who_are_scanned_die_by_the_populations_ratio(study: cs.Scenario) -> None:
    plain = study.plain()
    plain["cohorts"][0]["people"] = "scanned"
    name = "populations.us.scanned_mortality_ratio"
    change = {"parameter": name, "value": 0.75, "unit": "1", "reason": "x"}
    plain["overrides"] = [change]
    built = request.build(cs.load(plain))
    assert [cohort["mortality_ratio"] for cohort in built.data["cohorts"]] == [0.75, 1.0]
    entry = next(value for value in built.values if value["name"] == name)
    assert (entry["value"], entry["status"]) == (0.75, "override")
    assert not [v for v in request.build(study).values if v["name"] == name]


def test_a_run_of_another_format_is_not_repeated(study: cs.Scenario, tmp_path: Path) -> None:
    old = {"scenario": study.plain(), "request": {"format": 2}, "parameters": []}
    path = tmp_path / "provenance.json"
    path.write_text(json.dumps(old), encoding="utf-8")
    with pytest.raises(cs.ScenarioError, match=r"request\.format: 2: .* another version"):
        request.build(cs.load(path))


def test_every_exposure_and_effect_has_every_key(rich: cs.Scenario) -> None:
    catalog = Catalog(rich.origin.folder)
    made = exposures.of_arm(rich, 1, catalog, value)
    made += exposures.of_cohort(rich, rich.cohorts[0], catalog, value)[1]
    assert {frozenset(exposure) for exposure in made} == {frozenset(EXPOSURE.split())}
    effects = [effect for exposure in made for effect in exposure["effects"]]
    effects += [
        e
        for f in request.build(cs.load("us_adults_50plus")).data["risk_factors"]
        for e in f["effects"]
    ]
    assert {frozenset(effect) for effect in effects} == {
        frozenset(("target", "amount", "every_months"))
    }


EXPOSURE = """
    name cohort sexes age_from age_to site t_score_at_most t_score_at_least prior_fracture anchor
    after start_month months uptake persistence luck medicine stop effects
"""
POPULATION = """
    id age_structure life_table characteristics correlation prevalence fracture_incidence
    vertebral_deformity falls trend calendar_year incidence_year
"""
SITE = """
    id decision of_the_spine density_site strength_exponent change_exponent spread turnover_exponent
    microdamage_exponent weight_exponent height_exponent frailty_exponent share_from_falls
    prior_fracture_ratio healing_draw instability mobility_loss mortality_after
    mortality_until_month nursing_home
"""
COHORT = """
    name population share sexes age_from age_to mortality_ratio persons entry set exposures
"""

"""Courses of medicines, recruitment and visits: what is told of each mistake, and where."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cohortsim as cs
import pytest
from cohortsim import document
from cohortsim.explain import Explanation


def told(path: Path) -> str:
    with pytest.raises(cs.ScenarioError) as caught:
        cs.load(path)
    return str(caught.value)


def replaced(path: Path, old: str, new: str) -> Path:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


def test_a_medicine_for_one_sex_is_taken_by_nobody_else(study: cs.Scenario) -> None:
    given: dict[str, Any] = {"medicine": "androgen_deprivation_therapy", "persistence": "full"}
    arms = [{"name": "none"}, {"name": "castrated", "medicines": [given]}]
    results = cs.run(study.changed(arms=arms, record={"visits": [36]}))
    change = results.visits(measure="lumbar_spine").select("arm", "cohort", "change_percent")
    none, castrated = (
        {cohort: value for arm, cohort, value in change.iter_rows() if arm == name}
        for name in ("none", "castrated")
    )
    assert castrated["women"] == none["women"]
    assert castrated["men"] < none["men"] - 2
    assert "All men begin Androgen" in " ".join(Explanation(results.scenario).text().split())
    given["who"] = {"sexes": "women"}
    with pytest.raises(cs.ScenarioError, match="is for men; nobody who could take it is there"):
        cs.load(study.plain() | {"arms": arms})


DOSE = "dose: {value: 7.5, unit: mg}"
STOP = "stop: {t_score_at_least: -2.0, site: total_hip, every_months: 6, at_fracture: true}"
SCORES = "t_scores: [{site: total_hip, at_most: -2.5}, {site: lumbar_spine, at_least: -4}]"
SINCE = "years_since_menopause: {from: 5, to: 40}"
VISITS = "visits: [0, 6, 12, 60]"


@pytest.mark.parametrize(
    ("old", "new", "place", "words"),
    [
        (
            "end_month: 12",
            "start_month: 12\n        end_month: 6",
            "rich.yaml:31:20 arms[1].medicines[0].end_month",
            ["ends in month 6, before it starts in month 12", "needs a month after 12"],
        ),
        (
            "end_month: 12",
            "end_month: 0",
            "arms[1].medicines[0].end_month",
            ["ends in month 0, in which it starts", "correct `start_month` or `end_month`"],
        ),
        (
            "end_month: 12",
            "end_month: 12\n        months: 12",
            "arms[1].medicines[0].end_month",
            ["both `months` and `end_month`", "needs one of them"],
        ),
        (DOSE, "dose: {value: 7.5, unit: g}", "then[0].dose.unit", ['"g"', 'is dosed in "mg"']),
        (DOSE, "dose: {value: 20, unit: mg}", "then[0].dose.value", ["for 2.5 to 10 mg"]),
        (DOSE, "dose: {value: 0, unit: mg}", "then[0].dose.value", ["0", "needs more than 0"]),
        (DOSE, "dose: {value: 7.5}", "then[0].dose.unit", ['the key "unit" is missing']),
        (DOSE, "dose: 7.5", "then[0].dose", ["7.5", "needs a group of keys"]),
        (
            "- infusion",
            "- {medicine: infusion, dose: {value: 7.5, unit: mg}}",
            "then[2].dose.value",
            ['the dose of "infusion" is fixed: needs 5 mg', "`dose_range`"],
        ),
        ("route: oral", "route: nasal", "then[0].route", ['route "nasal"', "is given oral"]),
        (STOP, "stop: {}", "[0].stop", ["without a criterion", "`at_fracture: true`"]),
        (STOP, "stop: {site: total_hip}", "[0].stop", ["without a criterion"]),
        (
            STOP,
            "stop: {at_fracture: true, t_score: -2}",
            "[0].stop.t_score",
            ['did you mean "t_score_at_least"?'],
        ),
        (
            STOP,
            "stop: {at_fracture: true, every_months: 0}",
            "[0].stop.every_months",
            ["needs 1 or more"],
        ),
        (
            "months: 24\n",
            "months: 24\n        stop: {at_fracture: true}\n",
            "cohorts[0].medicines[1].stop",
            ["a stop rule in a medicine of a cohort", "for medicines of arms"],
        ),
        (
            "wait_months: 12",
            "start_month: 12",
            "then[1].start_month",
            ['no key "start_month" here'],
        ),
        ("wait_months: 12", "who: {sexes: men}", "then[1].who", ['no key "who" here']),
        ("wait_months: 12", "end_month: 12", "then[1].end_month", ['no key "end_month" here']),
        ("wait_months: 12", "wait_months: -1", "then[1].wait_months", ["needs 0 or more"]),
        ("- infusion", "- infusoin", "then[2].medicine", ['did you mean "infusion"?']),
        (
            "months: 24, uptake: 0.8}",
            "persistence: full, uptake: 0.8}",
            "arms[1].medicines[0].then[2]",
            ["nobody ever begins it", "give that one `months` or a `stop` rule"],
        ),
        (
            "t_score_at_least: -4, ",
            "t_score_at_least: 0, ",
            "[0].who.t_score_at_least",
            ["at least 0 and at most -1 holds nobody", "swap or correct the two"],
        ),
        ("prior_fracture: true, ages", "prior_fracture: 1, ages", "fracture", ["true or false"]),
        (SCORES, "t_scores: [{site: total_hip}]", "entry.t_scores[0]", ["without a T-score"]),
        (
            SCORES,
            "t_scores: [{site: hip, at_most: -1}]",
            "t_scores[0].site",
            ['"hip"', "total_hip"],
        ),
        (
            SCORES,
            "t_scores: [{site: total_hip, at_least: -1, at_most: -2}]",
            "cohorts[0].entry.t_scores[0]",
            ["at least -1, at most -2: holds nobody"],
        ),
        (SCORES, "t_score: []", "entry.t_score", ['no key "t_score" here']),
        ("t_score_rule: any", "t_score_rule: some", "t_score_rule", ["needs one of all or any"]),
        (
            SINCE,
            "years_since_menopause: [40, 5]",
            "since_menopause",
            ["from 40, to 5: holds nobody"],
        ),
        (SINCE, "years_since_menopause: {}", "since_menopause", ["a rule without years"]),
        (
            "sexes: [women]",
            "sexes: [women, men]",
            "cohorts[0].entry.years_since_menopause",
            ["the cohort holds men", "needs a cohort of women"],
        ),
        (
            VISITS,
            "visits: [0, 61]",
            "rich.yaml:39:38 record.visits[1]",
            ["month 61 is not in follow-up", "at most 60"],
        ),
        (VISITS, "visits: [6, 0]", "record.visits[1]", ["month 0 after month 6", "must ascend"]),
        (VISITS, "visits: [6, 6]", "record.visits[1]", ["month 6 after month 6", "doubles"]),
        (VISITS, "visits: [-6, 6]", "record.visits[0]", ["-6", "needs 0 or more"]),
        (VISITS, "visits: [1.5]", "record.visits[0]", ["1.5", "needs a whole number"]),
        (VISITS, f"visits: [{'9' * 400}]", "record.visits[0]", ["needs at most 2400"]),
        (VISITS, "visits: 6", "record.visits", ["6", "needs a list"]),
    ],
)
def test_bad_input_names_place_and_remedy(
    rich_file: Path, old: str, new: str, place: str, words: list[str]
) -> None:
    message = told(replaced(rich_file, old, new))
    assert len(message.splitlines()) == 1, message
    assert place in message
    for word in words:
        assert word in message


def test_all_is_told_at_once_in_the_order_of_lines(rich_file: Path) -> None:
    for old, new in [
        (SINCE, "years_since_menopause: {}"),
        ("end_month: 12", "end_month: -1"),
        (STOP, "stop: {every_months: 1.5}"),
        (DOSE, "dose: {value: 50, unit: mg}"),
        ("route: oral", "route: nasal"),
        (VISITS, "visits: [99]"),
    ]:
        replaced(rich_file, old, new)
    lines = told(rich_file).splitlines()
    assert len(lines) == 7  # the stop rule has no criterion, too
    numbers = [int(line.split(":")[1]) for line in lines]
    assert numbers == sorted(numbers)


# --- one medicine at a time ---------------------------------------------------------------------

FULL = {"medicine": "alendronate", "persistence": "full"}
TEN = {"medicine": "alendronate", "months": 10}


def overlapping(
    study: cs.Scenario, medicines: list[Any], of_women: list[Any] | None = None
) -> list[str]:
    """Return the overlaps that are told of an arm's medicines and those of the women's cohort."""
    plain = study.plain()
    plain["arms"][1]["medicines"] = medicines
    plain["cohorts"][0]["medicines"] = of_women or []
    try:
        cs.load(plain)
    except cs.ScenarioError as error:
        return [problem.found for problem in error.problems]
    return []


@pytest.mark.parametrize(
    ("medicines", "words"),
    [
        (["alendronate", "alendronate"], "(month 0 to the end) overlaps with arms[1].medicines[0]"),
        ([TEN, FULL | {"start_month": 9}], "(month 9 to the end)"),
        ([TEN, FULL | {"end_month": 1}], "alendronate (month 0 to 1)"),
        (
            [
                FULL | {"start_month": 20},
                {"medicine": "hormone_therapy", "months": 12, "then": [TEN | {"wait_months": 3}]},
            ],
            "alendronate (month 15 to 25) overlaps with arms[1].medicines[0] (month 20 to the end)",
        ),
        (
            [
                {"medicine": "hormone_therapy", "then": [TEN]},
                FULL | {"start_month": 30, "months": 1},
            ],
            "arms[1].medicines[0].then[0] (month 1 to the end)",
        ),
        (
            [TEN | {"who": {"ages": [60, 70]}}, FULL | {"who": {"ages": [70, 80]}}],
            "overlaps",
        ),
        ([TEN | {"who": {"sexes": "men"}}, FULL], "overlaps"),
    ],
)
def test_one_medicine_twice_at_a_time_is_told(
    study: cs.Scenario, medicines: list[Any], words: str
) -> None:
    (found,) = overlapping(study, medicines)
    assert words in found


@pytest.mark.parametrize(
    "medicines",
    [
        [TEN, FULL | {"start_month": 10}],
        [TEN, "hormone_therapy"],
        [FULL | {"months": 12, "then": [FULL | {"months": 12}, FULL]}],
        [TEN | {"who": {"sexes": "men"}}, FULL | {"who": {"sexes": ["women"]}}],
        [TEN | {"who": {"ages": [60, 69]}}, FULL | {"who": {"ages": {"from": 70, "to": 80}}}],
        [TEN | {"who": {"prior_fracture": True}}, FULL | {"who": {"prior_fracture": False}}],
        [TEN | {"who": {"t_score_at_most": -2.5}}, FULL | {"who": {"t_score_at_least": -2.4}}],
    ],
)
def test_courses_that_nobody_takes_together_may_be_planned(
    study: cs.Scenario, medicines: list[Any]
) -> None:
    assert overlapping(study, medicines) == []


def test_scores_of_two_sites_do_not_exclude_each_other(study: cs.Scenario) -> None:
    first = TEN | {"who": {"t_score_at_most": -2.5}}
    second = FULL | {"who": {"t_score_at_least": -2.4, "site": "total_hip"}}
    assert len(overlapping(study, [first, second])) == 1


def test_a_medicine_of_the_cohort_counts_in_every_arm(study: cs.Scenario) -> None:
    before = FULL | {"start_month": -24, "months": 24}
    assert overlapping(study, ["alendronate"], [before]) == []
    assert overlapping(study, [FULL | {"who": {"sexes": "men"}}], [TEN]) == []
    (found,) = overlapping(study, [FULL], [before | {"months": 25}])
    assert "overlaps with cohorts[0].medicines[0] (month -24 to 1)" in found


# --- what is right ------------------------------------------------------------------------------


def test_yaml_json_and_python_say_the_same(rich: cs.Scenario, rich_file: Path) -> None:
    plain = rich.plain()
    file = rich_file.with_name("again.json")
    file.write_text(json.dumps(plain), encoding="utf-8")
    assert cs.load(file) == rich
    file = rich_file.with_name("again.yaml")
    file.write_text(document.dump(plain), encoding="utf-8")
    assert cs.load(file) == rich
    assert cs.Scenario(**plain) == rich
    treatment = cs.Treatment(
        medicine="patch",
        end_month=12,
        persistence="full",
        stop=cs.StopRule(t_score_at_least=-2, site="total_hip", every_months=6, at_fracture=True),
        who=cs.Who(
            t_score_at_most=-1,
            t_score_at_least=-4,
            prior_fracture=True,
            ages=cs.Ages(from_=60, to=80),
        ),
        then=[
            cs.NextCourse(
                medicine="tablet", dose=cs.Dose(value=7.5, unit="mg"), route="oral", months=24
            ),
            cs.NextCourse(medicine="pill", wait_months=12, months=24, uptake=0.8),
            cs.NextCourse(medicine="infusion"),
        ],
    )
    assert treatment == rich.arms[1].medicines[0]
    assert treatment.planned_months == 12
    entry = cs.EntryRules(
        t_scores=[
            cs.TScoreRule(site="total_hip", at_most=-2.5),
            cs.TScoreRule(site="lumbar_spine", at_least=-4),
        ],
        t_score_rule="any",
        prior_fracture=True,
        years_since_menopause=cs.YearsSinceMenopause(from_=5, to=40),
    )
    assert entry == rich.cohorts[0].entry


def test_the_rules_hold_in_python_too() -> None:
    with pytest.raises(cs.ScenarioError, match="needs more than 0"):
        cs.Dose(value=0, unit="mg")
    cohort = cs.Cohort(name="a", population="us")
    with pytest.raises(cs.ScenarioError, match="month 13 is not in follow-up; needs at most 12"):
        cs.Scenario(name="x", people=1, years=1, cohorts=[cohort], record=cs.Record(visits=[0, 13]))

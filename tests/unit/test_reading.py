"""Every sentence of bad input: what is told, where, and that all is told at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cohortsim as cs
import pytest
from cohortsim import request
from cohortsim.document import parse
from cohortsim.fields import Sex
from cohortsim.reading import with_settings
from hypothesis import given
from hypothesis import strategies as st

SEXES: tuple[Sex, ...] = ("women", "men")


def told(path: Path) -> str:
    with pytest.raises(cs.ScenarioError) as caught:
        cs.load(path)
    return str(caught.value)


def replaced(path: Path, old: str, new: str) -> Path:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("old", "new", "place", "words"),
    [
        ("people: 400", "peple: 400", "study.yaml:3:1 peple", ['no key "peple"', '"people"?']),
        ("people: 400", "people: 0", "study.yaml:3:9 people", ["0", "needs 1 or more"]),
        ("people: 400", "people: -5", "study.yaml:3:9 people", ["-5", "needs 1 or more"]),
        ("people: 400", "people: .nan", "study.yaml:3:9 people", ["nan", "whole number"]),
        ("years: 3", "years: 60", "study.yaml:4:8 years", ["life table", "110"]),
        ("seed: 7", "seed: soon", "study.yaml:5:7 seed", ['"soon"', "whole number"]),
        ("seed: 7", "seed: 1" + 60 * "0", "study.yaml:5:7 seed", ["about 60 digits", "less than"]),
        ("{t_score_at_most: -1.0}", "-1", "study.yaml:22:14", ["a group of keys: ", "{site: ..."]),
        ("seed: 7", "age_bands: 50", "study.yaml:5:12", ["needs a list; write [50]"]),
        ("seed: 7", 'age_bands: "50, 60"', "study.yaml:5:12", ["needs a list; write [50, 60]"]),
        ("seed: 7", "overrides: {value: 1}", "study.yaml:5:12", ["put it in [ ]"]),
        ("share: 0.5", "share: 0.4", "study.yaml:7:3 cohorts", ["sum to 0.9", "sum to 1"]),
        ("share: 0.5", "share: .nan", "study.yaml:9:12", ["nan", "finite"]),
        ("share: 0.5", "share: -0.5", "study.yaml:9:12", ["-0.5", "more than 0"]),
        ("population: us", "population: uss", "study.yaml:8:17", ['"uss"', '"us"?']),
        ("sexes: [women]", "sexes: [woman]", "study.yaml:10:13", ['"woman"', '"women"?']),
        ("sexes: [women]", "sexes: []", "study.yaml:10:12", ["needs at least one"]),
        ("{from: 60, to: 90}", "{from: 90, to: 60}", "study.yaml:11:11", ["holds nobody"]),
        ("{from: 60, to: 90}", "{from: 1, to: 90}", "study.yaml:11:11", ["knows ages 20 to 100"]),
        ("{from: 60, to: 90}", "{from: 25, to: 90}", "study.yaml:11:11", ["of 30 and over"]),
        ("sexes: [women]", "sexes: 2.5\n    hormones: natural", "study.yaml:10:12", ["a list"]),
        ("seed: 7", "calendar_year: 1850", "study.yaml:5:16", ["1850", "needs 1900 or more"]),
        ("seed: 7", "calendar_year: 2200", "study.yaml:5:16", ["2200", "needs at most 2150"]),
        ("seed: 7", "calendar_year: now", "study.yaml:5:16", ['"now"', "a whole number"]),
        ("seed: 7", "secular_trend: 1.5", "study.yaml:5:16", ["1.5", "needs true or false"]),
        ("seed: 7", "secular_trends: true", "study.yaml:5:1", ['"secular_trend"?']),
        ("share: 0.5", "people: scaned", "study.yaml:9:13", ['"scaned"', '"scanned"?']),
        (
            "share: 0.5",
            "entry: {vertebral_deformities: {grade_at_least: 2}}",
            "study.yaml:9:36",
            ["a rule without a number", "needs `at_least`, `at_most` or both"],
        ),
        (
            "share: 0.5",
            "entry: {vertebral_deformities: {at_least: 3, at_most: 1}}",
            "study.yaml:9:36",
            ["at least 3, at most 1: holds nobody"],
        ),
        (
            "share: 0.5",
            "entry: {vertebral_deformities: {at_least: 14, grade_at_least: 4}}",
            "study.yaml:9:47",
            ["14; needs at most 13", "4; needs at most 3"],
        ),
        ("seed: 7", "seed: !!bool maybe", "study.yaml", ["not YAML"]),
        ("name: men", "name: women", "study.yaml:12:11", ["also that of cohorts[0]"]),
        ("alendronate", "alendronat", "study.yaml:21:19", ['"alendronat"', '"alendronate"?']),
        ("t_score_at_most", "t_score", "study.yaml:22:15", ['"t_score_at_most"?']),
        ("seed: 7", "age_bands: [50, 40]", "study.yaml:5:17", ["must ascend"]),
        ("seed: 7", "seed: 7\nseed: 8", "study.yaml:6:1 seed", ["second time", "line 5"]),
        ("seed: 7", "seed: [7", "study.yaml:", ["not YAML"]),
    ],
)
def test_bad_input_names_place_and_remedy(
    study_file: Path, old: str, new: str, place: str, words: list[str]
) -> None:
    message = told(replaced(study_file, old, new))
    assert place in message
    for word in words:
        assert word in message


def test_all_mistakes_are_told_at_once_in_the_order_of_lines(study_file: Path) -> None:
    for old, new in [
        ("people: 400", "people: 0"),
        ("population: us", "population: uss"),
        ("share: 0.5", "share: 0.4"),
        ("medicine: alendronate", "medicine: alendronat"),
        ("seed: 7", "sead: 7"),
    ]:
        replaced(study_file, old, new)
    lines = told(study_file).splitlines()
    assert len(lines) == 5
    numbers = [int(line.split(":")[1]) for line in lines]
    assert numbers == sorted(numbers)


def test_wrong_unit_and_unknown_parameter_in_overrides(study_file: Path) -> None:
    with study_file.open("a", encoding="utf-8") as file:
        file.write(
            "overrides:\n"
            "  - {parameter: density.osteopenia_t_score, value: -1, unit: mg, reason: x}\n"
            "  - {parameter: density.osteopenia_t_scor, value: -1, unit: '1', reason: x}\n"
            "  - {parameter: fracture_sites.hip.spread, value: 0.3, unit: '1'}\n"
        )
    message = told(study_file)
    assert 'unit "mg"' in message
    assert 'density.osteopenia_t_score is in "1"' in message
    assert 'did you mean "density.osteopenia_t_score"?' in message
    assert 'the key "reason" is missing' in message


@pytest.mark.parametrize("text", ["", "- a\n- b\n", "just words\n", "{}"])
def test_files_that_are_no_scenario(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(text, encoding="utf-8")
    assert "x.yaml" in told(path)


def test_unreadable_files(tmp_path: Path) -> None:
    binary = tmp_path / "x.yaml"
    binary.write_bytes(b"\xff\xfe")
    assert "UTF-8" in told(binary)
    assert "no such file or scenario" in told(tmp_path / "nothing.yaml")
    with pytest.raises(cs.ScenarioError, match='did you mean "us_adults_50plus"'):
        cs.load("us_adults_50pluss")


def test_yaml_python_mapping_and_json_say_the_same(study: cs.Scenario, tmp_path: Path) -> None:
    import json

    plain = study.plain()
    path = tmp_path / "study.json"
    path.write_text(json.dumps(plain), encoding="utf-8")
    assert cs.load(plain) == study
    assert cs.load(path) == study
    arms = [
        cs.Arm(name="usual_care"),
        cs.Arm(
            name="treated",
            medicines=[cs.Treatment(medicine="alendronate", who=cs.Who(t_score_at_most=-1))],
        ),
    ]
    ages = cs.Ages(from_=60, to=90)
    cohorts = [
        cs.Cohort(name=sex, population="us", share=0.5, sexes=[sex], ages=ages) for sex in SEXES
    ]
    built = cs.Scenario(name="small", people=400, years=3, seed=7, cohorts=cohorts, arms=arms)
    assert built == study


def test_the_shipped_scenario_is_the_main_job() -> None:
    study = cs.load("us_adults_50plus")
    assert (study.people, study.years, len(study.arms)) == (1_000_000, 10, 2)


def test_python_mistakes_are_scenario_errors() -> None:
    with pytest.raises(cs.ScenarioError, match="needs at most 1"):
        cs.Treatment(medicine="alendronate", uptake=1.5)
    assert cs.Record(visits=range(0, 25, 12)).visits == (0, 12, 24)
    with pytest.raises(cs.ScenarioError, match=r"shares of the cohorts sum to 0\.5"):
        cs.Scenario(
            name="x", people=1, years=1, cohorts=[cs.Cohort(name="a", population="us", share=0.5)]
        )


def test_settings_change_values_and_name_what_is_not_there(study: cs.Scenario) -> None:
    changed = with_settings(
        study, ["people=1e3", "cohorts[0].ages.from=70", "arms[0].medicines[0]=alendronate"]
    )
    assert changed.people == 1000
    assert changed.cohorts[0].ages.from_ == 70
    assert changed.arms[0].medicines[0].medicine == "alendronate"
    assert study.people == 400
    more = with_settings(study, ["arms[0].medicines[0].medicine=denosumab", "record.visits[0]=6"])
    assert more.arms[0].medicines[0].medicine == "denosumab"
    assert more.record.visits == (6,)
    with pytest.raises(cs.ScenarioError, match='did you mean "people"'):
        with_settings(study, ["peple=3"])
    with pytest.raises(cs.ScenarioError, match=r"no item \[5\]"):
        with_settings(study, ["cohorts[5].name=x"])
    with pytest.raises(cs.ScenarioError, match="command line people: 0"):
        with_settings(study, ["people=0"])


def test_an_own_medicine_beside_the_scenario_is_found_first(study_file: Path) -> None:
    from cohortsim.catalog import Catalog
    from cohortsim.example import EXAMPLE

    text = (EXAMPLE / "medicines" / "my_alendronate.yaml").read_text(encoding="utf-8")
    text = text.replace("id: my_alendronate", "id: alendronate")
    replaced(
        study_file, "t_score_at_most: -1.0}", "t_score_at_most: -1.0}\n        persistence: full"
    )
    (study_file.parent / "medicines").mkdir()
    own = study_file.parent / "medicines" / "alendronate.yaml"
    own.write_text(text.replace("label: ", "label: My ", 1), encoding="utf-8")
    study = cs.load(study_file)
    assert Catalog(study.origin.folder).medicine("alendronate").label.startswith("My ")
    own.write_text(text.replace("unit: /a", "unti: /a", 1), encoding="utf-8")
    message = told(study_file)
    assert "medicines/alendronate.yaml:" in message
    assert 'did you mean "unit"?' in message


def test_a_study_may_be_called_like_a_profile_that_it_uses(study_file: Path) -> None:
    replaced(study_file, "ages: {from: 60, to: 90}", "ages: {from: 60, to: 90}\n    diet: vegan")
    named = study_file.rename(study_file.with_name("vegan.yaml"))
    (study_file.parent / "alendronate.yaml").write_text(named.read_text(), encoding="utf-8")
    assert cs.load(named).cohorts[0].diet == ("vegan",)


def test_a_data_file_that_does_not_fit_the_model_is_told_at_its_line(study_file: Path) -> None:
    from cohortsim import request
    from cohortsim.example import EXAMPLE

    own = study_file.parent / "my_alendronate.yaml"
    text = (EXAMPLE / "medicines" / "my_alendronate.yaml").read_text(encoding="utf-8")
    replaced(study_file, "alendronate", "my_alendronate\n        persistence: full")
    for old, new, words in (
        ("value: 35", "value: -35", "bisphosphonate_uptake by -35 /a; the model takes 0 to"),
        ("shape: while_taken", "shape: per_dose", "interval: 7 d"),
        ("target: bisphosphonate_uptake", "target: glucocorticoid", 'the model takes it in "1"'),
        ("id: my_alendronate", "id: other", 'its file is called "my_alendronate"'),
    ):
        own.write_text(text.replace(old, new).replace("low: 18", "low: -99"), encoding="utf-8")
        with pytest.raises(cs.CohortsimError) as caught:
            request.build(cs.load(study_file))
        assert "my_alendronate.yaml:" in str(caught.value)
        assert words in str(caught.value)


@given(st.text(max_size=200))
def test_any_text_is_read_without_a_traceback(text: str) -> None:
    document = parse(text, "x.yaml")
    if document.data is None or not isinstance(document.data, dict):
        return
    with pytest.raises(cs.ScenarioError):
        cs.load(document.data)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["cohorts", "name", "share", "ages", "from", "medicines", "who"]),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_any_nonsense_under_the_keys_is_told_without_a_traceback(nonsense: object) -> None:
    for key in ("cohorts", "arms", "overrides", "age_bands"):
        with pytest.raises(cs.ScenarioError):
            cs.load({"name": "x", "people": 1, "years": "one", key: nonsense})


@pytest.mark.parametrize("source", [None, 5, [], b"study.yaml", cs.Cohort, "", "a" * 5000, "x\0y"])
def test_what_is_no_study_is_told(source: Any) -> None:
    with pytest.raises(cs.ScenarioError, match=";"):
        cs.load(source)


def test_what_the_core_refuses_is_told_at_its_place(study_file: Path) -> None:
    from cohortsim.core import compiled

    built = request.build(cs.load(study_file))
    built.data["cohorts"][1]["age_from"] = 3
    with pytest.raises(
        cs.ParameterError, match=r"study.yaml:12:5 cohorts\[1\].age_from: 3; needs "
    ):
        compiled(built)

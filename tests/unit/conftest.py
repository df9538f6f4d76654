"""Small studies that the tests share."""

from __future__ import annotations

from pathlib import Path

import cohortsim as cs
import pytest
from hypothesis import settings

settings.register_profile("cohortsim", deadline=None, derandomize=True)
settings.load_profile("cohortsim")

STUDY = """\
cohortsim: 1
name: small
people: 400
years: 3
seed: 7
cohorts:
  - name: women
    population: us
    share: 0.5
    sexes: [women]
    ages: {from: 60, to: 90}
  - name: men
    population: us
    share: 0.5
    sexes: [men]
    ages: {from: 60, to: 90}
arms:
  - name: usual_care
  - name: treated
    medicines:
      - medicine: alendronate
        who: {t_score_at_most: -1.0}
"""


RICH = """\
cohortsim: 1
name: rich
people: 400
years: 5
seed: 7
cohorts:
  - name: women
    population: us
    share: 0.5
    sexes: [women]
    ages: {from: 60, to: 85}
    entry:
      t_scores: [{site: total_hip, at_most: -2.5}, {site: lumbar_spine, at_least: -4}]
      t_score_rule: any
      prior_fracture: true
      years_since_menopause: {from: 5, to: 40}
    hormones: hormone_therapy
    medicines:
      - {medicine: supplement, persistence: full}
      - medicine: pill
        start_month: -36
        months: 24
        then: [{medicine: tablet, wait_months: 6, months: 6}]
  - {name: men, population: us, share: 0.5, sexes: men, ages: [60, 85]}
arms:
  - name: usual_care
  - name: sequence
    medicines:
      - medicine: patch
        end_month: 12
        persistence: full
        stop: {t_score_at_least: -2.0, site: total_hip, every_months: 6, at_fracture: true}
        who: {t_score_at_most: -1, t_score_at_least: -4, prior_fracture: true, ages: [60, 80]}
        then:
          - {medicine: tablet, dose: {value: 7.5, unit: mg}, route: oral, months: 24}
          - {medicine: pill, wait_months: 12, months: 24, uptake: 0.8}
          - infusion
      - {medicine: infusion, start_month: 6, months: 12, who: {sexes: men}}
record: {persons: false, visits: [0, 6, 12, 60]}
"""
TABLET = """\
id: tablet
label: Tablet
class: glucocorticoid
dose: {value: 5, unit: mg}
dose_range: {low: 2.5, high: 10}
interval: {value: 1, unit: d}
route: oral
effects:
  - target: glucocorticoid
    amount: &amount
      {value: 0.5, unit: "1", low: 0.2, high: 1, source: assumption, status: assumption}
  - {target: load, scales_with_dose: false, amount: *amount}
persistence:
  source: assumption
  status: assumption
  curve: [{month: 0, share: 1}, {month: 12, share: 0.5, low: 0.4, high: 0.6}]
"""
INFUSION = (
    TABLET.replace("tablet", "infusion")
    .replace("Tablet", "Infusion")
    .replace("dose_range: {low: 2.5, high: 10}\n", "")
    .replace("{value: 1, unit: d}", "{value: 1, unit: a}")
    .replace("route: oral", "route: intravenous")
    .replace("target: glucocorticoid", "target: glucocorticoid\n    shape: per_dose")
)
OWN = {"tablet": TABLET, "infusion": INFUSION}
OWN |= {
    id_: TABLET.replace("tablet", id_).replace("Tablet", id_.capitalize())
    for id_ in ("supplement", "pill", "patch")
}


@pytest.fixture
def tablet() -> str:
    """The text of a medicine's own file."""
    return TABLET


@pytest.fixture
def rich_file(tmp_path: Path) -> Path:
    """A scenario with everything that courses, recruitment and visits can be, and own medicines."""
    (tmp_path / "medicines").mkdir()
    for name, text in OWN.items():
        (tmp_path / "medicines" / f"{name}.yaml").write_text(text, encoding="utf-8")
    path = tmp_path / "rich.yaml"
    path.write_text(RICH, encoding="utf-8")
    return path


@pytest.fixture
def rich(rich_file: Path) -> cs.Scenario:
    """The same study, read."""
    return cs.load(rich_file)


@pytest.fixture
def study_file(tmp_path: Path) -> Path:
    """A scenario file with two cohorts and two arms."""
    path = tmp_path / "study.yaml"
    path.write_text(STUDY, encoding="utf-8")
    return path


@pytest.fixture
def study(study_file: Path) -> cs.Scenario:
    """The same study, read."""
    return cs.load(study_file)


@pytest.fixture(scope="session")
def results(tmp_path_factory: pytest.TempPathFactory) -> cs.Results:
    """Results of the small study, in memory."""
    path = tmp_path_factory.mktemp("study") / "study.yaml"
    path.write_text(STUDY, encoding="utf-8")
    return cs.run(path, people=3000)

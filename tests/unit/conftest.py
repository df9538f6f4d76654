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

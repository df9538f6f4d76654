"""What README.md shows can be done, can be done."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import cohortsim as cs
import pytest
from cohortsim.catalog import Catalog
from cohortsim.example import EXAMPLES

README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """Return the code blocks of a language."""
    return re.findall(rf"```{language}\n(.*?)```", README, re.S)


def test_the_python_examples_run() -> None:
    assert len(blocks("python")) >= 2
    names: dict[str, Any] = {"cs": cs}
    for block in blocks("python"):
        exec(block, names)
    assert names["results"].averted().height > 0


@pytest.mark.parametrize("text", blocks("yaml"))
def test_the_yaml_examples_are_studies(text: str, tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    path.write_text(text, encoding="utf-8")
    study = cs.load(path)
    results = cs.run(study, people=200, years=None if study.record.visits else 1)
    assert set(results.prevalence(by="cohort", year=0)["cohort"]) == {c.name for c in study.cohorts}


def test_the_two_commands_stand_before_everything_else() -> None:
    first = README.split("\n## ")[0]
    assert "make run" in first
    assert "make test" in first


def test_the_country_of_ones_own_can_be_read(tmp_path: Path) -> None:
    """The file that README.md shows, with the tables of the example."""
    text = "id: norway" + README.split("\nid: norway")[1].split("```")[0]
    folder = tmp_path / "populations" / "norway"
    folder.mkdir(parents=True)
    (folder / "population.yaml").write_text(text, encoding="utf-8")
    tables = EXAMPLES / "own_country" / "populations" / "norway"
    for name in ("life_table", "fracture_incidence"):
        (folder / f"{name}.csv").write_text((tables / f"{name}.csv").read_text(encoding="utf-8"))
    population = Catalog(tmp_path).population("norway")
    assert population.taken_from["age_structure"]
    assert population.entry.incidence_year == 2017

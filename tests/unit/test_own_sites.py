"""A fracture site and a risk factor of one's own: data files beside the study, nothing else."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import cohortsim as cs
import polars as pl
import pytest
from cohortsim import document
from cohortsim.catalog import SHIPPED, Catalog
from cohortsim.errors import ScenarioError
from cohortsim.fields import SEXES

RATE = 0.02  # per person-year, so that few people show it


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A study of a population like that of the United States, in a folder of its own."""
    (tmp_path / "populations" / "mine").mkdir(parents=True)
    cohort = {"name": "all", "population": "mine", "ages": {"from": 50, "to": 80}}
    study = {"cohortsim": 1, "name": "own", "people": 2000, "years": 3, "cohorts": [cohort]}
    (tmp_path / "study.yaml").write_text(document.dump(study), encoding="utf-8")
    return tmp_path


def write_population(folder: Path, tables: dict[str, str], **keys: Any) -> None:
    """Write the population `mine`: what differs from that of the United States."""
    home = folder / "populations" / "mine"
    plain = {
        "id": "mine",
        "label": "Mine",
        "like": "us",
        "calendar_year": 2019,
        "describes": "Made for a test.",
        "tables": {n: {"file": f"{n}.csv", "source": "assumption"} for n in tables},
        **keys,
    }
    (home / "population.yaml").write_text(document.dump(plain), encoding="utf-8")
    for name, text in tables.items():
        (home / f"{name}.csv").write_text(text, encoding="utf-8")


def write_site(folder: Path) -> None:
    """Write the site `ankle`, made of that of the shin."""
    (folder / "fracture_sites").mkdir()
    text = (SHIPPED / "fracture_sites" / "tibia.yaml").read_text(encoding="utf-8")
    text = text.replace("id: tibia", "id: ankle").replace("decision: 7", "decision: 8")
    (folder / "fracture_sites" / "ankle.yaml").write_text(text, encoding="utf-8")


def test_a_fracture_site_is_a_file_and_its_rates(folder: Path) -> None:
    write_site(folder)
    write_population(folder, {})
    with pytest.raises(ScenarioError, match='no fracture incidence of "ankle"'):
        cs.run(folder / "study.yaml")
    rows = "".join(f"ankle,{sex},{age},{RATE}\n" for sex in SEXES for age in (50, 90))
    write_population(folder, {"fracture_incidence": f"site,sex,age,rate\n{rows}"})
    found = cs.run(folder / "study.yaml").incidence(by="site", group="any")
    ankles = found.filter(site="ankle").row(0, named=True)
    assert ankles["low"] < 1000 * RATE < ankles["high"]
    assert set(found["site"].cast(pl.String)) > {"ankle", "hip", "tibia"}


def test_a_risk_factor_is_a_file_and_its_place_in_the_population(folder: Path) -> None:
    (folder / "risk_factors").mkdir()
    ratio = {"value": 4.0, "unit": "1", "low": 2.0, "high": 6.0, "source": "assumption"}
    ratio |= {"status": "assumption", "adjusted_for_bmd": False}
    factor = {"id": "stroke", "label": "Stroke", "hazard_ratios": {"hip": ratio, "other": ratio}}
    path = folder / "risk_factors" / "stroke.yaml"
    path.write_text(document.dump(factor), encoding="utf-8")
    shares = "".join(f"stroke,{sex},{age},0.3\n" for sex in SEXES for age in (50, 90))
    order = [*Catalog().population("us").entry.correlation_order, "stroke"]
    us = SHIPPED / "populations" / "us" / "correlation.csv"
    with us.open(encoding="utf-8", newline="") as file:
        known = [(r["sex"], r["row"], r["column"], r["r"]) for r in csv.DictReader(file)]
    new = [
        (sex, *pair, "0")
        for sex in SEXES
        for o in order[:-1]
        for pair in ((o, "stroke"), ("stroke", o))
    ]
    new += [(sex, "stroke", "stroke", "1") for sex in SEXES]
    tables = {
        "prevalence": f"characteristic,sex,age,prevalence\n{shares}",
        "correlation": "sex,row,column,r\n"
        + "".join(",".join(row) + "\n" for row in [*known, *new]),
    }
    write_population(folder, tables, correlation_order=order)
    results = cs.run(folder / "study.yaml", people=4000)
    with_stroke = results.persons.collect()["stroke"].mean()
    assert with_stroke == pytest.approx(0.3, abs=0.03)
    rates = dict(
        results.incidence(by="stroke", sites="other").select("stroke", "rate_per_1000").rows()
    )
    assert rates[True] > 2 * rates[False]

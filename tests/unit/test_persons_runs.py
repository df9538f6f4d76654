"""Runs of real people: who is simulated, what is kept of them, and other people are refused."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import cohortsim as cs
import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner
from cohortsim import cli, persons, request, running, tracing
from cohortsim.catalog import Catalog
from cohortsim.core import compiled, core
from cohortsim.persons_columns import columns

N = 60
FACTORS = [factor.id for factor in Catalog().risk_factors]
STUDY = """\
name: own
people: PEOPLE
years: 1
cohorts:
  - name: clinic
    ages: [50, 100]
    population: {file: persons.csv, columns: {neck: abmd_femoral_neck}}
"""


def frame(rows: int = N) -> pl.DataFrame:
    """Women and men in turn, whose values tell who they are; every third neck is missing."""
    row = np.arange(rows)
    neck = [None if n % 3 == 0 else round(0.6 + n / 400, 4) for n in range(rows)]
    return pl.DataFrame(
        {
            "id": [f"p{n}" for n in range(rows)],
            "sex": ["F" if n % 2 == 0 else "M" for n in range(rows)],
            "age": 52 + row % 30,
            "height": 150.0 + row / 2,
            "neck": neck,
            "smoking": row % 2,
        }
    )


def written(folder: Path, people: str = "null", rows: pl.DataFrame | None = None) -> Path:
    """A scenario beside its file of persons."""
    (frame() if rows is None else rows).write_csv(folder / "persons.csv")
    (folder / "study.yaml").write_text(STUDY.replace("PEOPLE", people), encoding="utf-8")
    return folder / "study.yaml"


@cache
def population() -> Any:
    """A model whose population's means other models take over, which saves time."""
    study = cs.Scenario(
        name="any", people=1, years=1, cohorts=[cs.Cohort(name="a", population="us")]
    )
    return compiled(request.build(study))


def run(
    study: Path | cs.Scenario, out: Path | None = None, given: persons.Given | None = None
) -> cs.Results:
    """What cs.run() does, in less time."""
    made = request.build(cs.load(study), given=given)
    return running.carry_out(made, folder=out, model=compiled(made, population()))


def persons_of(results: cs.Results) -> pl.DataFrame:
    """The table of persons."""
    return results.persons.collect().sort("person")


def test_each_row_is_simulated_once_with_what_is_known(tmp_path: Path) -> None:
    results = run(written(tmp_path), tmp_path / "results")
    assert results.scenario.people == N
    people, rows = persons_of(results), frame()
    assert people["source_row"].to_list() == list(range(N))
    assert people["height"].to_list() == rows["height"].to_list()
    assert (people["sex"] == "women").to_list() == (rows["sex"] == "F").to_list()
    assert people["smoking"].to_list() == (rows["smoking"] == 1).to_list()
    assert (people["age_months"] // 12).to_list() == rows["age"].to_list()
    known = rows["neck"].is_not_null()
    neck = people["abmd_femoral_neck"]
    np.testing.assert_array_equal(
        neck.filter(known).to_numpy(), rows["neck"].drop_nulls().to_numpy().astype(np.float32)
    )
    drawn = neck.filter(~known)
    assert drawn.is_finite().all()
    assert drawn.n_unique() == len(drawn)


def test_columns_of_a_file_are_the_characteristics_of_the_core() -> None:
    own = columns(["smoking"])
    numbers = {name: c.unit for name, c in own.items() if c.kind == "number"}
    flags = {name for name, c in own.items() if c.kind == "yes_no"} - {"smoking"}
    of_core = {entry["name"]: entry["unit"] for entry in core().characteristics()}
    assert numbers | dict.fromkeys(flags, "1") == of_core


def test_people_of_a_run_can_be_people_of_another(tmp_path: Path) -> None:
    first = persons_of(run(written(tmp_path, "300")))
    names = [name for name in columns(FACTORS) if name in first.columns]
    made = first.select((pl.col("age_months") / 12).alias("age"), *names)
    study = cs.Scenario(
        name="again", people=300, years=1, seed=9, cohorts=[cs.Cohort(name="a", population="us")]
    )
    again = persons_of(run(study, given={"a": made}))
    assert len(names) > 15
    assert again.select("age_months", *names).equals(first.select("age_months", *names))


def test_provenance_keeps_the_file_and_no_person(tmp_path: Path) -> None:
    run(written(tmp_path), tmp_path / "results")
    text = (tmp_path / "results" / "provenance.json").read_text(encoding="utf-8")
    kept = json.loads(text)
    described = kept["persons"]["clinic"]
    assert (described["file"], described["rows"], described["like"]) == ("persons.csv", N, "us")
    assert described["known"]["abmd_femoral_neck"] == N - N // 3
    assert kept["request"]["cohorts"][0]["persons"] == {"rows": N, "sha256": described["sha256"]}
    assert "persons.csv" not in kept["own_files"]
    assert '"p7"' not in text
    assert str(tmp_path) not in text


def test_other_people_are_another_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study, out = written(tmp_path), tmp_path / "results"
    first = run(study, out)
    again = run(study, out)  # finished: opened, not simulated anew
    assert again.provenance["fingerprints"] == first.provenance["fingerprints"]
    monkeypatch.chdir(tmp_path)
    repeated = run(out / "provenance.json")
    assert repeated.provenance["fingerprints"] == first.provenance["fingerprints"]
    written(tmp_path, rows=frame().with_columns(height=pl.col("height") + 1))
    with pytest.raises(cs.ResultsError, match="already holds another run"):
        cs.run(study, out=out)
    with pytest.raises(cs.ScenarioError, match=r"60 persons with other values; needs the 60"):
        cs.run(out / "provenance.json")
    (tmp_path / "persons.csv").unlink()
    with pytest.raises(cs.ScenarioError, match=r"persons\.csv: no such file"):
        cs.run(out / "provenance.json")


def test_a_frame_stands_in_for_a_file_and_for_a_population(tmp_path: Path) -> None:
    of_file = run(written(tmp_path))
    other = cs.load(tmp_path / "study.yaml")
    (tmp_path / "persons.csv").unlink()
    of_frame = run(other, given={"clinic": frame()})
    assert persons_of(of_file).equals(persons_of(of_frame))
    assert of_frame.provenance["persons"]["clinic"]["file"] is None
    study = cs.Scenario(
        name="own", people=N, years=1, cohorts=[cs.Cohort(name="clinic", population="us")]
    )
    given = {"clinic": frame().rename({"neck": "abmd_femoral_neck"})}
    drawn = cs.run(study, persons=given)
    assert persons_of(drawn).equals(persons_of(of_file))
    with pytest.raises(cs.ScenarioError, match="no cohort of this name"):
        cs.run(study, persons={"clinc": given["clinic"]})


def test_weights_say_how_often_a_row_is_there(tmp_path: Path) -> None:
    rows = frame().with_columns(weight=pl.Series(np.arange(N) % 4, dtype=pl.Float64))
    people = persons_of(run(written(tmp_path, "1000", rows)))
    count = np.bincount(people["source_row"].to_numpy(), minlength=N)
    weight = rows["weight"].to_numpy()
    assert (np.abs(count - 1000 * weight / weight.sum()) <= 1).all()
    with pytest.raises(cs.ScenarioError, match="have weights; needs a number of people"):
        cs.run(written(tmp_path, "null", rows))


def test_batches_and_threads_change_nobody(tmp_path: Path) -> None:
    made = request.build(cs.load(written(tmp_path, "500")))
    model = compiled(made, population())
    one = running.carry_out(made, threads=1, model=model)
    many = running.carry_out(made, threads=2, batch=64, model=model)
    assert one.provenance["fingerprints"] == many.provenance["fingerprints"]


def test_ages_and_sexes_of_the_cohort_choose_rows(tmp_path: Path) -> None:
    study = written(tmp_path)
    text = study.read_text(encoding="utf-8").replace("[50, 100]", "[60, 65]\n    sexes: men")
    study.write_text(text, encoding="utf-8")
    people = persons_of(run(study))
    rows = frame().with_row_index()
    chosen = rows.filter(pl.col("age").is_between(60, 65) & (pl.col("sex") == "M"))
    assert people["source_row"].to_list() == chosen["index"].to_list()


def test_a_life_of_a_person_of_the_file_is_traced(tmp_path: Path) -> None:
    life = tracing.trace(request.build(cs.load(written(tmp_path))), 7, None)
    assert life


def test_the_command_line_tells_all_mistakes_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = frame().with_columns(height=pl.col("height") / 100, smoking=pl.lit(3))
    study = written(tmp_path, rows=rows)
    monkeypatch.chdir(tmp_path)
    for command in (["check", str(study)], ["run", str(study), "--out", "results"]):
        told = CliRunner().invoke(cli.main, command)
        assert told.exit_code == 2
        assert "persons.csv:2 height: 1.5; needs cm, 90 to 230; did you give metres?" in told.output
        assert "persons.csv:2 smoking: 3" in told.output or '"3"' in told.output
        assert "22 mistakes" in told.output
    assert not (tmp_path / "results").exists()
    told = CliRunner().invoke(cli.main, ["list", "persons_columns"])
    assert "abmd_lumbar_spine" in told.output

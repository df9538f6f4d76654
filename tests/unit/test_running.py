"""Batches, resuming, torn files, interruption, provenance: none of them changes a table."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
from itertools import pairwise
from pathlib import Path
from typing import Any

import cohortsim as cs
import polars as pl
import pytest
from cohortsim import request, running, store
from cohortsim.batches import PERSON_MONTHS_PER_BATCH, batch_size, batches
from cohortsim.example import EXAMPLE
from cohortsim.running import Step
from hypothesis import given
from hypothesis import strategies as st


def prints(results: cs.Results) -> object:
    return results.provenance["fingerprints"]


@given(st.integers(1, 10**6), st.integers(1, 5000))
def test_batches_hold_everybody_once(people: int, size: int) -> None:
    plan = list(batches(people, size)) if people // size < 1000 else []
    assert sum(batch.n_people for batch in plan) in (people, 0)
    for before, after in pairwise(plan):
        assert before.first_person + before.n_people == after.first_person


def test_batches_of_very_many_people_take_no_memory() -> None:
    assert next(iter(batches(10**12, 1))).n_people == 1


@given(st.integers(1, 2400), st.integers(1, 255))
def test_a_batch_is_short(months: int, arms: int) -> None:
    size = batch_size(months, arms)
    assert size == 1 or size * months * arms <= PERSON_MONTHS_PER_BATCH


def test_threads_batches_and_folders_do_not_matter(study: cs.Scenario, tmp_path: Path) -> None:
    built = request.build(study)
    whole = running.carry_out(built, threads=1)
    parts = running.carry_out(built, threads=2, batch=77)
    kept = running.carry_out(built, folder=tmp_path / "out", batch=130)
    assert prints(whole) == prints(parts) == prints(kept) == prints(cs.open(tmp_path / "out"))
    by = ["arm", "sex", "age_band", "site"]
    assert whole.incidence(by=by).equals(kept.incidence(by=by))


def stop_after(people: int) -> running.Report:
    def report(step: Step) -> None:
        if step.done >= people:
            os.kill(os.getpid(), signal.SIGINT)

    return report


def test_an_interrupted_run_goes_on_and_gives_the_same_tables(
    study: cs.Scenario, tmp_path: Path
) -> None:
    built, folder = request.build(study), tmp_path / "out"
    with pytest.raises(cs.Interrupted, match="the same command again goes on") as caught:
        running.carry_out(built, folder=folder, batch=100, report=stop_after(200))
    assert "200 of 400 people" in str(caught.value)
    with pytest.raises(cs.ResultsError, match="unfinished"):
        cs.open(folder)
    kept = sorted(path.name for path in (folder / "events").iterdir())
    assert kept == ["000000000000.parquet", "000000000100.parquet"]
    before = (folder / "events" / kept[0]).stat().st_mtime_ns
    resumed = running.carry_out(built, folder=folder, batch=130)
    assert (folder / "events" / kept[0]).stat().st_mtime_ns == before
    assert resumed.provenance["resources"]["simulated_people"] == 200
    assert prints(resumed) == prints(running.carry_out(built))


def test_a_torn_part_is_noticed_and_done_again(study: cs.Scenario, tmp_path: Path) -> None:
    built, folder = request.build(study), tmp_path / "out"
    first = running.carry_out(built, folder=folder, batch=100)
    part = folder / "follow_up" / "000000000100.parquet"
    part.write_bytes(part.read_bytes()[:-20])
    (folder / "events" / "000000000300.parquet").unlink()
    again = running.carry_out(built, folder=folder)
    assert again.provenance["resources"]["simulated_people"] == 200
    assert prints(again) == prints(first)


def test_a_finished_run_is_opened_not_repeated(study: cs.Scenario, tmp_path: Path) -> None:
    first = cs.run(study, out=tmp_path / "out")
    again = cs.run(study, out=tmp_path / "out")
    assert again.provenance == json.loads((tmp_path / "out" / "provenance.json").read_text())
    assert again.provenance["resources"] == json.loads(json.dumps(first.provenance["resources"]))


def test_other_age_bands_of_the_same_run_are_summed_up_anew(
    study: cs.Scenario, tmp_path: Path
) -> None:
    cs.run(study, out=tmp_path / "out")
    again = cs.run(study.changed(age_bands=[60, 75]), out=tmp_path / "out")
    assert again.provenance["resources"]["simulated_people"] == study.people
    bands = pl.read_csv(tmp_path / "out" / "tables" / "incidence.csv")["age_band"].unique()
    assert sorted(bands) == ["60-74", "75+"]


def test_a_folder_of_another_run_is_left_alone(study: cs.Scenario, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    cs.run(study, out=folder)
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    with pytest.raises(cs.ResultsError, match="already holds another run"):
        cs.run(study, seed=8, out=folder)
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("x")
    with pytest.raises(cs.ResultsError, match="already holds other files"):
        cs.run(study, out=tmp_path / "mine")
    with pytest.raises(cs.ResultsError, match="is a file"):
        cs.run(study, out=tmp_path / "mine" / "thesis.txt")
    with pytest.raises(cs.ResultsError, match="cannot be written"):
        cs.run(study, out=tmp_path / "mine" / "thesis.txt" / "out")


def test_the_provenance_repeats_the_run_exactly(study: cs.Scenario, tmp_path: Path) -> None:
    first = cs.run(study, out=tmp_path / "out")
    for source in (tmp_path / "out" / "provenance.json", tmp_path / "out"):
        again = cs.run(source)
        assert prints(again) == prints(first)
        assert again.provenance["parameters"] == first.provenance["parameters"]
    fewer = cs.run(tmp_path / "out", people=50)
    assert fewer.prevalence(by=[])["people"][0] == 50
    repeated = cs.load(tmp_path / "out")
    with pytest.raises(cs.ScenarioError, match="may change people, years, seed"):
        cs.run(repeated.changed(classify_at="total_hip"))


def test_the_resolved_scenario_is_the_study(study: cs.Scenario, tmp_path: Path) -> None:
    cs.run(study, out=tmp_path / "out")
    assert cs.load(tmp_path / "out" / "scenario.yaml") == study


def test_the_provenance_names_no_machine(study: cs.Scenario, tmp_path: Path) -> None:
    import platform

    cs.run(study, out=tmp_path / "out")
    text = (tmp_path / "out" / "provenance.json").read_text()
    assert str(tmp_path) not in text
    assert platform.node() not in text
    record = json.loads(text)
    assert record["software"].keys() >= {"cohortsim", "core", "python", "polars", "numpy"}
    assert "seconds" not in json.dumps({k: v for k, v in record.items() if k != "resources"})


def test_a_person_alone_is_the_person_in_the_crowd(study: cs.Scenario) -> None:
    crowd = cs.run(study)
    alone = running.carry_out(request.build(study), batch=1)
    assert crowd.persons.collect().equals(alone.persons.collect())
    assert crowd.follow_up.collect().equals(alone.follow_up.collect())


def test_summary_tables_and_dictionary_stand_beside_the_parts(
    study: cs.Scenario, tmp_path: Path
) -> None:
    results = cs.run(study, out=tmp_path / "out")
    incidence = pl.read_csv(tmp_path / "out" / "tables" / "incidence.csv")
    assert incidence.columns[:5] == ["arm", "cohort", "sex", "age_band", "site"]
    told = (tmp_path / "out" / "README.txt").read_text()
    for table in ("persons", "follow_up", "events", "person_time", "states", "spine"):
        assert f"\n{table}/" in told
    for file in (tmp_path / "out" / "tables").glob("*.csv"):
        assert f"\n  {file.stem} " in told
        for column in pl.read_csv(file).columns:
            assert re.search(rf"^  {column} +(text|integer|number) ", told, re.M), column
    assert re.search("^  abmd_femoral_neck +number +g/cm2", told, re.M)
    assert re.search("^  event +text +.*death", told, re.M)
    assert results.folder == tmp_path / "out"


def test_persons_can_be_left_out(study: cs.Scenario) -> None:
    results = cs.run(study.changed(record={"persons": False}))
    assert results.kept == ["events", "person_time", "states", "spine"]
    with pytest.raises(cs.ResultsError, match="no table persons; needs a run that kept it"):
        _ = results.persons
    assert results.prevalence(by=[])["people"][0] == study.people
    assert not results.averted().is_empty()


def test_the_results_scenario_runs_again_with_the_studys_own_files(tmp_path: Path) -> None:
    shutil.copytree(EXAMPLE, tmp_path / "mine")
    first = cs.run(tmp_path / "mine" / "study.yaml", people=300, years=2, out=tmp_path / "out")
    shutil.rmtree(tmp_path / "mine")
    again = cs.run(tmp_path / "out" / "scenario.yaml")
    assert prints(again) == prints(first)
    repeated = cs.run(tmp_path / "out", out=tmp_path / "repeated")
    assert prints(repeated) == prints(first)
    assert prints(cs.run(tmp_path / "repeated" / "scenario.yaml")) == prints(first)


def test_a_full_disk_is_told_and_what_was_written_is_gone_on_with(
    study: cs.Scenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise pl.exceptions.ComputeError("No space left on device (os error 28)")

    with monkeypatch.context() as patched:
        patched.setattr(pl.DataFrame, "write_parquet", full)
        with pytest.raises(cs.ResultsError, match=r"No space left on device.*; make room"):
            cs.run(study, out=tmp_path / "out")
    assert prints(cs.run(study, out=tmp_path / "out")) == prints(cs.run(study))


def test_ctrl_c_while_the_tables_are_summed_up_keeps_the_parts(
    study: cs.Scenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def written(frame: pl.DataFrame, path: Path, *more: Any) -> None:
        write(frame, path, *more)
        if path.parent.name == "tables":
            os.kill(os.getpid(), signal.SIGINT)

    write = store.write_parquet
    with monkeypatch.context() as patched:
        patched.setattr(store, "write_parquet", written)
        with pytest.raises(cs.Interrupted, match="goes on from there"):
            running.carry_out(request.build(study), folder=tmp_path / "out")
    assert not (tmp_path / "out" / "provenance.json").exists()
    assert prints(cs.run(study, out=tmp_path / "out")) == prints(cs.run(study))


@pytest.mark.parametrize("threads", [0, -1, 1.5, "two", True, 10**6])
def test_threads_are_a_number_that_can_be(study: cs.Scenario, threads: int) -> None:
    with pytest.raises(cs.ScenarioError, match=r"threads: .*needs a whole number from 1 to"):
        cs.run(study, threads=threads)


def test_what_does_not_apply_is_missing(study: cs.Scenario) -> None:
    persons = cs.run(study).persons.collect()
    men = pl.col("sex") == "men"
    assert persons.filter(men)["menopause_age"].is_null().all()
    assert persons.filter(~men)["menopause_age"].is_not_null().all()


def test_provenance_says_whom_to_cite_and_where_each_value_comes_from(study: cs.Scenario) -> None:
    provenance = cs.run(study).provenance
    cited = {entry["key"]: entry for entry in provenance["citations"]}
    assert cited["looker1998"]["cite"] == "Looker et al. 1998"
    assert all(entry["title"] for entry in cited.values())
    for value in provenance["parameters"]:
        assert value["unit"]
        assert value["status"]
        assert set(value["source"]) <= {*cited, "calibrated", "assumption"}
        assert "sha256" in value or value["low"] <= value["value"] <= value["high"]

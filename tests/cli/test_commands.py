"""Every command does what its help says, and every refusal has its exit code."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import cohortsim as cs
import polars as pl
import pytest
from cohortsim.catalog import Catalog
from cohortsim.units import MINUTES_PER_MONTH

Cli = Callable[..., subprocess.CompletedProcess[str]]
SMALL = ("--people", "300", "--years", "2")


def test_help_answers_quickly_because_nothing_heavy_is_imported(cli: Cli) -> None:
    code = (
        "import sys, cohortsim.cli; "
        "heavy = {'polars', 'numpy', 'pydantic', 'scipy', 'ruamel.yaml', 'cohortsim._core'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    done = cli("--help")
    assert done.returncode == 0
    for command in [
        "run",
        "show",
        "new",
        "check",
        "explain",
        "plan",
        "trace",
        "validate",
        "list",
        "schema",
    ]:
        assert command in done.stdout


def test_version(cli: Cli) -> None:
    assert cli("--version").stdout.startswith("cohortsim ")


def test_run_shows_a_screen_of_eighty_columns_and_names_the_folder_last(
    cli: Cli, study_folder: Path
) -> None:
    done = cli("run", "mine/study.yaml", *SMALL)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[-1].startswith("results in results/first_study-")
    for words in ("women 60-69", "Fractures per 1,000 person-years", "95 % interval", "per second"):
        assert words in done.stdout


def test_the_main_job_fits_two_screens_of_forty_lines(cli: Cli) -> None:
    done = cli("run", "--people", "2000")
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) <= 80


def test_json_is_one_object_and_all_else_goes_to_standard_error(
    cli: Cli, study_folder: Path, tmp_path: Path
) -> None:
    done = cli("run", "mine/study.yaml", *SMALL, "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert list(answer) == [
        "results",
        "people",
        "person_months",
        "seconds",
        "person_months_per_second",
        "tables",
    ]
    assert answer["people"] == 300
    lived = cs.open(tmp_path / answer["results"]).person_time.select(pl.col("minutes").sum())
    assert answer["person_months"] == lived.collect().item() // MINUTES_PER_MONTH
    assert 0.9 * 300 * 24 * 4 < answer["person_months"] <= 300 * 24 * 4
    assert "Fractures per 1,000" in done.stderr
    again = json.loads(cli("run", "mine/study.yaml", *SMALL, "--json", "--quiet").stdout)
    assert again["tables"] == answer["tables"]


def test_validate_tells_every_number_of_a_layer_and_draws_its_trials(
    cli: Cli, tmp_path: Path
) -> None:
    done = cli("validate", "--layer", "minerals", "--people", "200", "--out", "there", "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert list(answer) == [
        *("validation", "trials", "seconds", "bars", "summary", "table"),
        *("outcome_summary", "outcomes"),
    ]
    assert answer["outcomes"] == []
    assert {row["layer"] for row in answer["table"]} == {"minerals"}
    assert all(row["simulated"] is not None for row in answer["table"])
    kept = pl.read_csv(tmp_path / "there" / "validation.csv")
    assert kept["id"].to_list() == [row["id"] for row in answer["table"]]
    assert "MINERALS" in done.stderr
    assert "Bars" in done.stderr
    for name in ("index.html", "figures/chapuy.svg", "figures/chapuy.png", "figures/all.png"):
        assert (tmp_path / "there" / name).stat().st_size > 1000
    quiet = cli("validate", "--layer", "loading", "--people", "200", "--quiet")
    assert quiet.stderr == ""
    assert quiet.stdout.startswith("Agreement")


def test_quiet_prints_the_folder_only(cli: Cli, study_folder: Path, tmp_path: Path) -> None:
    done = cli("run", "mine/study.yaml", *SMALL, "--quiet", "--out", "there")
    assert (done.stdout, done.stderr) == ("there\n", "")
    assert (tmp_path / "there" / "provenance.json").is_file()
    shown = cli("show", "there")
    assert "Fractures per 1,000 person-years" in shown.stdout
    assert shown.stdout.endswith("results in there\n")
    again = cli("run", "there/provenance.json", "--out", "again", "--json", "--quiet")
    before, after = (
        pl.read_csv(tmp_path / folder / "tables" / "incidence.csv") for folder in ("there", "again")
    )
    assert again.returncode == 0
    assert before.equals(after)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("run", "nothing.yaml"), ["no such file or scenario"]),
        (("run", "us_adults_50pluss"), ['did you mean "us_adults_50plus"?']),
        (("run", "mine/study.yaml", "--people", "0"), ["command line people: 0; needs 1 or more"]),
        (("run", "mine/study.yaml", "--people", "nan"), ["needs a whole number"]),
        (("run", "mine/study.yaml", "--years", "90"), ["life table"]),
        (("run", "mine/study.yaml", "--set", "peple=3"), ['did you mean "people"?']),
        (("run", "mine/study.yaml", "--set", "people"), ["not PATH=VALUE"]),
        (("run", "mine/study.yaml", "--people", "9", "--out", "mine"), ["already holds"]),
        (("run", "mine/study.yaml", "--people", "9", "--out", "mine/study.yaml"), ["is a file"]),
        (("run", "--no-such-option"), ["No such option"]),
        (("check", "mine"), ["is a folder without provenance.json"]),
        (("trace", "mine/study.yaml", "--person", "-1"), ["needs 0 to 19999"]),
        (("trace", "mine/study.yaml", "--person", "1", "--arm", "x"), ['no arm "x"']),
        (("validate", "--layer", "mineral"), ['did you mean "minerals"?']),
        (("validate", "--people", "0"), ["0 is not in the range"]),
        (("validate", "--layer", "minerals", "--out", "mine"), ["already holds other files"]),
        (("show", "mine"), ["holds no readable provenance.json"]),
        (("list", "medicine"), ['did you mean "medicines"?']),
        (("new", "mine"), ["is not empty"]),
        (("new", "x", "--example", "own_contry"), ['no example "own_contry"', '"own_country"?']),
    ],
)
def test_refusals_say_what_to_do_and_exit_with_2(
    cli: Cli, study_folder: Path, arguments: tuple[str, ...], words: list[str]
) -> None:
    done = cli(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in done.stderr


def test_check_tells_all_mistakes_with_lines(cli: Cli, study_folder: Path) -> None:
    assert cli("check", "mine/study.yaml").stdout.startswith("mine/study.yaml: no mistakes")
    path = study_folder / "study.yaml"
    text = path.read_text(encoding="utf-8")
    text = text.replace("people: 20000", "peple: 20000").replace("share: 0.2", "share: 0.3")
    path.write_text(text.replace("medicine: my_alendronate", "medicine: my_alendronat"))
    done = cli("check", "mine/study.yaml")
    assert done.returncode == 2
    assert done.stderr.count("study.yaml:") == 4
    assert "4 mistakes" in done.stderr


def test_a_medicine_that_acts_on_nothing_known_is_told(cli: Cli, study_folder: Path) -> None:
    path = study_folder / "medicines" / "my_alendronate.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("bisphosphonate_uptake ", "bisphosphonate_uptak  "))
    done = cli("check", "mine/study.yaml")
    assert done.returncode == 2
    assert 'did you mean "bisphosphonate_uptake"?' in done.stderr
    path.write_text(text.replace("unit: /a", "unit: mg"))
    assert 'the model takes it in "/a"' in cli("check", "mine/study.yaml").stderr


def test_explain_says_who_what_and_how_long(cli: Cli, study_folder: Path) -> None:
    said = " ".join(cli("explain", "mine/study.yaml").stdout.split())
    for words in (
        "20,000 people are followed for 10 years",
        "Every woman has her last period at 42",
        "T-score of -2.5 or lower at the femoral neck",
        "half of them have stopped after 36 months",
        "70 mg every 7 d",
        "Not modelled",
    ):
        assert words in said


def test_explain_tells_what_the_catalog_holds(cli: Cli, study_folder: Path) -> None:
    done = cli("explain", "alendronate")
    assert done.returncode == 0, done.stderr
    said = " ".join(done.stdout.split())
    uptake = Catalog().medicine("alendronate").effects[0].amount
    for words in (
        "Alendronate (medicine alendronate;",
        "Changes bisphosphonate uptake",
        f"by {uptake.value:g} /a (plausible {uptake.low:g} to {uptake.high:g};",
        "47.9 % at month 12 (plausible 30 to 69 %)",
        "friesen2020: Friesen, K. J.; Bugden, S.; Falk, J. Time to benefit",
    ):
        assert words in said
    assert max(map(len, done.stdout.splitlines())) <= 80
    profile = " ".join(cli("explain", "surgical_menopause").stdout.split())
    assert "(hormones profile surgical_menopause, for women)" in profile
    both = cli("explain", "hormone_therapy").stdout
    assert "(medicine hormone_therapy;" in both
    assert "(hormones profile hormone_therapy, for women)" in " ".join(both.split())
    clash = cli("explain", "bed_rest").stdout
    assert "(activity profile bed_rest, for women and men)" in " ".join(clash.split())
    assert "Not modelled" in clash  # that of the trial of the same name
    parameter = " ".join(cli("explain", "remodeling.pth_exponent").stdout.split())
    assert "Parameter remodeling.pth_exponent of the model. Its value is" in parameter
    assert 'did you mean "remodeling.pth_exponent"' in cli("explain", "remodeling.pth").stderr
    unknown = cli("explain", "alendronat")
    assert unknown.returncode == 2
    assert 'did you mean "alendronate"?' in unknown.stderr
    assert "no such file or scenario" in cli("explain", "no/such.yaml").stderr
    assert "no such file or scenario" in cli("explain", "alendronate", "--set", "people=3").stderr


def test_list_trials(cli: Cli) -> None:
    done = cli("list", "trials")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("trials\n")
    ids = [line.split()[0] for line in done.stdout.splitlines()[1:] if line[2:3].strip()]
    for id_ in set(ids) - {"(none)"}:
        assert cli("check", id_).returncode == 0, id_


def test_plan_counts_person_months(cli: Cli, study_folder: Path) -> None:
    told = cli("plan", "mine/study.yaml").stdout
    assert "9,600,000" in told
    for words in ("memory", "disk", "time", "person-months per second"):
        assert words in told


def test_list_names_what_is_shipped_and_own_files(cli: Cli, study_folder: Path) -> None:
    told = cli("list").stdout
    for words in ("us_nonhispanic_white", "early_menopause", "alendronate", "hip", "us_adults"):
        assert words in told
    assert max(map(len, told.splitlines())) <= 80


def test_a_country_of_ones_own(cli: Cli, tmp_path: Path) -> None:
    done = cli("new", "norway", "--example", "own_country")
    assert done.returncode == 0, done.stderr
    assert "wrote norway/populations/norway/life_table.csv" in done.stdout
    done = cli("check", "norway/study.yaml")
    assert done.returncode == 0, done.stderr
    done = cli("run", "norway/study.yaml", *SMALL)
    assert done.returncode == 0, done.stderr
    table = next(tmp_path.glob("norway/populations/norway/life_table.csv"))
    table.write_text(table.read_text().replace("2017,60,", "2017,60,1", 1))
    done = cli("check", "norway/study.yaml")
    assert done.returncode == 2
    assert "populations/norway/life_table.csv:127: women is '1" in done.stderr


def test_trace_tells_one_life(cli: Cli, study_folder: Path) -> None:
    done = cli("trace", "mine/study.yaml", "--person", "5", "--every", "24")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("person 5, one of the women of cohort ")
    assert "0 all the time: healing, bisphosphonate_at_surface" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80
    arguments = ("trace", "mine/study.yaml", "--person", "5", "--arm", "alendronate", "--json")
    life = json.loads(cli(*arguments).stdout)
    assert life["arm"] == "alendronate"
    assert len({len(values) for values in life["columns"].values()}) == 1


def test_schema_describes_every_key(cli: Cli) -> None:
    schema = json.loads(cli("schema").stdout)
    for group in (schema, *schema["$defs"].values()):
        for key, entry in group["properties"].items():
            assert entry.get("description"), key


def test_ctrl_c_keeps_finished_batches_and_the_same_command_goes_on(
    cli: Cli, study_folder: Path, tmp_path: Path
) -> None:
    command = ("run", "mine/study.yaml", "--people", "200000", "--quiet", "--out", "long")
    run = subprocess.Popen(
        [sys.executable, "-m", "cohortsim", *command],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and not any((tmp_path / "long").glob("states/0*.parquet")):
        time.sleep(0.02)
    run.send_signal(signal.SIGINT)
    _, said = run.communicate(timeout=60)
    assert run.returncode == 130
    assert "the same command again goes on from there" in said
    finished = cli(*command)
    assert finished.returncode == 0, finished.stderr
    assert cli(*command[:-1], "whole").returncode == 0
    first, second = (
        json.loads((tmp_path / folder / "provenance.json").read_text())["fingerprints"]
        for folder in ("long", "whole")
    )
    assert first == second


def test_the_schema_allows_what_may_be_written_short(cli: Cli) -> None:
    schema = json.loads(cli("schema").stdout)
    for key in ("sexes", "hormones", "activity", "diet", "medicines"):
        kinds = [
            option.get("type") for option in schema["$defs"]["Cohort"]["properties"][key]["anyOf"]
        ]
        assert kinds == ["string", "array"], key


def test_a_folder_that_cannot_be_written_is_told(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for arguments in (("run", "--people", "9", "--out", "file/x"), ("new", "file/x")):
        done = cli(*arguments)
        assert done.returncode == 2
        assert (
            "file/x: cannot be written (Not a directory); needs a folder that can be" in done.stderr
        )


def test_the_screen_has_intervals_all_ages_and_says_what_they_mean(cli: Cli) -> None:
    done = cli("run", "--people", "60", "--years", "1", "--set", "arms[1].name=" + "long" * 15)
    assert done.returncode == 0, done.stderr
    assert max(map(len, done.stdout.splitlines())) <= 80
    for words in (
        "all ages",
        "Monte Carlo",
        "at fixed parameters",
        "over 1 year",
        "longlonglonglongl..",
    ):
        assert words in done.stdout


def test_all_mistaken_settings_are_told_at_once(cli: Cli) -> None:
    settings = ("--set", "yeers=3", "--set", "people=-4", "--set", "cohorts[0].hormones=naturall")
    done = cli("run", "us_adults_50plus", *settings)
    assert done.returncode == 2
    for word in ("yeers", "people", "naturall"):
        assert word in done.stderr

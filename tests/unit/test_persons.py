"""Files and frames of persons: what is taken from them, and each mistake by row and column."""

from __future__ import annotations

import io
import random
from pathlib import Path
from typing import Any

import cohortsim as cs
import numpy as np
import polars as pl
import pytest
from cohortsim import document, persons
from cohortsim.persons_file import PersonsFile
from cohortsim.scenario import Origin

STUDY = """\
name: own
people: 100
years: 5
cohorts:
  - name: clinic
    ages: [50, 100]
    population: {file: FILE}
"""
CSV = """\
id,sex,age,body_weight,height,abmd_femoral_neck,smoking,prior_fracture
a,F,60,71.5,162,0.81,0,true
b,M,71.5,,180,NA,1,false
c,women,80,NaN,,0.62,,0
"""


def data(cohorts: int = 1) -> dict[str, Any]:
    """The part of a request that is looked at."""
    table = {"first_age": 20, "women": [[0.1] * 90], "men": [[0.1] * 90]}
    return {
        "populations": [{"id": "us", "life_table": table}],
        "risk_factors": [{"id": "smoking"}, {"id": "glucocorticoids"}],
        "cohorts": [{} for _ in range(cohorts)],
    }


def placed(text: str, folder: Path) -> cs.Scenario:
    """The study of this text, as if it were read in this folder; the catalog is not looked at."""
    written = document.parse(text, "study.yaml")
    return cs.Scenario.model_validate(written.data).placed(Origin(written, folder))


def taken(
    folder: Path, content: str | bytes | None, name: str = "persons.csv", study: str = STUDY
) -> persons.People:
    """The persons of a study whose file has this content."""
    if content is not None:
        raw = content if isinstance(content, bytes) else content.encode()
        (folder / name).write_bytes(raw)
    return persons.of_study(placed(study.replace("FILE", name), folder), data())["clinic"]


def mistakes(folder: Path, content: str | bytes | None, **more: str) -> list[str]:
    """What is wrong with it, told."""
    with pytest.raises(cs.ScenarioError) as caught:
        taken(folder, content, **more)
    assert all(problem.found and problem.needed for problem in caught.value.problems)
    return [str(problem) for problem in caught.value.problems]


def given(frame: object) -> list[str]:
    """What is wrong with a frame given in Python."""
    study = cs.Scenario(
        name="own", people=100, years=5, cohorts=[cs.Cohort(name="clinic", population="us")]
    )
    with pytest.raises(cs.ScenarioError) as caught:
        persons.of_study(study, data(), {"clinic": frame})  # type: ignore[dict-item]
    return [str(problem) for problem in caught.value.problems]


def test_a_csv_becomes_columns_of_numbers(tmp_path: Path) -> None:
    people = taken(tmp_path, CSV)
    nan = np.nan
    expected = {
        "sex": [0, 1, 0],
        "age": [60, 71.5, 80],
        "body_weight": [71.5, nan, nan],
        "height": [162, 180, nan],
        "abmd_femoral_neck": [0.81, nan, 0.62],
        "smoking": [0, 1, nan],
        "prior_fracture": [1, 0, 0],
    }
    assert people.arrays().keys() == expected.keys()
    for name, values in expected.items():
        assert people.arrays()[name].dtype == np.float64
        np.testing.assert_array_equal(people.arrays()[name], values, err_msg=name)
    assert (people.rows, people.weighted, people.within.tolist()) == (3, False, [True] * 3)


def test_csv_parquet_and_frame_say_the_same(tmp_path: Path) -> None:
    of_csv = taken(tmp_path, CSV)
    frame = pl.read_csv(CSV.encode(), null_values=["NA", "NaN"]).with_columns(
        pl.col("sex").cast(pl.Categorical), pl.col("height").cast(pl.Int32)
    )
    frame.write_parquet(tmp_path / "persons.parquet")
    of_parquet = taken(tmp_path, None, "persons.parquet")
    assert of_csv.sha256 == of_parquet.sha256 != taken(tmp_path, CSV.replace("162", "163")).sha256
    assert of_csv.file_sha256 != of_parquet.file_sha256
    study = cs.Scenario(
        name="own", people=3, years=5, cohorts=[cs.Cohort(name="clinic", population="us")]
    )
    request = data()
    of_frame = persons.of_study(study, request, {"clinic": frame})["clinic"]
    assert of_frame.sha256 == of_csv.sha256
    assert request["cohorts"][0]["persons"] == {"rows": 3, "sha256": of_csv.sha256}


def test_provenance_tells_which_persons_and_no_value_of_any(tmp_path: Path) -> None:
    described = taken(
        tmp_path, CSV.replace("height", "weight").replace("NaN,,", "NaN,0,")
    ).described()
    assert described["file"] == "persons.csv"
    assert described["rows"] == described["rows_of_the_cohort"] + 1 == 3
    assert described["weights_sum"] == 342
    assert described["known"]["abmd_femoral_neck"] == 2
    assert described["like"] == "us"
    assert len(described["sha256"]) == len(described["file_sha256"]) == 64
    assert "162" not in str(described).replace(described["sha256"], "")


def test_columns_are_renamed_and_left_out(tmp_path: Path) -> None:
    study = STUDY.replace("FILE}", "FILE, columns: {gender: sex, years: age, race: null}}")
    people = taken(tmp_path, "gender,years,race\nF,60,x\n", study=study)
    assert sorted(people.arrays()) == ["age", "sex"]
    wrong = mistakes(tmp_path, "gendre,years,race\nF,60,x\n", study=study)
    assert wrong[0].startswith('persons.csv columns.gender: no column "gender"')
    assert 'did you mean "gendre"?' in wrong[0]
    study = STUDY.replace("FILE}", "FILE, columns: {gender: sexe}}")
    wrong = mistakes(tmp_path, "gender,age\nF,60\n", study=study)
    assert 'no characteristic "sexe"' in wrong[0]
    assert 'did you mean "sex"?' in wrong[0]
    both = STUDY.replace("FILE}", "FILE, columns: {gender: sex}}")
    wrong = mistakes(tmp_path, "gender,sex,age\nF,F,60\n", study=both)
    assert wrong == [
        'persons.csv sex: "gender" and "sex" are both sex; needs one column; '
        "leave one out with columns: {sex: null}"
    ]


WRONG = """\
id,sex,age,height,abmd_femoral_neck,smoking,weight,menopause_age
1,F,60,1.62,0.8,1,3,50
2,M,61,180,812,maybe,-1,50
2,X,131,tall,-2.5,2,,
,,,,,,0,
3,f,inf,"1,62",nan,NA,1e3,
"""


def test_every_mistake_of_a_file_is_told_at_once_by_row_and_column(tmp_path: Path) -> None:
    told = mistakes(tmp_path, WRONG)
    expected = [
        "persons.csv:2 height: 1.62; needs cm, 90 to 230; did you give metres?",
        "persons.csv:3 abmd_femoral_neck: 812; needs g/cm2, 0.1 to 2.5; did you give mg/cm2?",
        'persons.csv:3 smoking: "maybe"; needs 0, 1, true or false; correct it',
        "persons.csv:3 weight: -1; needs a number, 0 or more; correct it, or leave the row out",
        "persons.csv:3 menopause_age: 50, of a man; women only; leave the cell empty",
        'persons.csv:4 id: "2" is also that of line 3; needs each person once; '
        "remove or rename one",
        'persons.csv:4 sex: "X"; needs women, men, F or M; correct it',
        "persons.csv:4 age: 131; needs years of the life table of population us, 20 to 109; "
        "correct it, or leave the row out",
        'persons.csv:4 height: "tall"; needs cm, 90 to 230; '
        "write a number, or leave the cell empty",
        "persons.csv:4 abmd_femoral_neck: -2.5; needs g/cm2, 0.1 to 2.5; did you give a T-score?",
        'persons.csv:4 smoking: "2"; needs 0, 1, true or false; correct it',
        "persons.csv:4 weight: is empty; needs a number, 0 or more; fill it, or leave the row out",
        'persons.csv:6 height: "1,62"; needs cm, 90 to 230; write decimals with a point',
    ]
    assert set(expected) <= set(told)
    assert sum(text.startswith("persons.csv:5 ") for text in told) == 2  # sex and age are empty
    assert len(told) == len(expected) + 3
    assert not list(tmp_path.glob("results*"))


@pytest.mark.parametrize(
    ("column", "cell", "advice"),
    [
        ("height", "1620", "did you give millimetres?"),
        ("height", "64", "did you give inches?"),
        ("body_weight", "71500", "did you give grams?"),
        ("body_weight", "500", "did you give pounds?"),
        ("calcium_intake", "0.8", "did you give g/d?"),
        ("age", "780", "did you give months?"),
        ("age", "19", "the life table"),
        ("serum_25ohd", "-60", "correct it"),
        ("frailty", "6", "needs a number, -5 to 5"),
        ("activity", "inf", "needs MET.min/wk"),
        ("weight", "-inf", "needs a number, 0 or more"),
    ],
)
def test_wrong_units_are_guessed(tmp_path: Path, column: str, cell: str, advice: str) -> None:
    row = {"sex": "F", "age": "60", "height": "160", column: cell}
    told = mistakes(tmp_path, ",".join(row) + "\n" + ",".join(row.values()) + "\n")
    assert len(told) == 1
    assert told[0].startswith(f"persons.csv:2 {column}: ")
    assert advice in told[0]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "persons.csv: is empty"),
        ("sex,age\n", "persons.csv: holds no rows"),
        ("\n", "persons.csv: "),
        ("age\n60\n", 'persons.csv: no column "sex"'),
        ("sex;age\nF;60\n", "persons.csv:1: cells are separated by semicolons"),
        ("sex\tage\nF\t60\n", "persons.csv:1: cells are separated by tabs"),
        ("sex,age,age\nF,60,60\n", 'persons.csv:1: column "age" is there 2 times'),
        ("sex,age,\nF,60,\n", "persons.csv:1: a nameless column"),
        ("sex,age,hight\nF,60,160\n", "persons.csv hight: unknown column"),
        ("sex,age,x,y\nF,60,1,2\n", "persons.csv: 2 unknown columns x, y"),
        ("sex,age,height\nF,60,\nF,61,NA\n", "persons.csv height: no value in any row"),
        ("sex,age,smoking\nF,60,\nF,61,\n", "persons.csv smoking: no value in any row"),
        ("sex,age,id\nF,60,\nF,61,\n", "persons.csv id: no value in any row"),
        ("sex,age,weight\nF,60,0\nF,61,0\n", "persons.csv weight: all weights are 0"),
        ("sex,age,weight\nF,60,70\nF,61,64\n", "persons.csv weight: weights from 64 to 70 look"),
        ("sex,age\nF,60\nM\nF,61,3\n", "persons.csv:3: 1 cell; needs 2"),
        ('sex,age\n"F,60\nM,61\n', "persons.csv: is not CSV (from line 2 on"),
        (b"sex,age\nF,60\n\xff,61\n", "persons.csv:3: byte 13 is not UTF-8"),
        (b"\x00\x01\x02", "persons.csv"),
        ("sex,age\nF,30\nM,45\n", "persons.csv: nobody is of the women or men aged 50 to 100"),
    ],
)
def test_files_that_cannot_be_taken(tmp_path: Path, content: str | bytes, said: str) -> None:
    told = mistakes(tmp_path, content)
    assert any(text.startswith(said) for text in told), told


def test_files_that_are_not_there(tmp_path: Path) -> None:
    (tmp_path / "person.csv").write_text("sex,age\nF,60\n", encoding="utf-8")
    assert mistakes(tmp_path, None) == [
        "persons.csv: no such file; needs a CSV file (.csv) or a Parquet file (.parquet); "
        'did you mean "person.csv"?'
    ]
    (tmp_path / "folder.csv").mkdir()
    assert mistakes(tmp_path, None, name="folder.csv")[0].startswith("folder.csv: is a folder")
    told = mistakes(tmp_path, "x", name="persons.xlsx")
    assert told[0].startswith('persons.xlsx: ends in ".xlsx"')
    assert "no such file" in mistakes(tmp_path, None, name="../nowhere/persons.csv")[0]
    assert len(mistakes(tmp_path, None, name="x" * 5000 + ".csv")) == 1


def test_torn_parquet_files(tmp_path: Path) -> None:
    pl.DataFrame({"sex": ["F"] * 500, "age": list(range(500))}).write_parquet(
        tmp_path / "p.parquet"
    )
    whole = (tmp_path / "p.parquet").read_bytes()
    for part in (whole[: len(whole) // 2], whole[10:], whole[:4], b"PAR1" * 5, b"sex,age\nF,60\n"):
        told = mistakes(tmp_path, part, name="p.parquet")
        assert len(told) == 1
        assert told[0].startswith("p.parquet: is not Parquet")


def test_wrong_types_of_a_frame_are_told_by_column() -> None:
    frame = pl.DataFrame(
        {
            "sex": [1, 2],
            "age": ["60", "61"],
            "height": [True, False],
            "weight": [[1.0], [2.0]],
            "prior_fracture": [[0], [1]],
            "frailty": [None, None],
            "id": [[1], [2]],
        }
    )
    told = given(frame)
    name = "persons['clinic']"
    for column, said in {
        "sex": "holds numbers (1, 2); needs women, men, F or M",
        "age": "holds text",
        "height": "holds yes or no",
        "weight": "holds List(Float64)",
        "prior_fracture": "holds List(Int64); needs 0, 1, true or false",
        "frailty": "no value in any row",
    }.items():
        assert any(text.startswith(f"{name} {column}: {said}") for text in told), (column, told)


def test_rows_of_a_frame_are_counted_from_0() -> None:
    frame = pl.DataFrame(
        {"sex": ["F", "M", None], "age": [60, None, 61], "height": [160.0, 1.7, float("nan")]}
    )
    assert given(frame) == [
        "persons['clinic'][1] age: is empty; needs years of the life table of population us, "
        "20 to 109; fill it, or leave the row out",
        "persons['clinic'][1] height: 1.7; needs cm, 90 to 230; did you give metres?",
        "persons['clinic'][2] sex: is empty; needs women, men, F or M; fill it, or leave the row "
        "out",
    ]
    assert "needs a Polars DataFrame" in given({"sex": ["F"]})[0]


def test_many_mistakes_are_counted(tmp_path: Path) -> None:
    told = mistakes(tmp_path, "sex,age,height,weight\n" + "F,60,1.6,1\n" * 40 + "F,60,160,-3\n")
    assert len(told) == 12
    assert told[10].startswith("persons.csv height: the like in 30 more rows")
    assert told[11].startswith("persons.csv:42 weight: -3")
    columns = ["height", "body_weight", "frailty", "activity", "serum_25ohd", "calcium_intake"]
    lines = [",".join(["F", "60"] + ["-99"] * len(columns))] * 30
    told = mistakes(tmp_path, "\n".join([",".join(["sex", "age", *columns]), *lines]))
    assert len(told) == persons.MOST_TOLD + 1
    assert told[-1] == "16 more mistakes; mend these first; then look again"


def test_all_cohorts_are_looked_at(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("sex,age\nF,0.6\n", encoding="utf-8")
    text = (
        "name: two\npeople: 10\nyears: 5\ncohorts:\n"
        "  - {name: a, share: 0.5, population: {file: a.csv}}\n"
        "  - {name: b, share: 0.5, population: {file: b.csv}}\n"
    )
    study = placed(text, tmp_path)
    with pytest.raises(cs.ScenarioError) as caught:
        persons.of_study(study, data(2), {"c": pl.DataFrame()})
    places = [problem.place for problem in caught.value.problems]
    assert places == ["persons['c']", "a.csv:2 age", "b.csv"]


def test_cohorts_take_their_rows_of_one_file(tmp_path: Path) -> None:
    rows = "F,49\nF,50\nM,60\nF,104\nM,70\n"
    (tmp_path / "a.csv").write_text("sex,age\n" + rows, encoding="utf-8")
    text = (
        "name: two\npeople: null\nyears: 5\ncohorts:\n"
        "  - {name: a, share: 0.5, sexes: women, population: {file: a.csv}}\n"
        "  - {name: b, share: 0.5, ages: [60, 69], population: {file: a.csv}}\n"
    )
    study = placed(text, tmp_path)
    found = persons.of_study(study, data(2))
    assert found["a"].within.tolist() == [False, True, False, True, False]
    assert found["b"].within.tolist() == [False, False, True, False, False]
    assert persons.how_many(study, found) == 3


def test_as_many_people_as_rows_needs_a_file_without_weights(tmp_path: Path) -> None:
    study = STUDY.replace("people: 100", "people: null")
    people = taken(tmp_path, "sex,age,weight\nF,60,1\nF,61,2\n", study=study)
    scenario = placed(study, tmp_path)
    with pytest.raises(cs.ScenarioError, match="have weights; needs a number of people"):
        persons.how_many(scenario, {"clinic": people})
    with pytest.raises(cs.ScenarioError, match="drawn from a population; needs a number"):
        persons.how_many(scenario, {})
    with pytest.raises(cs.ScenarioError, match=r"study\.yaml:2:9 people"):
        persons.how_many(scenario, {})


@pytest.mark.parametrize(
    ("population", "said"),
    [
        ("{}", 'population.file: the key "file" is missing'),
        ("{file: a.csv, columns: 3}", "population.columns: 3; needs a group of keys"),
        ("{file: a.csv, colums: {}}", 'no key "colums" here'),
        ("{file: 7}", "population.file: 7; needs a text"),
        ("{file: a.csv, like: atlantis}", 'no population "atlantis"'),
        ("{file: a.csv, columns: {x: 3}}", "population.columns.x: 3; needs a text"),
        ("[us]", "cohorts[0].population: a list of 1; needs a text"),
        ("3", "cohorts[0].population: 3; needs a text"),
    ],
)
def test_mistakes_in_the_key_are_told_with_their_line(
    tmp_path: Path, population: str, said: str
) -> None:
    text = STUDY.replace("{file: FILE}", population)
    (tmp_path / "study.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(cs.ScenarioError) as caught:
        cs.load(tmp_path / "study.yaml")
    assert len(caught.value.problems) == 1
    told = str(caught.value)
    assert told.startswith("study.yaml:7:")
    assert said in told


JUNK = [b"\x00", b"\xff", b'"', b"'", b",", b";", b"\n", b"\r", b"\n\n", b"\t", b" ", b"-", b"NaN"]
JUNK += [b"1e999", b"-inf", b"\xef\xbb\xbf", b"F", b"0x1F", b"1_000", "é".encode(), b"9" * 400]


def torn(content: bytes, chance: random.Random) -> bytes:
    """Return the content with one to three things inserted, lost or replaced."""
    for _ in range(chance.randint(1, 3)):
        at, kind = chance.randrange(len(content) + 1), chance.randrange(4)
        junk, cut = chance.choice(JUNK), at + chance.choice((1, 2, 30))
        content = {
            0: content[:at] + junk + content[at:],
            1: content[:at] + content[cut:],
            2: content[:at] + junk + content[at + len(junk) :],
            3: content[:at],
        }[kind]
    return content


@pytest.mark.parametrize("seed", range(6))
def test_torn_files_are_told_in_words(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    frame = pl.DataFrame({"sex": ["F", "M"] * 9, "age": [60.5] * 18, "height": [160, None] * 9})
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    whole = {"persons.csv": CSV.encode(), "persons.parquet": buffer.getvalue()}
    for _ in range(60):
        for name, content in whole.items():
            (tmp_path / name).write_bytes(torn(content, chance))
            study = cs.Scenario(
                name="own",
                people=9,
                years=5,
                cohorts=[cs.Cohort(name="clinic", population=PersonsFile(file=name))],
            ).placed(Origin(folder=tmp_path))
            try:
                persons.of_study(study, data())
            except cs.ScenarioError as error:
                assert all(p.place and p.found and p.needed for p in error.problems[:50])

"""Files of persons that nearly fit: told in few words, never taken by mistake, never half written."""

from __future__ import annotations

import gzip
from pathlib import Path

import cohortsim as cs
import polars as pl
import pytest
from cohortsim import persons_columns, persons_reading, persons_source

POPULATION = {"id": "us", "life_table": {"first_age": 20, "women": [[0.1] * 90]}}
CSV = "sex,age\nF,60\nM,70\n"
STUDY = """\
name: own
people: 20
years: 1
cohorts:
  - name: clinic
    population: {file: persons.csv}
"""


def looked_at(raw: persons_reading.Raw) -> persons_source.Source:
    """Columns of these cells."""
    return persons_source.Source(raw, {}, POPULATION, ("smoking",))


def told(folder: Path, content: str | bytes) -> list[str]:
    """What is wrong with a CSV file of this content."""
    raw = content if isinstance(content, bytes) else content.encode()
    (folder / "persons.csv").write_bytes(raw)
    return [str(p) for p in looked_at(persons_reading.read(folder, "persons.csv")).problems]


def told_of_parquet(folder: Path, frame: pl.DataFrame) -> list[str]:
    """What is wrong with a Parquet file of this frame."""
    frame.write_parquet(folder / "persons.parquet")
    return [str(p) for p in looked_at(persons_reading.read(folder, "persons.parquet")).problems]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (gzip.compress(CSV.encode()), "is compressed (gzip)"),
        (CSV.encode("utf-16"), "is UTF-16"),
        (b"PK\x03\x04....", "is a zip archive or a spreadsheet"),
        (b"PAR1....PAR1", "is Parquet, named .csv"),
        ("\n\n\n", "its first line is empty; needs the names of columns"),
        ("sex|age\nF|60\n", "cells are separated by bars"),
        ("sex;age;height\nF;60,5;170,2\n", "cells are separated by semicolons"),
        ('sex,age\nF,"60\n', "needs each quote closed"),
    ],
)
def test_a_file_of_another_kind_is_one_mistake(
    tmp_path: Path, content: str | bytes, said: str
) -> None:
    problems = told(tmp_path, content)
    assert len(problems) == 1
    assert said in problems[0]


def test_lines_may_end_as_they_like(tmp_path: Path) -> None:
    for end in ("\n", "\r\n", "\r"):
        assert told(tmp_path, CSV.replace("\n", end)) == []


def test_long_names_and_many_columns_are_cut(tmp_path: Path) -> None:
    names = ["x" * 10_000, *(f"c{i}" for i in range(2000))]
    problems = told(tmp_path, f"sex,age,{','.join(names)}\nF,60{',1' * len(names)}\n")
    assert len(problems) == 1
    assert "2001 unknown columns" in problems[0]
    assert "and 1981 more" in problems[0]
    assert len(problems[0]) < 1000
    missing = persons_reading.read(tmp_path, "a" * 5000 + ".csv")
    assert len(str(missing.problems[0])) < 300
    unseen = persons_reading.read(tmp_path, "a\x00\x1b.csv")
    assert str(unseen.problems[0]).startswith("a??.csv: ")


def test_pounds_are_told_from_kilograms_by_the_middle_person(tmp_path: Path) -> None:
    def weighing(kilograms: float, rows: int) -> str:
        return "sex,age,body_weight,height\nM,60,,180\n" + f"F,60,{kilograms},\n" * rows

    assert "these look like pounds" in told(tmp_path, weighing(165, 10))[0]
    assert told(tmp_path, weighing(165, 9)) == []
    assert told(tmp_path, weighing(115, 10)) == []
    (tmp_path / "persons.csv").write_text(weighing(165, 10))
    heavy = persons_reading.read(tmp_path, "persons.csv")
    meant = {"body_weight": "body_weight"}
    assert persons_source.Source(heavy, meant, POPULATION, ()).problems == ()


@pytest.mark.parametrize("weight", ["1e308", "inf", "-1"])
def test_weights_whose_sum_is_no_number_are_refused(tmp_path: Path, weight: str) -> None:
    problems = told(tmp_path, f"sex,age,weight\nF,60,{weight}\nM,60,{weight}\n")
    assert [problem.split(":")[1].split()[0] for problem in problems] == ["2", "3"]
    (tmp_path / "study.yaml").write_text(STUDY)
    with pytest.raises(cs.ScenarioError):
        cs.run(str(tmp_path / "study.yaml"), out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_advice_fits_the_cell(tmp_path: Path) -> None:
    problems = told(tmp_path, 'sex,age,height\nF,sixty,170\nF,60,"170,5"\nF,6_0,tall\n')
    advice = [problem.rsplit("; ", 1)[1] for problem in problems]
    row, cell = "write a number, or leave the row out", "write a number, or leave the cell empty"
    assert advice == [row, "write decimals with a point", row, cell]


def test_columns_that_differ_by_spaces_are_not_chosen_from(tmp_path: Path) -> None:
    frame = pl.DataFrame({"sex": ["F"], "age": [60], "age ": [61], "": [1]})
    problems = told_of_parquet(tmp_path, frame)
    assert any("one name but for spaces" in problem for problem in problems)
    assert any("unknown column of no name" in problem for problem in problems)


def test_ids_are_compared_as_people_write_them(tmp_path: Path) -> None:
    assert 'id: "a" is also that of line 2' in told(tmp_path, "id,sex,age\na,F,60\n a,F,61\n")[0]
    frame = pl.DataFrame({"id": [float("nan")] * 2, "sex": ["F"] * 2, "age": [60, 61]})
    assert told_of_parquet(tmp_path, frame) == []


def test_words_of_categories_are_words(tmp_path: Path) -> None:
    frame = pl.DataFrame({"sex": ["F", "M"], "age": [60, 61], "smoking": ["true", "maybe"]})
    kinds = frame.with_columns(pl.col("sex", "smoking").cast(pl.Categorical))
    (problem,) = told_of_parquet(tmp_path, kinds)
    assert '[1] smoking: "maybe"' in problem


def test_every_column_says_what_it_needs() -> None:
    for column in persons_columns.columns(["smoking"]).values():
        assert column.needs.startswith("needs ")
        assert "inf" not in column.needs

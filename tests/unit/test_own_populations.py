"""Populations of one's own: what they take from another, and what is told about their tables."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import cohortsim as cs
import pytest
from cohortsim import document, request
from cohortsim.catalog import Catalog
from cohortsim.errors import CatalogError
from cohortsim.example import write_example
from cohortsim.fields import SEXES

LIFE = "year,age,women,men\n" + "".join(
    f"{year},{age},{scale * 0.0001 * 1.1 ** (age - 20):.6f},{scale * 0.0002 * 1.1 ** (age - 20):.6f}\n"
    for year, scale in ((2000, 1.0), (2020, 0.8))
    for age in range(20, 105)
)
HIP = (
    "site,sex,age,rate\nhip,women,50,0.001\nhip,women,90,0.03\nhip,men,50,0.001\nhip,men,90,0.01\n"
)
Write = Callable[..., Path]


@pytest.fixture
def own(tmp_path: Path) -> Write:
    """Writes populations/<id> with a population like another: keys of its file, texts of its tables."""

    def write(id_: str = "mine", *, life: str = LIFE, hip: str = HIP, **keys: Any) -> Path:
        folder = tmp_path / "populations" / id_
        folder.mkdir(parents=True, exist_ok=True)
        tables = {"life_table": life, "fracture_incidence": hip}
        for name, text in tables.items():
            (folder / f"{name}.csv").write_text(text, encoding="utf-8")
        plain: dict[str, Any] = {
            "id": id_,
            "label": "Mine",
            "like": "us",
            "calendar_year": 2010,
            "describes": "Made for a test.",
            "tables": {n: {"file": f"{n}.csv", "source": "assumption"} for n in tables},
        }
        path = folder / "population.yaml"
        path.write_text(document.dump(plain | keys), encoding="utf-8")
        return path

    return write


def amount(value: float, unit: str) -> dict[str, Any]:
    spread = {"low": value - 0.1, "high": value + 0.1}
    return {"value": value, "unit": unit, **spread, "source": "assumption", "status": "assumption"}


def told(folder: Path, id_: str = "mine") -> str:
    with pytest.raises(CatalogError) as caught:
        Catalog(folder).population(id_)
    return str(caught.value)


def rates(plain: dict[str, Any], site: str, sex: str) -> list[float]:
    found: dict[str, Any] = next(row for row in plain["fracture_incidence"] if row["site"] == site)
    values: list[float] = found[sex]["values"]
    return values


def test_a_country_of_ones_own_needs_two_tables(own: Write, tmp_path: Path) -> None:
    own()
    mine, us = (Catalog(tmp_path).population(id_) for id_ in ("mine", "us"))
    assert mine.plain["life_table"]["years"] == [2000, 2020]
    assert [len(table) for table in mine.plain["life_table"]["women"]] == [85, 85]
    assert rates(mine.plain, "hip", "women") == [0.001, 0.03]
    for same in ("age_structure", "characteristics", "correlation", "prevalence", "falls"):
        assert mine.plain[same] == us.plain[same]
    assert rates(mine.plain, "pelvis", "men") == rates(us.plain, "pelvis", "men")
    assert mine.taken_from["falls"] == "us"
    assert "life_table" not in mine.taken_from
    assert (mine.entry.incidence_year, mine.entry.calendar_year) == (2010, 2010)
    assert mine.entry.scanned_mortality_ratio == us.entry.scanned_mortality_ratio


def test_other_sites_in_proportion_to_the_hip(own: Write, tmp_path: Path) -> None:
    own(sites_not_given="in_proportion_to_hip")
    mine, us = (Catalog(tmp_path).population(id_).plain for id_ in ("mine", "us"))

    def at(plain: dict[str, Any], sex: str, age: float) -> float:
        hip = next(row for row in plain["fracture_incidence"] if row["site"] == "hip")[sex]
        pairs = [*zip(hip["ages"], hip["values"], strict=True)]
        (a, x), (b, y) = next(both for both in pairwise(pairs) if both[1][0] >= age)
        return math.exp(math.log(x) + (age - a) / (b - a) * math.log(y / x))

    for sex in SEXES:
        there = next(row for row in us["fracture_incidence"] if row["site"] == "pelvis")[sex]
        here = next(row for row in mine["fracture_incidence"] if row["site"] == "pelvis")[sex]
        place = next(p for p, age in enumerate(there["ages"]) if 60 < age < 80)
        ratio = at(mine, sex, there["ages"][place]) / at(us, sex, there["ages"][place])
        assert here["ages"] == there["ages"]
        assert here["values"][place] == pytest.approx(there["values"][place] * ratio, rel=1e-12)
        before, after = us["vertebral_deformity"][sex], mine["vertebral_deformity"][sex]
        assert after["ages"] == before["ages"]
        assert after["values"] != before["values"]
    own(sites_not_given="in_proportion_to_hip", hip=HIP.replace("hip,", "pelvis,"))
    assert "in_proportion_to_hip without own rates of hip" in told(tmp_path)


def test_offsets_add_up_along_the_line(own: Write, tmp_path: Path) -> None:
    own("mother", bmd_offset={"femoral_neck": amount(-0.02, "g/cm2")})
    own("daughter", like="mother", bmd_offset={"femoral_neck": amount(0.05, "g/cm2")})
    catalog = Catalog(tmp_path)

    def neck(id_: str) -> float:
        entries = catalog.population(id_).plain["characteristics"]
        return float(
            next(e for e in entries if e["id"] == "abmd_femoral_neck")["men"]["location"][0]
        )

    assert neck("mother") == pytest.approx(neck("us") - 0.02)
    assert neck("daughter") == pytest.approx(neck("us") + 0.03)
    names = [name for name, _ in catalog.population("daughter").quantities()]
    assert names[:2] == [
        "populations.mother.bmd_offset.femoral_neck",
        "populations.daughter.bmd_offset.femoral_neck",
    ]
    assert catalog.population("daughter").taken_from["falls"] == "us"


def test_an_offset_can_be_changed_by_a_study(own: Write, tmp_path: Path, study_file: Path) -> None:
    own(bmd_offset={"total_hip": amount(0.01, "g/cm2")})
    name = "populations.mine.bmd_offset.total_hip"
    text = study_file.read_text(encoding="utf-8").replace("population: us", "population: mine")
    change = f"  - {{parameter: {name}, value: 0.03, unit: g/cm2, reason: A test.}}\n"
    study_file.write_text(f"{text}overrides:\n{change}", encoding="utf-8")
    built = request.build(cs.load(study_file))
    made = next(e for e in built.data["populations"][0]["characteristics"] if "total" in e["id"])
    there = Catalog().population("us").plain["characteristics"]
    base = next(e for e in there if "total" in e["id"])
    assert made["men"]["location"][0] == pytest.approx(base["men"]["location"][0] + 0.03)
    tables = {v["name"]: v for v in built.values if "sha256" in v}
    assert tables["populations.mine.falls"]["taken_from"] == "us"
    assert "taken_from" not in tables["populations.mine.life_table"]
    assert set(built.files) == {
        f"populations/mine/{name}"
        for name in ("population.yaml", "life_table.csv", "fracture_incidence.csv")
    }


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"like": "uss"}, r'population\.yaml:3:7 like: no population "uss"; .*did you mean "us"\?'),
        ({"like": "mine"}, r"like in a circle: mine -> mine; .*call your own by another id"),
        ({"like": None}, r"tables: no age_structure, .*, falls; .* or `like: us`"),
        ({"calendar_year": 1850}, r"calendar_year: 1850; needs 1900 or more"),
        ({"tables": {"life_tabel": {}}}, r'no table "life_tabel"|source.* is missing'),
        ({"tables": {}}, r"the file life_table\.csv is here, but not under `tables`"),
        (
            {"bmd_offset": {"femoral_neck": amount(10, "mg/cm2")}},
            r'bmd_offset\.femoral_neck\.unit: unit "mg/cm2"; the model takes it in "g/cm2"',
        ),
        ({"bmd_offset": {"neck": amount(0.1, "g/cm2")}}, r"bmd_offset\.neck.*femoral_neck"),
        ({"scanned_mortality_ratio": amount(0.05, "1")}, r"needs more than 0"),
    ],
)
def test_a_wrong_population_file_says_what_and_where(
    own: Write, tmp_path: Path, keys: dict[str, Any], words: str
) -> None:
    import re

    own(**keys)
    message = told(tmp_path)
    assert re.search(words, message, re.DOTALL), message


def test_populations_cannot_be_like_each_other(own: Write, tmp_path: Path) -> None:
    own("a", like="b")
    own("b", like="c")
    own("c", like="a")
    assert "like in a circle: a -> b -> c -> a" in told(tmp_path, "a")


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("2000,30,", "2000,31,", 12, ["age 31 after age 29", "every single year of age"]),
        ("2000,30,", "2000,x,", 12, ["age is 'x'", "a whole age"]),
        ("2000,30,0", "2000,30,7", 12, ["women is '7", "the probability of death within a year"]),
        ("2020,20,", "1999,20,", 87, ["not those of 1999", "the same ages in every year"]),
        ("year,age,women", "year;age;women", 1, ["no column age, women", "'year;age;women,men'"]),
    ],
)
def test_a_wrong_life_table_says_its_line(
    own: Write, tmp_path: Path, old: str, new: str, line: int, words: list[str]
) -> None:
    assert old in LIFE
    own(life=LIFE.replace(old, new, 1))
    message = told(tmp_path)
    for word in words:
        assert word in message
    assert f"populations/mine/life_table.csv:{line}:" in message or line == 87


@pytest.mark.parametrize(
    ("old", "new", "place", "words"),
    [
        ("0.03", "30", ":3:", ["rate is '30'", "per person-year"]),
        ("hip,men,50,0.001", "hip,men,50,0", ":4:", ["rate is '0'", "more than 0"]),
        ("hip,men,90", "hip,male,90", ":5:", ["sex is 'male'", "needs women or men"]),
        ("hip,women,90", "hip,women,40", ":3:", ["age 40 of women after age 50"]),
        ("hip,men,50,0.001\nhip,men,90,0.01\n", "", ":3:", ["no rows of men"]),
    ],
)
def test_wrong_rates_say_their_line(
    own: Write, tmp_path: Path, old: str, new: str, place: str, words: list[str]
) -> None:
    assert old in HIP
    own(hip=HIP.replace(old, new, 1))
    message = told(tmp_path)
    assert f"populations/mine/fracture_incidence.csv{place}" in message
    for word in words:
        assert word in message


def test_all_that_is_wrong_is_told_at_once(own: Write, tmp_path: Path) -> None:
    own(
        hip=HIP.replace("0.03", "x").replace("0.01\n", "-1\n"),
        life=LIFE.replace("2000,40,", "q,40,"),
    )
    assert len(told(tmp_path).splitlines()) >= 3


def test_what_a_study_needs_of_a_population_is_told(
    own: Write, tmp_path: Path, study_file: Path
) -> None:
    """A risk factor or a fracture site of one's own needs its place in the population."""
    factors = tmp_path / "risk_factors"
    factors.mkdir()
    (factors / "tea.yaml").write_text("id: tea\nlabel: Tea\n", encoding="utf-8")
    with pytest.raises(cs.ScenarioError) as caught:
        cs.load(study_file)
    assert 'prevalence.csv no prevalence of "tea"' in str(caught.value).replace(":", "")
    assert 'correlation.csv no correlation of "tea"' in str(caught.value).replace(":", "")
    (factors / "tea.yaml").unlink()
    own(hip=HIP + HIP.split("\n", 1)[1].replace("hip", "toe"))
    assert "mine" in Catalog(tmp_path).ids("populations")


def test_ages_outside_the_life_table_are_told(own: Write, tmp_path: Path, study_file: Path) -> None:
    late = "\n".join(
        row for row in LIFE.splitlines() if ",2" not in row[4:6] and ",3" not in row[4:6]
    )
    own(life=late)
    text = study_file.read_text(encoding="utf-8").replace("population: us", "population: mine")
    study_file.write_text(text.replace("from: 60", "from: 35", 1), encoding="utf-8")
    with pytest.raises(
        cs.ScenarioError, match=r"the life table of population mine begins at age 40"
    ):
        cs.load(study_file)


def test_a_population_without_a_ratio_has_no_scanned_people(
    tmp_path: Path, study_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cohortsim.population_data import PopulationData

    real = Catalog.population

    def without(self: Catalog, id_: str) -> PopulationData:
        import dataclasses

        data = real(self, id_)
        entry = data.entry.model_copy(update={"scanned_mortality_ratio": None})
        return dataclasses.replace(data, entry=entry)

    monkeypatch.setattr(Catalog, "population", without)
    text = study_file.read_text(encoding="utf-8").replace(
        "share: 0.5", "share: 0.5\n    people: scanned", 1
    )
    study_file.write_text(text, encoding="utf-8")
    with pytest.raises(
        cs.ScenarioError, match=r"study\.yaml:10:13 cohorts\[0\]\.people: scanned, and"
    ):
        cs.load(study_file)


def test_the_example_of_an_own_country(tmp_path: Path) -> None:
    write_example(tmp_path / "new", "own_country")
    study = cs.load(tmp_path / "new" / "study.yaml")
    data = request.build(study).data
    population = data["populations"][0]
    assert (population["id"], population["calendar_year"]) == ("norway", 2020)
    assert population["incidence_year"] == 2001
    assert population["life_table"]["years"] == [2002, 2017, 2032]
    assert rates(population, "hip", "women") == [0.00087, 0.05822]
    assert [row["site"] for row in population["trend"]] == ["hip"]
    assert data["secular_trend"] is True

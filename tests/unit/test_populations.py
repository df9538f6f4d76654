"""The shipped populations are whole, well-formed and give the published totals they rest on."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest
from cohortsim.citations import UNPUBLISHED, entries
from ruamel.yaml import YAML

DATA = Path(__file__).parents[2] / "python" / "cohortsim" / "data"
FOLDER = DATA / "populations"
IDS = (
    *("us", "us_nonhispanic_white", "us_nonhispanic_black", "us_mexican_american"),
    *("uk", "sweden"),
)
SEXES = ("women", "men")
SITES = {
    *("hip", "clinical_vertebral", "distal_forearm", "proximal_humerus"),
    *("pelvis", "ribs", "tibia", "other"),
}
CONTINUOUS = (
    *("abmd_femoral_neck", "abmd_total_hip", "abmd_lumbar_spine", "abmd_distal_radius"),
    *("body_weight", "height", "calcium_intake", "serum_25ohd", "activity", "menopause_age"),
    "frailty",
)
BINARY = (
    *("prior_fracture", "glucocorticoids", "parental_hip_fracture", "smoking"),
    *("alcohol", "rheumatoid_arthritis", "diabetes"),
)
TABLES = {
    *("age_structure", "life_table", "characteristics", "quantiles", "correlation", "prevalence"),
    *("fracture_incidence", "vertebral_deformity", "falls", "secular_trend"),
}
Array = npt.NDArray[np.float64]

each_population = pytest.mark.parametrize("id_", IDS)


@cache
def about(id_: str) -> dict[str, Any]:
    return dict(YAML(typ="safe").load((FOLDER / id_ / "population.yaml").read_text("utf-8")))


def line(id_: str) -> list[str]:
    """The population, the one that it is like, and so on."""
    like = about(id_).get("like")
    return [id_, *(line(like) if like else [])]


@cache
def table(id_: str, name: str) -> pl.DataFrame:
    """A table, taken from `like` where the population has none."""
    owner = next(each for each in line(id_) if name in about(each)["tables"])
    return pl.read_csv(FOLDER / owner / about(owner)["tables"][name]["file"])


def incidence(id_: str, site: str, sex: str) -> pl.DataFrame:
    """Rates of one site; sites that the own table lacks are those of `like`."""
    here = (pl.col("site") == site) & (pl.col("sex") == sex)
    found = [table(each, "fracture_incidence").filter(here) for each in line(id_)]
    return next(rows for rows in found if rows.height)


def mean_rate(rates: pl.DataFrame, id_: str, sex: str, low: int, high: int = 120) -> float:
    """Person-weighted mean per 1,000 at completed ages low..high."""
    ages = table(id_, "age_structure").filter(pl.col("age").is_between(low, high))
    middles = numbers(ages, "age") + 0.5
    at = np.exp(np.interp(middles, numbers(rates, "age"), np.log(numbers(rates, "rate"))))
    return 1000 * float(np.average(at, weights=numbers(ages, sex)))


def numbers(frame: pl.DataFrame, name: str) -> Array:
    return frame[name].to_numpy().astype(np.float64)


def ascending(values: Array) -> bool:
    return bool((np.diff(values) > 0).all())


def test_six_populations_are_shipped() -> None:
    assert {path.parent.name for path in FOLDER.glob("*/population.yaml")} == set(IDS)


@each_population
def test_it_has_every_table(id_: str) -> None:
    owned = {name for each in line(id_) for name in about(each)["tables"]}
    assert owned == TABLES
    files = {entry["file"] for entry in about(id_)["tables"].values()}
    assert files == {path.name for path in (FOLDER / id_).glob("*.csv")}
    for field in ("country", "race_and_ethnicity", "calendar_year", "incidence_year"):
        assert about(id_)[field], field
    assert about(line(id_)[-1])["scanned_mortality_ratio"]["value"] == 0.8


@each_population
@pytest.mark.parametrize("sex", SEXES)
def test_it_has_every_site_and_characteristic(id_: str, sex: str) -> None:
    for site in SITES:
        rates = incidence(id_, site, sex)
        rate = numbers(rates, "rate")
        assert ascending(numbers(rates, "age")) and rate.min() > 0 and rate.max() < 0.2
    of_sex = pl.col("sex") == sex
    for name in CONTINUOUS:
        mine = of_sex & (pl.col("characteristic") == name)
        knots, shape = (table(id_, t).filter(mine) for t in ("characteristics", "quantiles"))
        if (name, sex) != ("menopause_age", "men"):
            assert ascending(numbers(knots, "age")) and numbers(knots, "spread").min() > 0, name
            assert ascending(numbers(shape, "z")), name
            assert (np.diff(numbers(shape, "q")) >= 0).all(), name
    for name in BINARY:
        prevalence = table(id_, "prevalence").filter(of_sex & (pl.col("characteristic") == name))
        share = numbers(prevalence, "prevalence")
        assert ascending(numbers(prevalence, "age")), name
        assert share.min() > 0 and share.max() < 0.7, name
    for name in ("vertebral_deformity", "falls"):
        rates = table(id_, name).filter(of_sex)
        assert ascending(numbers(rates, "age")) and ascending(numbers(rates, "rate")), name


@each_population
@pytest.mark.parametrize("sex", SEXES)
def test_its_correlation_is_positive_definite(id_: str, sex: str) -> None:
    order = [*CONTINUOUS, *BINARY]
    rows = table(id_, "correlation").filter(pl.col("sex") == sex)
    cells = {(a, b): r for a, b, r in rows.select("row", "column", "r").iter_rows()}
    matrix = np.array([[cells[a, b] for b in order] for a in order])
    assert len(cells) == rows.height == len(order) ** 2
    assert (matrix == matrix.T).all() and (np.diag(matrix) == 1).all()
    assert np.linalg.eigvalsh(matrix)[0] > 0.02
    assert cells["frailty", "prior_fracture"] == 0.25 and cells["frailty", "body_weight"] == 0


@each_population
def test_its_life_tables_are_whole(id_: str) -> None:
    life = table(id_, "life_table")
    years = sorted(life["year"].unique().to_list())
    assert len(years) >= 8 and 2020 not in years
    by_year = {year: life.filter(pl.col("year") == year) for year in years}
    for year, part in by_year.items():
        assert part["age"].to_list() == list(range(20, 110)), year
        for sex in SEXES:
            q = numbers(part, sex)
            assert q.min() > 0 and q.max() < 1
            assert (q[41:] > 0.99 * q[40:-1]).all(), year  # from 60 on, but for chance
    for sex in SEXES:  # deaths at 70 fall all along
        assert numbers(by_year[years[-1]], sex)[50] < numbers(by_year[years[0]], sex)[50]


def test_every_row_cites_the_bibliography() -> None:
    text = (DATA / "references.bib").read_text("utf-8")
    known = entries(text).keys() | UNPUBLISHED.keys()
    for id_ in IDS:
        for name, entry in about(id_)["tables"].items():
            assert set(entry["source"]) <= known, f"{id_} {name}"
            rows = table(id_, name)
            if "source" in rows.columns:
                assert set(rows["source"]) <= known, f"{id_} {name}"


# --- published totals (calibrate rows) ----------------------------------------------------------

HIP_2006 = {
    "women": (0.29, 0.57, 1.05, 2.03, 3.94, 7.93, 14.47, 26.05),
    "men": (0.28, 0.38, 0.66, 1.18, 2.10, 4.02, 8.13, 16.30),
}
CPRD = {
    ("hip", "women"): 3.35,
    ("hip", "men"): 1.34,
    ("clinical_vertebral", "women"): 1.18,
    ("clinical_vertebral", "men"): 0.59,
    ("distal_forearm", "women"): 4.12,
}


@pytest.mark.parametrize("sex", SEXES)
def test_hip_fractures_of_white_americans_are_those_of_2006(sex: str) -> None:
    rates = incidence("us_nonhispanic_white", "hip", sex)
    for band, published in enumerate(HIP_2006[sex]):
        low = 50 + 5 * band
        high = low + 4 if low < 85 else 120
        made = mean_rate(rates, "us_nonhispanic_white", sex, low, high)
        assert made == pytest.approx(published, rel=0.03)  # ages of 2019, not of 2006


@pytest.mark.parametrize(("site", "sex"), CPRD)
def test_british_totals_are_those_of_general_practice(site: str, sex: str) -> None:
    made = mean_rate(incidence("uk", site, sex), "uk", sex, 50)
    assert made == pytest.approx(CPRD[site, sex], rel=0.01)


@pytest.mark.parametrize(
    ("sex", "young", "old"), [("women", 1.00 * 3.6, 1.42 * 29.3), ("men", 0.86 * 0.9, 1.28 * 13.6)]
)
def test_deformities_are_what_the_films_of_europe_ask_for(
    sex: str, young: float, old: float
) -> None:
    """EPOS at 50-54 and 75-79 per 1,000, times compressions for each person seen on films."""
    rates = table("uk", "vertebral_deformity").filter(pl.col("sex") == sex)
    made = dict(rates.select("age", "rate").iter_rows())
    assert 1000 * made[52.5] == pytest.approx(young, rel=0.01)
    assert 1000 * made[77.5] == pytest.approx(old, rel=0.01)


def test_swedish_density_is_low_enough() -> None:
    offset = about("sweden")["bmd_offset"]["femoral_neck"]["value"]
    mine = (pl.col("characteristic") == "abmd_femoral_neck") & (pl.col("sex") == "women")
    knots = table("sweden", "characteristics").filter(mine)
    shape = table("sweden", "quantiles").filter(mine)
    z = np.random.default_rng(1).standard_normal(20_000)
    for age, published in ((62.5, 14.3), (72.5, 27.9), (82.5, 47.2)):
        location = np.interp(age, numbers(knots, "age"), numbers(knots, "location")) + offset
        spread = np.interp(age, numbers(knots, "age"), numbers(knots, "spread"))
        density = location + spread * np.interp(z, numbers(shape, "z"), numbers(shape, "q"))
        made = 100 * float(np.mean((density - 0.858) / 0.120 <= -2.5))
        assert made == pytest.approx(published, abs=5)

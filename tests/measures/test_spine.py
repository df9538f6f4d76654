"""The spine, distributions, deaths caused and columns against loops over people."""

from __future__ import annotations

import statistics
from typing import Any

import cohortsim as cs
import numpy as np
import polars as pl
import pytest
from cohortsim import columns, provenance
from cohortsim.spine import SPINE_STRATA
from cohortsim.uncertainty import garwood, scaled_poisson, wilson_limits
from cohortsim.units import MINUTES_PER_MONTH, MINUTES_PER_YEAR

from . import toy

LIVES = toy.lives(3, people=200)
PEOPLE = {life.person.number: life.person for life in LIVES}.values()


@pytest.fixture(scope="module")
def made() -> cs.Results:
    return toy.results(LIVES)


def told(row: dict[str, Any], people: list[toy.Person], older: int = 0) -> None:
    """Compare a row with these people."""
    n = len(people)
    assert row["people"] == n
    counts: dict[str, list[int]] = {
        "deformed": [p.worst_grade > 0 for p in people],
        "mild": [p.worst_grade == 1 for p in people],
        "moderate": [p.worst_grade == 2 for p in people],
        "severe": [p.worst_grade == 3 for p in people],
        "hyperkyphotic": [p.kyphosis + older >= 50 for p in people],
        "back_pain": [p.back & 1 for p in people],
        "bed_rest": [p.back >> 3 & 1 for p in people],
    }
    for name, having in counts.items():
        assert row[name] == sum(having)
        assert row[f"{name}_percent"] == pytest.approx(100 * sum(having) / n)
        limits = wilson_limits(sum(having) / n, n)
        assert (row[f"{name}_low"], row[f"{name}_high"]) == pytest.approx([100 * x for x in limits])
    for name, values in (
        ("height_loss", [p.height_loss for p in people]),
        ("kyphosis", [p.kyphosis + older for p in people]),
    ):
        mean, sd = statistics.fmean(values), statistics.stdev(values)
        assert row[f"{name}_mean"] == pytest.approx(mean, abs=1e-3)
        assert row[f"{name}_sd"] == pytest.approx(sd, rel=2e-3)
        half = 1.959963984540054 * row[f"{name}_sd"] / n**0.5
        assert row[f"{name}_high"] - row[f"{name}_low"] == pytest.approx(2 * half)


def test_the_spine_by_sex_at_index_and_at_anniversaries(made: cs.Results) -> None:
    for row in made.spine(by="sex").iter_rows(named=True):
        told(row, [p for p in PEOPLE if p.sex == row["sex"]])
    found = made.spine(by=["arm", "year"])
    assert found.height == 10
    for row in found.iter_rows(named=True):
        minutes = 12 * row["year"] * MINUTES_PER_MONTH
        alive = [x.person for x in LIVES if x.arm == row["arm"] and x.minutes >= minutes]
        told(row, alive, older=row["year"])
    assert made.spine(by=[], year=4).height == 1


def test_the_spine_by_what_people_are(made: cs.Results) -> None:
    found = made.spine(by=["prior_fracture", "sex"])
    for row in found.iter_rows(named=True):
        who = (row["prior_fracture"], row["sex"])
        told(row, [p for p in PEOPLE if (p.prior_fracture, p.sex) == who])
    worst = made.spine(by="worst_grade")
    assert worst["deformed_percent"].to_list() == [0.0, 100.0, 100.0, 100.0]
    with pytest.raises(cs.ResultsError, match="back_pain; needs strata that are not counted"):
        made.spine(by="back_pain")
    with pytest.raises(cs.ResultsError, match="use year=0 without arm"):
        made.spine(by="smoking", year=2)


def test_a_spine_of_nobody_and_of_one_has_no_spread() -> None:
    alone = toy.results([life for life in LIVES if life.person.number == 0])
    row = alone.spine(by=[]).row(0, named=True)
    assert row["people"] == 1
    assert row["kyphosis_sd"] is row["kyphosis_low"] is None
    split = alone.spine(by=["smoking"])
    empty = split.filter(pl.col("people") == 0).row(0, named=True)
    assert empty["deformed"] == 0
    assert empty["deformed_percent"] is empty["kyphosis_mean"] is empty["bed_rest_high"] is None


def test_a_distribution_counts_everybody_once(made: cs.Results) -> None:
    found = made.distribution("kyphosis", by=["sex"])
    for sex in toy.SEXES:
        rows = found.filter(pl.col("sex") == sex)
        values = [float(np.float32(p.kyphosis)) for p in PEOPLE if p.sex == sex]
        assert rows["people"].sum() == len(values)
        assert rows["percent"].sum() == pytest.approx(100)
        for low, high, people in rows.select("from", "to", "people").iter_rows():
            assert high == low + 5
            assert people == sum(low <= value < high for value in values)
        assert rows["from"].to_list() == sorted(rows["from"])
    end = made.distribution("height_loss", by=["arm", "smoking"], at="end", width=0.5)
    alive = [life for life in LIVES if not life.died]
    assert end["people"].sum() == len(alive)
    first = made.distribution("height_loss", by=[], at="end", arm="treated")
    treated = [x.person.height_loss + 1 for x in alive if x.arm == "treated"]
    assert (first["from"].min(), first["to"].max()) == (min(treated) // 1, max(treated) // 1 + 1)
    women = made.distribution("menopause_age", width=1, by=[])
    assert women["people"].sum() == sum(p.sex == "women" for p in PEOPLE)


def test_the_levels_of_the_spine_by_grade_and_shape(made: cs.Results) -> None:
    found = made.vertebrae(by="sex")
    assert found.height == 26
    for row in found.iter_rows(named=True):
        level = columns.LEVELS.index(row["level"])
        mine = [p for p in PEOPLE if p.sex == row["sex"]]
        assert row["people"] == len(mine)
        grades = [p.grades[level] for p in mine]
        assert row["deformed"] == sum(grade > 0 for grade in grades)
        assert row["deformed_percent"] == pytest.approx(100 * row["deformed"] / len(mine))
        told = [row[name] for name in ("mild", "moderate", "severe")]
        assert told == [grades.count(k) for k in (1, 2, 3)]
        shapes = [p.shapes[level] for p in mine]
        assert [row[name] for name in columns.SHAPES] == [shapes.count(k) for k in (1, 2, 3)]
    end = made.vertebrae(by=["arm", "smoking"], at="end")
    assert end.filter(pl.col("level") == "L4")["people"].sum() == sum(not x.died for x in LIVES)


def test_distributions_that_cannot_be_get_a_message(made: cs.Results) -> None:
    with pytest.raises(cs.ResultsError, match='did you mean "kyphosis"'):
        made.distribution("kyphoses")
    for width in (None, 0, -1, True, float("inf")):
        with pytest.raises(cs.ResultsError, match="needs a number above 0"):
            made.distribution("body_weight", width=width)
    with pytest.raises(cs.ResultsError, match='no time "exit"'):
        made.distribution("kyphosis", at="exit")


@pytest.mark.parametrize("by", [["arm"], ["sex", "age_band"], ["smoking", "arm"], []])
def test_deaths_caused_and_deaths_after_a_fracture(made: cs.Results, by: list[str]) -> None:
    found = made.deaths_attributable(by, after="major")
    cells: dict[tuple[Any, ...], dict[str, int]] = {}

    def stratum(life: toy.Life, month: int) -> tuple[Any, ...]:
        age = (life.person.age_months + month) // 12
        values = {"age": age, "age_band": "60-69" if age < 70 else "70-79" if age < 80 else "80+"}
        values |= {"arm": life.arm, "sex": life.person.sex}
        key = tuple(values.get(name, life.person.risk_factors.get(name)) for name in by)
        return key, (life.person.sex, age)

    for life in LIVES:
        if "arm" not in by and life.arm != "usual":
            continue
        since = life.first(["hip", "clinical_vertebral"])
        for month, lived in life.months():
            start = month * MINUTES_PER_MONTH
            after = 0 if since is None else max(0, min(lived, start + lived - since))
            cell = cells.setdefault(stratum(life, month), dict.fromkeys(("t", "ta"), 0))
            cell["t"] += lived
            cell["ta"] += after
        for death in (event for event in life.events if event.kind == "death"):
            cell = cells.setdefault(stratum(life, death.month), dict.fromkeys(("t", "ta"), 0))
            late = since is not None
            for name, value in (("d", 1), ("c", death.attributable)):
                cell[name] = cell.get(name, 0) + value
                cell[name + "a"] = cell.get(name + "a", 0) + value * late
    assert found.height == len({key for key, _ in cells})
    for row in found.iter_rows(named=True):
        mine = [c for (key, _), c in cells.items() if key == tuple(row[name] for name in by)]

        def total(name: str, cells: list[dict[str, int]] = mine) -> int:
            return sum(cell.get(name, 0) for cell in cells)

        assert row["deaths"] == total("d")
        assert row["caused"] == pytest.approx(total("c") / 100)
        assert row["low"] <= row["caused"] <= row["high"]
        assert row["person_years"] == pytest.approx(total("t") / MINUTES_PER_YEAR)
        assert row["person_years_after"] == pytest.approx(total("ta") / MINUTES_PER_YEAR)
        assert row["deaths_after"] == total("da")
        assert row["caused_after"] == pytest.approx(total("ca") / 100)
        known = [cell for cell in mine if cell["t"] > cell["ta"]]
        expected = sum(
            cell["ta"] * (cell.get("d", 0) - cell.get("da", 0)) / (cell["t"] - cell["ta"])
            for cell in known
        )
        assert row["expected_after"] == pytest.approx(expected)
        excess = sum(cell.get("da", 0) for cell in known) - expected
        assert row["excess_after"] == pytest.approx(excess)
        assert row["excess_low"] < excess < row["excess_high"]
        caused = sum(cell.get("ca", 0) for cell in known) / 100
        share = row["caused_of_excess_percent"]
        assert share == (pytest.approx(100 * caused / excess) if excess > 0 else None)


def test_weights_of_one_size_have_the_interval_of_their_number() -> None:
    low, high = garwood(12)
    assert scaled_poisson(12 * 30, 12 * 900, 100) == pytest.approx((0.3 * low, 0.3 * high))
    assert scaled_poisson(0, 0, 100) == pytest.approx((0.0, 3.689), abs=1e-3)


def test_events_tell_what_applies_to_them(made: cs.Results) -> None:
    events = made.events.collect()
    of_a_vertebra = pl.col("event").is_in([columns.DEFORMITY, columns.SPINAL_SITE])
    others = events.filter(~of_a_vertebra)
    for name in ("level", "grade", "grade_before", "shape"):
        assert others[name].null_count() == others.height
        assert events.filter(of_a_vertebra)[name].null_count() == 0
    deaths = events.filter(pl.col("event") == columns.DEATH)
    assert deaths["attributable"].null_count() == 0
    alive = events.filter(pl.col("event") != columns.DEATH)
    assert alive["attributable"].null_count() == alive.height
    first = next(e for e in LIVES[0].events + LIVES[2].events if e.kind == columns.DEFORMITY)
    row = events.filter(pl.col("month") == first.month, pl.col("minute") == first.minute).row(
        0, named=True
    )
    assert row["level"] == columns.LEVELS[first.level - 1]
    assert row["shape"] == columns.SHAPES[first.shape - 1]
    assert (columns.LEVELS[0], columns.LEVELS[8], columns.LEVELS[12]) == ("T4", "T12", "L4")
    persons = made.persons.collect()
    assert persons["source_row"].null_count() == persons.height
    assert [persons[name].sum() for name in columns.BACK] == [
        sum(p.back >> k & 1 for p in PEOPLE) for k in range(4)
    ]


def test_fingerprints_do_not_change_with_batches(made: cs.Results) -> None:
    whole = provenance.fingerprints(made._parts, lambda: None)
    merged = {table: [pl.concat(parts)] for table, parts in made._parts.items()}
    assert provenance.fingerprints(merged, lambda: None) == whole
    assert set(provenance.SUMMED["spine"]) == set(SPINE_STRATA) - {"age_band"}

"""Rates by what people are, each life cut at birthdays, against loops over months."""

from __future__ import annotations

from typing import Any

import cohortsim as cs
import polars as pl
import pytest
from cohortsim.columns import DEFORMITY, NURSING_HOME, SPINAL_SITE
from cohortsim.lexis import pieces
from cohortsim.units import MINUTES_PER_MONTH, MINUTES_PER_YEAR
from hypothesis import given
from hypothesis import strategies as st

from . import toy

LIVES = toy.lives(1)


@pytest.fixture(scope="module")
def made() -> cs.Results:
    return toy.results(LIVES)


def at(life: toy.Life, name: str, month: int) -> Any:
    """Return the value of a stratum in a month of a life."""
    age = (life.person.age_months + month) // 12
    if name == "age_band":
        return "60-69" if age < 70 else "70-79" if age < 80 else "80+"
    if name == "class":
        return toy.CLASSES[life.person.class_in(month)]
    changing = {"arm": life.arm, "age": age, "year": month // 12}
    return changing[name] if name in changing else life.person.stratum(name)


def counted(by: list[str], kinds: list[str], arms: list[str]) -> dict[tuple[Any, ...], list[int]]:
    """Return events and minutes by stratum, month by month."""
    found: dict[tuple[Any, ...], list[int]] = {}
    for life in LIVES:
        if life.arm not in arms:
            continue
        for month, lived in life.months():
            key = tuple(at(life, name, month) for name in by)
            found.setdefault(key, [0, 0])[1] += lived
        for event in life.events:
            if event.kind in kinds:
                key = tuple(at(life, name, event.month) for name in by)
                found.setdefault(key, [0, 0])[0] += 1
    return found


@pytest.mark.parametrize(
    "by",
    [
        ["arm", "smoking"],
        ["alcohol", "sex", "age_band"],
        ["prior_fracture", "age", "arm"],
        ["year", "class_at_index", "age_band"],
        ["worst_grade", "back_pain", "year"],
        ["cohort", "sex", "age", "year"],
        ["class", "arm", "age_band"],
        [],
    ],
)
def test_rates_by_any_stratum_are_those_of_a_loop_over_months(
    made: cs.Results, by: list[str]
) -> None:
    found = made.incidence(by=by)
    expected = counted(by, toy.SITES, toy.ARMS if "arm" in by else toy.ARMS[:1])
    left = dict(expected)
    for row in found.iter_rows(named=True):
        events, minutes = left.pop(tuple(row[name] for name in by), (0, 0))
        assert row["events"] == events
        assert row["person_years"] * MINUTES_PER_YEAR == pytest.approx(minutes, abs=1e-6)
        if minutes:
            assert row["rate_per_1000"] == pytest.approx(1000 * events / row["person_years"])
            assert row["low"] <= row["rate_per_1000"] <= row["high"]
        else:
            assert row["rate_per_1000"] is row["low"] is row["high"] is None
    assert not left


def test_the_two_ways_to_person_time_are_one(made: cs.Results) -> None:
    table = made.incidence(by=["arm", "cohort", "sex", "age", "year", "site"])
    lives = made.incidence(by=["arm", "cohort", "sex", "age", "year", "site", "smoking"])
    keys = ["arm", "cohort", "sex", "age", "year", "site"]
    whole = lives.group_by(keys).agg(pl.col("events", "person_years").sum()).sort(keys)
    assert whole["events"].to_list() == table["events"].to_list()
    assert whole["person_years"].to_list() == pytest.approx(table["person_years"].to_list())


@given(st.integers(0, 1200), st.integers(0, 12 * MINUTES_PER_YEAR), st.integers(0, 10**6))
def test_pieces_of_a_life_are_cut_at_birthdays_to_the_minute(
    age_months: int, stop: int, start: int
) -> None:
    life = pl.LazyFrame({"age_months": [age_months], "start": [start], "stop": [stop]})
    found = pieces(life).collect()
    assert found["minutes"].sum() == max(0, stop - start)
    since = start
    for age, year, minutes in sorted(found.select("age", "year", "minutes").rows()):
        first, last = since // MINUTES_PER_MONTH, (since + minutes - 1) // MINUTES_PER_MONTH
        assert {(age_months + month) // 12 for month in (first, last)} == {age}
        assert {month // 12 for month in (first, last)} == {year}
        since += minutes


def test_deformities_and_nursing_homes_are_no_fractures(made: cs.Results) -> None:
    events = made.events.filter(pl.col("arm") == "usual").collect()

    def number(kind: str) -> int:
        return events.filter(pl.col("event") == kind).height

    assert number(DEFORMITY) > number(SPINAL_SITE) > 0
    assert made.incidence(by=[])["events"][0] == sum(map(number, toy.SITES))
    assert made.sites == toy.SITES
    deformities = made.incidence(by=["arm"], sites=DEFORMITY, arm="usual")
    assert deformities["events"].to_list() == [number(DEFORMITY)]
    both = made.incidence(by=["site"], sites=[DEFORMITY, SPINAL_SITE])
    assert both["site"].to_list() == [SPINAL_SITE, DEFORMITY]
    with pytest.raises(cs.ResultsError, match=f"{DEFORMITY} together.*first is part of the second"):
        made.incidence(by="sex", sites=[DEFORMITY, SPINAL_SITE])
    with pytest.raises(cs.ResultsError, match='did you mean "vertebral_deformity"'):
        made.incidence(sites="vertebral_deformty")
    with pytest.raises(cs.ResultsError, match="no fracture site"):
        made.incidence(sites=NURSING_HOME)
    entries = made.nursing_home(by=[])
    assert entries["entries"].to_list() == [number(NURSING_HOME)]
    assert made.mortality(by="smoking")["deaths"].sum() == number("death")


def test_registers_miss_clinical_vertebral_fractures_only(made: cs.Results) -> None:
    told = made.incidence(by=["arm", "site"])
    recorded = made.incidence(by=["arm", "site"], recorded_only=True)
    missed = [e for life in LIVES for e in life.events if not e.recorded]
    assert (told["events"] - recorded["events"]).sum() == len(missed) > 0
    assert recorded["person_years"].equals(told["person_years"])
    other = told["site"] != SPINAL_SITE
    assert told.filter(other).equals(recorded.filter(other))


def test_quantiles_rank_people_and_keep_equal_numbers_together(made: cs.Results) -> None:
    quarters = cs.quantiles("body_weight", 4, within="sex")
    found = made.incidence(by=["sex", quarters])
    assert found["body_weight_group"].to_list() == 2 * [f"{k} of 4" for k in range(1, 5)]
    people = {life.person.number: life.person for life in LIVES}.values()
    for sex in toy.SEXES:
        weights = sorted(p.body_weight for p in people if p.sex == sex)
        n = len(weights)
        edges = [weights[-(-k * n // 4) - 1] for k in (1, 2, 3)]
        for k in range(4):
            mine = {
                p.number
                for p in people
                if p.sex == sex and sum(p.body_weight > edge for edge in edges) == k
            }
            minutes = sum(
                life.minutes for life in LIVES if life.person.number in mine and life.arm == "usual"
            )
            row = found.row(4 * toy.SEXES.index(sex) + k, named=True)
            assert row["person_years"] * MINUTES_PER_YEAR == pytest.approx(minutes, abs=1e-6)


def test_bands_begin_with_their_limit_and_the_missing_have_their_own(made: cs.Results) -> None:
    found = made.incidence(by=[cs.bands("body_weight", [60, 80.5])])
    assert found["body_weight_group"].to_list() == ["under 60", "60 to 80.5", "80.5 and over"]
    heavy = [x.minutes for x in LIVES if x.person.body_weight >= 80.5 and x.arm == "usual"]
    assert found["person_years"][2] == pytest.approx(sum(heavy) / MINUTES_PER_YEAR, rel=1e-14)
    split = made.incidence(by=["sex", cs.quantiles("menopause_age", 2)])
    assert split["menopause_age_group"].to_list() == 2 * ["1 of 2", "2 of 2", "missing"]
    empty = [sex == ("men" if "of" in group else "women") for sex, group, *_ in split.rows()]
    assert [years == 0 for years in split["person_years"]] == empty
    assert [rate is None for rate in split["rate_per_1000"]] == empty


def test_groups_that_cannot_be_get_a_message(made: cs.Results) -> None:
    with pytest.raises(cs.ResultsError, match=r'use cs.quantiles\("body_weight", 4\)'):
        made.incidence(by="body_weight")
    with pytest.raises(cs.ResultsError, match='did you mean "body_weight"'):
        made.incidence(by=cs.quantiles("body_weigth"))
    with pytest.raises(cs.ResultsError, match=r'no column of people "sx"; .*did you mean "sex"'):
        made.incidence(by=cs.quantiles("body_weight", within="sx"))
    with pytest.raises(cs.ResultsError, match="needs a whole number from 2 to 100"):
        cs.quantiles("body_weight", 1)
    for limits in ([], [3, 2], [float("nan")]):
        with pytest.raises(cs.ResultsError, match="needs ascending numbers"):
            cs.bands("body_weight", limits)
    with pytest.raises(cs.ResultsError, match="use class_at_index"):
        made.incidence(by=["class", "smoking"])
    without = toy.results(LIVES)
    del without._parts["persons"], without._parts["follow_up"]
    with pytest.raises(cs.ResultsError, match=r"columns of people need `record: {persons: true}`"):
        without.incidence(by="smoking")
    with pytest.raises(cs.ResultsError, match=r"set `record: {persons: true}`"):
        without.incidence(by=cs.quantiles("body_weight"))
    assert without.incidence(by="sex").height == 2


def test_tables_of_different_batches_are_refused(made: cs.Results) -> None:
    torn = toy.results(LIVES)
    del torn._parts["follow_up"][0]
    with pytest.raises(cs.ResultsError, match="tables of 3, 2, 3 parts"):
        torn.incidence(by="smoking")

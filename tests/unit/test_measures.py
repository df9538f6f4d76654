"""Rates, shares and paired differences against slow, obvious twins."""

from __future__ import annotations

import math
from typing import Any

import cohortsim as cs
import polars as pl
import pytest
from cohortsim import compare, incidence, prevalence
from cohortsim.columns import CLASSES, DEFORMITY, SPINAL_SITE
from cohortsim.strata import band_labels, with_age_band
from cohortsim.uncertainty import garwood
from cohortsim.units import MINUTES_PER_YEAR
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2

SITES = ["hip", "other"]
EVENTS = pl.Enum(["death", *SITES])
ARMS = pl.Enum(["a", "b"])
SEXES = pl.Enum(["women", "men"])

rows = st.lists(
    st.tuples(
        st.integers(0, 5),  # person
        st.sampled_from(["a", "b"]),
        st.integers(0, 35),  # month
        st.sampled_from(["death", *SITES]),
        st.sampled_from(["women", "men"]),
    ),
    max_size=30,
)


def events_of(listed: list[tuple[int, str, int, str, str]]) -> pl.LazyFrame:
    return pl.LazyFrame(
        {
            "person": pl.Series([r[0] for r in listed], dtype=pl.UInt64),
            "arm": pl.Series([r[1] for r in listed], dtype=ARMS),
            "month": pl.Series([r[2] for r in listed], dtype=pl.UInt16),
            "event": pl.Series([r[3] for r in listed], dtype=EVENTS),
            "sex": pl.Series([r[4] for r in listed], dtype=SEXES),
            "age_months": pl.Series([720 + r[2] for r in listed], dtype=pl.UInt16),
        }
    )


def person_time() -> pl.LazyFrame:
    strata = [(arm, sex, age) for arm in "ab" for sex in ("women", "men") for age in (60, 61, 62)]
    return pl.LazyFrame(
        {
            "arm": pl.Series([s[0] for s in strata], dtype=ARMS),
            "sex": pl.Series([s[1] for s in strata], dtype=SEXES),
            "age": pl.Series([s[2] for s in strata], dtype=pl.UInt8),
            "minutes": pl.Series([MINUTES_PER_YEAR] * len(strata), dtype=pl.UInt64),
            "falls": pl.Series([2] * len(strata), dtype=pl.UInt64),
        }
    )


@given(rows)
def test_fracture_rates_count_every_stratum_and_site(
    listed: list[tuple[int, str, int, str, str]],
) -> None:
    by = ["arm", "sex", "site"]
    found = incidence.event_rates(events_of(listed), person_time(), by, SITES, "events")
    assert found.height == 2 * 2 * len(SITES)
    for row in found.iter_rows(named=True):
        key = (row["arm"], row["site"], row["sex"])
        assert row["events"] == sum((r[1], r[3], r[4]) == key for r in listed)
        assert row["person_years"] == 3.0
        assert row["rate_per_1000"] == 1000 * row["events"] / 3.0
        assert row["low"] <= row["rate_per_1000"] <= row["high"]


@given(rows)
def test_averted_is_the_sum_of_each_persons_difference(
    listed: list[tuple[int, str, int, str, str]],
) -> None:
    people = 6
    states = pl.LazyFrame(
        {
            "arm": pl.Series(["a", "b"], dtype=ARMS),
            "age": pl.Series([60, 60], dtype=pl.UInt8),
            "year": pl.Series([0, 0], dtype=pl.UInt8),
            "site": pl.Series(["femoral_neck"] * 2, dtype=pl.Enum(["femoral_neck"])),
            **{
                name: pl.Series([people if name == "normal" else 0] * 2, dtype=pl.UInt64)
                for name in ("normal", "osteopenia", "osteoporosis")
            },
        }
    )
    outcomes = {site: [site] for site in SITES} | {"any_fracture": SITES, "death": ["death"]}
    found = compare.averted(events_of(listed), states, [], outcomes, [60], "b", "a").collect()
    assert found["event"].to_list() == list(outcomes)
    for row in found.iter_rows(named=True):
        kinds = outcomes[row["event"]]
        d = [
            sum(r[0] == p and r[1] == "a" and r[3] in kinds for r in listed)
            - sum(r[0] == p and r[1] == "b" and r[3] in kinds for r in listed)
            for p in range(people)
        ]
        mean = sum(d) / people
        error = math.sqrt(sum((x - mean) ** 2 for x in d) / (people - 1) / people)
        assert row["averted"] == sum(d)
        assert row["averted_per_1000"] == pytest.approx(1000 * mean)
        half = 1.959963984540054 * error if error else -math.log(0.025) / people
        assert row["low"] == pytest.approx(1000 * (mean - half))
        assert row["high"] == pytest.approx(1000 * (mean + half))


def test_garwood_gives_the_published_limits() -> None:
    low, high = garwood([0, 1, 10, 100])
    assert low.tolist() == pytest.approx([0.0, 0.0253, 4.795, 81.36], abs=5e-3)
    assert high.tolist() == pytest.approx([3.689, 5.572, 18.39, 121.63], abs=5e-3)


@given(st.lists(st.integers(0, 110), min_size=1, max_size=6, unique=True).map(sorted))
def test_every_age_is_in_exactly_one_band(bands: list[int]) -> None:
    ages = pl.LazyFrame({"age": pl.Series(range(121), dtype=pl.UInt8)})
    found = with_age_band(ages, bands).collect()
    labels = band_labels(bands)
    for age, band in found.iter_rows():
        place = sum(age >= edge for edge in bands if edge > 0)
        assert band == labels[place]


def test_prevalence_of_known_counts() -> None:
    states = pl.LazyFrame(
        {
            "age": pl.Series([60, 70], dtype=pl.UInt8),
            "normal": pl.Series([50, 20], dtype=pl.UInt64),
            "osteopenia": pl.Series([40, 60], dtype=pl.UInt64),
            "osteoporosis": pl.Series([10, 20], dtype=pl.UInt64),
            "abmd_sum": pl.Series([80_000_000, 70_000_000], dtype=pl.Int64),
        }
    )
    found = prevalence.prevalence(states, ["age_band"], [60, 70]).collect()
    assert found["people"].to_list() == [100, 100]
    assert found["osteoporosis_percent"].to_list() == [10.0, 20.0]
    assert found["osteoporosis_low"].to_list() == pytest.approx([5.52, 13.34], abs=0.01)
    density = prevalence.mean_abmd(states, [], [60]).collect()
    assert density["abmd_g_per_cm2"].to_list() == [0.75]


def test_unknown_strata_sites_and_arms_get_the_nearest_name(results: cs.Results) -> None:
    with pytest.raises(cs.ResultsError, match='did you mean "age_band"'):
        results.incidence(by=["arm", "age_bnd"])
    with pytest.raises(cs.ResultsError, match='did you mean "hip"'):
        results.incidence(sites=["hop"])
    with pytest.raises(cs.ResultsError, match='did you mean "major_osteoporotic"'):
        results.incidence(group="major_osteoporotc")
    with pytest.raises(cs.ResultsError, match='did you mean "total_hip"'):
        results.prevalence(site="total_hipp")
    with pytest.raises(cs.ResultsError, match='did you mean "treated"'):
        results.averted("traeted")
    with pytest.raises(cs.ResultsError, match="no anniversary 9"):
        results.prevalence(year=9)
    with pytest.raises(cs.ResultsError, match="against itself"):
        results.averted("usual_care")


@pytest.mark.parametrize("by", [None, 5, [None], [["sex"]], ""])
def test_strata_that_are_no_names_get_a_message(results: cs.Results, by: Any) -> None:
    for measure in (
        *(results.incidence, results.prevalence, results.averted, results.falls),
        *(results.mortality, results.nursing_home, results.spine, results.deaths_attributable),
    ):
        with pytest.raises(cs.ResultsError, match="needs one of"):
            measure(by=by)
    with pytest.raises(cs.ResultsError, match=r"no anniversary 1.5; needs 0 to 3"):
        results.prevalence(year=1.5)  # type: ignore[arg-type]


def test_incidence_by_class_counts_each_event_in_the_class_of_its_month(
    results: cs.Results,
) -> None:
    found = results.incidence(by=["arm", "class", "sex"])
    events = results.events.filter(pl.col("event").is_in(results.sites)).collect()
    time = results.person_time.collect()
    for arm, class_, sex, count, years, rate, *limits in found.iter_rows():
        here = (pl.col("arm") == arm, pl.col("class") == class_, pl.col("sex") == sex)
        assert count == events.filter(*here).height
        assert years == pytest.approx(time.filter(*here)["minutes"].sum() / MINUTES_PER_YEAR)
        assert rate == pytest.approx(1000 * count / years)
        exact = [
            chi2.ppf(0.025, 2 * count) / 2 if count else 0.0,
            chi2.ppf(0.975, 2 * count + 2) / 2,
        ]
        assert limits == pytest.approx([1000 * x / years for x in exact])
    assert found["events"].sum() == events.height


def test_measures_agree_with_each_other(results: cs.Results) -> None:
    time = results.person_time.filter(pl.col("arm") == "usual_care").select("minutes").sum()
    years = time.collect().item() / MINUTES_PER_YEAR
    whole = results.incidence(by=[])
    assert whole["person_years"][0] == pytest.approx(years, rel=1e-12)
    by_site = results.incidence(by=["site"])
    assert by_site["events"].sum() == whole["events"][0]
    major = results.incidence(by="site", group="major_osteoporotic")["site"].to_list()
    assert set(major) < set(results.sites)
    averted = results.averted()
    per_arm = results.incidence(by=["arm"])["events"]
    any_fracture = averted.filter(pl.col("event") == "any_fracture")
    assert any_fracture["averted"][0] == per_arm[0] - per_arm[1]
    assert averted["people"].unique().to_list() == [3000]
    split = results.averted(by=["sex", "age_band"])
    assert split["averted"].sum() == averted["averted"].sum()
    start = results.prevalence(by=["sex"])
    assert start["people"].sum() == 3000
    assert results.persons.collect().height == 3000


def test_deaths_and_lived_time_agree_with_follow_up(results: cs.Results) -> None:
    ends = results.follow_up.group_by("arm").agg(pl.col("died").sum(), pl.col("minutes").sum())
    told = results.mortality(by=["arm"])
    for arm, died, minutes in ends.sort("arm").collect().iter_rows():
        row = told.filter(pl.col("arm") == arm)
        assert row["deaths"][0] == died
        assert row["person_years"][0] == pytest.approx(minutes / MINUTES_PER_YEAR, rel=1e-12)


def test_lives_cut_at_birthdays_agree_with_the_table_of_time(results: cs.Results) -> None:
    keys = ["arm", "cohort", "sex", "age", "year"]
    table = results.incidence(by=keys)
    lives = (
        results.incidence(by=[*keys, "prior_fracture"])
        .group_by(keys)
        .agg(pl.col("events", "person_years").sum())
    )
    both = table.join(lives, on=keys, suffix="_of_lives")
    assert both.height == table.height
    assert both["events"].equals(both["events_of_lives"], check_names=False)
    difference = both["person_years"] - both["person_years_of_lives"]
    assert difference.abs().max() == pytest.approx(0, abs=1e-9)


def test_classes_of_people_are_those_of_the_states(results: cs.Results) -> None:
    found = results.cumulative_incidence("any", 3, by=["sex", "class_at_index"])
    states = results.prevalence(by=["sex"])
    for sex, *counts in states.select("sex", *CLASSES).iter_rows():
        people = found.filter(pl.col("sex") == sex)["people"].to_list()
        assert people == pytest.approx(counts, abs=1)  # a rounding may move one at a limit


def test_risks_of_a_run_are_the_shares_of_its_people(results: cs.Results) -> None:
    risk = results.cumulative_incidence("death", 3, by=["arm"])
    died = results.follow_up.group_by("arm").agg(pl.col("died").sum()).sort("arm").collect()
    assert risk["events"].to_list() == died["died"].to_list()
    assert risk["percent"].to_list() == pytest.approx((died["died"] / 30).to_list())
    later = results.refracture("any", by=["arm"])
    assert (
        later["people"].max() == results.cumulative_incidence("any", 3, by=["arm"])["events"].max()
    )


def test_the_spine_of_the_table_is_that_of_the_people(results: cs.Results) -> None:
    table = results.spine(by=["sex"])
    people = results.spine(by=["sex", "prior_fracture"]).group_by("sex", maintain_order=True)
    counts = ("people", "deformities", "deformed", "severe", "hyperkyphotic", "back_pain")
    assert table.select("sex", *counts).equals(people.agg(pl.col(*counts).sum()))
    assert table["deformed"].min() > 0  # type: ignore[operator]
    levels = results.vertebrae(by=["sex"]).group_by("sex", maintain_order=True)
    assert levels.agg(pl.col("deformed").sum())["deformed"].equals(
        table["deformities"], check_names=False
    )
    shown = results.distribution("kyphosis", by=["sex"])
    high = shown.filter(pl.col("from") >= 50).group_by("sex", maintain_order=True)
    assert high.agg(pl.col("people").sum())["people"].equals(
        table["hyperkyphotic"], check_names=False
    )


def test_events_of_a_run_are_whole(results: cs.Results) -> None:
    events = results.events.collect()
    spinal = events.filter(pl.col("event") == SPINAL_SITE)
    deformities = events.filter(pl.col("event") == DEFORMITY)
    same = ["person", "arm", "month", "minute", "level", "grade", "shape"]
    assert spinal.join(deformities, on=same, how="anti").is_empty()
    assert 0 < spinal.height < deformities.height
    assert (deformities["grade"] > deformities["grade_before"]).all()
    assert spinal["recorded"].sum() < spinal.height
    assert events.filter(pl.col("event") != SPINAL_SITE)["recorded"].all()
    caused = results.deaths_attributable(by=["arm"])
    assert caused["deaths"].to_list() == results.mortality(by=["arm"])["deaths"].to_list()
    assert 0 < caused["caused"][0] < caused["deaths"][0]
    entries = results.nursing_home(by=["arm"])["entries"]
    first = results.cumulative_incidence("nursing_home_entry", 3, by=["arm"])["events"]
    assert first.to_list() == entries.to_list()  # once a person

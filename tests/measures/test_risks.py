"""Aalen-Johansen, remaining lifetime risk and refracture against loops over people."""

from __future__ import annotations

import math
from collections.abc import Callable

import cohortsim as cs
import numpy as np
import polars as pl
import pytest
from cohortsim.columns import DEFORMITY
from cohortsim.survival import CENSORED, DEATH, EVENT, Observed, risks
from cohortsim.uncertainty import wilson_limits
from cohortsim.units import MINUTES_PER_MONTH, MINUTES_PER_YEAR
from hypothesis import given
from hypothesis import strategies as st

from . import toy

LIVES = toy.lives(2, people=300)
FOREVER = 10**9
Left = tuple[int, int, int]  # entry, exit, cause


@pytest.fixture(scope="module")
def made() -> cs.Results:
    return toy.results(LIVES)


def by_hand(rows: list[Left], until: int) -> tuple[float, float, float]:
    """Return risk, its variance (Gaynor's formula summed as it stands), and share left."""
    alive, risk, steps = 1.0, 0.0, []
    for time in sorted({leave for _, leave, cause in rows if cause and leave <= until}):
        n = sum(come <= time <= leave for come, leave, _ in rows)
        events = sum(leave == time and cause == EVENT for _, leave, cause in rows)
        deaths = sum(leave == time and cause == DEATH for _, leave, cause in rows)
        risk += alive * events / n
        steps.append((n, events, deaths, alive, risk))
        alive *= 1 - (events + deaths) / n
    variance = 0.0
    for n, events, deaths, before, so_far in steps:
        leave = events + deaths
        if n > leave:
            variance += (risk - so_far) ** 2 * leave / (n * (n - leave))
        variance += before**2 * events * (n - events) / n**3
        variance -= 2 * (risk - so_far) * before * events / n**2
    return risk, variance, alive


def observed(rows: list[Left]) -> Observed:
    come, leave, cause = np.array(rows, dtype=np.int64).T
    return Observed(come, leave, cause, np.ones(len(rows), dtype=np.int64))


people = st.lists(
    st.tuples(st.integers(0, 8), st.integers(0, 30), st.sampled_from([CENSORED, EVENT, DEATH])),
    min_size=1,
    max_size=30,
)


@given(people, st.integers(1, 40))
def test_the_estimate_is_that_of_a_loop_over_times(found: list[Left], until: int) -> None:
    rows = [(come, come + stay, cause) for come, stay, cause in found]
    (risk,) = risks(observed(rows), 0, [until], FOREVER)
    share, variance, alive = by_hand(rows, until)
    here = [(come, leave, cause) for come, leave, cause in rows if leave <= until]
    assert risk.events == sum(cause == EVENT for *_, cause in here)
    assert risk.deaths == sum(cause == DEATH for *_, cause in here)
    still = sum(
        come <= until <= leave and not (leave == until and cause) for come, leave, cause in rows
    )
    assert (risk.people, risk.at_risk) == (len(rows), still)
    if risk.share is None:
        return
    assert risk.without is not None and risk.low is not None and risk.high is not None
    assert risk.share == pytest.approx(share, abs=1e-12)
    assert risk.without == pytest.approx(alive, abs=1e-12)
    assert 0 <= risk.low <= risk.share + 1e-12 and risk.share - 1e-12 <= risk.high <= 1
    if risk.events and 0 < share < 1 and variance > 1e-9:
        limits = wilson_limits(share, share * (1 - share) / variance)
        assert (risk.low, risk.high) == pytest.approx(limits, abs=1e-7)


@given(st.lists(st.tuples(st.integers(0, 30), st.sampled_from([1, 2])), min_size=1, max_size=40))
def test_without_early_ends_it_is_the_share_with_its_binomial_interval(
    found: list[tuple[int, int]],
) -> None:
    rows = [(0, leave, cause) for leave, cause in found]
    (risk,) = risks(observed(rows), 0, [20], FOREVER)
    share = sum(leave <= 20 and cause == EVENT for _, leave, cause in rows) / len(rows)
    assert risk.share == pytest.approx(share, abs=1e-12)
    if any(leave > 20 for _, leave, _ in rows):
        assert (risk.low, risk.high) == pytest.approx(wilson_limits(share, len(rows)), abs=1e-9)


def test_delayed_entry_gives_back_the_hazards_of_the_closed_form() -> None:
    """Exponential times: risk until t is a / (a + b) (1 - exp(-(a + b) t)), whoever enters when."""
    a, b, n = 0.03, 0.02, 200_000
    luck = np.random.default_rng(3)
    come = luck.uniform(0, 30, n)
    stay = luck.exponential(1 / (a + b), n)
    last = luck.uniform(5, 60, n)
    cause = np.where(stay > last, CENSORED, np.where(luck.random(n) < a / (a + b), EVENT, DEATH))
    times = [(x * 1000).astype(np.int64) for x in (come, come + np.minimum(stay, last))]
    seen = Observed(times[0], times[1], cause.astype(np.int64), np.ones(n, dtype=np.int64))
    for until in (10, 30, 60):
        (risk,) = risks(seen, 0, [until * 1000], FOREVER)
        exact = a / (a + b) * (1 - math.exp(-(a + b) * until))
        assert risk.share == pytest.approx(exact, abs=0.006)
        assert risk.without == pytest.approx(math.exp(-(a + b) * until), abs=0.006)
        assert risk.low is not None and risk.high is not None
        assert risk.low < exact < risk.high


def test_intervals_cover_the_risk_in_19_of_20_samples() -> None:
    a, b, n = 0.05, 0.03, 150
    luck = np.random.default_rng(4)
    exact = a / (a + b) * (1 - math.exp(-(a + b) * 10))
    inside, samples = 0, 600
    for _ in range(samples):
        come = np.where(luck.random(n) < 0.5, 0.0, luck.uniform(0, 5, n))
        stay, last = luck.exponential(1 / (a + b), n), luck.uniform(4, 20, n)
        which = np.where(luck.random(n) < a / (a + b), EVENT, DEATH)
        cause = np.where(stay > last, CENSORED, which)
        leave = come + np.minimum(stay, last)
        times = [(x * 1000).astype(np.int64) for x in (come, leave)]
        seen = Observed(times[0], times[1], cause.astype(np.int64), np.ones(n, dtype=np.int64))
        (risk,) = risks(seen, 0, [10_000], FOREVER)
        assert risk.low is not None and risk.high is not None
        inside += risk.low <= exact <= risk.high
    assert 0.93 <= inside / samples <= 0.97


def test_what_nobody_was_observed_for_is_not_known() -> None:
    rows = [(0, 10, CENSORED), (0, 5, EVENT), (30, 40, EVENT)]
    known = [risk.share for risk in risks(observed(rows), 0, [5, 10, 11, 35, 40], 15)]
    assert known == [0.5, 0.5, None, None, None]
    bridged = [risk.share for risk in risks(observed(rows), 0, [10, 40, 50], 20)]
    assert bridged == [0.5, 1.0, 1.0]  # nobody is left to be observed
    late = [risk.share for risk in risks(observed([(20, 30, EVENT)]), 0, [25], 10)]
    assert late == [None]
    one_dies_before_others_come = [(0, 4, DEATH), (6, 20, EVENT), (6, 30, CENSORED)]
    shares = [r.share for r in risks(observed(one_dies_before_others_come), 0, [3, 4, 25], 10)]
    assert shares == [0.0, None, None]


def test_no_event_among_many_leaves_the_interval_of_a_share() -> None:
    rows = [(0, 5, DEATH)] * 30 + [(0, 10, CENSORED)] * 50
    (risk,) = risks(observed(rows), 0, [10], FOREVER)
    assert (risk.share, risk.low) == (0.0, 0.0)
    assert risk.high == pytest.approx(wilson_limits(0.0, 80)[1], rel=1e-12)


def leaving(kinds: list[str], keep: Callable[[toy.Life], bool]) -> list[tuple[toy.Life, int, int]]:
    """Return minute since index and cause of everybody's leaving."""
    found = []
    for life in LIVES:
        if keep(life):
            first = life.first(kinds)
            if first is not None:
                found.append((life, first, EVENT))
            else:
                found.append((life, life.minutes, DEATH if life.died else CENSORED))
    return found


@pytest.mark.parametrize("outcome", ["hip", "major", "any", DEFORMITY, "nursing_home_entry"])
def test_cumulative_incidence_is_the_share_of_people(made: cs.Results, outcome: str) -> None:
    kinds = made.groups.get(outcome, [outcome])
    found = made.cumulative_incidence(outcome, [1, 2.5, 4], by=["arm", "smoking", "age_band"])
    assert found.height == 2 * 2 * 3 * 3
    for row in found.iter_rows(named=True):

        def mine(life: toy.Life, row: dict[str, object] = row) -> bool:
            band = "60-69" if life.person.age_months < 840 else "70-79"
            band = "80+" if life.person.age_months >= 960 else band
            who = (life.arm, life.person.risk_factors["smoking"], band)
            return who == (row["arm"], row["smoking"], row["age_band"])

        until = round(row["years"] * MINUTES_PER_YEAR)
        left = [(time, cause) for _, time, cause in leaving(kinds, mine)]
        events = sum(cause == EVENT and time <= until for time, cause in left)
        assert (row["people"], row["events"]) == (len(left), events)
        assert row["deaths"] == sum(cause == DEATH and time <= until for time, cause in left)
        assert row["percent"] == pytest.approx(100 * events / len(left), abs=1e-9)
        assert row["low"] <= row["percent"] <= row["high"]
        assert row["at_risk"] == row["people"] - row["events"] - row["deaths"]
        assert row["without_percent"] == pytest.approx(100 * row["at_risk"] / row["people"])


def test_death_has_no_competitor(made: cs.Results) -> None:
    found = made.cumulative_incidence("death", 4, by=["arm"])
    died = [sum(life.died for life in LIVES if life.arm == arm) for arm in toy.ARMS]
    assert found["events"].to_list() == died
    assert found["deaths"].to_list() == [0, 0]


def test_strata_without_people_have_a_row_without_a_risk(made: cs.Results) -> None:
    found = made.cumulative_incidence("hip", 4, by=["sex", cs.quantiles("menopause_age", 2)])
    assert found.height == 6
    empty = found.filter(pl.col("people") == 0)
    assert empty.height == 3
    assert empty["percent"].to_list() == empty["high"].to_list() == [None] * 3
    assert empty["events"].to_list() == [0] * 3


def test_lifetime_risk_puts_people_of_all_ages_together(made: cs.Results) -> None:
    at = 66
    found = made.lifetime_risk("hip", at=at, by=["sex"])
    other = made.lifetime_risk("hip", at=at, to=75, by="sex")
    for k, sex in enumerate(toy.SEXES):
        rows = []
        for life in LIVES:
            born = life.person.age_months * MINUTES_PER_MONTH
            since = at * MINUTES_PER_YEAR - born
            if life.arm != "usual" or life.person.sex != sex or life.minutes < since:
                continue
            first = life.first(["hip"], since)
            cause = EVENT if first is not None else DEATH if life.died else CENSORED
            leave = born + (life.minutes if first is None else first)
            rows.append((max(born, at * MINUTES_PER_YEAR), leave, cause))
        for table, until in ((found, max(r[1] for r in rows)), (other, 75 * MINUTES_PER_YEAR)):
            row = table.row(k, named=True)
            share, variance, alive = by_hand(rows, until)
            assert row["people"] == len(rows)
            assert row["from_age"] == 66.0
            assert row["to_age"] * MINUTES_PER_YEAR == pytest.approx(until, abs=1e-6)
            assert row["percent"] == pytest.approx(100 * share, rel=1e-9)
            assert row["without_percent"] == pytest.approx(100 * alive, abs=1e-9)
            limits = wilson_limits(share, share * (1 - share) / variance)
            assert (row["low"], row["high"]) == pytest.approx([100 * x for x in limits], rel=1e-6)


@pytest.mark.parametrize("outcome", ["hip", "any", "death", DEFORMITY])
def test_refracture_starts_at_the_index_fracture(made: cs.Results, outcome: str) -> None:
    kinds = made.groups.get(outcome, [outcome])
    found = made.refracture("major", outcome, by=["arm", "age_band"], years=[0.5, 2, 3.5])
    rows: dict[tuple[str, str], list[Left]] = {}
    for life in LIVES:
        index = life.first(["hip", "clinical_vertebral"])
        if index is None:
            continue
        first = life.first(kinds, index + 1)
        lost = EVENT if outcome == "death" else DEATH
        cause = EVENT if first is not None else lost if life.died else CENSORED
        leave = life.minutes if first is None else first
        age = (life.person.age_months + index // MINUTES_PER_MONTH) // 12
        band = "60-69" if age < 70 else "70-79" if age < 80 else "80+"
        rows.setdefault((life.arm, band), []).append((0, leave - index, cause))
    assert found.height == 3 * len(rows) == 18
    for row in found.iter_rows(named=True):
        mine = rows[row["arm"], row["age_band"]]
        share, _, alive = by_hand(mine, round(row["years"] * MINUTES_PER_YEAR))
        assert row["people"] == len(mine)
        if row["percent"] is None:
            assert row["at_risk"] == 0
            continue
        assert row["percent"] == pytest.approx(100 * share, rel=1e-9)
        assert row["without_percent"] == pytest.approx(100 * alive, abs=1e-9)


def test_refracture_by_what_people_are_and_every_year(made: cs.Results) -> None:
    found = made.refracture("any", by=["prior_fracture", cs.quantiles("kyphosis", 2)])
    assert found["years"].unique().sort().to_list() == [1.0, 2.0, 3.0, 4.0]
    assert found.height == 16
    broken = {life.person.number for life in LIVES if life.arm == "usual" and life.first(toy.SITES)}
    first_year = found.filter(pl.col("years") == 1)
    assert first_year["people"].sum() == len(broken)


def test_recorded_only_leaves_out_what_registers_miss(made: cs.Results) -> None:
    told, recorded = (
        made.cumulative_incidence("clinical_vertebral", 4, by=[], recorded_only=only)
        for only in (False, True)
    )
    assert 0 < recorded["events"][0] < told["events"][0]


def test_what_cannot_be_told_gets_a_message(made: cs.Results) -> None:
    with pytest.raises(cs.ResultsError, match=r'no outcome "hop"; .*did you mean "hip"'):
        made.cumulative_incidence("hop", 1)
    with pytest.raises(cs.ResultsError, match=r"no 10 years of follow-up; .*at most 4"):
        made.cumulative_incidence("hip")
    with pytest.raises(cs.ResultsError, match="no years"):
        made.cumulative_incidence("hip", [])
    with pytest.raises(cs.ResultsError, match='no stratum "yer"'):
        made.cumulative_incidence("hip", 1, by="yer")
    with pytest.raises(cs.ResultsError, match=r"50; .*nobody is observed before 6"):
        made.lifetime_risk("hip")
    with pytest.raises(cs.ResultsError, match="above `at`"):
        made.lifetime_risk("hip", at=70, to=70)
    with pytest.raises(cs.ResultsError, match='no stratum "age_band"'):
        made.lifetime_risk("hip", at=70, by="age_band")
    with pytest.raises(cs.ResultsError, match='no outcome "death"'):
        made.refracture("death")

"""A study that moves on with the calendar, from a year of its own, in populations that differ."""

from __future__ import annotations

import pytest

from . import populations
from .pairs import (
    BOTH,
    Pair,
    built,
    cohort,
    events_differ_only_where_a_draw_meets_its_threshold,
    in_single,
    pair,
    same_months,
    same_persons,
    same_tables,
)
from .populations import Plain
from .rounding import IN_DOUBLE, IN_SINGLE

YEARS = 6
COHORTS = [
    cohort("united_states", BOTH, ages={"from": 60, "to": 95}),
    cohort("sweden", BOTH, ages={"from": 60, "to": 95}, population="sweden"),
    cohort("united_kingdom", BOTH, ages={"from": 60, "to": 95}, population="uk"),
]


@pytest.fixture(scope="module")
def double() -> Pair:
    """Double precision; deformities become rarer too, and excess death depends on age."""
    arms: list[Plain] = [{"name": "usual_care"}]
    request = built(COHORTS, 900, YEARS, arms, calendar_year=2008, secular_trend=True)
    for population in request["populations"]:
        change = {"site": "vertebral_deformity", "women": -0.03, "men": -0.02}
        others = [t for t in population["trend"] if t["site"] != change["site"]]
        population["trend"] = [*others, change]
    for site in request["fracture_sites"]:
        site["mortality_age_slope"] = {"women": 0.3, "men": -0.2}
    return pair(request)


def test_rates_move_in_this_study(double: Pair) -> None:
    for population in double.request["populations"]:
        assert population["calendar_year"] == 2008
        first, last = (populations.death_hazard(population, 2008 + k) for k in (0, YEARS - 1))
        assert (first[:, 70] > last[:, 70]).all()
        assert any(t["site"] == "hip" for t in population["trend"])


def test_the_same_lives(double: Pair) -> None:
    same_persons(double)
    same_tables(double)
    for number in range(0, double.people, 19):
        same_months(double, number, 0, IN_DOUBLE)


def test_single_precision_differs_only_by_rounding(double: Pair) -> None:
    single = in_single(double)
    events_differ_only_where_a_draw_meets_its_threshold(single)
    for number in range(0, single.people, 31):
        same_months(single, number, 0, IN_SINGLE)

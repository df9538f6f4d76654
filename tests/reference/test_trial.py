"""Studies as trials are: entry rules, treatment before index, sequences, stop rules, visits; and
everything that the catalog holds.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from cohortsim import _core
from cohortsim.catalog import PROFILE_KINDS, Catalog

from .brought import spine_at_index
from .offsets import means_of_model
from .pairs import (
    BOTH,
    MEN,
    WOMEN,
    Pair,
    built,
    cohort,
    compiled,
    events_differ_only_where_a_draw_meets_its_threshold,
    in_single,
    on_the_same_courses,
    pair,
    same_densities_at_exit,
    same_months,
    same_persons,
    same_tables,
    with_the_same_events,
)
from .populations import Plain
from .recruiting import recruited
from .rounding import DENSITY_IN_SINGLE, IN_DOUBLE, IN_SINGLE, RESORPTION_IN_SINGLE

VISITS = [0, 1, 6, 12, 18, 24, 36, 60]


def medicine(name: str, months: int | None = None, **more: Any) -> Plain:
    return {"medicine": name, "months": months, "persistence": "full"} | more


COHORTS = [
    cohort(
        "osteoporosis",
        [WOMEN],
        entry={
            "t_scores": [
                {"site": "total_hip", "at_most": -2.5},
                {"site": "lumbar_spine", "at_least": -4.0, "at_most": -2.5},
            ],
            "t_score_rule": "any",
            "prior_fracture": True,
            "years_since_menopause": {"from": 5, "to": 40},
        },
        medicines=[
            medicine("calcium", dose={"value": 500, "unit": "mg"}, uptake=0.5),
            # Begun long before index, so that history goes by the month; not everybody goes on.
            medicine(
                "alendronate",
                48,
                start_month=-60,
                uptake=0.6,
                persistence={"months_median": 30},
                then=[medicine("raloxifene", 12, wait_months=3)],
            ),
        ],
    ),
    cohort(
        "low_density",
        BOTH,
        ages={"from": 55, "to": 80},
        entry={
            "t_scores": [
                {"site": "femoral_neck", "at_least": -3.5, "at_most": -1.0},
                {"site": "total_hip", "at_most": -1.0},
            ],
            "prior_fracture": False,
        },
        medicines=[medicine("zoledronate", 25, start_month=-30)],
    ),
    cohort(
        "recently_menopausal",
        [WOMEN],
        ages={"from": 50, "to": 60},
        population="us_nonhispanic_white",
        entry={"years_since_menopause": {"from": 0.5, "to": 6}},
    ),
    cohort(
        "deformed",
        BOTH,
        ages={"from": 60, "to": 90},
        people="scanned",
        entry={"vertebral_deformities": {"at_least": 1, "at_most": 1, "grade_at_least": 2}},
    ),
    cohort(
        "everybody",
        BOTH,
        # Doses before index and after it.
        medicines=[
            medicine("denosumab", start_month=-40, end_month=3, uptake=0.7, who={"sexes": [MEN]})
        ],
    ),
]
TO_TARGET = {"t_score_at_least": -2.0, "site": "total_hip", "every_months": 6}
ARMS: list[Plain] = [
    {"name": "none"},
    {
        "name": "builder_first",
        "medicines": [
            medicine(
                "romosozumab",
                12,
                stop={"at_fracture": True},
                then=[
                    medicine("alendronate", 24, persistence="real_life"),
                    medicine("zoledronate", wait_months=6, uptake=0.8),
                ],
            ),
            medicine("prednisone", 30, start_month=20, uptake=0.2),
        ],
    },
    {
        "name": "to_target",
        "medicines": [
            medicine(
                "denosumab",
                start_month=1,
                who={
                    "t_score_at_most": -1.5,
                    "t_score_at_least": -5,
                    "site": "lumbar_spine",
                    "sexes": [WOMEN],
                },
                stop=TO_TARGET | {"at_fracture": True},
                then=[
                    medicine("teriparatide", 18, wait_months=4, stop=TO_TARGET),
                    medicine("risedronate"),
                ],
            ),
        ],
    },
    {
        "name": "together",
        "medicines": [
            medicine("teriparatide", 24, persistence={"months_median": 20}),
            medicine("denosumab", 24, who={"prior_fracture": True, "sexes": [WOMEN]}, uptake=0.7),
            medicine("hormone_therapy", start_month=6, who={"sexes": [WOMEN]}, uptake=0.3),
            medicine("benzodiazepine", 12, start_month=12, uptake=0.5),
        ],
    },
]


@pytest.fixture(scope="module")
def double() -> Pair:
    """The trial in double precision."""
    return pair(built(COHORTS, 800, 5, ARMS, VISITS))


@pytest.fixture(scope="module")
def single(double: Pair) -> Pair:
    """The same in single precision."""
    return in_single(double)


def test_the_trial_asks_for_what_it_is_to_test(double: Pair) -> None:
    """Candidates are turned away, courses follow others, and stop rules stop some of them."""
    means = means_of_model(double.model.derived())
    who = recruited(double.request, np.arange(200), means)
    assert who.attempt.max() > 3
    assert (who.attempt[who.cohort == 4] == 0).all()
    brought = spine_at_index(double.request, who, means).grade
    assert (np.sum(brought[who.cohort == 3] >= 2, axis=1) == 1).all()
    events = double.kernel["events"]
    sites = len(double.request["fracture_sites"])
    for code in range(sites + 3):
        assert (events["event"] == code).any(), f"nothing of event {code}"
    assert set(events["recorded"]) == {0, 1}
    assert events["attributable"].max() > 20
    judged = {"site": "total_hip", "t_score_at_least": 20.0}
    no_rule = judged | {"every_months": 1200, "at_fracture": False}
    without = double.request | {
        "arms": [
            arm | {"exposures": [e | {"stop": e["stop"] and no_rule} for e in arm["exposures"]]}
            for arm in double.request["arms"]
        ]
    }
    other = _core.simulate(compiled(without), 0, double.people, 2)["follow_up"]
    follow_up = double.kernel["follow_up"]
    np.testing.assert_array_equal(other["person"], follow_up["person"])
    changed = other["abmd_total_hip"] != follow_up["abmd_total_hip"]
    for arm in (1, 2):
        assert changed[other["arm"] == arm].sum() > 5, f"no stop rule ever stops in arm {arm}"


def test_the_same_persons(double: Pair) -> None:
    same_persons(double)


def test_the_same_tables(double: Pair) -> None:
    assert len(double.kernel["events"]["event"]) > 500, "too few events to say anything"
    assert len(double.kernel["visits"]["month"]) == len(ARMS) * len(COHORTS) * len(VISITS) * 6
    same_tables(double)


def test_the_same_months(double: Pair) -> None:
    for number in range(0, double.people, 11):
        for arm in range(len(ARMS)):
            same_months(double, number, arm, IN_DOUBLE)


def test_single_precision_differs_only_by_rounding(single: Pair) -> None:
    same_persons(single)
    same_densities_at_exit(single)
    events_differ_only_where_a_draw_meets_its_threshold(single)
    same = on_the_same_courses(single) & with_the_same_events(single)
    same = same.reshape(single.people, -1)
    for number in range(0, single.people, 23):
        for arm in np.flatnonzero(same[number]):
            same_months(single, number, int(arm), IN_SINGLE)


def test_visits_in_single_precision(single: Pair) -> None:
    """Each person's change is rounded to 1e-5, so rounding may move it by one such part more.

    Whoever rounding puts on another course, or lets die, may move a sum by as much as medicines do.
    """
    kernel, own = single.kernel["visits"], single.twin.tables["visits"]
    for key in ("arm", "cohort", "month", "measure"):
        np.testing.assert_array_equal(kernel[key], own[key], err_msg=key)
    differing = int((~on_the_same_courses(single)).sum())
    events = [len(t["events"]["event"]) for t in (single.kernel, single.twin.tables)]
    differing += abs(events[0] - events[1]) + int((~with_the_same_events(single)).sum())
    error = np.where(kernel["measure"] < 4, DENSITY_IN_SINGLE, RESORPTION_IN_SINGLE)
    for column in ("change_sum", "peak_sum"):
        # Relative values are below 10.
        limit = kernel["people"] * (1.0 + 10.0 * error * 1e5) + differing * 1e6
        assert (np.abs(kernel[column] - own[column]) <= limit).all(), column


# Everything that the catalog holds


def cohorts_of_every_profile() -> list[Plain]:
    """Return one cohort of each profile, and two that mix them."""
    catalog = Catalog()
    found = [
        cohort("measured", BOTH),
        cohort("therapy", [WOMEN], hormones=["early_menopause", "hormone_therapy"]),
        cohort(
            "in_bed",
            BOTH,
            activity="bed_rest",
            diet=["calcium_low", "vitamin_d_replete"],
            population="us_nonhispanic_white",
            medicines=[medicine("calcium_vitamin_d", start_month=-30, end_month=0, uptake=0.6)],
        ),
    ]
    for kind in PROFILE_KINDS:
        for id_ in catalog.ids(f"profiles/{kind}"):
            sexes: list[str] = list(catalog.profile(kind, id_).sexes)
            found.append(cohort(f"{kind}_{id_}", sexes, **{kind: id_}))
    return found


def arms_of_every_medicine() -> list[Plain]:
    """Return arms with three of the catalog's medicines each, one after another and together."""
    catalog = Catalog()
    names = catalog.ids("medicines")
    found: list[Plain] = [{"name": "none"}]
    for k in range(0, len(names), 3):
        courses: list[Plain] = [
            {"medicine": name, "start_month": 9 * place, "months": 24 + 6 * place, "uptake": 0.8}
            for place, name in enumerate(names[k : k + 3])
        ]
        for course in courses:
            known = catalog.medicine(course["medicine"]).persistence is not None
            course["persistence"] = "real_life" if known else "full"
        found.append({"name": f"medicines_{k}", "medicines": courses})
    return found


def test_every_profile_and_every_medicine() -> None:
    cohorts = cohorts_of_every_profile()
    both = pair(built(cohorts, 1100, 4, arms_of_every_medicine(), [0, 12, 48]))
    assert set(both.kernel["persons"]["cohort"]) == set(range(len(cohorts)))
    same_persons(both)
    same_tables(both)
    for number in range(0, both.people, 31):
        for arm in range(len(both.request["arms"])):
            same_months(both, number, arm, IN_DOUBLE)
    follow_up = both.kernel["follow_up"]
    for arm in range(1, len(both.request["arms"])):
        assert follow_up["medicine_months"][follow_up["arm"] == arm].max() >= 24

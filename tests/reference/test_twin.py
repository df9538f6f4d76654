"""The kernel against its twin: the same people, lives, draws and tables."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cohortsim as cs
import numpy as np
import pytest
from cohortsim import _core
from cohortsim import request as requests

from . import chance, twin
from .balance import SITES
from .people import SEXES, Plain

SHIPPED = Path(__file__).parents[1] / "fixtures" / "request.json"
PEOPLE, SEED = 1000, 1
ULP = 2.0**-23
"""Relative distance of neighbouring numbers in single precision."""

WOMEN, MEN = SEXES


def cohort(name: str, sexes: list[str], **profiles: Any) -> Plain:
    ages = {"from": 50, "to": 100}
    return {"name": name, "population": "us", "sexes": sexes, "ages": ages} | profiles


BOTH = [WOMEN, MEN]
COHORTS = [
    cohort("as_measured", BOTH),
    cohort("natural", [WOMEN], hormones="natural"),
    cohort("early", [WOMEN], hormones="early_menopause"),
    cohort("surgical", [WOMEN], hormones="surgical_menopause"),
    cohort("therapy", [WOMEN], hormones=["early_menopause", "hormone_therapy"]),
    cohort("deprived", [MEN], hormones="androgen_deprivation"),
    cohort("healthy", [MEN], hormones="healthy_man"),
    cohort(
        "in_bed",
        BOTH,
        activity="bed_rest",
        diet="calcium_low",
        medicines=[{"medicine": "calcium_vitamin_d", "months": 30, "uptake": 0.6}],
    ),
    cohort("active", BOTH, activity="active", diet=["calcium_ample", "vitamin_d_replete"]),
    cohort("usual", BOTH, activity="usual", diet="calcium_usual"),
    cohort(
        "sedentary",
        BOTH,
        activity="sedentary",
        diet="vitamin_d_deficient",
        population="us_nonhispanic_white",
    ),
]
ARMS: list[Plain] = [
    {"name": "usual_care"},
    {
        "name": "treated",
        "medicines": [
            {
                "medicine": "alendronate",
                "start_month": 6,
                "who": {
                    "t_score_at_most": -1.5,
                    "site": "total_hip",
                    "sexes": [WOMEN],
                    "ages": {"from": 60, "to": 80},
                },
            },
            {"medicine": "calcium_vitamin_d", "persistence": "full", "months": 36},
            {
                "medicine": "alendronate",
                "start_month": 20,
                "months": 24,
                "uptake": 0.5,
                "persistence": {"months_median": 18},
            },
        ],
    },
]


@dataclass(frozen=True)
class Pair:
    """One study, lived by both."""

    request: Plain
    model: _core.Model
    kernel: dict[str, twin.Table]
    twin: twin.Lives

    @property
    def people(self) -> int:
        return len(self.kernel["persons"]["person"])


def compiled(request: Plain) -> _core.Model:
    return _core.compile(json.dumps(request))


def pair(request: Plain) -> Pair:
    model = compiled(request)
    numbers = np.arange(request["people"], dtype=np.int64)
    lives = twin.simulated(request, numbers, twin.means_of_model(model.derived()))
    return Pair(request, model, _core.simulate(model, 0, len(numbers), 2), lives)


def shipped(**changes: Any) -> Plain:
    request: Plain = json.loads(SHIPPED.read_text(encoding="utf-8"))
    return request | {"people": PEOPLE, "seed": SEED, "record_persons": True} | changes


def built(cohorts: list[Plain], people: int, years: int, arms: list[Plain]) -> Plain:
    """Return the request of a study as a user would write it, in double precision."""
    study = {"cohortsim": 1, "name": "twin", "people": people, "years": years, "seed": 3}
    share = 1.0 / len(cohorts)
    study |= {"cohorts": [c | {"share": share} for c in cohorts], "arms": arms}
    return dict(requests.build(cs.load(study)).data) | {"precision": "f64"}


@pytest.fixture(scope="module")
def double() -> Pair:
    """The shipped study in double precision."""
    return pair(shipped(precision="f64"))


@pytest.fixture(scope="module")
def single(double: Pair) -> Pair:
    """The shipped study in single precision, as populations are run; the twin knows no precision."""
    request = shipped(precision="f32")
    model = compiled(request)
    return Pair(request, model, _core.simulate(model, 0, PEOPLE, 2), double.twin)


@pytest.fixture(scope="module")
def profiles() -> Pair:
    """A study with every profile, two populations, and medicines of arms and of a cohort."""
    return pair(built(COHORTS, people=1100, years=6, arms=ARMS))


# What is compared


def rows(table: twin.Table, columns: list[str]) -> list[tuple[int, ...]]:
    """Return rows of integers in an order that does not depend on who wrote them."""
    return sorted(zip(*(table[c].tolist() for c in columns), strict=True))


def by_person_and_arm(table: twin.Table, column: str) -> Any:
    return table[column][np.lexsort((table["arm"], table["person"]))]


def integer_columns(table: twin.Table) -> list[str]:
    return [name for name, column in table.items() if column.dtype.kind in "iu"]


def same_persons(both: Pair) -> None:
    """Integers are the same; numbers are recorded as float32 and may differ by its last place."""
    for name, column in both.kernel["persons"].items():
        own = both.twin.tables["persons"][name]
        if column.dtype.kind in "iu":
            np.testing.assert_array_equal(column, own, err_msg=name)
        else:
            np.testing.assert_allclose(column, own, rtol=ULP, atol=0.0, err_msg=name)


def same_tables(both: Pair) -> None:
    """All integers of all tables, in double precision."""
    for name in ("events", "person_time", "states", "follow_up"):
        kernel, own = both.kernel[name], both.twin.tables[name]
        columns = integer_columns(kernel)
        assert rows(kernel, columns) == rows(own, columns), name


def decisions(both: Pair) -> list[str]:
    return ["fall", "death", *(site["id"] for site in both.request["fracture_sites"])]


def same_months(both: Pair, number: int, arm: int, tolerances: dict[str, float]) -> None:
    """Every month of a traced person: densities, draws and thresholds, to relative tolerances."""
    traced = _core.trace(both.model, arm, number)
    months = both.twin.chance[arm][: len(traced["month"])]
    where = f"person {number}, arm {arm}"
    for k, site in enumerate(SITES):
        own = [m.abmd[number, k] for m in months]
        limit = tolerances["abmd"]
        np.testing.assert_allclose(traced[f"abmd_{site}"], own, rtol=limit, err_msg=where)
    for k, name in enumerate(decisions(both)):
        draws = [m.draw[k, number] for m in months]
        np.testing.assert_array_equal(traced[f"draw_{name}"], draws, err_msg=where)
        thresholds = [m.threshold[k, number] for m in months]
        limit = tolerances[name]
        np.testing.assert_allclose(
            traced[f"threshold_{name}"], thresholds, rtol=limit, atol=1e-30, err_msg=where
        )


def rounding_in_single(both: Pair) -> dict[str, float]:
    """Return relative errors that float32 may make of densities and of thresholds.

    Density: each month rounds it by at most one unit in the last place, and no error of one month is
    amplified by a later one, since states relax. Falls and deaths: a product of a few numbers. A
    fracture: the logarithm of its hazard is a sum of numbers below 32, each rounded, plus the slope
    (ln gradient / SD) times the error of density, at most 1.5 g/cm2.
    """
    density = both.request["months"] * ULP
    errors = {"abmd": density, "fall": 8 * ULP, "death": 8 * ULP}
    for site in both.request["fracture_sites"]:
        slope = np.log(site["gradient_per_sd"]) / site["sd"]
        errors[site["id"]] = float(slope * 1.5 * density + 4 * 32 * ULP)
    return errors


# Chance


def test_known_answers_of_the_published_generator() -> None:
    def words(counter: list[int], key: tuple[int, int]) -> list[int]:
        a, b, c, d = (np.array([x], dtype=np.uint64) for x in counter)
        return [int(word[0]) for word in chance.philox((a, b, c, d), key)]

    ones = 2**32 - 1
    assert words([0] * 4, (0, 0)) == [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]
    assert words([ones] * 4, (ones, ones)) == [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]
    assert words([0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344], (0xA4093822, 0x299F31D0)) == [
        0xD16CFE09,
        0x94FDCCEB,
        0x5001E420,
        0x24126EA1,
    ]


# Double precision: the same in every integer


def test_the_same_persons(double: Pair) -> None:
    same_persons(double)


def test_the_same_events_times_and_states(double: Pair) -> None:
    assert len(double.kernel["events"]["event"]) > 500, "too few events to say anything"
    same_tables(double)


def test_the_same_months(double: Pair) -> None:
    tolerances = dict.fromkeys(["abmd", *decisions(double)], 1e-9)
    for number in range(0, PEOPLE, 17):
        for arm in (0, 1):
            same_months(double, number, arm, tolerances)


def test_every_profile(profiles: Pair) -> None:
    same_persons(profiles)
    same_tables(profiles)
    tolerances = dict.fromkeys(["abmd", *decisions(profiles)], 1e-9)
    for number in range(0, profiles.people, 11):
        same_months(profiles, number, 1, tolerances)
    follow_up = profiles.kernel["follow_up"]
    assert follow_up["medicine_months"][follow_up["arm"] == 0].max() > 0, "nobody took a medicine"


# Single precision: the same but for rounding


def test_the_same_persons_in_single_precision(single: Pair) -> None:
    same_persons(single)


def test_densities_at_exit_in_single_precision(single: Pair) -> None:
    limit = rounding_in_single(single)["abmd"]
    died = by_person_and_arm(single.kernel["follow_up"], "died")
    same = died == by_person_and_arm(single.twin.tables["follow_up"], "died")
    for site in SITES:
        kernel = by_person_and_arm(single.kernel["follow_up"], f"abmd_{site}")
        own = by_person_and_arm(single.twin.tables["follow_up"], f"abmd_{site}")
        np.testing.assert_allclose(kernel[same], own[same], rtol=limit, atol=0.0)


def test_months_in_single_precision(single: Pair) -> None:
    tolerances = rounding_in_single(single)
    for number in range(0, PEOPLE, 29):
        same_months(single, number, 1, tolerances)


def test_events_in_single_precision_differ_only_where_a_draw_meets_its_threshold(
    single: Pair,
) -> None:
    limits = rounding_in_single(single)
    kernel, own = (
        set(rows(tables["events"], ["person", "arm", "month", "event"]))
        for tables in (single.kernel, single.twin.tables)
    )
    first: dict[tuple[int, int], int] = {}
    for person, arm, month, _ in kernel ^ own:
        first[person, arm] = min(month, first.get((person, arm), month))
    for (person, arm), month in first.items():
        now = single.twin.chance[arm][month]
        near = [
            abs(now.draw[k, person] - now.threshold[k, person])
            <= limits[name] * now.threshold[k, person]
            for k, name in enumerate(decisions(single))
        ]
        assert any(near), (
            f"person {person}, arm {arm}, month {month}: no draw is near its threshold"
        )


def test_times_of_events_in_single_precision(single: Pair) -> None:
    """The time is -ln(1 - draw) / hazard of a month, rounded down to minutes.

    So an error e of the hazard moves it by e times the time, and rounding down by up to a minute.
    """
    limits = rounding_in_single(single)
    key = ["person", "arm", "month", "event", "minute"]
    kernel, own = (
        {row[:-1]: row[-1] for row in rows(tables["events"], key)}
        for tables in (single.kernel, single.twin.tables)
    )
    names = ["death", *(site["id"] for site in single.request["fracture_sites"])]
    for event in kernel.keys() & own.keys():
        limit = 1.0 + limits[names[event[-1]]] * twin.MINUTES_PER_MONTH
        assert abs(kernel[event] - own[event]) <= limit, event


# Means of the population


def test_means_of_the_population(double: Pair) -> None:
    """The kernel lives its reference sample in float32: its means keep to a few 1e-7."""
    kernel, own = twin.means_of_model(double.model.derived()), twin.means_of_all(double.request)
    for population, means in own.items():
        for name, table in means.items():
            np.testing.assert_allclose(kernel[population][name], table, rtol=1e-6, err_msg=name)


def test_means_of_the_population_do_not_depend_on_the_cohorts_of_a_study() -> None:
    therapy = cohort("therapy", [WOMEN], hormones="hormone_therapy")
    arms: list[Plain] = [{"name": "usual_care"}]
    plain = built([cohort("as_measured", BOTH)], 100, 1, arms)
    first = built([therapy, cohort("as_measured", BOTH)], 100, 1, arms)
    assert first["cohorts"][0]["exposures"], "the profile must act, or this test says nothing"
    expected = twin.means_of_model(compiled(plain).derived())["us"]
    found = twin.means_of_model(compiled(first).derived())["us"]
    for name, table in expected.items():
        np.testing.assert_array_equal(found[name], table, err_msg=name)


# History


@pytest.mark.parametrize("precision", ["f32", "f64"])
def test_an_exposure_that_starts_at_the_middle_of_a_step_of_history_acts_in_it(
    precision: str,
) -> None:
    """At 69 years and 8 months a distant step has 8 months: its middle is a whole month.

    Hormone therapy starts and ends at whole months, so both meet; rounding must not decide.
    """
    therapy = cohort("therapy", [WOMEN], hormones="hormone_therapy", ages={"from": 69, "to": 69})
    request = built([therapy], 1500, 1, [{"name": "usual_care"}]) | {"precision": precision}
    both = pair(request)
    of_eight_months = both.kernel["persons"]["age_months"] == 69 * 12 + 8
    assert of_eight_months.sum() > 50
    for site in SITES:
        kernel = by_person_and_arm(both.kernel["follow_up"], f"abmd_{site}")
        own = by_person_and_arm(both.twin.tables["follow_up"], f"abmd_{site}")
        np.testing.assert_allclose(kernel, own, rtol=12 * ULP, atol=0.0, err_msg=site)


def test_a_study_is_left_as_it_was(double: Pair) -> None:
    before = copy.deepcopy(double.request)
    twin.simulated(double.request, np.arange(3), twin.means_of_model(double.model.derived()))
    assert double.request == before

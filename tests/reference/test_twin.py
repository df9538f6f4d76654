"""The kernel against its twin: the same people, lives, draws and tables of the shipped study."""

from __future__ import annotations

import copy

import numpy as np
import pytest

from . import chance, twin
from .balance import SITES
from .offsets import means_of_all, means_of_model
from .pairs import (
    BOTH,
    WOMEN,
    Pair,
    built,
    by_person_and_arm,
    cohort,
    compiled,
    events_differ_only_where_a_draw_meets_its_threshold,
    in_single,
    pair,
    same_densities_at_exit,
    same_months,
    same_persons,
    same_tables,
    same_times_of_events,
    shipped,
)
from .populations import Plain
from .rounding import IN_DOUBLE, IN_SINGLE, ULP


@pytest.fixture(scope="module")
def double() -> Pair:
    """The shipped study in double precision."""
    return pair(shipped(precision="f64"))


@pytest.fixture(scope="module")
def single(double: Pair) -> Pair:
    """The same in single precision."""
    return in_single(double)


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
    for number in range(0, double.people, 17):
        for arm in (0, 1):
            same_months(double, number, arm, IN_DOUBLE)


# Single precision: the same but for rounding


def test_the_same_persons_in_single_precision(single: Pair) -> None:
    same_persons(single)


def test_densities_at_exit_in_single_precision(single: Pair) -> None:
    same_densities_at_exit(single)


def test_months_in_single_precision(single: Pair) -> None:
    for number in range(0, single.people, 29):
        same_months(single, number, 1, IN_SINGLE)


def test_events_in_single_precision_differ_only_where_a_draw_meets_its_threshold(
    single: Pair,
) -> None:
    events_differ_only_where_a_draw_meets_its_threshold(single)


def test_times_of_events_in_single_precision(single: Pair) -> None:
    same_times_of_events(single)


# Means of the population


def test_means_of_the_population(double: Pair) -> None:
    """The kernel lives its reference sample in float32: its means keep to a few 1e-7.

    Offsets are solved until a step moves them by 1e-8 of their size and may be near 0.
    """
    kernel, own = means_of_model(double.model.derived()), means_of_all(double.request)
    assert kernel.keys() == own.keys()
    for population, means in own.items():
        assert kernel[population].keys() == means.keys()
        for name, table in means.items():
            np.testing.assert_allclose(
                kernel[population][name], table, rtol=1e-6, atol=1e-6, err_msg=name
            )


def test_means_of_the_population_do_not_depend_on_the_cohorts_of_a_study() -> None:
    therapy = cohort("therapy", [WOMEN], hormones="hormone_therapy")
    arms: list[Plain] = [{"name": "usual_care"}]
    plain = built([cohort("as_measured", BOTH)], 100, 1, arms)
    first = built([therapy, cohort("as_measured", BOTH)], 100, 1, arms)
    assert first["cohorts"][0]["exposures"], "the profile must act, or this test says nothing"
    expected = means_of_model(compiled(plain).derived())["us"]
    found = means_of_model(compiled(first).derived())["us"]
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
    twin.simulated(double.request, np.arange(3), means_of_model(double.model.derived()))
    assert double.request == before

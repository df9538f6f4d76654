"""Where the time of a small run goes, layer by layer: `pytest benches` prints a table."""

from __future__ import annotations

import cohortsim as cs
import pytest
from cohortsim import request
from cohortsim.core import core
from pytest_benchmark.fixture import BenchmarkFixture

PEOPLE = 10_000


@pytest.fixture(scope="module")
def results() -> cs.Results:
    """A small run of the main job in memory."""
    return cs.run("us_adults_50plus", people=PEOPLE)


def test_read_the_scenario(benchmark: BenchmarkFixture) -> None:
    benchmark(cs.load, "us_adults_50plus")


def test_build_the_request(benchmark: BenchmarkFixture) -> None:
    study = cs.load("us_adults_50plus")
    benchmark(lambda: request.build(study).text)


def test_compile_the_model(benchmark: BenchmarkFixture) -> None:
    text = request.build(cs.load("us_adults_50plus")).text
    benchmark(core().compile, text)


def test_simulate_on_one_thread(benchmark: BenchmarkFixture) -> None:
    model = core().compile(request.build(cs.load("us_adults_50plus")).text)
    benchmark(core().simulate, model, 0, PEOPLE, 1)


def test_sum_up_incidence(benchmark: BenchmarkFixture, results: cs.Results) -> None:
    benchmark(lambda: results.incidence(by=["arm", "sex", "age_band", "site"]))


def test_pair_the_arms(benchmark: BenchmarkFixture, results: cs.Results) -> None:
    benchmark(results.averted)

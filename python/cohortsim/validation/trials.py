"""Scenarios of trials -> what they measured, in memory, kept apart by groups of people.

Each trial is simulated once, all arms, in `GROUPS` batches. A batch is a group: people who share
nothing with those of other groups, so that the differences between groups tell the chance of the
simulation for any number made of the sums.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from cohortsim import request as requests
from cohortsim import running
from cohortsim.catalog import Catalog
from cohortsim.core import compiled, core
from cohortsim.errors import CohortsimError
from cohortsim.reading import load
from cohortsim.results import Results
from cohortsim.scenario import Scenario
from cohortsim.validation.targets import DENSITY, Target

GROUPS = 20
MOST_VISITS = 48  # in a figure; those of the trial come on top
STEPS = (1, 3, 6, 12, 24)  # months between the visits of a figure
SUMS = ("people", "change_sum", "change_square_sum", "peak_sum")
PAIRS = ("people", "x", "y", "xx", "yy", "xy")


@dataclass(frozen=True)
class Observed:
    """What a trial measured.

    `visits`: integer sums by group, arm, cohort, month and measure, as the core counts them.
    `pairs`: sums of density at index (x) and at the end (y) of those who live to the end, by group,
    arm, cohort and measure; only where a target asks for the correlation.
    `failure`: why there is nothing, in words.
    """

    trial: str
    scenario: Scenario | None = None
    visits: pl.DataFrame = field(default_factory=pl.DataFrame)
    pairs: pl.DataFrame = field(default_factory=pl.DataFrame)
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """A trial that is to be simulated, or why it cannot be."""

    trial: str
    scenario: Scenario | None
    failure: str = ""


def planned(targets: list[Target], people: int | None, seed: int | None) -> list[Plan]:
    """Return the trials that the targets name, in their order.

    Raises ScenarioError: people or seed that cannot be.
    """
    tracked = {target.trial for target in targets if target.kind == "tracking"}
    return [
        _plan(trial, people, seed, trial in tracked)
        for trial in dict.fromkeys(target.trial for target in targets)
    ]


def observed(
    plans: list[Plan],
    threads: int | None = None,
    report: running.Report | None = None,
    catalog: Catalog | None = None,
) -> Iterator[Observed]:
    """Yield what each trial measured; `report` is told how far all of them together are.

    A trial that cannot be simulated yields its reason. Raises CatalogError and InternalError for
    what no trial could be simulated without; Interrupted: Ctrl-C.
    """
    core()
    catalog = catalog or Catalog()
    _ = catalog.parameters
    people = sum(plan.scenario.headcount for plan in plans if plan.scenario)
    started, done, months = time.perf_counter(), 0, 0
    models = Models()

    def told(step: running.Step) -> None:
        if report is not None:
            seconds = time.perf_counter() - started
            lived = months + step.person_months
            report(running.Step(done + step.done, people, lived, seconds))

    for plan in plans:
        if plan.scenario is None:
            yield Observed(plan.trial, failure=plan.failure)
            continue
        try:
            request = requests.build(plan.scenario, catalog)
            size = -(-plan.scenario.headcount // GROUPS)
            model = models.compiled(request)
            results = running.carry_out(
                request, threads=threads, batch=size, report=told, model=model
            )
        except CohortsimError as error:
            yield Observed(plan.trial, plan.scenario, failure=_said(error))
        else:
            yield Observed(plan.trial, plan.scenario, _visits(results), _pairs(results))
            months += int(results.provenance["resources"]["person_months"])
        done += plan.scenario.headcount


class Models:
    """Compiles requests, each with what an earlier one has found of the same populations."""

    def __init__(self) -> None:
        self._made: list[tuple[set[str], Any]] = []

    def compiled(self, request: requests.Request) -> Any:
        """Return the model of a request. Raises ParameterError."""
        wanted = {population["id"] for population in request.data["populations"]}
        found: set[str] = set()
        like = None
        for populations, made in self._made:
            if len(populations & wanted) > len(found & wanted):
                found, like = populations, made
        model = compiled(request, like)
        if not wanted <= found:
            self._made.append((wanted, model))
        return model


def _plan(trial: str, people: int | None, seed: int | None, persons: bool) -> Plan:
    try:
        scenario = load(trial)
    except CohortsimError as error:
        return Plan(trial, None, _said(error))
    record = {"persons": persons, "visits": _months(scenario)}
    return Plan(trial, scenario.changed(people=people, seed=seed, record=record))


def _months(scenario: Scenario) -> list[int]:
    """Return the visits of the trial, and others between them for the curves of its figure."""
    step = next((s for s in STEPS if scenario.months // s <= MOST_VISITS), STEPS[-1])
    return sorted({*scenario.record.visits, *range(0, scenario.months + 1, step)})


def _visits(results: Results) -> pl.DataFrame:
    keys = ["group", "arm", "cohort", "month", "measure"]
    rows = _by_group(results.parts("visits"))
    return (
        rows.with_columns(pl.col("arm", "cohort", "measure").cast(pl.String))
        .group_by(keys)
        .agg(pl.col(*SUMS).cast(pl.Int64).sum())
        .sort(keys)
        .collect()
    )


def _pairs(results: Results) -> pl.DataFrame:
    """Return what the correlation of first and last density is made of. Empty without persons."""
    if "persons" not in results.kept:
        return pl.DataFrame()
    ends = _by_group(results.parts("follow_up")).filter(~pl.col("died"))
    columns = ["person", "cohort", *(f"abmd_{site}" for site in DENSITY)]
    both = ends.join(results.persons.select(columns), on="person", suffix="_index")
    return pl.concat([_moments(both, site) for site in DENSITY]).collect()


def _moments(both: pl.LazyFrame, site: str) -> pl.LazyFrame:
    x = pl.col(f"abmd_{site}_index").cast(pl.Float64)
    y = pl.col(f"abmd_{site}").cast(pl.Float64)
    keys = ["group", "arm", "cohort", "measure"]
    return (
        both.with_columns(pl.col("arm", "cohort").cast(pl.String), measure=pl.lit(site), x=x, y=y)
        .with_columns(xx=x * x, yy=y * y, xy=x * y)
        .group_by(keys)
        .agg(pl.len().cast(pl.Int64).alias("people"), pl.col(*PAIRS[1:]).sum())
        .sort(keys)
    )


def _by_group(parts: list[pl.LazyFrame]) -> pl.LazyFrame:
    return pl.concat([part.with_columns(group=pl.lit(k)) for k, part in enumerate(parts)])


def _said(error: CohortsimError) -> str:
    return "; ".join(str(problem) for problem in error.problems)

"""Scenarios of trials -> what they measured, in memory, kept apart by groups of people.

Each trial is simulated once, all arms, in `GROUPS` batches. A batch is a group: people who share
nothing with those of other groups, so that the differences between groups tell the chance of the
simulation for any number made of the sums.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
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
    """A trial or study that is to be simulated, or why it cannot be."""

    id: str
    scenario: Scenario | None
    failure: str = ""


class Progress:
    """Tells a report how far all plans together are."""

    def __init__(self, report: running.Report | None, plans: Sequence[Plan]) -> None:
        self._report = report
        self._people = sum(plan.scenario.headcount for plan in plans if plan.scenario)
        self._started = time.perf_counter()
        self._done = self._months = 0

    def __call__(self, step: running.Step) -> None:
        """Tell how far the plan that is simulated now is."""
        if self._report is not None:
            seconds = time.perf_counter() - self._started
            lived = self._months + step.person_months
            self._report(running.Step(self._done + step.done, self._people, lived, seconds))

    def finished(self, plan: Plan, results: Results | None) -> None:
        """Note that a plan is over."""
        self._done += plan.scenario.headcount if plan.scenario else 0
        self._months += int(results.provenance["resources"]["person_months"]) if results else 0


def simulated(
    plan: Plan, catalog: Catalog, models: Models, threads: int | None, progress: Progress
) -> Results:
    """Return the results of a plan, in as many batches as there are groups.

    Raises CohortsimError: it cannot be simulated; Interrupted: Ctrl-C.
    """
    if plan.scenario is None:
        raise NotPossibleError(plan.failure)
    results = None
    try:
        request = requests.build(plan.scenario, catalog)
        size = -(-plan.scenario.headcount // GROUPS)
        model = models.compiled(request)
        results = running.carry_out(
            request, threads=threads, batch=size, report=progress, model=model
        )
        return results
    except CohortsimError as error:
        raise NotPossibleError(said(error)) from None
    finally:
        progress.finished(plan, results)


class NotPossibleError(Exception):
    """A trial or study cannot be simulated; the message is the reason."""


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
    progress: Progress | None = None,
    catalog: Catalog | None = None,
    models: Models | None = None,
) -> Iterator[Observed]:
    """Yield what each trial measured.

    A trial that cannot be simulated yields its reason. Raises CatalogError and InternalError for
    what no trial could be simulated without; Interrupted: Ctrl-C.
    """
    core()
    catalog, models = catalog or Catalog(), models or Models()
    _ = catalog.parameters
    progress = progress or Progress(None, plans)
    for plan in plans:
        try:
            results = simulated(plan, catalog, models, threads, progress)
        except NotPossibleError as error:
            yield Observed(plan.id, plan.scenario, failure=str(error))
        else:
            yield Observed(plan.id, plan.scenario, _visits(results), _pairs(results))


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
        return Plan(trial, None, said(error))
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


def said(error: CohortsimError) -> str:
    """Return the problems of an error in one line."""
    return "; ".join(str(problem) for problem in error.problems)

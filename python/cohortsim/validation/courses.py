"""Trial -> simulated courses: what its figure draws behind the published points."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import polars as pl

from cohortsim.validation.compare import Tallies, evaluated
from cohortsim.validation.targets import Target

SCHEMA = {
    "trial": pl.String,
    "panel": pl.String,
    "series": pl.String,
    "measure": pl.String,
    "month": pl.Int64,
    "simulated": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
}
CHANGE = "change from index, %"


def none() -> pl.DataFrame:
    """Return no courses."""
    return pl.DataFrame(schema=SCHEMA)


def curves(targets: list[Target], tallies: Tallies) -> pl.DataFrame:
    """Return the courses of a trial at all its visits, at the measures that were published.

    `panel` is what is drawn: changes from index, or differences between arms or cohorts; `series`
    is which line. `simulated`, `low` and `high` (95 %, Monte Carlo) are in % or percentage points.
    """
    scenario = tallies.observed.scenario
    if scenario is None or tallies.observed.failure:
        return none()
    rows: list[tuple[object, ...]] = []
    for line in _lines(targets, tallies):
        for month in scenario.record.visits:
            point = evaluated(replace(line, month=month), tallies)
            if point.simulated is not None:
                where = (line.trial, panel(line), series(line, tallies), line.measure, month)
                rows.append((*where, point.simulated, point.low, point.high))
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def panel(target: Target) -> str:
    """Return the title of the axis that a target is drawn on."""
    if target.kind in ("arm", "cohort"):
        return f"difference to {target.other}, pp"
    return CHANGE


def series(target: Target, tallies: Tallies) -> str:
    """Return the name of the line that a target belongs to: its arm, its cohort, or both."""
    scenario = tallies.observed.scenario
    cohorts = scenario.cohorts if scenario else ()
    arms = scenario.arms if scenario else ()
    if len(cohorts) < 2:
        return target.arm
    return target.cohort if len(arms) < 2 else f"{target.cohort}, {target.arm}"


def _lines(targets: list[Target], tallies: Tallies) -> Iterator[Target]:
    """Yield one target for each line: of every arm and cohort where changes were published."""
    scenario = tallies.observed.scenario
    seen: set[tuple[str, str, str, str, str]] = set()
    for target in targets:
        lines = []
        if target.kind in ("arm", "cohort"):
            lines = [target]
        elif target.kind in ("change", "yearly") and scenario is not None:
            lines = [
                replace(target, kind="change", from_month=0, cohort=cohort.name, arm=arm.name)
                for cohort in scenario.cohorts
                for arm in scenario.arms
            ]
        for line in lines:
            key = (line.kind, line.cohort, line.arm, line.other, line.measure)
            if key not in seen:
                seen.add(key)
                yield line

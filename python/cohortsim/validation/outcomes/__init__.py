"""Published outcomes beside simulated ones: prevalence, incidence, risk, trials, spine, mortality.

targets (outcomes.csv) -> observed (studies, simulated) -> measures (sums by group of people)
-> sums (one number, with its interval) -> table -> bars; screen and figures show them.
"""

from __future__ import annotations

import polars as pl

from cohortsim.validation.compare import NotThereError
from cohortsim.validation.outcomes import observed, table
from cohortsim.validation.outcomes.measures import MEASURES
from cohortsim.validation.outcomes.sums import Compared, compared
from cohortsim.validation.outcomes.targets import Outcome
from cohortsim.validation.trials import Models, Plan, Progress


def evaluated(outcome: Outcome, seen: observed.Observed) -> Compared:
    """Return a published outcome beside the simulated one, or why there is none."""
    if seen.failure:
        reason = f"the study cannot be simulated: {seen.failure}"
        return Compared(outcome, reason=reason)
    try:
        return compared(outcome, MEASURES[outcome.measure].compute(outcome, seen))
    except NotThereError as missing:
        return Compared(outcome, reason=str(missing))


def carried_out(
    wanted: list[Outcome],
    plans: list[Plan],
    threads: int | None = None,
    progress: Progress | None = None,
    models: Models | None = None,
) -> pl.DataFrame:
    """Simulate the studies and return the table of outcomes. Raises Interrupted: Ctrl-C."""
    found: dict[str, Compared] = {}
    for seen in observed.observed(plans, threads, progress, models):
        found |= {o.id: evaluated(o, seen) for o in wanted if o.study == seen.study}
    return table.table([found[o.id] for o in wanted])

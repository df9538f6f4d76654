"""Validation: every published number of the evidence beside what the model gives for it.

targets (published numbers) -> trials (simulated) -> compare (one number each) -> table (agreement)
-> bars (met or not); screen, figures and page show them. Outcomes (fractures, deformities, deaths) have
their own line of the same steps in `outcomes`.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from cohortsim import running
from cohortsim.validation import bars as judged
from cohortsim.validation import compare, courses, outcomes, trials
from cohortsim.validation import table as tables
from cohortsim.validation import targets as published
from cohortsim.validation.outcomes import bars as bars_of_outcomes
from cohortsim.validation.outcomes import observed as studies
from cohortsim.validation.outcomes import table as tables_of_outcomes
from cohortsim.validation.outcomes import targets as published_outcomes


@dataclass(frozen=True)
class Validation:
    """What came out of a validation.

    table: one row for each published change of density and turnover, with the simulated one and its
    interval. summary: agreement by layer, measure, quantity and use.
    outcomes: one row for each published outcome (fractures, deformities, deaths, prevalence), with the
    simulated one and its interval. outcome_summary: agreement by layer and use.
    bars: what the model must reach, and whether it does.
    curves: the simulated course of every arm at the measures that were published, for figures.
    titles: of the trials and studies, by their ids. seconds: how long it took.
    """

    table: pl.DataFrame
    summary: pl.DataFrame
    bars: pl.DataFrame
    curves: pl.DataFrame
    titles: dict[str, str]
    seconds: float
    folder: Path | None = None
    outcomes: pl.DataFrame = field(default_factory=lambda: tables_of_outcomes.table([]))

    @property
    def trials(self) -> int:
        """How many trials and studies the published numbers name."""
        return len({*self.table["trial"], *self.outcomes["study"]})

    @property
    def numbers(self) -> int:
        """How many published numbers there are."""
        return self.table.height + self.outcomes.height

    @property
    def outcome_summary(self) -> pl.DataFrame:
        """Agreement of outcomes by layer and use."""
        return tables_of_outcomes.summary(self.outcomes)

    @property
    def worst(self) -> pl.DataFrame:
        """The five numbers about density that differ most."""
        return tables.worst(self.table)

    def text(self, *, rows: bool = True) -> str:
        """Return what `cohortsim validate` prints; without `rows` the summary only."""
        from cohortsim.validation import screen

        return screen.text(self, rows=rows)

    def plain(self) -> dict[str, Any]:
        """Return everything but the curves as plain data, as JSON would hold it."""
        return {
            "validation": str(self.folder) if self.folder else None,
            "trials": self.trials,
            "seconds": self.seconds,
            "bars": self.bars.to_dicts(),
            "summary": self.summary.to_dicts(),
            "table": self.table.to_dicts(),
            "outcome_summary": self.outcome_summary.to_dicts(),
            "outcomes": self.outcomes.to_dicts(),
        }

    def __repr__(self) -> str:
        return f"<Validation of {self.numbers} published numbers in {self.trials} studies>"


def validate(
    layers: str | Iterable[str] = (),
    *,
    people: int | None = None,
    seed: int | None = None,
    threads: int | None = None,
    out: str | Path | None = None,
    progress: bool = False,
) -> Validation:
    """Simulate the trials of the evidence and compare every published number.

    Args:
        layers: only these layers: of density and turnover life_course, hormones, minerals, loading,
            medicines, sequences, markers, steroids, or `bmd`: every number about density; of outcomes
            prevalence, incidence, risk, trials, spine, mortality. All if not given.
        people: people in each trial and study, instead of its own number.
        seed: seed of all chance, instead of the trial's own.
        threads: threads to use; all processors if not given. Results never depend on it.
        out: folder for validation.csv, figures and index.html; needs the extra `plots`.
        progress: show a progress bar on standard error.

    Raises:
        ScenarioError: a layer that there is not, or people or seed that cannot be.
        CatalogError: a data file is wrong.
        ResultsError: the folder cannot be written, or altair is missing.
        Interrupted: Ctrl-C; nothing is kept.
    """
    if not progress:
        return carry_out(layers, people=people, seed=seed, threads=threads, out=out)
    from cohortsim.progress import bar

    with bar() as report:
        return carry_out(layers, people=people, seed=seed, threads=threads, out=out, report=report)


def carry_out(
    layers: str | Iterable[str] = (),
    *,
    people: int | None = None,
    seed: int | None = None,
    threads: int | None = None,
    out: str | Path | None = None,
    report: running.Report | None = None,
) -> Validation:
    """Validate; `report` is told how far it is. Arguments and errors as `validate`."""
    from cohortsim.validation import page

    started = time.perf_counter()
    named = published.named(layers)
    wanted = published.targets(named)
    outcomes_wanted = published_outcomes.outcomes(named)
    precision = published.precision()
    plans = trials.planned(wanted, people, seed)
    of_outcomes = studies.planned(outcomes_wanted, people, seed)
    folder = page.claimed(Path(out)) if out is not None else None
    models, progress = trials.Models(), trials.Progress(report, [*plans, *of_outcomes])
    found: dict[str, compare.Comparison] = {}
    curves = [courses.none()]
    for observed in trials.observed(plans, threads, progress, models=models):
        mine = [target for target in wanted if target.trial == observed.trial]
        tallies = compare.Tallies(observed)
        found |= {t.id: compare.evaluated(t, tallies, precision) for t in mine}
        curves.append(courses.curves(mine, tallies))
    rows = tables.table([found[target.id] for target in wanted])
    outcome_rows = outcomes.carried_out(outcomes_wanted, of_outcomes, threads, progress, models)
    made = [judged.bars(rows)] if wanted else []
    made += [bars_of_outcomes.bars(outcome_rows)] if outcomes_wanted else []
    validation = Validation(
        table=rows,
        summary=tables.summary(rows),
        bars=pl.concat(made),
        curves=pl.concat(curves),
        titles={plan.id: plan.scenario.title for plan in [*plans, *of_outcomes] if plan.scenario},
        seconds=time.perf_counter() - started,
        folder=folder,
        outcomes=outcome_rows,
    )
    if folder is not None:
        page.write(validation, folder)
    return validation

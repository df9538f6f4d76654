"""Studies -> what happened in them, in memory, kept apart by groups of people.

Each study is simulated once, all arms, in `GROUPS` batches; a batch is a group (see `trials`). Tables
of persons are kept only where a measure asks for them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import polars as pl

from cohortsim.catalog import Catalog
from cohortsim.errors import CohortsimError
from cohortsim.reading import load
from cohortsim.results import Results
from cohortsim.scenario import Scenario
from cohortsim.validation.compare import NotThereError
from cohortsim.validation.outcomes.lives import Lives
from cohortsim.validation.outcomes.measures import MEASURES
from cohortsim.validation.outcomes.targets import Outcome
from cohortsim.validation.trials import (
    GROUPS,
    Models,
    NotPossibleError,
    Plan,
    Progress,
    said,
    simulated,
)

FEWEST_IN_TRIALS = 40_000  # more than any trial had: the chance of the simulation is to be small
TABLES = ("events", "person_time", "states")
OF_PERSONS = ("persons", "follow_up")
REFERENCE = "density.reference_{}.{}"


@dataclass
class Observed:
    """What happened in a study.

    tables: rows of the core by table, with `group`; sites: ids of its fracture sites; reference:
    mean and SD (g/cm2) of young women by density site; failure: why there is nothing, in words.
    """

    study: str
    scenario: Scenario | None = None
    tables: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    sites: tuple[str, ...] = ()
    reference: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    groups: int = GROUPS
    failure: str = ""

    def __post_init__(self) -> None:
        self._lives: dict[tuple[str, bool], Lives] = {}

    @property
    def arms(self) -> list[str]:
        """Names of the arms."""
        return [arm.name for arm in self.scenario.arms] if self.scenario else []

    @property
    def cohorts(self) -> list[str]:
        """Names of the cohorts."""
        return [cohort.name for cohort in self.scenario.cohorts] if self.scenario else []

    @property
    def years(self) -> int:
        """Years of follow-up."""
        return self.scenario.years if self.scenario else 0

    def arm(self, name: str) -> str:
        """Return the arm of that name, the first where none is named. Raises NotThereError."""
        return _named(name, self.arms, "arm") or self.arms[0]

    def table(self, name: str, outcome: Outcome, arm: str | None = None) -> pl.DataFrame:
        """Return rows of an arm and cohort; of all cohorts where the outcome names none."""
        if name not in self.tables:
            raise NotThereError(f"the study keeps no table {name}")
        chosen = self.arm(outcome.arm if arm is None else arm)
        rows = self.tables[name].filter(pl.col("arm").cast(pl.String) == chosen)
        cohort = _named(outcome.cohort, self.cohorts, "cohort")
        return rows.filter(pl.col("cohort").cast(pl.String) == cohort) if cohort else rows

    def lives(self, outcome: Outcome, *, recorded: bool = True) -> Lives:
        """Return the people of an arm as arrays.

        recorded: leave out vertebral fractures that came to attention and that registers miss.
        """
        arm = self.arm(outcome.arm)
        _named(outcome.cohort, self.cohorts, "cohort")
        key = (arm, recorded)
        if key not in self._lives:
            tables = {
                name: rows.filter(pl.col("arm").cast(pl.String) == arm)
                if "arm" in rows.columns
                else rows
                for name, rows in self.tables.items()
            }
            self._lives[key] = Lives(tables, self.sites, self.years, self.groups, recorded)
        return self._lives[key]


def planned(outcomes: Iterable[Outcome], people: int | None, seed: int | None) -> list[Plan]:
    """Return the studies that the outcomes name, in their order.

    Raises ScenarioError: people or seed that cannot be.
    """
    outcomes = list(outcomes)
    persons = {o.study for o in outcomes if MEASURES[o.measure].needs_persons}
    trials = {o.study for o in outcomes if MEASURES[o.measure].is_of_trials}
    return [
        _plan(study, people, seed, study in persons, study in trials)
        for study in dict.fromkeys(o.study for o in outcomes)
    ]


def _plan(study: str, people: int | None, seed: int | None, persons: bool, trial: bool) -> Plan:
    try:
        scenario = load(study)
    except CohortsimError as error:
        return Plan(study, None, said(error))
    if people is None and trial:
        people = max(FEWEST_IN_TRIALS, scenario.headcount)
    record = {"persons": persons, "visits": []}
    return Plan(study, scenario.changed(people=people, seed=seed, record=record))


def observed(
    plans: list[Plan],
    threads: int | None = None,
    progress: Progress | None = None,
    models: Models | None = None,
    catalog: Catalog | None = None,
) -> Iterator[Observed]:
    """Yield what happened in each study; one that cannot be simulated yields its reason.

    Raises Interrupted: Ctrl-C.
    """
    catalog, models = catalog or Catalog(), models or Models()
    progress = progress or Progress(None, plans)
    for plan in plans:
        try:
            results = simulated(plan, catalog, models, threads, progress)
        except NotPossibleError as error:
            yield Observed(plan.id, plan.scenario, failure=str(error))
        else:
            yield _observed(plan, results, catalog)


def _observed(plan: Plan, results: Results, catalog: Catalog) -> Observed:
    tables = {
        name: pl.concat(
            part.with_columns(group=pl.lit(k, dtype=pl.Int64))
            for k, part in enumerate(results.parts(name))
        ).collect()
        for name in (*TABLES, *OF_PERSONS)
        if name in results.kept
    }
    parameters = catalog.parameters
    reference = {
        site: (
            parameters[REFERENCE.format("mean", site)].value,
            parameters[REFERENCE.format("sd", site)].value,
        )
        for site in ("lumbar_spine", "femoral_neck", "total_hip", "distal_radius")
    }
    groups = len(results.parts("events"))
    return Observed(plan.id, plan.scenario, tables, tuple(results.sites), reference, groups)


def _named(name: str, there: list[str], noun: str) -> str:
    if name and name not in there:
        raise NotThereError(f'no {noun} "{name}" in the study ({", ".join(there)})')
    return name

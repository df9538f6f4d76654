"""Real people in: persons of a user's file or frame -> columns of numbers for the core.

Everything that is wrong in any file is told at once, by row and column, before anything is made.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from cohortsim.errors import Problem, ScenarioError, nearest, one_of
from cohortsim.fields import SEXES
from cohortsim.persons_cells import Flags, Floats
from cohortsim.persons_file import PersonsFile
from cohortsim.persons_reading import of_frame, read
from cohortsim.persons_source import Source

if TYPE_CHECKING:
    from cohortsim.scenario import Cohort, Scenario

MOST_TOLD = 50
"""Most problems that are shown; the rest are counted."""
Given = Mapping[str, pl.DataFrame]
Plain = dict[str, Any]


@dataclass(frozen=True)
class People:
    """Persons of one cohort: columns of numbers, NaN where a value is missing, and who they are."""

    columns: dict[str, Floats]
    within: Flags
    """Whether each row is of the cohort's sexes and ages and has a weight."""
    file: str | None
    file_sha256: str | None
    sha256: str
    like: str

    @property
    def rows(self) -> int:
        """Rows of the file."""
        return len(self.within)

    @property
    def weighted(self) -> bool:
        """Are there survey weights?"""
        return "weight" in self.columns

    def arrays(self) -> dict[str, Floats]:
        """Return each column as the core takes it: float64, sex 0 women and 1 men."""
        return self.columns

    def requested(self) -> Plain:
        """Return what the request says of these people."""
        return {"rows": self.rows, "sha256": self.sha256}

    def described(self) -> Plain:
        """Return what provenance keeps: no value of any person."""
        weights = self.columns.get("weight")
        return {
            "file": self.file,
            "file_sha256": self.file_sha256,
            "sha256": self.sha256,
            "rows": self.rows,
            "rows_of_the_cohort": int(self.within.sum()),
            "weights_sum": None if weights is None else float(weights.sum()),
            "like": self.like,
            "known": {
                name: int(np.count_nonzero(~np.isnan(values)))
                for name, values in sorted(self.columns.items())
            },
        }


def of_study(scenario: Scenario, data: Plain, given: Given | None = None) -> dict[str, People]:
    """Return the persons of each cohort that has its own, and note them in the request's `data`.

    Where `data` is that of a former run, the persons must be the same as then.

    Args:
        scenario: the study; files lie beside it.
        data: the request, of which populations, risk factors and cohorts must be there.
        given: frames of persons by cohort, instead of files or of a draw from the population.

    Raises:
        ScenarioError: with all that is wrong in all files.
    """
    made: dict[str, People] = {}
    given = dict(given or {})
    names = [cohort.name for cohort in scenario.cohorts]
    problems = [
        Problem(f"persons[{name!r}]", "no cohort of this name", one_of(names), nearest(name, names))
        for name in map(str, given)
        if name not in names
    ]
    sources: dict[Any, Source] = {}
    for index, cohort in enumerate(scenario.cohorts):
        requested = data["cohorts"][index]
        before = requested.get("persons")
        people, wrong = _of_cohort(scenario, cohort, data, given.get(cohort.name), sources)
        if not wrong and scenario.origin.pinned is not None:
            wrong = _other_than_before(cohort.name, people, before)
        problems += wrong
        if wrong:
            continue
        if people is not None:
            made[cohort.name] = people
        if scenario.origin.pinned is None:
            requested["persons"] = people.requested() if people else None
    if problems:
        raise ScenarioError(_limited(list(dict.fromkeys(problems))))
    return made


def how_many(scenario: Scenario, people: Mapping[str, People]) -> int:
    """Return how many people a study holds that leaves it to its files: one for each row.

    Raises:
        ScenarioError: a cohort has no file, or one with weights, whose rows are no number of people.
    """
    problems = []
    place = scenario.origin.document.place(("people",))
    for cohort in scenario.cohorts:
        found = people.get(cohort.name)
        if found is None:
            said = f"nothing, and cohort {cohort.name} is drawn from a population"
        elif found.weighted:
            said = f"nothing, and the persons of cohort {cohort.name} have weights"
        else:
            continue
        problems.append(Problem(place, said, "needs a number of people", "write people: 10000"))
    if problems:
        raise ScenarioError(problems)
    return sum(int(found.within.sum()) for found in people.values())


def _of_cohort(
    scenario: Scenario,
    cohort: Cohort,
    data: Plain,
    frame: object,
    sources: dict[Any, Source],
) -> tuple[People | None, Sequence[Problem]]:
    named = cohort.population if isinstance(cohort.population, PersonsFile) else None
    if named is None and frame is None:
        return None, ()
    renames = dict(named.columns) if named else {}
    population = next(p for p in data["populations"] if p["id"] == cohort.population_id)
    factors = tuple(str(factor["id"]) for factor in data["risk_factors"])
    if frame is None and named is not None:
        key: Any = (named.file, population["id"], tuple(sorted(renames.items(), key=str)))
        if key not in sources:
            raw = read(Path(scenario.origin.folder or "."), named.file)
            sources[key] = Source(raw, renames, population, factors)
        source = sources[key]
    else:
        raw = of_frame(frame, f"persons[{cohort.name!r}]")
        source = Source(raw, renames, population, factors)
    if source.problems:
        return None, source.problems
    within = _within(cohort, source.columns)
    if not within.any():
        sexes, ages = " or ".join(cohort.sexes), cohort.ages
        found = f"nobody is of the {sexes} aged {ages.from_} to {ages.to} of cohort {cohort.name}"
        problem = Problem(source.raw.shown, found, "needs a row", "widen `ages` or `sexes`")
        return None, (problem,)
    file = Path(named.file).name if named is not None and frame is None else None
    digest, of_file = _digest(source.columns), source.raw.sha256
    return People(source.columns, within, file, of_file, digest, population["id"]), ()


def _within(cohort: Cohort, taken: Mapping[str, Floats]) -> Flags:
    """Return which rows are of the cohort's sexes and ages, and have a weight."""
    ages = np.floor(taken["age"])
    last = np.inf if cohort.ages.to >= 100 else cohort.ages.to  # 100 means 100 and over
    within = (ages >= cohort.ages.from_) & (ages <= last)
    within &= np.isin(taken["sex"], [SEXES.index(sex) for sex in cohort.sexes])
    return within & (taken["weight"] > 0) if "weight" in taken else within


def _digest(taken: Mapping[str, Floats]) -> str:
    digest = hashlib.sha256()
    for name in sorted(taken):
        values = np.where(np.isnan(taken[name]), np.nan, taken[name])  # one kind of NaN
        digest.update(f"{name}:{len(values)};".encode() + values.astype("<f8").tobytes())
    return digest.hexdigest()


def _other_than_before(
    cohort: str, people: People | None, before: Plain | None
) -> tuple[Problem, ...]:
    """A repeated run must have the persons that it had."""
    place = f"persons of cohort {cohort}"
    if before is None:
        if people is None:
            return ()
        found, needed = f"{people.rows:,} persons", "the run that is repeated drew its own"
        return (Problem(place, found, needed, "leave them out, or start anew from the scenario"),)
    needed = f"needs the {before['rows']:,} persons of the run that is repeated"
    if people is None:
        advice = f"give them again: run(..., persons={{{cohort!r}: frame}})"
        return (Problem(place, "none", needed, advice),)
    if people.sha256 == before["sha256"]:
        return ()
    found = f"{people.rows:,} persons with other values"
    return (Problem(place, found, needed, "give that file, or start anew from the scenario"),)


def _limited(problems: list[Problem]) -> list[Problem]:
    """Return the first problems, and how many more there are."""
    if len(problems) <= MOST_TOLD:
        return problems
    more = f"{len(problems) - MOST_TOLD} more mistakes"
    return [*problems[:MOST_TOLD], Problem("", more, "mend these first", "then look again")]

"""Scenario -> Results: compile once, simulate batch by batch, keep each part, sum up.

A batch depends on nothing but the request and its people, so that parts that are there are skipped:
to go on after an interruption is the same command again.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cohortsim import reading
from cohortsim import request as requests
from cohortsim.batches import Batch, batch_size, batches
from cohortsim.core import compiled, core
from cohortsim.errors import Interrupted, NumericalError, Problem, ScenarioError
from cohortsim.mistakes import shown
from cohortsim.scenario import Scenario
from cohortsim.units import MINUTES_PER_MONTH

if TYPE_CHECKING:
    import polars as pl

    from cohortsim.results import Results
    from cohortsim.store import Store

Report = Callable[["Step"], None]
MOST_THREADS = 1024


@dataclass(frozen=True, slots=True)
class Step:
    """How far a run is: people done and in all, person-months lived and seconds of this attempt."""

    done: int
    people: int
    person_months: int
    seconds: float


def run(
    study: reading.Source,
    *,
    people: int | None = None,
    years: int | None = None,
    seed: int | None = None,
    threads: int | None = None,
    out: str | Path | None = None,
    persons: Mapping[str, pl.DataFrame] | None = None,
    progress: bool = False,
) -> Results:
    """Simulate a study and return its results.

    Args:
        study: a Scenario, a path, the id of a shipped study, a mapping, or a `provenance.json`.
        people: people in each arm, instead of the study's own number.
        years: years of follow-up, instead of the study's own.
        seed: seed of all chance, instead of the study's own.
        threads: threads to use; all processors if not given. Results never depend on it.
        out: folder to keep the results in; None keeps them in memory. A folder that holds the
            unfinished parts of this very run is gone on with.
        persons: people of one's own by the name of the cohort, as Polars frames with columns as in
            a file of persons (`cohortsim list persons_columns`); each stands in for the file of
            that cohort, or for the draw from its population.
        progress: show a progress bar on standard error.

    Raises:
        ScenarioError, CatalogError, ParameterError: the study is not possible.
        ResultsError: the folder cannot be written, or holds another run.
        Interrupted: Ctrl-C; what was finished is kept in `out`.
    """
    scenario = reading.load(study).changed(people=people, years=years, seed=seed)
    folder = Path(out) if out is not None else None
    request = requests.build(scenario, given=persons)
    if not progress:
        return carry_out(request, folder=folder, threads=threads)
    from cohortsim.progress import bar

    with bar() as report:
        return carry_out(request, folder=folder, threads=threads, report=report)


def carry_out(
    request: requests.Request,
    *,
    folder: Path | None = None,
    threads: int | None = None,
    batch: int | None = None,
    report: Report | None = None,
    model: Any = None,
) -> Results:
    """Simulate a request.

    batch: people in one call of the core, and so in one part of each table; results do not depend
    on it. model: what the core made of this request, where that was done before.
    """
    from cohortsim import results, store
    from cohortsim.columns import kept

    n_threads = _threads(threads)
    model = model or compiled(request)
    scenario = request.scenario
    size = batch or batch_size(scenario.months, len(scenario.arms))
    tables = kept(scenario.record.persons, bool(scenario.record.visits))
    keep: Store = store.MemoryStore()
    if folder is not None:
        size = store.claim(folder, request.fingerprint, core().version(), size)
        keep = store.FolderStore(folder, request.fingerprint, tables)
    plan = batches(scenario.headcount, size)
    started = time.perf_counter()
    with noted_interrupts() as asked_to_stop:

        def pause(done: int = scenario.headcount) -> None:
            if asked_to_stop():
                raise _interrupted(done, scenario, folder)

        work = _simulate(request, model, plan, keep, n_threads, report, pause)
        timing = _timing(work, time.perf_counter() - started, n_threads)
        if folder is not None and not work.people:
            before = store.read_json(folder / "provenance.json")
            if before.get("scenario") == scenario.plain():
                return results.open(folder)
            timing = before.get("resources", timing)
        return results.finish(request, model, keep.parts(), folder, timing=timing, pause=pause)


@dataclass(slots=True)
class Work:
    """What this attempt simulated: people, and the time that they lived in all arms."""

    people: int = 0
    minutes: int = 0

    @property
    def person_months(self) -> int:
        """Person-months lived; what the dead would have lived is not counted."""
        return self.minutes // MINUTES_PER_MONTH


def _timing(work: Work, seconds: float, threads: int) -> dict[str, Any]:
    """Return how much was simulated now, and how fast."""
    return {
        "seconds": seconds,
        "simulated_people": work.people,
        "person_months": work.person_months,
        "person_months_per_second": work.person_months / seconds if seconds > 0 else 0.0,
        "threads": threads,
    }


def _simulate(
    request: requests.Request,
    model: Any,
    plan: Iterable[Batch],
    keep: Store,
    threads: int,
    report: Report | None,
    pause: Callable[[int], None],
) -> Work:
    """Simulate what is not there yet; return how much that was. `pause` may raise Interrupted."""
    from cohortsim.columns import Names, frames, kept

    names = Names(request.data, list(core().density_sites()))
    record = request.scenario.record
    tables = kept(record.persons, bool(record.visits))
    done, work, started = 0, Work(), time.perf_counter()
    for batch in plan:
        if not keep.has(batch.first_person, batch.n_people):
            pause(done)
            raw = _one_batch(model, batch, threads)
            made = frames({table: raw[table] for table in tables}, names)
            keep.put(batch.first_person, batch.n_people, made)
            work.people += batch.n_people
            work.minutes += int(raw["person_time"]["minutes"].sum())
        done += batch.n_people
        if report is not None:
            seconds = time.perf_counter() - started
            report(Step(done, request.scenario.headcount, work.person_months, seconds))
    return work


def _one_batch(model: Any, batch: Batch, threads: int) -> dict[str, dict[str, Any]]:
    try:
        tables: dict[str, dict[str, Any]] = core().simulate(
            model, batch.first_person, batch.n_people, threads
        )
    except ArithmeticError as error:
        raise NumericalError(
            Problem(
                f"people {batch.first_person} to {batch.first_person + batch.n_people - 1}",
                str(error),
                "needs finite numbers in range",
                "look at the person with `cohortsim trace`",
            )
        ) from None
    return tables


def _threads(wanted: int | None) -> int:
    if wanted is None:
        return os.cpu_count() or 1
    if isinstance(wanted, bool) or not isinstance(wanted, int) or not 1 <= wanted <= MOST_THREADS:
        needed = f"needs a whole number from 1 to {MOST_THREADS}"
        raise ScenarioError(Problem("threads", shown(wanted), needed, "leave it out to use all"))
    return wanted


@contextmanager
def noted_interrupts() -> Iterator[Callable[[], bool]]:
    """Note Ctrl-C instead of acting on it, so that it is acted on where nothing is half done.

    A second Ctrl-C stops at once. Outside the main thread nothing is changed.
    """
    asked = threading.Event()

    def note(signum: int, frame: object) -> None:
        if asked.is_set():
            raise KeyboardInterrupt
        asked.set()

    if threading.current_thread() is not threading.main_thread():
        yield asked.is_set
        return
    before = signal.signal(signal.SIGINT, note)
    try:
        yield asked.is_set
    finally:
        signal.signal(signal.SIGINT, before)


def _interrupted(done: int, scenario: Scenario, folder: Path | None) -> Interrupted:
    said = f"interrupted after {done:,} of {scenario.headcount:,} people"
    if folder is None:
        return Interrupted(f"{said}; nothing was kept, because no folder was given")
    return Interrupted(
        f"{said}; they are kept in {folder}; the same command again goes on from there"
    )

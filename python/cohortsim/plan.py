"""`cohortsim plan`: what a study will take before it is run."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass

from cohortsim.batches import batch_size
from cohortsim.columns import MARKERS
from cohortsim.core import compiled, core
from cohortsim.request import Request

PROBE_PERSON_MONTHS = 2_000_000  # a trial of about a tenth of a second
COMPRESSED = 0.48  # bytes on disk per byte in memory, as Parquet parts of the main job came out
WIDTHS = {"u8": 1, "u16": 2, "u32": 4, "f32": 4}  # bytes; all other types have 8
FIXED_MEMORY = 140_000_000  # bytes of Python with Polars and NumPy loaded
FIXED_DISK = 400_000  # bytes of provenance, dictionary and summary tables


@dataclass(frozen=True, slots=True)
class Plan:
    """Size of a study: counts, bytes, seconds."""

    people: int
    months: int
    arms: int
    batch: int
    memory_bytes: int
    disk_bytes: int
    seconds: float
    measured_rate: float

    @property
    def person_months(self) -> int:
        """People x months x arms."""
        return self.people * self.months * self.arms

    def text(self) -> str:
        """Return the plan for a person to read."""
        rows = [
            ("people in each arm", f"{self.people:,}"),
            ("arms", f"{self.arms:,}"),
            ("months of follow-up", f"{self.months:,}"),
            ("person-months", f"{self.person_months:,}"),
            ("people in one batch", f"{self.batch:,}"),
            ("memory, about", _bytes(self.memory_bytes)),
            ("disk, about", _bytes(self.disk_bytes)),
            ("time, about", f"{_time(self.seconds)} on {os.cpu_count()} processors"),
            ("", f"(a short trial did {self.measured_rate / 1e6:.1f} M person-months per second)"),
        ]
        return "\n".join(f"{label:<22}{value}" for label, value in rows)


def plan(request: Request, threads: int | None = None) -> Plan:
    """Return the plan of a study; the time comes from a short trial with this machine's core."""
    scenario = request.scenario
    months, arms = scenario.months, len(request.arms)
    batch = min(scenario.headcount, batch_size(months, arms))
    rate, events = _trial(request, threads)
    row = {
        table: sum(_width(s["dtype"]) for s in specs)
        for table, specs in core().column_specs().items()
    }
    events_each = events * arms * row["events"]
    per_person = events_each
    if scenario.record.persons:
        per_person += row["persons"] + arms * row["follow_up"]
    strata = 2 * 60 * scenario.years * arms * len(request.cohorts)
    batches = -(-scenario.headcount // batch)
    tallies = batches * strata * (3 * row["person_time"] + 4 * row["states"] + row["spine"]) // 4
    if scenario.record.visits:
        measures = len(core().density_sites()) + len(MARKERS)
        rows = len(scenario.record.visits) * measures * arms * len(request.cohorts)
        tallies += batches * rows * row["visits"]
    return Plan(
        people=scenario.headcount,
        months=months,
        arms=arms,
        batch=batch,
        memory_bytes=int(
            FIXED_MEMORY + 4 * batch * per_person + 1.5 * scenario.headcount * events_each
        ),
        disk_bytes=int(FIXED_DISK + COMPRESSED * (scenario.headcount * per_person + tallies)),
        seconds=scenario.headcount * months * arms / rate,
        measured_rate=rate,
    )


def _trial(request: Request, threads: int | None) -> tuple[float, float]:
    """Return person-months per second and events per person and arm of a small trial."""
    model = compiled(request)
    months, arms = request.scenario.months, len(request.arms)
    people = max(1, min(request.scenario.headcount, PROBE_PERSON_MONTHS // (months * arms)))
    best, events = 0.0, 0
    for _ in range(2):
        started = time.perf_counter()
        tables = core().simulate(model, 0, people, threads or os.cpu_count() or 1)
        best = max(best, people * months * arms / max(time.perf_counter() - started, 1e-9))
        events = len(tables["events"]["person"])
    return best, events / (people * arms)


def _width(dtype: str) -> int:
    return WIDTHS.get(dtype, 8)


def _bytes(number: int) -> str:
    return f"{number / 1e9:.1f} GB" if number >= 1e9 else f"{max(1, round(number / 1e6))} MB"


def _time(seconds: float) -> str:
    if seconds < 100:
        return f"{max(1, round(seconds))} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"

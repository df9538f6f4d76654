"""The screen at the end of a run: plain text, 80 columns, numbers under each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

from cohortsim.units import MINUTES_PER_MONTH

if TYPE_CHECKING:
    from cohortsim.results import Results

WIDTH = 80
LABEL = 20
CELL = 10
CLASS_CELLS = {"normal": 8, "osteopenia": 11, "osteoporosis": 13}
CELLS_ON_A_LINE = (WIDTH - LABEL) // CELL
VISIT_LABEL = 24
VISIT_CELL = 7
VISITS_ON_A_LINE = (WIDTH - VISIT_LABEL) // VISIT_CELL
ALL = "all ages"
INTERVALS = (
    "95 % intervals: chance of the simulation alone (Monte Carlo, narrower with more",
    "people) at fixed parameters; how well the parameters are known is not in them.",
)


def screen(results: Results) -> str:
    """Return everything that is shown when a run is over."""
    blocks = [
        _who(results),
        _prevalence(results),
        _incidence(results),
        _visits(results),
        *(_averted(results, arm) for arm in results.arms[1:]),
        INTERVALS,
        _end(results),
    ]
    shown = [[line.rstrip()[:WIDTH] for line in block] for block in blocks]
    return "\n\n".join("\n".join(lines) for lines in shown if lines)


def person_months(results: Results) -> int:
    """Return the person-months lived in all arms."""
    lived = results.person_time.select(pl.col("minutes").sum()).collect().item()
    return int(lived) // MINUTES_PER_MONTH


def _who(results: Results) -> list[str]:
    s = results.scenario
    people = results.prevalence(by="sex", year=0)
    sexes = ", ".join(f"{row['people']:,} {row['sex']}" for row in people.iter_rows(named=True))
    lines = [s.name + (f": {s.title}" if s.title else "")]
    lines.append(f"{s.headcount:,} people ({sexes}), {s.years} years by the month, seed {s.seed}")
    if len(s.cohorts) > 1:
        counted = results.prevalence(by="cohort", year=0)
        named = (f"{row['cohort']} {row['people']:,}" for row in counted.iter_rows(named=True))
        lines += _wrapped("cohorts: ", _listed(list(named)))
    lines += _wrapped("arms, the same people in each: ", _listed(results.arms))
    return lines


def _wrapped(head: str, pieces: Sequence[str]) -> list[str]:
    lines = [head]
    for piece in pieces:
        if len(lines[-1]) + len(piece.rstrip()) > WIDTH:
            lines.append("  ")
        lines[-1] += piece
    return lines


def _listed(words: Sequence[str]) -> list[str]:
    return [*(f"{word}, " for word in words[:-1]), *words[-1:]]


def _prevalence(results: Results) -> list[str]:
    s = results.scenario
    site, arm = s.classify_at.replace("_", " "), results.arms[0]
    by_band = results.prevalence(by=["sex", "age_band", "year"])
    by_sex = results.prevalence(by=["sex", "year"])
    heads = "".join(f"{name:>{width}}" for name, width in CLASS_CELLS.items())
    end = f"after {s.years} years" if s.years > 1 else "after 1 year"
    lines = [
        f"Density class at the {site}, % of the living, {arm}",
        f"{'':<14}{'at the start':>32}{end:>32}",
        f"{'':<14}{heads}{heads}",
    ]
    for sex in by_sex["sex"].unique(maintain_order=True):
        mine = by_band.filter(pl.col("sex") == sex)
        for band in [*_bands(mine), "all"]:
            rows = mine.filter(pl.col("age_band").cast(pl.String) == band)
            rows = by_sex.filter(pl.col("sex") == sex) if band == "all" else rows
            lines.append(f"{sex + ' ' + band:<14}" + _classes(rows, 0) + _classes(rows, s.years))
    return lines


def _classes(rows: pl.DataFrame, year: int) -> str:
    row = rows.filter(pl.col("year") == year)
    if row.is_empty():
        return "".join(f"{'-':>{width}}" for width in CLASS_CELLS.values())
    return "".join(
        f"{row[f'{name}_percent'][0]:>{width}.1f}" for name, width in CLASS_CELLS.items()
    )


def _incidence(results: Results) -> list[str]:
    by_band = results.incidence(by=["sex", "site", "age_band"])
    all_ages = results.incidence(by=["sex", "site"])
    heads = [*_bands(by_band), ALL]
    lines = [f"Fractures per 1,000 person-years (95 % interval below), {results.arms[0]}"]
    for first in range(0, len(heads), CELLS_ON_A_LINE):
        shown = heads[first : first + CELLS_ON_A_LINE]
        for (sex,), of_sex in all_ages.group_by(["sex"], maintain_order=True):
            lines.append(f"{sex:<{LABEL}}" + "".join(f"{head:>{CELL}}" for head in shown))
            for row in of_sex.iter_rows(named=True):
                mine = by_band.filter(pl.col("sex") == sex, pl.col("site") == row["site"])
                cells = {r["age_band"]: r for r in mine.iter_rows(named=True)} | {ALL: row}
                site = "  " + row["site"].replace("_", " ")
                rows = [cells.get(head) for head in shown]
                lines.append(f"{site:<{LABEL}.{LABEL}}" + "".join(map(_rate, rows)))
                lines.append(" " * LABEL + "".join(map(_interval, rows)))
    return lines


def _bands(frame: pl.DataFrame) -> list[str]:
    found = frame["age_band"].unique().sort()
    return [str(band) for band in found]


def _digits(row: dict[str, Any]) -> int:
    return 2 if row["high"] < 10 else 1 if row["high"] < 100 else 0


def _rate(row: dict[str, Any] | None) -> str:
    return f"{'-':>{CELL}}" if row is None else f"{row['rate_per_1000']:>{CELL}.{_digits(row)}f}"


def _interval(row: dict[str, Any] | None) -> str:
    if row is None:
        return " " * CELL
    digits = _digits(row)
    text = f"{row['low']:.{digits}f}-{row['high']:.{digits}f}"
    return f"{text:>{CELL}}"


def _visits(results: Results) -> list[str]:
    """Mean changes at visits after index, a row for each arm; no visits, no table."""
    if "visits" not in results.kept:
        return []
    table = results.visits().filter(pl.col("month") > 0)
    if table.is_empty():
        return []
    lines = ["Mean change since the start, % (those alive at each month)"]
    for (measure,), mine in table.group_by(["measure"], maintain_order=True):
        months = mine["month"].unique().sort().to_list()
        for first in range(0, len(months), VISITS_ON_A_LINE):
            shown = months[first : first + VISITS_ON_A_LINE]
            heads = "".join(f"{month:>{VISIT_CELL}}" for month in shown)
            lines.append(f"{str(measure).replace('_', ' '):<{VISIT_LABEL}}{heads}")
            for (cohort,), of_cohort in mine.group_by(["cohort"], maintain_order=True):
                if len(results.scenario.cohorts) > 1:
                    lines.append(f" {cohort}")
                for (arm,), rows in of_cohort.group_by(["arm"], maintain_order=True):
                    changes = dict(rows.select("month", "change_percent").iter_rows())
                    label = "  " + _cut(str(arm), VISIT_LABEL - 3)
                    cells = "".join(_change(changes.get(month)) for month in shown)
                    lines.append(f"{label:<{VISIT_LABEL}}{cells}")
    return lines


def _change(percent: float | None) -> str:
    if percent is None:
        return f"{'-':>{VISIT_CELL}}"
    return f"{percent:>+{VISIT_CELL}.{2 if abs(percent) < 99.995 else 1}f}"


def _averted(results: Results, arm: str) -> list[str]:
    versus, years = results.arms[0], results.scenario.years
    over = f"over {years} years" if years > 1 else "over 1 year"
    lines = [
        *_wrapped("Averted by ", [f"{arm} ", f"against {versus}, ", f"per 1,000 people {over}"]),
        f"{'':<20}{_cut(versus, 14):>15}{_cut(arm, 19):>20}{'averted':>9}{'95 % interval':>16}",
    ]
    for row in results.averted(arm).iter_rows(named=True):
        scale = 1000 / row["people"]
        before, after = row["events_versus"] * scale, row["events"] * scale
        digits = 2 if max(-row["low"], row["high"]) < 100 else 1
        interval = f"{row['low']:.{digits}f} to {row['high']:.{digits}f}"
        lines.append(
            f"{row['event'].replace('_', ' '):<20.20}{before:>15.{digits}f}{after:>20.{digits}f}"
            f"{row['averted_per_1000']:>9.{digits}f}{interval:>16}"
        )
    return lines


def _cut(name: str, room: int) -> str:
    return name if len(name) <= room else name[: room - 2] + ".."


def _end(results: Results) -> Iterator[str]:
    used = results.provenance["resources"]
    if used["simulated_people"]:
        speed = used["person_months_per_second"]
        yield (
            f"{used['person_months']:,} person-months lived in {used['seconds']:.1f} s: "
            f"{speed:,.0f} person-months per second"
        )
    yield f"results in {results.folder}" if results.folder else "results in memory only"

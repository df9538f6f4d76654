"""What `cohortsim validate` prints: every published number by layer and trial, then the summary."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import polars as pl

from cohortsim.validation.outcomes import screen as of_outcomes
from cohortsim.validation.table import ALL, worst

if TYPE_CHECKING:
    from cohortsim.validation import Validation

WIDTH = 80
KEYS = ["layer", "trial", "cohort", "arm", "against", "source", "use", "recalled"]
LABEL, PUBLISHED, SIMULATED, OFF = 23, 22, 27, 8
HEAD = f"{'':<{LABEL}}{'published':>{PUBLISHED}}{'simulated (95 %)':>{SIMULATED}}{'off':>{OFF}}"
INTERVAL = (
    "95 % intervals: chance of the simulation alone, by leaving out groups of people",
    "in turn; that arms share people is in them. Spreads hold errors of two scans.",
)


def text(validation: Validation, *, rows: bool = True) -> str:
    """Return everything that is shown when a validation is over; without `rows` the end only."""
    blocks = [*_layers(validation.table), *of_outcomes.layers(validation.outcomes)] if rows else []
    blocks += [
        _summary(validation.summary),
        of_outcomes.summary(validation.outcome_summary),
        _worst("Furthest off, density", worst(validation.table)),
        _worst("Furthest off, markers", worst(validation.table, markers=True)),
        _bars(validation.bars),
        [*INTERVAL, *_end(validation)],
    ]
    return "\n\n".join("\n".join(line.rstrip() for line in block) for block in blocks if block)


def against_in_words(row: dict[str, Any]) -> str:
    """Return what a row's number is, `alendronate against placebo` for example."""
    against, arm, cohort = str(row["against"]), str(row["arm"]), str(row["cohort"])
    kind, _, other = against.partition(":")
    if kind == "yearly":
        return f"{arm}, per year since month {other}"
    if kind == "cohort":
        return f"{cohort} against {other}"
    words = {"": "", "peak": ", from the young adult", "sd": ", SD between people"}
    words["tracking"] = ", correlation with index"
    return arm + words.get(kind, f" against {against}")


def _layers(table: pl.DataFrame) -> Iterator[list[str]]:
    for (layer,), mine in table.group_by(["layer"], maintain_order=True):
        lines = [f"{str(layer).upper()}", HEAD]
        for _, group in mine.group_by(KEYS, maintain_order=True):
            lines += _group(group)
        yield lines


def _group(group: pl.DataFrame) -> Iterator[str]:
    first = group.row(0, named=True)
    recalled = ", recalled" if first["recalled"] else ""
    said = f"{first['trial']}, {first['cohort']}: {against_in_words(first)}"
    source = f"{first['use']}; {first['source']}{recalled}"
    yield from textwrap.wrap(f"{said}; {source}", WIDTH, subsequent_indent="  ")
    for row in group.iter_rows(named=True):
        yield from _row(row)


def _row(row: dict[str, Any]) -> Iterator[str]:
    digits = 1 if row["measure"] in ("ctx", "p1np") else 2
    label = f"  {row['measure'].replace('_', ' '):<13} {row['month']:>4} mo"
    published = _number(row["published"], digits)
    if row["published_low"] is not None and row["published_high"] is not None:
        published += f" ({row['published_low']:g} to {row['published_high']:g})"
    if row["not_evaluated"]:
        yield f"{label:<{LABEL}}{published:>{PUBLISHED}}"
        yield from textwrap.wrap(
            f"not evaluated: {row['not_evaluated']}",
            WIDTH,
            initial_indent=" " * 6,
            subsequent_indent=" " * 8,
        )
        return
    simulated = _number(row["simulated"], digits)
    if row["simulated_low"] is not None:
        low, high = (_number(row[f"simulated_{end}"], digits) for end in ("low", "high"))
        simulated += f" ({low} to {high})"
    off = f"{row['difference']:>+{OFF}.{digits}f}"
    yield f"{label:<{LABEL}}{published:>{PUBLISHED}}{simulated:>{SIMULATED}}{off}"


def _number(value: float, digits: int) -> str:
    text = f"{value:.{digits}f}"
    return text.lstrip("-") if float(text) == 0 else text


def _summary(summary: pl.DataFrame) -> list[str]:
    if summary.is_empty():
        return []
    head = f"{'calibrated':>26}{'compared':>26}"
    lines = [
        "Agreement: points, root mean square difference, mean difference",
        f"{'':<28}{head}",
    ]
    alone = summary["layer"].n_unique() == 2  # one layer and the same again as all layers
    for (layer,), mine in summary.group_by(["layer"], maintain_order=True):
        if alone and layer == ALL:
            continue
        lines.append("all layers" if layer == ALL else str(layer))
        keys = ["measure", "quantity", "unit"]
        for (measure, quantity, unit), rows in mine.group_by(keys, maintain_order=True):
            what = "" if quantity == "change" else f" {str(quantity).replace('_', ' ')}"
            label = f"  {str(measure).replace('_', ' ')}{what}, {unit}"
            lines.append(f"{label:<32}" + _cells(rows, "calibrated") + _cells(rows, "compared"))
    return lines


def _cells(rows: pl.DataFrame, use: str) -> str:
    mine = rows.filter(pl.col("use") == use)
    if mine.is_empty():
        return f"{'-':>5}{'':>19}"
    row = mine.row(0, named=True)
    missing = f"+{row['not_evaluated']}" if row["not_evaluated"] else ""
    if row["rmse"] is None:
        return f"{str(row['points']) + missing:>5}{'':>19}"
    return f"{str(row['points']) + missing:>5}{row['rmse']:>9.2f}{row['mean']:>+10.2f}"


def _worst(title: str, rows: pl.DataFrame) -> list[str]:
    if rows.is_empty():
        return []
    lines = [f"{title:<56}{'published':>9}{'simulated':>10}"]
    for row in rows.iter_rows(named=True):
        what = f"{row['trial']}, {row['cohort']}: {against_in_words(row)}"
        where = f", {row['measure'].replace('_', ' ')} {row['month']} mo ({row['use']})"
        wrapped = textwrap.wrap(f"  {what}{where}", 54, subsequent_indent="    ")
        numbers = f"{row['published']:>9.2f}{row['simulated']:>10.2f}"
        lines += [*wrapped[:-1], f"{wrapped[-1]:<56}{numbers}"]
    return lines


def _bars(bars: pl.DataFrame) -> list[str]:
    lines = ["Bars"]
    for row in bars.iter_rows(named=True):
        found = "-" if row["found"] is None else f"{row['found']:.2f}"
        needed = f"{row['sense']} {row['needed']:.3g} {row['unit']}".rstrip()
        lines += textwrap.wrap(
            f"{row['status']:<11}{row['bar']}: {found}, needed {needed} ({row['points']} points)",
            WIDTH,
            initial_indent="  ",
            subsequent_indent=" " * 13,
        )
    return lines


def _end(validation: Validation) -> Iterator[str]:
    numbers, studies = validation.numbers, validation.trials
    yield f"{numbers} published numbers, {studies} studies, {validation.seconds:.1f} s"
    if validation.folder:
        yield f"tables and figures in {validation.folder}"

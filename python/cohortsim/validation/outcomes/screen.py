"""What `cohortsim validate` prints of outcomes: every published number by layer, then agreement."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Any

import polars as pl

from cohortsim.validation.outcomes import words

WIDTH = 80
LABEL, PUBLISHED, SIMULATED, OFF = 24, 23, 23, 10
HEAD = f"{'':<{LABEL}}{'published':>{PUBLISHED}}{'simulated (95 %)':>{SIMULATED}}{'off, %':>{OFF}}"
KEYS = ["study", "measure", "site", "factor", "unit", "source", "use", "recalled"]


def layers(rows: pl.DataFrame) -> Iterator[list[str]]:
    """Yield the lines of each layer."""
    for (layer,), mine in rows.group_by(["layer"], maintain_order=True):
        lines = [words.LAYERS[str(layer)].upper(), HEAD]
        for _, group in mine.group_by(KEYS, maintain_order=True):
            lines += _group(group)
        yield lines


def summary(rows: pl.DataFrame) -> list[str]:
    """Return agreement by layer and use."""
    if rows.is_empty():
        return []
    heads = ("points", "median off", "within 25 %", "z, rms", "in intervals")
    lines = [
        "Agreement of outcomes",
        f"{'':<24}" + "".join(f"{head:>{len(head) + 2}}" for head in heads),
    ]
    for row in rows.iter_rows(named=True):
        missing = f"+{row['not_evaluated']}" if row["not_evaluated"] else ""
        inside = "-" if row["inside_percent"] is None else f"{row['inside_percent']:.0f} %"
        cells = (
            f"{row['points']}{missing}",
            _number(row["median_off_percent"], 0, " %"),
            _number(row["within_25_percent"], 0, " %"),
            _number(row["z_rms"], 1, ""),
            f"{inside} of {row['intervals']}" if row["intervals"] else "-",
        )
        label = f"  {row['layer']}, {row['use']}"
        lines.append(
            f"{label:<24}"
            + "".join(f"{c:>{len(h) + 2}}" for c, h in zip(cells, heads, strict=True))
        )
    return lines


def _number(value: float | None, digits: int, unit: str) -> str:
    return "-" if value is None else f"{value:.{digits}f}{unit}"


def _group(group: pl.DataFrame) -> Iterator[str]:
    first = group.row(0, named=True)
    recalled = ", recalled" if first["recalled"] else ""
    said = f"{first['study']}: {words.what(first)}, {first['unit']}"
    text = f"{said}; {first['use']}; {first['source']}{recalled}"
    yield from textwrap.wrap(text, WIDTH, subsequent_indent="  ")
    told = ""
    for row in group.iter_rows(named=True):
        yield from _row(row, told)
        told = row["not_evaluated"]


def _row(row: dict[str, Any], told: str) -> Iterator[str]:
    """Yield the lines of a row; the reason why it has no number unless it was told just before."""
    digits = words.digits(row)
    label = textwrap.wrap(f"  {words.who(row) or 'all'}", LABEL, subsequent_indent="    ")
    published = words.interval(row, "published", digits)
    yield from label[:-1]
    if row["not_evaluated"]:
        yield f"{label[-1]:<{LABEL}}{published:>{PUBLISHED}}"
        if row["not_evaluated"] == told:
            return
        reason = f"not evaluated: {row['not_evaluated']}"
        yield from textwrap.wrap(reason, WIDTH, initial_indent=" " * 6, subsequent_indent=" " * 8)
        return
    simulated = words.interval(row, "simulated", digits)
    off = "" if row["relative"] is None else f"{100 * row['relative']:+.0f}"
    yield f"{label[-1]:<{LABEL}}{published:>{PUBLISHED}}{simulated:>{SIMULATED}}{off:>{OFF}}"

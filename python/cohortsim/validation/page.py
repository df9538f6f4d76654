"""The folder of a validation: validation.csv, the figures, and index.html that shows them."""

from __future__ import annotations

import html
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from cohortsim.errors import Problem, ResultsError
from cohortsim.store import write_text, writing
from cohortsim.validation import figures
from cohortsim.validation.screen import INTERVAL
from cohortsim.validation.table import SCHEMA, worst

if TYPE_CHECKING:
    from cohortsim.validation import Validation

MARK = "validation.csv"
FIGURES = "figures"
SCATTER = "all"
STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; max-width: 66em; margin: 2em auto; padding: 0 1em; }
table { border-collapse: collapse; margin: 0.5em 0 1.5em; font-size: 13px; }
th, td { padding: 0.15em 0.7em; border-bottom: 1px solid #ddd; text-align: left; vertical-align: top; }
td.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
img { max-width: 100%; }
summary { cursor: pointer; }
"""
OF_WORST = [c for c in SCHEMA if c not in ("layer", "quantity", "people", "note")]
OF_ROWS = [c for c in SCHEMA if c not in ("layer", "trial", "quantity", "people")]


def claimed(folder: Path) -> Path:
    """Return the folder, made if need be and emptied of a former validation.

    Raises ResultsError: figures cannot be drawn, or the folder holds something else or cannot be
    written; it is then left as it was.
    """
    figures.needed()
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        there = [path.name for path in folder.iterdir() if not path.name.startswith(".")]
        if there and MARK not in there:
            found = f"already holds other files ({', '.join(sorted(there)[:3])} ...)"
            needed = "needs an empty folder, or that of a former validation"
            raise ResultsError(Problem(str(folder), found, needed, "choose another --out"))
        (folder / FIGURES).mkdir(exist_ok=True)
        for old in (folder / FIGURES).iterdir():
            if old.suffix in (".svg", ".png"):
                old.unlink()
    return folder


def write(validation: Validation, folder: Path) -> None:
    """Write everything. Raises ResultsError: the folder cannot be written."""
    with writing(folder):
        write_text(folder / MARK, validation.table.write_csv(float_precision=4))
        write_text(folder / "summary.csv", validation.summary.write_csv(float_precision=4))
        write_text(folder / "bars.csv", validation.bars.write_csv(float_precision=4))
        figures.write(figures.scatter(validation.table), folder / FIGURES, SCATTER)
        for trial, title in validation.titles.items():
            mine = pl.col("trial") == trial
            curves, rows = validation.curves.filter(mine), validation.table.filter(mine)
            chart = figures.trial(curves, rows, title or trial)
            figures.write(chart, folder / FIGURES, trial)
        write_text(folder / "index.html", page(validation))


def page(validation: Validation) -> str:
    """Return index.html: bars, agreement, the furthest off, and each trial with its figure."""
    table = validation.table
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8"><title>Validation of cohortsim</title>',
        f"<style>{STYLE}</style></head><body>",
        "<h1>Published and simulated</h1>",
        f"<p>{table.height} published numbers in {validation.trials} trials. {' '.join(INTERVAL)} "
        "Parameters were fitted to rows marked calibrated; the others are only compared. Recalled "
        "numbers are remembered and still to be read in their sources.</p>",
        f'<p><a href="{MARK}">validation.csv</a>, <a href="summary.csv">summary.csv</a>, '
        '<a href="bars.csv">bars.csv</a></p>',
        "<h2>Bars</h2>",
        _table(validation.bars, validation.bars.columns),
        "<h2>All numbers</h2>",
        _image(SCATTER, "published against simulated"),
        "<h2>Agreement</h2>",
        _table(validation.summary, validation.summary.columns),
        "<h2>Furthest off</h2>",
        _table(worst(table), OF_WORST),
        _table(worst(table, markers=True), OF_WORST),
        "<h2>Trials</h2>",
        *_trials(validation),
        "</body></html>",
    ]
    return "\n".join(parts) + "\n"


def _trials(validation: Validation) -> Iterable[str]:
    for trial in validation.table["trial"].unique(maintain_order=True):
        rows = validation.table.filter(pl.col("trial") == trial)
        title = validation.titles.get(trial)
        yield f'<h3 id="{html.escape(trial)}">{html.escape(title or trial)}</h3>'
        if title is not None:
            yield _image(trial, title)
        yield f"<details><summary>{rows.height} numbers of {html.escape(trial)}</summary>"
        yield _table(rows, OF_ROWS)
        yield "</details>"


def _image(name: str, title: str) -> str:
    path = f"{FIGURES}/{html.escape(name)}"
    alt = html.escape(title)
    return f'<p><a href="{path}.png"><img src="{path}.svg" alt="{alt}" loading="lazy"></a></p>'


def _table(rows: pl.DataFrame, columns: list[str]) -> str:
    kept = [c for c in columns if rows[c].null_count() < rows.height and _said(rows[c])]
    heads = "".join(f"<th>{name.replace('_', ' ')}</th>" for name in kept)
    lines = [f"<table><thead><tr>{heads}</tr></thead><tbody>"]
    for row in rows.select(kept).iter_rows():
        lines.append("<tr>" + "".join(map(_cell, row)) + "</tr>")
    return "\n".join([*lines, "</tbody></table>"])


def _said(column: pl.Series) -> bool:
    """Has the column anything to say? Texts that are all empty have not."""
    return column.dtype != pl.String or bool((column != "").any())


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return f"<td>{'yes' if value else ''}</td>"
    if isinstance(value, float):
        return f'<td class="n">{value:.2f}</td>'
    if isinstance(value, int):
        return f'<td class="n">{value}</td>'
    return f"<td>{html.escape(str(value)) if value is not None else ''}</td>"

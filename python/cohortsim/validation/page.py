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
from cohortsim.validation.outcomes import figures as of_outcomes
from cohortsim.validation.outcomes import words
from cohortsim.validation.screen import INTERVAL, against_in_words
from cohortsim.validation.table import worst

if TYPE_CHECKING:
    from cohortsim.validation import Validation

MARK = "validation.csv"
FIGURES = "figures"
OUTCOMES = "outcomes.csv"
SCATTER = "all"
HIDDEN = ["note"]  # where room is short
STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; max-width: 92em; margin: 2em auto; padding: 0 1em; }
table { border-collapse: collapse; margin: 0.5em 0 1.5em; font-size: 13px; }
th, td { padding: 0.15em 0.7em; border-bottom: 1px solid #ddd; text-align: left; vertical-align: top; }
td.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
th { white-space: nowrap; }
td.note { min-width: 20em; color: #555; }
h1, h2, h3, p { max-width: 60em; }
div { overflow-x: auto; }
img { max-width: 100%; }
summary { cursor: pointer; }
"""


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
    text = page(validation)
    with writing(folder):
        write_text(folder / MARK, validation.table.write_csv(float_precision=4))
        write_text(folder / "summary.csv", validation.summary.write_csv(float_precision=4))
        write_text(folder / "bars.csv", validation.bars.write_csv(float_precision=4))
        write_text(folder / OUTCOMES, validation.outcomes.write_csv(float_precision=4))
        if _is_drawn(validation.table):
            figures.write(figures.scatter(validation.table), folder / FIGURES, SCATTER)
        for trial, title in validation.titles.items():
            mine = pl.col("trial") == trial
            curves, rows = validation.curves.filter(mine), validation.table.filter(mine)
            if not _is_drawn(rows):
                continue
            chart = figures.trial(curves, rows, title or trial)
            figures.write(chart, folder / FIGURES, trial)
        for layer, rows in of_outcomes.drawn(validation.outcomes):
            figures.write(of_outcomes.layer(rows, layer), folder / FIGURES, layer)
        write_text(folder / "index.html", text)


def page(validation: Validation) -> str:
    """Return index.html: bars, agreement, the furthest off, and each trial with its figure."""
    table = validation.table
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8"><title>Validation of cohortsim</title>',
        f"<style>{STYLE}</style></head><body>",
        "<h1>Published and simulated</h1>",
        f"<p>{validation.numbers} published numbers in {validation.trials} studies. "
        f"{' '.join(INTERVAL)} "
        "Parameters were fitted to rows marked calibrated; the others are only compared. Recalled "
        "numbers are remembered and still to be read in their sources.</p>",
        f'<p><a href="{MARK}">validation.csv</a>, <a href="summary.csv">summary.csv</a>, '
        f'<a href="bars.csv">bars.csv</a>, <a href="{OUTCOMES}">{OUTCOMES}</a></p>',
        "<h2>Bars</h2>",
        _table(validation.bars),
        *_outcomes(validation),
        *(_densities(validation) if not table.is_empty() else ()),
        "</body></html>",
    ]
    return "\n".join(parts) + "\n"


def _densities(validation: Validation) -> Iterable[str]:
    """Yield the part about density and turnover."""
    table = validation.table
    yield from (
        "<h2>Density and turnover: all numbers</h2>",
        _image(SCATTER, "published against simulated") if _is_drawn(table) else "",
        "<h2>Agreement</h2>",
        _table(validation.summary),
        "<h2>Furthest off</h2>",
        _table(_readable(worst(table)).drop(HIDDEN, strict=False)),
        _table(_readable(worst(table, markers=True)).drop(HIDDEN, strict=False)),
        "<h2>Trials</h2>",
        *_trials(validation),
    )


def _outcomes(validation: Validation) -> Iterable[str]:
    """Yield the part about outcomes: agreement, and each layer with its figure."""
    rows = validation.outcomes
    if rows.is_empty():
        return
    yield "<h2>Outcomes: agreement</h2>"
    yield _table(validation.outcome_summary)
    drawn = dict(of_outcomes.drawn(rows))
    for (name,), mine in rows.group_by(["layer"], maintain_order=True):
        layer = str(name)
        yield f'<h2 id="{layer}">{html.escape(words.LAYERS[layer])}</h2>'
        if layer in drawn:
            yield _image(layer, words.LAYERS[layer])
        yield f"<details><summary>{mine.height} numbers</summary>"
        yield _table(_readable_outcomes(mine))
        yield "</details>"


def _readable_outcomes(rows: pl.DataFrame) -> pl.DataFrame:
    """Return rows of the table of outcomes with fewer columns: intervals beside their numbers."""
    made = []
    for row in rows.iter_rows(named=True):
        digits = words.digits(row)
        made.append(
            {
                "id": row["id"],
                "study": row["study"],
                "number": words.what(row),
                "of": words.who(row),
                "published": words.interval(row, "published", digits),
                "simulated (95 %)": words.interval(row, "simulated", digits),
                "off, %": None if row["relative"] is None else 100 * row["relative"],
                "z": row["z"],
                "unit": row["unit"],
                "use": row["use"],
                "recalled": "yes" if row["recalled"] else "",
                "source": row["source"],
                "note": "; ".join(filter(None, (row["not_evaluated"], row["note"]))),
            }
        )
    return pl.DataFrame(made, infer_schema_length=None)


def _trials(validation: Validation) -> Iterable[str]:
    for trial in validation.table["trial"].unique(maintain_order=True):
        rows = validation.table.filter(pl.col("trial") == trial)
        title = validation.titles.get(trial)
        yield f'<h3 id="{html.escape(trial)}">{html.escape(title or trial)}</h3>'
        if title is not None and _is_drawn(rows):
            yield _image(trial, title)
        counted = "1 number" if rows.height == 1 else f"{rows.height} numbers"
        yield f"<details><summary>{counted} of {html.escape(trial)}</summary>"
        yield _table(_readable(rows).drop("trial", strict=False))
        yield "</details>"


def _is_drawn(rows: pl.DataFrame) -> bool:
    """Is there a figure of these numbers? What could not be simulated has none."""
    return bool(rows["difference"].is_not_null().any())


def _image(name: str, title: str) -> str:
    path = f"{FIGURES}/{html.escape(name)}"
    alt = html.escape(title)
    return f'<p><a href="{path}.png"><img src="{path}.svg" alt="{alt}" loading="lazy"></a></p>'


def _readable(rows: pl.DataFrame) -> pl.DataFrame:
    """Return rows of the table with fewer columns: intervals beside their numbers."""
    made = []
    for row in rows.iter_rows(named=True):
        recalled = "yes" if row["recalled"] else ""
        made.append(
            {
                "id": row["id"],
                "trial": row["trial"],
                "cohort": row["cohort"],
                "number": against_in_words(row),
                "measure": row["measure"].replace("_", " "),
                "month": row["month"],
                "published": _interval(row, "published"),
                "simulated (95 %)": _interval(row, "simulated"),
                "off": row["difference"],
                "unit": row["unit"],
                "use": row["use"],
                "recalled": recalled,
                "source": row["source"],
                "note": "; ".join(filter(None, (row["not_evaluated"], row["note"]))),
            }
        )
    return pl.DataFrame(made, infer_schema_length=None)


def _interval(row: dict[str, Any], name: str) -> str:
    value, low, high = (row[name + end] for end in ("", "_low", "_high"))
    if value is None:
        return "not evaluated"
    return f"{value:.2f}" + ("" if low is None or high is None else f" ({low:.2f} to {high:.2f})")


def _table(rows: pl.DataFrame) -> str:
    if rows.is_empty():
        return ""
    kept = [c for c in rows.columns if rows[c].null_count() < rows.height and _said(rows[c])]
    heads = "".join(f"<th>{html.escape(name.replace('_', ' '))}</th>" for name in kept)
    lines = [f"<div><table><thead><tr>{heads}</tr></thead><tbody>"]
    for row in rows.select(kept).iter_rows():
        lines.append("<tr>" + "".join(map(_cell, kept, row)) + "</tr>")
    return "\n".join([*lines, "</tbody></table></div>"])


def _said(column: pl.Series) -> bool:
    """Has the column anything to say? Texts that are all empty have not."""
    return column.dtype != pl.String or bool((column != "").any())


def _cell(name: str, value: Any) -> str:
    if value is None:
        return "<td></td>"
    text = f"{value:.2f}" if isinstance(value, float) else html.escape(str(value))
    is_number = isinstance(value, int | float) or name in ("published", "simulated (95 %)")
    kind = ' class="n"' if is_number else ' class="note"' if name == "note" else ""
    return f"<td{kind}>{text}</td>"

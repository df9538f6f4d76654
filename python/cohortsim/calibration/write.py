"""Writes fitted values into the data files, and beside the evidence what is known of them."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path

from cohortsim import document
from cohortsim.calibration.fit import Fit
from cohortsim.catalog import SHIPPED
from cohortsim.document import Trail, trail

DIGITS = 6


def write(fit: Fit, shipped: Path = SHIPPED) -> list[Path]:
    """Write the fitted values where their old values stand, and `evidence/fit.csv`.

    Only the numbers change: comments, notes and layout of the files stay.

    Returns:
        The files that were written.

    Raises:
        OSError: a file cannot be written.
    """
    by_file: dict[Path, dict[Trail, float]] = {}
    for name, value in fit.values.items():
        path, place = _place(name, shipped)
        by_file.setdefault(path, {})[place] = value
    written = []
    for path, values in sorted(by_file.items()):
        path.write_text(replaced(path.read_text(encoding="utf-8"), values), encoding="utf-8")
        written.append(path)
    table = shipped / "evidence" / "fit.csv"
    table.write_text(_table(fit), encoding="utf-8")
    return [*written, table]


def replaced(text: str, values: Mapping[Trail, float]) -> str:
    """Return YAML text with other numbers at these places."""
    parsed = document.parse(text, "data file")
    lines = text.splitlines(keepends=True)
    # From the end, so that earlier places stay where they are.
    for place, value in sorted(values.items(), key=lambda item: parsed.places[item[0]])[::-1]:
        row, column = parsed.places[place]
        line = lines[row - 1]
        end = column - 1
        while end < len(line) and line[end] not in " ,}\n":
            end += 1
        lines[row - 1] = f"{line[: column - 1]}{value:.{DIGITS}g}{line[end:]}"
    return "".join(lines)


def _place(name: str, shipped: Path) -> tuple[Path, Trail]:
    kind, _, rest = name.partition(".")
    if ".effects[" in rest:  # medicines.ID.effects[K].amount
        id_, _, inside = rest.partition(".")
        return shipped / kind / f"{id_}.yaml", (*trail(inside), "value")
    return shipped / "parameters" / f"{kind}.yaml", ("parameters", rest, "value")


def _table(fit: Fit) -> str:
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow(["name", "value", "unit", "sd", "low", "high", "told_by_data"])
    for name, q, value, spread, share in fit.known():
        known = [f"{value:.{DIGITS}g}", q.unit, f"{spread:.2g}", f"{q.low:g}", f"{q.high:g}"]
        table.writerow([name, *known, f"{share:.2f}"])
    return out.getvalue()

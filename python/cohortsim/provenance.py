"""How a run came to be: versions, every value with its source, the request itself, fingerprints.

What says *which* run it was is kept apart from what says how long it took (`resources`). No
paths and no names of machines are written.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import platform
import resource
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import polars as pl

import cohortsim
from cohortsim.catalog import Catalog
from cohortsim.citations import UNPUBLISHED, entries, short
from cohortsim.core import core
from cohortsim.request import Request
from cohortsim.store import Parts

SCHEMA_VERSION = "1.0.0"
SUMMED = {
    "person_time": ("arm", "cohort", "sex", "age", "year", "class"),
    "states": ("arm", "cohort", "sex", "age", "year", "site"),
    "spine": ("arm", "cohort", "sex", "age", "year"),
    "visits": ("arm", "cohort", "month", "measure"),
}


def record(
    request: Request,
    model: Any,
    prints: dict[str, str],
    sites: list[dict[str, Any]],
    timing: dict[str, Any],
) -> dict[str, Any]:
    """Return the provenance of a run as plain data; `prints` are fingerprints of its tables."""
    return {
        "schema_version": SCHEMA_VERSION,
        "software": software(),
        "scenario": request.scenario.plain(),
        "seed": request.scenario.seed,
        "parameters": list(request.values),
        "derived": _plain(model.derived()),
        "fracture_sites": sites,
        "citations": citations(request),
        "fingerprints": {"request": request.fingerprint, "tables": prints},
        "own_files": request.files,
        "persons": {name: people.described() for name, people in request.persons.items()},
        "request": request.data,
        "resources": timing | machine(),
    }


def text(provenance: dict[str, Any]) -> str:
    """Return the provenance as JSON: one line for each value and for the request."""
    lines = []
    for key, value in provenance.items():
        if key == "parameters":
            rows = ",\n".join("  " + json.dumps(row, allow_nan=False) for row in value)
            lines.append(f' "{key}": [\n{rows}\n ]')
        else:
            wide = key in ("request", "derived", "own_files")
            said = json.dumps(value, allow_nan=False, indent=None if wide else 1)
            lines.append(f' "{key}": ' + said.replace("\n", "\n "))
    return "{\n" + ",\n".join(lines) + "\n}\n"


def software() -> dict[str, str]:
    """Return the versions of all that computes."""
    return {
        "cohortsim": cohortsim.__version__,
        "core": str(core().version()),
        "python": platform.python_version(),
        "polars": version("polars"),
        "numpy": version("numpy"),
    }


def machine() -> dict[str, Any]:
    """Return what the run had to work with, without naming it."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "processors": os.cpu_count(),
        "cpu_level": str(core().cpu_level()),
        "peak_memory_bytes": peak if sys.platform == "darwin" else peak * 1024,
        "finished_utc": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def citations(request: Request) -> list[dict[str, str]]:
    """Return all sources that were really used: key, how a sentence cites them, where they are."""
    keys = {key for value in request.values for key in value.get("source", ())} - UNPUBLISHED.keys()
    known = entries(Catalog(request.scenario.origin.folder).references)
    return [
        {"key": key, "cite": short(key, known)}
        | {
            name: known[key][name].replace("{", "").replace("}", "")
            for name in ("title", "doi", "url")
            if name in known.get(key, {})
        }
        for key in sorted(keys)
    ]


def fingerprints(parts: Parts, pause: Callable[[], None]) -> dict[str, str]:
    """Return the SHA-256 of each table's integers; batches and threads cannot change it."""
    return {table: _fingerprint(table, parts[table], pause) for table in sorted(parts)}


def _fingerprint(table: str, parts: list[pl.LazyFrame], pause: Callable[[], None]) -> str:
    if table in SUMMED:
        keys = list(SUMMED[table])
        parts = [pl.concat(parts).group_by(keys).agg(pl.exclude(keys).sum()).sort(keys)]
    hashes: dict[str, Any] = {}
    for part in parts:
        pause()
        frame = part.collect()
        for name, kind in frame.schema.items():
            if kind.is_float():
                continue
            column = frame[name]
            numbers = column.to_physical() if isinstance(kind, pl.Enum) else column
            values = numbers.cast(pl.Int64).fill_null(-1).to_numpy()
            digest = hashes.setdefault(name, hashlib.sha256())
            digest.update(values.astype("<i8", copy=False).tobytes())
    whole = hashlib.sha256()
    for name in sorted(hashes):
        whole.update(f"{name}:{hashes[name].hexdigest()};".encode())
    return whole.hexdigest()


def _plain(value: Any) -> Any:
    """Return NumPy arrays and scalars as lists and numbers; what is not finite as nothing."""
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value

"""Writes the golden results anew: `python tests/golden/regenerate.py`.

Do it only with a change of results on purpose, and name it in CHANGELOG.md under "Changes of results".
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from cohortsim import _core

HERE = Path(__file__).resolve().parent
SHIPPED = HERE.parent / "fixtures" / "request.json"
TABLES = HERE / "us_adults_50plus.json"
LIVES = HERE / "remodeling_arms.json"
PEOPLE, SEED = 2000, 1
SYSTEMS = ("remodeling", "hormones", "minerals", "loading", "medicines", "density", "cohort")
MARKERS = ("resorption", "ctx", "p1np")
STRATA = ("arm", "cohort", "sex", "age", "year")
SHAPES = ("wedge", "biconcave", "crush")
DETAILS = ["vertebral_deformity", "new", "moderate", "severe", *SHAPES]

Plain = dict[str, Any]


def shipped() -> Plain:
    """Return the shipped request."""
    request: Plain = json.loads(SHIPPED.read_text(encoding="utf-8"))
    return request


# Integer tables of the shipped study


def tables_now() -> dict[str, list[Plain]]:
    """Return the summaries of the shipped study as it runs now."""
    request = shipped() | {"people": PEOPLE, "seed": SEED, "record_persons": True}
    found = _core.simulate(_core.compile(json.dumps(request)), 0, PEOPLE, 2)
    sites = [site["id"] for site in request["fracture_sites"]]
    names = ["death", *sites, "vertebral_deformity", "nursing_home_entry"]
    site = _core.density_sites().index(request["class_site"])
    events = [detailed(row, names) for row in rows_of(found["events"])]
    deformities = [row for row in events if row["vertebral_deformity"]]
    backs = [row for row in rows_of(found["spine"]) if row["year"] % 5 == 0]
    counted = [name for name in found["spine"] if name not in STRATA]
    states = [r for r in rows_of(found["states"]) if r["site"] == site and r["year"] % 5 == 0]
    classes = ["normal", "osteopenia", "osteoporosis"]
    exits = ["minutes", "died", "medicine_months"]
    brought = ["deformities", "worst_grade"]
    return {
        "events": summed(
            events, ["arm", "sex", "decade"], [*names, "missed", "attributable", "minute"]
        ),
        "deformities": summed(deformities, ["arm", "level"], DETAILS),
        "person_time": summed(
            rows_of(found["person_time"]), ["arm", "sex", "class"], ["minutes", "falls"]
        ),
        "states": summed(states, ["arm", "sex", "year"], [*classes, "abmd_sum"]),
        "spine": summed(backs, ["arm", "sex", "year"], counted),
        "persons": summed(rows_of(found["persons"]), ["sex"], ["age_months", *brought]),
        "follow_up": summed(rows_of(found["follow_up"]), ["arm"], [*exits, *brought]),
    }


def detailed(event: Plain, names: list[str]) -> Plain:
    """Return an event with a column of 0 or 1 for all that it may be."""
    code, grade, shape = event["event"], event["grade"], event["shape"]
    kinds = {name: int(code == k) for k, name in enumerate(names)}
    grades = {"moderate": int(grade == 2), "severe": int(grade == 3)}
    shapes = {name: int(shape == k) for k, name in enumerate(SHAPES, start=1)}
    more = {
        "decade": event["age_months"] // 120 * 10,
        "missed": 1 - event["recorded"],
        "new": int(event["grade_before"] == 0),
    }
    return event | kinds | grades | shapes | more


def rows_of(table: Plain) -> list[Plain]:
    """Return the rows of a table of columns."""
    columns = [column.tolist() for column in table.values()]
    return [dict(zip(table, row, strict=True)) for row in zip(*columns, strict=True)]


def summed(rows: Iterable[Plain], keys: list[str], amounts: list[str]) -> list[Plain]:
    """Return sums by keys, in their order."""
    sums: dict[tuple[int, ...], list[int]] = {}
    for row in rows:
        total = sums.setdefault(tuple(row[key] for key in keys), [0] * len(amounts))
        for k, amount in enumerate(amounts):
            total[k] += row[amount]
    return [
        dict(zip([*keys, *amounts], [*key, *total], strict=True))
        for key, total in sorted(sums.items())
    ]


# Lives without chance


def lives() -> Any:
    """Return the module that lives them, which stands beside the twin."""
    folder = str(HERE.parents[1])
    if folder not in sys.path:
        sys.path.append(folder)
    return importlib.import_module("tests.reference.arms")


def parameters_of_lives() -> dict[str, float]:
    """Return the parameters that the golden lives keep; the shipped ones if others are needed now."""
    given = shipped()["parameters"]
    needed = {name: given[name] for name in sorted(given) if name.split(".")[0] in SYSTEMS}
    if LIVES.exists():
        kept: dict[str, float] = json.loads(LIVES.read_text(encoding="utf-8"))["parameters"]
        if kept.keys() == needed.keys():
            return kept
    return needed


def request_of_lives() -> Plain:
    """Return the study that all golden lives are arms of."""
    request: Plain = lives().request_of(shipped(), parameters_of_lives())
    return request


def columns_of_lives() -> list[str]:
    """Return what golden lives hold."""
    return [*_core.density_sites(), *MARKERS]


def lives_of_twin(request: Plain) -> dict[str, Plain]:
    """Return the golden lives as the twin lives them now."""
    arms = lives()
    return {
        name: arms.at_anniversaries(arms.life_of_twin(request, name), columns_of_lives())
        for name in arms.ARMS
    }


def lives_of_kernel(request: Plain) -> dict[str, Plain]:
    """Return the golden lives as the kernel lives them now; density is relative to index."""
    arms, model = lives(), _core.compile(json.dumps(request))
    found = {}
    for k, name in enumerate(arms.ARMS):
        traced = _core.trace(model, k, arms.person_of(request, name))
        life = arms.life_of_kernel(traced, name)
        found[name] = arms.at_anniversaries(life, columns_of_lives())
    return found


# Files


def lines_of(value: Any, depth: int) -> str:
    """Return JSON with one line for each thing at a depth, so that a difference is a line."""
    if depth == 0 or not isinstance(value, dict | list):
        return json.dumps(value)
    if isinstance(value, dict):
        parts = [f"{json.dumps(key)}: {lines_of(part, depth - 1)}" for key, part in value.items()]
        return "{\n" + ",\n".join(parts) + "\n}"
    if not any(isinstance(part, dict | list) for part in value):
        return json.dumps(value)
    return "[\n" + ",\n".join(lines_of(part, depth - 1) for part in value) + "\n]"


def main() -> None:
    """Write both files."""
    about = (
        f"The study of tests/fixtures/request.json, {PEOPLE} people, seed {SEED}: exact integers"
    )
    golden: Plain = {"about": about} | tables_now()
    TABLES.write_text(lines_of(golden, 2) + "\n", encoding="utf-8")
    about = (
        "Lives of tests/reference/arms.py at index and each anniversary: density relative to the young"
        " adult by site, markers. These parameters are kept: a new value of a parameter changes nothing"
    )
    parameters = parameters_of_lives()
    rounded = {
        name: {key: [float(f"{x:.10g}") for x in values] for key, values in life.items()}
        for name, life in lives_of_twin(request_of_lives()).items()
    }
    golden = {"about": about, "parameters": parameters, "lives": rounded}
    LIVES.write_text(lines_of(golden, 3) + "\n", encoding="utf-8")
    print(f"written: {TABLES.name}, {LIVES.name}")
    print('Name the change in CHANGELOG.md under "Changes of results".')


if __name__ == "__main__":
    main()

"""One study lived by both, kernel and twin, and what is compared."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cohortsim as cs
import numpy as np
from cohortsim import _core
from cohortsim import request as requests

from . import twin
from .balance import SITES
from .book import Table
from .month import MINUTES_PER_MONTH
from .offsets import means_of_model
from .populations import SEXES, Plain
from .recruiting import Persons
from .rounding import DENSITY_IN_SINGLE, IN_SINGLE, ULP, Rounding

SHIPPED = Path(__file__).parents[1] / "fixtures" / "request.json"
WOMEN, MEN = SEXES
BOTH = [WOMEN, MEN]


@dataclass(frozen=True)
class Pair:
    """One study, lived by both."""

    request: Plain
    model: _core.Model
    kernel: dict[str, Table]
    twin: twin.Lives

    @property
    def people(self) -> int:
        return len(self.kernel["persons"]["person"])


def compiled(request: Plain, persons: Persons | None = None) -> _core.Model:
    columns = {name: dict(of) for name, of in (persons or {}).items()}
    return _core.compile(json.dumps(request), None, columns)


def pair(request: Plain, persons: Persons | None = None) -> Pair:
    model = compiled(request, persons)
    numbers = np.arange(request["people"], dtype=np.int64)
    lives = twin.simulated(request, numbers, means_of_model(model.derived()), persons)
    return Pair(request, model, _core.simulate(model, 0, len(numbers), 2), lives)


def in_single(both: Pair) -> Pair:
    """Return the study in single precision, as populations are run; the twin knows no precision."""
    request = both.request | {"precision": "f32"}
    model = compiled(request)
    return Pair(request, model, _core.simulate(model, 0, both.people, 2), both.twin)


def shipped(**changes: Any) -> Plain:
    request: Plain = json.loads(SHIPPED.read_text(encoding="utf-8"))
    return request | {"people": 1000, "seed": 1, "record_persons": True} | changes


def cohort(name: str, sexes: list[str], **more: Any) -> Plain:
    ages = {"from": 50, "to": 100}
    return {"name": name, "population": "us", "sexes": sexes, "ages": ages} | more


def built(
    cohorts: list[Plain],
    people: int,
    years: int,
    arms: list[Plain],
    visits: list[int] | None = None,
    **more: Any,
) -> Plain:
    """Return the request of a study as a user would write it, in double precision."""
    study = {"cohortsim": 1, "name": "twin", "people": people, "years": years, "seed": 3}
    share = 1.0 / len(cohorts)
    study |= {"cohorts": [c | {"share": share} for c in cohorts], "arms": arms}
    study |= {"record": {"persons": True, "visits": visits or []}} | more
    return dict(requests.build(cs.load(study)).data) | {"precision": "f64"}


# What is compared


def rows(table: Table, columns: list[str]) -> list[tuple[int, ...]]:
    """Return rows of integers in an order that does not depend on who wrote them."""
    return sorted(zip(*(table[c].tolist() for c in columns), strict=True))


def by_person_and_arm(table: Table, column: str) -> Any:
    return table[column][np.lexsort((table["arm"], table["person"]))]


def integer_columns(table: Table) -> list[str]:
    return [name for name, column in table.items() if column.dtype.kind in "iu"]


def same_persons(both: Pair) -> None:
    """Integers are the same; numbers are recorded as float32 and may differ by its last place."""
    for name, column in both.kernel["persons"].items():
        own = both.twin.tables["persons"][name]
        if column.dtype.kind in "iu":
            np.testing.assert_array_equal(column, own, err_msg=name)
        else:
            np.testing.assert_allclose(column, own, rtol=ULP, atol=0.0, err_msg=name)


def same_tables(both: Pair) -> None:
    """All integers of all tables, in double precision."""
    tables = ["events", "person_time", "states", "spine", "follow_up"]
    for name in tables + ["visits"] * bool(both.request["visits"]):
        kernel, own = both.kernel[name], both.twin.tables[name]
        columns = integer_columns(kernel)
        assert rows(kernel, columns) == rows(own, columns), name


def decisions(both: Pair) -> list[str]:
    return ["fall", "death", *(site["id"] for site in both.request["fracture_sites"])]


def same_months(both: Pair, number: int, arm: int, limits: Rounding) -> None:
    """Every month of a traced person: densities, frailty, draws and thresholds."""
    traced = _core.trace(both.model, arm, number)
    months = both.twin.chance[arm][: len(traced["month"])]
    where = f"person {number}, arm {arm}"
    for k, site in enumerate(SITES):
        own = np.array([m.abmd[number, k] for m in months])
        np.testing.assert_allclose(
            traced[f"abmd_{site}"], own, rtol=limits.abmd, err_msg=f"{where}, {site}"
        )
    for name in ("frailty", "instability"):
        own = np.array([getattr(m, name)[number] for m in months])
        limit = limits.state * (len(months) + 2) * np.maximum(1.0, np.abs(own))
        assert (np.abs(traced[name] - own) <= limit).all(), f"{where}, {name}"
    rounding = np.array(
        [limits.thresholds(both.request, m, k)[:, number] for k, m in enumerate(months)]
    )
    for k, name in enumerate(decisions(both)):
        draws = [m.draw[k, number] for m in months]
        np.testing.assert_array_equal(traced[f"draw_{name}"], draws, err_msg=where)
        own = np.array([m.threshold[k, number] for m in months])
        off = np.abs(traced[f"threshold_{name}"] - own) / (rounding[:, k] * own + 1e-30)
        assert off.max() <= 1.0, f"{where}, {name}: {off.max():.2f} of what rounding may do"


# In single precision: the same but for rounding


def on_the_same_courses(both: Pair) -> Any:
    """Return who has the same courses in both, by person and arm.

    All have, unless rounding decides whether a T-score has reached what a stop rule asks for. It
    shows in the months on medicines or, where another course takes over, in density: by far more
    than rounding, in arms with such a rule, and in one life of a thousand at most.
    """
    columns = [
        by_person_and_arm(tables["follow_up"], "medicine_months")
        for tables in (both.kernel, both.twin.tables)
    ]
    died = [
        by_person_and_arm(tables["follow_up"], "died") for tables in (both.kernel, both.twin.tables)
    ]
    same = (columns[0] == columns[1]) | (died[0] != died[1])
    same &= ~_judged_differently(both, died[0] == died[1])
    assert np.mean(same) > 0.999
    return same


def _judged_differently(both: Pair, alike: Any) -> Any:
    """Return who has another density at exit, in arms with a T-score to reach, by person and arm."""
    kernel, own = (
        by_person_and_arm(tables["follow_up"], "abmd_total_hip")
        for tables in (both.kernel, both.twin.tables)
    )
    apart = alike & (np.abs(kernel / own - 1.0) > 10.0 * DENSITY_IN_SINGLE)
    to_reach = [
        any(e["stop"] and e["stop"]["t_score_at_least"] is not None for e in arm["exposures"])
        for arm in both.request["arms"]
    ]
    return (apart.reshape(both.people, -1) & np.array(to_reach)).reshape(apart.shape)


def with_the_same_events(both: Pair) -> Any:
    """Return who has the same events in both, by person and arm: a healing fracture takes bone."""
    same = np.ones_like(by_person_and_arm(both.kernel["follow_up"], "died"), dtype=bool)
    shaped = same.reshape(both.people, -1)
    for person, arm in {(p, a) for p, a, _, _ in differing_events(both)}:
        shaped[person, arm] = False
    assert np.mean(same) > 0.999
    return shaped.reshape(same.shape)


def differing_events(both: Pair) -> set[tuple[int, ...]]:
    """Return (person, arm, month, event) of what happened in one of the two only."""
    kernel, own = (
        set(rows(tables["events"], ["person", "arm", "month", "event"]))
        for tables in (both.kernel, both.twin.tables)
    )
    return kernel ^ own


def same_densities_at_exit(both: Pair) -> None:
    """Areal density of who left in the same way."""
    died = by_person_and_arm(both.kernel["follow_up"], "died")
    same = died == by_person_and_arm(both.twin.tables["follow_up"], "died")
    same &= on_the_same_courses(both) & with_the_same_events(both)
    for site in SITES:
        kernel = by_person_and_arm(both.kernel["follow_up"], f"abmd_{site}")
        own = by_person_and_arm(both.twin.tables["follow_up"], f"abmd_{site}")
        np.testing.assert_allclose(kernel[same], own[same], rtol=DENSITY_IN_SINGLE, atol=0.0)


def events_differ_only_where_a_draw_meets_its_threshold(both: Pair) -> None:
    """The first difference of each person and arm."""
    first: dict[tuple[int, int], int] = {}
    for person, arm, month, _ in differing_events(both):
        first[person, arm] = min(month, first.get((person, arm), month))
    same = on_the_same_courses(both).reshape(both.people, -1)
    for (person, arm), month in first.items():
        now = both.twin.chance[arm][month]
        limit = IN_SINGLE.thresholds(both.request, now, month)[:, person]
        draw, threshold = now.draw[:, person], now.threshold[:, person]
        near = np.abs(draw - threshold) <= limit * threshold
        assert near.any() or not same[person, arm], (
            f"person {person}, arm {arm}, month {month}: no draw is near its threshold"
        )


def same_times_of_events(both: Pair) -> None:
    """The time is -ln(1 - draw) / hazard of a month, rounded down to minutes.

    So an error e of the hazard moves it by e times the time, and rounding down by up to a minute. A
    deformity has the time of its site, an entry into a nursing home that of a fracture.
    """
    key = ["person", "arm", "month", "event", "minute"]
    kernel, own = (
        {row[:-1]: row[-1] for row in rows(tables["events"], key)}
        for tables in (both.kernel, both.twin.tables)
    )
    sites = both.request["fracture_sites"]
    spine = [k for k, site in enumerate(sites) if site["of_the_spine"]]
    same = on_the_same_courses(both).reshape(both.people, -1)
    for event in kernel.keys() & own.keys():
        person, arm, month, code = event
        limits = IN_SINGLE.thresholds(both.request, both.twin.chance[arm][month], month)[1:, person]
        of_event = {len(sites) + 1: limits[1:][spine], len(sites) + 2: limits[1:]}
        limit = 1.0 + np.max(of_event.get(code, limits[code : code + 1])) * MINUTES_PER_MONTH
        near = abs(kernel[event] - own[event]) <= limit
        assert near or not same[person, arm], event

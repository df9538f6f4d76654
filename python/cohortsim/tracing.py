"""`cohortsim trace`: one life, month by month."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator
from typing import Any

from cohortsim.columns import (
    CLASSES,
    DEATH,
    DEFORMITY,
    LEVELS,
    NURSING_HOME,
    SHAPES,
    SPINAL_SITE,
    Names,
)
from cohortsim.core import compiled, core
from cohortsim.errors import Problem, ScenarioError, nearest, one_of
from cohortsim.fields import SEXES
from cohortsim.request import Request

WIDTH = 80
GAP = 2
OF_EVENTS = ("level", "shape", "grade", "grade_before", "recorded", "attributable")
OF_CHANCE = (
    *("draw_", "threshold_", "fractured_", DEFORMITY, "deformed_"),
    *("entered_", "fell", "died"),
)
DRAWN_AS = {DEFORMITY: SPINAL_SITE, SPINAL_SITE: "", NURSING_HOME: ""}  # one draw, told once


def trace(request: Request, person: int, arm: str | None) -> dict[str, Any]:
    """Return one life: person, arm, cohort, sex, columns (lists with a value per month), events.

    Raises:
        ScenarioError: there is no such person or arm.
    """
    people = request.scenario.headcount
    if not 0 <= person < people:
        needed = f"needs 0 to {people - 1}"
        raise ScenarioError(Problem("--person", str(person), needed, "choose one of them"))
    name = arm or request.arms[0]
    if name not in request.arms:
        advice = nearest(name, request.arms) or "choose one of them"
        raise ScenarioError(Problem("--arm", f'no arm "{name}"', one_of(request.arms), advice))
    place = request.arms.index(name)
    model = compiled(request)
    columns = core().trace(model, place, person)
    tables = core().simulate(model, person, 1, 1)
    who = tables["person_time"]
    names = Names(request.data, core().density_sites())
    return {
        "person": person,
        "arm": name,
        "cohort": request.cohorts[int(who["cohort"][0])],
        "sex": SEXES[int(who["sex"][0])],
        "columns": {
            key: [CLASSES[int(v)] if key == "class" else _plain(v) for v in values]
            for key, values in columns.items()
        },
        "events": list(_events(tables["events"], place, names, columns)),
    }


def table(life: dict[str, Any], every: int, draws: bool = False) -> str:
    """Return a life as text: blocks of columns of at most 80 characters, every so many months.

    Unless `draws` is given, chance is told for what happened only, in words at the end. States that
    are 0 all the time, such as those of medicines never taken, are only named.
    """
    columns: dict[str, list[Any]] = life["columns"]
    if not draws:
        columns = {name: v for name, v in columns.items() if not name.startswith(OF_CHANCE)}
    length = max((len(values) for values in columns.values()), default=0)
    idle = [
        name
        for name, values in columns.items()
        if name != "month" and not name.startswith(OF_CHANCE) and not any(values)
    ]
    columns = {name: values for name, values in columns.items() if name not in idle}
    rows = [row for row in range(length) if row % every == 0 or row == length - 1]
    first = next(iter(columns), None)
    who = f"one of the {life['sex']} of cohort {life['cohort']}"
    blocks = [f"person {life['person']}, {who}, arm {life['arm']}, {length} months"]
    for names in _blocks(columns, rows, first):
        cells = {name: [_shown(columns[name][row]) for row in rows] for name in names}
        widths = {n: max(len(n), *(len(c) for c in cells[n])) if rows else len(n) for n in names}
        lines = [(" " * GAP).join(f"{name:>{widths[name]}}" for name in names)]
        for index in range(len(rows)):
            lines.append((" " * GAP).join(f"{cells[n][index]:>{widths[n]}}" for n in names))
        blocks.append("\n".join(lines))
    happened = [event["text"] for event in life["events"]] or ["no fracture; alive at the end"]
    said = [line for text in happened for line in _wrapped(text)]
    fell = life["columns"].get("fell")
    said += [f"{sum(map(bool, fell))} months with a fall"] if fell else []
    if idle:
        said += _wrapped(f"0 all the time: {', '.join(idle)}")
    return "\n\n".join([*blocks, "\n".join(said)])


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, subsequent_indent="  ")


def _blocks(
    columns: dict[str, list[Any]], rows: list[int], first: str | None
) -> Iterator[list[str]]:
    """Yield the names of columns that fit beside each other; each block begins with the month."""
    if first is None:
        return
    width = {
        name: max([len(name), *(len(_shown(values[row])) for row in rows)])
        for name, values in columns.items()
    }
    block, used = [first], width[first]
    for name in columns:
        if name == first:
            continue
        if used + GAP + width[name] > WIDTH and len(block) > 1:
            yield block
            block, used = [first], width[first]
        block.append(name)
        used += GAP + width[name]
    yield block


def _events(
    columns: dict[str, Any], arm: int, names: Names, life: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    for row in range(len(columns["person"])):
        if int(columns["arm"][row]) != arm:
            continue
        code, month = int(columns["event"][row]), int(columns["month"][row])
        what = names.categories["event"][code]
        age = int(columns["age_months"][row]) / 12
        words = _said(what, {name: int(columns[name][row]) for name in OF_EVENTS})
        text = f"month {month} (year {month // 12 + 1}), age {age:.1f}: {words}"
        drawn = DRAWN_AS.get(what, what)
        draw, threshold = life.get(f"draw_{drawn}"), life.get(f"threshold_{drawn}")
        if draw is not None and threshold is not None and month < len(draw):
            text += f" (drew {draw[month]:.2g}, below {threshold[month]:.2g})"
        yield {"month": month, "age_years": age, "event": what, "text": text}


def _said(what: str, of_event: dict[str, int]) -> str:
    """Return an event in words."""
    if what == DEATH:
        share = of_event["attributable"]
        return f"dies ({share} % of the hazard from earlier fractures)" if share else "dies"
    if what == NURSING_HOME:
        return "moves to a nursing home"
    if what == DEFORMITY:
        level, shape = LEVELS[of_event["level"] - 1], SHAPES[of_event["shape"] - 1]
        before, grade = of_event["grade_before"], of_event["grade"]
        how = f"worsens from grade {before} to {grade}" if before else f"collapses, grade {grade}"
        return f"vertebra {level} {how} ({shape})"
    if what == SPINAL_SITE:
        missed = "" if of_event["recorded"] else ", but is missed by registers"
        return f"the fracture of {LEVELS[of_event['level'] - 1]} comes to attention{missed}"
    return f"{what.replace('_', ' ')} fracture"


def _plain(value: Any) -> Any:
    plain = value.item() if hasattr(value, "item") else value
    return None if isinstance(plain, float) and not math.isfinite(plain) else plain


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else str(value)

"""What can be wrong between courses of medicines and the catalog: ids, doses, routes, overlaps.

As in `courses.py`, plain data is looked at with tolerance.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from cohortsim.catalog import Catalog
from cohortsim.courses import Group, Planned, Span, courses, share_people
from cohortsim.document import spelled
from cohortsim.entries import Medicine
from cohortsim.errors import CatalogError, Problem
from cohortsim.mistakes import Mistake, is_number, items, sexes_of

CLASSIFY_AT = "femoral_neck"


def mistakes(data: Group, catalog: Catalog) -> Iterator[Mistake]:
    """Yield what is wrong with each course, and where two courses of one medicine overlap.

    Raises:
        CatalogError: at the end, if files of medicines are wrong, with all of them.
    """
    years = data.get("years")
    months = years * 12 if is_number(years) else None
    known: list[tuple[Planned, Medicine]] = []
    broken: list[Problem] = []
    for course in courses(data):
        id_ = course.keys.get("medicine")
        if isinstance(id_, str) and not catalog.has("medicines", id_):
            where = (*course.path, "medicine")
            yield Mistake(where, *catalog.unknown("medicines", id_, "medicine"))
        elif isinstance(id_, str):
            try:
                medicine = catalog.medicine(id_)
            except CatalogError as error:
                broken += error.problems
                continue
            known.append((course, medicine))
            yield from _persistence(course, medicine)
            yield from _dose(course, medicine)
            yield from _route(course, medicine)
            yield from _for_whom(data, course, medicine)
        yield from _too_late(course, months)
    yield from _overlaps(data, known)
    if broken:
        raise CatalogError(broken)


def _persistence(course: Planned, medicine: Medicine) -> Iterable[Mistake]:
    real = course.keys.get("persistence", "real_life") == "real_life"
    if real and not medicine.persistence:
        yield Mistake(
            (*course.path, "persistence"),
            f'"{medicine.id}" has no real-life persistence curve',
            "needs full or {months_median: N}",
            "say one of them, or add `persistence` to the medicine's file",
        )


def _dose(course: Planned, medicine: Medicine) -> Iterable[Mistake]:
    dose = course.keys.get("dose")
    if not isinstance(dose, Mapping):
        return
    own, span = medicine.dose, medicine.dose_range
    value, unit = dose.get("value"), dose.get("unit")
    if isinstance(unit, str) and unit != own.unit:
        yield Mistake(
            (*course.path, "dose", "unit"),
            f'dose in "{unit}"',
            f'"{medicine.id}" is dosed in "{own.unit}"',
            "convert the dose to that unit",
        )
        return
    if not is_number(value) or value <= 0:
        return
    where = (*course.path, "dose", "value")
    if span is None and value != own.value:
        yield Mistake(
            where,
            f"{value:g} {own.unit}",
            f'the dose of "{medicine.id}" is fixed: needs {own.value:g} {own.unit}',
            "leave `dose` out, or add a `dose_range` to the medicine's file",
        )
    elif span and not span.low <= value <= span.high:
        yield Mistake(
            where,
            f"{value:g} {own.unit}",
            f'"{medicine.id}" is described for {span.low:g} to {span.high:g} {own.unit}',
            "choose a dose within that",
        )


def _route(course: Planned, medicine: Medicine) -> Iterable[Mistake]:
    route = course.keys.get("route")
    if isinstance(route, str) and route.strip() and route != medicine.route:
        yield Mistake(
            (*course.path, "route"),
            f'route "{route}"',
            f'"{medicine.id}" is given {medicine.route}',
            "use the medicine of that route, or leave `route` out",
        )


def _for_whom(data: Group, course: Planned, medicine: Medicine) -> Iterable[Mistake]:
    """Somebody must be there whom a medicine for one sex is for; others just do not take it."""
    if medicine.applies_to == "all":
        return
    place = course.path[1] if course.path[0] == "cohorts" else None
    owners = [cohort for index, cohort in items(data, "cohorts") if place in (None, index)]
    held = {sex for owner in owners for sex in sexes_of(owner)}
    who = course.head.get("who")
    held &= set(sexes_of(who)) if isinstance(who, Mapping) else held
    if held and not held & set(medicine.sexes):
        yield Mistake(
            (*course.path, "medicine"),
            f'"{medicine.id}" is for {medicine.applies_to}',
            "nobody who could take it is there",
            "remove it, or widen `sexes`",
        )


def _too_late(course: Planned, months: float | None) -> Iterable[Mistake]:
    start = course.keys.get("start_month", 0)
    if course.before is None and months is not None and is_number(start) and start >= months >= 12:
        yield Mistake(
            (*course.path, "start_month"),
            f"month {start:g} is after the end of follow-up",
            f"needs a month before {months:g}",
            "start earlier or follow longer",
        )


def _overlaps(data: Group, known: list[tuple[Planned, Medicine]]) -> Iterable[Mistake]:
    """Nobody takes one medicine twice at the same time; the later entry of the text is told."""
    for place, (course, medicine) in enumerate(known):
        for other, same in known[:place]:
            if same.id == medicine.id and _meet(data, other, course):
                yield Mistake(
                    course.path,
                    f"{medicine.id} {_months(course)} overlaps with "
                    f"{spelled(other.path)} {_months(other)}",
                    "one medicine can be taken once at a time",
                    "change the months, or give each its own `who`",
                )
                break


def _meet(data: Group, first: Planned, second: Planned) -> bool:
    """Can one person be in both courses in the same month, as they are planned?"""
    if first.chain == second.chain:
        return False  # each begins when the one before it has ended for that person
    if first.path[0] == second.path[0] and first.path[1] != second.path[1]:
        return False  # two cohorts, or two arms
    spans = first.span(), second.span()
    if spans[0] is None or spans[1] is None or not _cross(spans[0], spans[1]):
        return False
    owners = [
        owner
        for index, owner in items(data, "cohorts")
        if ("cohorts", index) in (first.path[:2], second.path[:2])
    ]
    whos = [who for c in (first, second) if isinstance(who := c.head.get("who"), Mapping)]
    return share_people([*owners, *whos], data.get("classify_at", CLASSIFY_AT))


def _cross(first: Span, second: Span) -> bool:
    return max(first[0], second[0]) < min(first[1], second[1])


def _months(course: Planned) -> str:
    start, end = course.span() or (0, math.inf)
    return f"(month {start:g} to {'the end' if math.isinf(end) else f'{end:g}'})"


def medicine_ids(data: Any) -> list[str]:
    """Return the ids of all medicines that the courses name, each once."""
    named = (course.keys.get("medicine") for course in courses(data))
    return list(dict.fromkeys(id_ for id_ in named if isinstance(id_, str)))

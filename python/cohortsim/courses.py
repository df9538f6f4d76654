"""Courses of medicines in plain data: when each is planned, and what contradicts that.

A treatment is the head of a chain; the courses under its `then` follow one after the other. Nothing
here asks the catalog; `prescriptions.py` does.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cohortsim.document import Trail
from cohortsim.mistakes import Mistake, ages_of, is_number, items

Group = Mapping[str, Any]
Span = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Planned:
    """A course where it stands, with the head of its chain and the course before it."""

    path: Trail
    keys: Group
    head: Group
    before: Planned | None = None

    @property
    def chain(self) -> Trail:
        """Path of the head."""
        return self.path[:4]

    @property
    def is_open(self) -> bool:
        """Is it planned to the end of follow-up?"""
        return self.keys.get("months") is None and self.keys.get("end_month") is None

    def span(self) -> Span | None:
        """Return the planned (first month, month after the last), or None where that is nonsense.

        A course after one without a planned end may begin in any month after that one's first.
        """
        start = self._start()
        if start is None:
            return None
        months, end = self.keys.get("months"), self.keys.get("end_month")
        former = self.before.span() if self.before else None
        if self.is_open or (former and math.isinf(former[1])):
            return start, math.inf
        if end is None and is_number(months) and months > 0:
            return start, start + months
        return (start, end) if months is None and is_number(end) and end > start else None

    def _start(self) -> float | None:
        if self.before is None:
            start = self.keys.get("start_month", 0)
            return start if is_number(start) else None
        former, wait = self.before.span(), self.keys.get("wait_months", 0)
        if former is None or not is_number(wait):
            return None
        return (former[0] + 1 if math.isinf(former[1]) else former[1]) + wait


def courses(data: Any) -> list[Planned]:
    """Return each course of cohorts and arms in the order of the text; an id becomes a mapping."""
    found: list[Planned] = []
    for kind in ("cohorts", "arms"):
        for index, owner in items(data, kind):
            for place, head in _listed(owner.get("medicines")):
                here: Trail = (kind, index, "medicines", place)
                course = Planned(here, head, head)
                found.append(course)
                for step, keys in _listed(head.get("then")):
                    course = Planned((*here, "then", step), keys, head, course)
                    found.append(course)
    return found


def treatments(data: Any) -> list[tuple[Trail, Group]]:
    """Return (path, keys) of each treatment of cohorts and arms, without what follows them."""
    return [(course.path, course.keys) for course in courses(data) if course.before is None]


def mistakes(data: Group) -> list[Mistake]:
    """Return what is wrong within courses: their order, their ends, their rules."""
    found: list[Mistake] = []
    for course in courses(data):
        for check in (_starts, _ends, _begins, _stops, _eligible):
            found += check(course)
    return found


def _listed(value: Any) -> Iterator[tuple[int, Group]]:
    listed = [value] if isinstance(value, str) else value
    for place, item in enumerate(listed if isinstance(listed, list | tuple) else ()):
        if isinstance(item, str):
            yield place, {"medicine": item}
        elif isinstance(item, Mapping):
            yield place, item


def _starts(course: Planned) -> Iterable[Mistake]:
    start = course.keys.get("start_month", 0)
    if course.path[0] == "arms" and is_number(start) and start < 0:
        yield Mistake(
            (*course.path, "start_month"),
            f"{start:g}",
            "an arm begins at index: needs 0 or more months",
            "give an earlier start to the cohort's own `medicines`",
        )


def _ends(course: Planned) -> Iterable[Mistake]:
    if course.before is not None:
        return
    start, end = course.keys.get("start_month", 0), course.keys.get("end_month")
    if end is None:
        return
    path = (*course.path, "end_month")
    if course.keys.get("months") is not None:
        yield Mistake(
            path, "both `months` and `end_month`", "needs one of them", "remove one of them"
        )
    if is_number(start) and is_number(end) and end <= start:
        yield Mistake(
            path,
            f"ends in month {end:g}, before it starts in month {start:g}"
            if end < start
            else f"ends in month {end:g}, in which it starts",
            f"needs a month after {start:g}",
            "correct `start_month` or `end_month`",
        )


def _begins(course: Planned) -> Iterable[Mistake]:
    former = course.before
    if former and former.is_open and former.keys.get("persistence") == "full":
        stop = former.keys.get("stop")
        if not isinstance(stop, Mapping):
            yield Mistake(
                course.path,
                "nobody ever begins it: the course before it lasts to the end, nobody stops early",
                "the course before it needs an end",
                "give that one `months` or a `stop` rule",
            )


def _stops(course: Planned) -> Iterable[Mistake]:
    stop = course.keys.get("stop")
    if not isinstance(stop, Mapping):
        return
    path = (*course.path, "stop")
    if course.path[0] == "cohorts":
        yield Mistake(
            path,
            "a stop rule in a medicine of a cohort",
            "stop rules are for medicines of arms",
            "give it `months`, or move the medicine to the arms",
        )
    elif stop.get("t_score_at_least") is None and stop.get("at_fracture", False) is False:
        yield Mistake(
            path,
            "a stop rule without a criterion",
            "needs `t_score_at_least` or `at_fracture: true`",
            "add one, or remove the rule",
        )


def _eligible(course: Planned) -> Iterable[Mistake]:
    who = course.keys.get("who")
    if not isinstance(who, Mapping):
        return
    low, high = who.get("t_score_at_least"), who.get("t_score_at_most")
    if is_number(low) and is_number(high) and low > high:
        yield Mistake(
            (*course.path, "who", "t_score_at_least"),
            f"a T-score of at least {low:g} and at most {high:g} holds nobody",
            "`t_score_at_least` must be at most `t_score_at_most`",
            "swap or correct the two",
        )


# --- which people a course is for ---------------------------------------------------------------


def share_people(groups: Iterable[Group], classify_at: Any) -> bool:
    """Can one person meet the rules of all groups of keys (`who`, or a cohort) at index?"""
    sexes, low, high = {"women", "men"}, -math.inf, math.inf
    earlier: set[bool] = set()
    scores: dict[str, Span] = {}
    for group in groups:
        named = group.get("sexes")
        if isinstance(named, str | list | tuple):
            sexes &= {str(sex) for sex in ([named] if isinstance(named, str) else named)}
        ages = ages_of(group)
        if ages:
            low, high = max(low, ages[0]), min(high, ages[1])
        if isinstance(group.get("prior_fracture"), bool):
            earlier.add(bool(group["prior_fracture"]))
        site = str(group.get("site") or classify_at)
        least, most = scores.get(site, (-math.inf, math.inf))
        at_least, at_most = group.get("t_score_at_least"), group.get("t_score_at_most")
        least = max(least, at_least) if is_number(at_least) else least
        most = min(most, at_most) if is_number(at_most) else most
        scores[site] = least, most
    reachable = all(least <= most for least, most in scores.values())
    return bool(sexes) and low <= high and len(earlier) < 2 and reachable

"""Exposures: from when to when each acts on these people, what it adds up to, and when it stops.

Times are months from index. Arrays over people have the shape (n,).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from . import chance
from .balance import SITES
from .chance import Ints
from .people import NEVER, People, is_one_of, t_score, within
from .populations import Plain
from .systems import TARGETS, Bools, Floats, Inputs


@dataclass
class Course:
    """One exposure of these people: it acts while start <= time < stop."""

    start: Floats
    stop: Floats
    effects: list[Plain]
    medicine: bool = False
    planned: Plain | None = None
    """The exposure of the request that it comes from, if it can follow another or stop early."""
    taken_up: Bools | None = None
    lasting: Floats | None = None
    """Months from its start to its own end."""

    def acts(self, time: Floats | float) -> Bools:
        """Return on whom it acts."""
        on: Bools = (self.start <= time) & (time < self.stop)
        return on


def courses(
    request: Plain, people: People, exposures: list[Plain], cohort: int | None = None
) -> list[Course]:
    """Return the courses of one list of exposures as they are planned at index.

    `cohort` is the only one that has them, if it is not said by each exposure.
    """
    names = [c["name"] for c in request["cohorts"]]
    found = []
    for exposure in exposures:
        only = cohort
        if cohort is None and exposure["cohort"] is not None:
            only = names.index(exposure["cohort"])
        who = eligible(request, people, exposure, only)
        luck = chance.EXPOSURE + chance.address_of_name(exposure["luck"])
        drawn = chance.once(request["seed"], people.number, people.attempt, luck)
        who = who & (drawn < exposure["uptake"])

        start = np.full(len(people.number), float(exposure["start_month"]))
        if exposure["anchor"] == "menopause":
            start += np.floor(12.0 * people.values["menopause_age"] - people.age_months)
        months = np.full(len(start), NEVER if exposure["months"] is None else exposure["months"])
        if exposure["persistence"] is not None:
            u = chance.once(request["seed"], people.number, people.attempt, luck + 1)
            months = np.minimum(months, months_persisted(exposure["persistence"], u))
        known = who & (exposure["after"] is None)
        found.append(
            Course(
                start=np.where(known, start, NEVER),
                stop=np.where(known, start + months, NEVER),
                effects=exposure["effects"],
                medicine=exposure["medicine"],
                planned=exposure,
                taken_up=who,
                lasting=months,
            )
        )
    put_after(found, -np.inf)
    return found


def eligible(request: Plain, people: People, exposure: Plain, cohort: int | None) -> Bools:
    """Return for whom an exposure is, judged at index."""
    who = is_one_of(people.sex, exposure["sexes"])
    if cohort is not None:
        who &= people.cohort == cohort
    if exposure["age_from"] is not None:
        who &= people.age >= exposure["age_from"]
    if exposure["age_to"] is not None:
        who &= people.age <= exposure["age_to"]
    if exposure["site"] is not None:
        t = t_score(request, exposure["site"], people.values[f"abmd_{exposure['site']}"])
        who &= within(t, exposure["t_score_at_least"], exposure["t_score_at_most"])
    if exposure["prior_fracture"] is not None:
        who &= people.prior_fracture == exposure["prior_fracture"]
    return who


def months_persisted(persistence: Plain, u: Floats) -> Floats:
    """Return when a share u still takes it: log-linear between knots, going on with the last slope."""
    month, share = np.array(persistence["months"]), np.array(persistence["share"])
    later = [int(np.argmax(share[1:] <= x)) + 1 if (share[1:] <= x).any() else -1 for x in u]
    k = np.where(np.array(later) == -1, len(share) - 1, later)
    slope = (np.log(share[k]) - np.log(share[k - 1])) / (month[k] - month[k - 1])
    flat = slope == 0.0
    since = (np.log(u) - np.log(share[k - 1])) / np.where(flat, -1.0, slope)
    return np.where(flat, NEVER, month[k - 1] + since)


def of_arm(request: Plain, people: People, arm: int) -> list[Course]:
    """Return the courses of an arm."""
    return courses(request, people, request["arms"][arm]["exposures"])


def of_cohorts(request: Plain, people: People) -> list[Course]:
    """Return the courses of the cohorts, which every arm has."""
    return [
        course
        for k, cohort in enumerate(request["cohorts"])
        for course in courses(request, people, cohort["exposures"], k)
    ]


def of_risk_factors(request: Plain, people: People) -> list[Course]:
    """Return the exposures of who has a risk factor."""
    made = []
    for k, factor in enumerate(request["risk_factors"]):
        start, stop = factor["start_month"], factor["stop_month"]
        has = people.risk_factors[:, k]
        made.append(
            Course(
                start=np.where(has, -NEVER if start is None else start, NEVER),
                stop=np.where(has, NEVER if stop is None else stop, NEVER),
                effects=factor["effects"],
            )
        )
    return made


# Sequences and stop rules


def put_after(found: list[Course], now: float) -> None:
    """Let courses that follow others, and have not begun by now, begin after them.

    A month begun is a month taken: the next course begins in a whole month, after the months to wait.
    Who never begins a course never begins what follows it.
    """
    for course in found:
        if course.planned is None or course.planned["after"] is None:
            continue
        assert course.taken_up is not None
        assert course.lasting is not None
        former = found[course.planned["after"]]
        start = np.minimum(NEVER, np.ceil(former.stop) + course.planned["start_month"])
        moves = course.taken_up & (former.start < NEVER) & (course.start > now)
        course.start = np.where(moves, start, course.start)
        stop = np.minimum(NEVER, start + course.lasting)
        course.stop = np.where(moves, stop, course.stop)


def judge(request: Plain, found: list[Course], abmd: Floats, month: int) -> None:
    """Treat to target: at the start of a month, end the courses whose T-score is reached.

    A course is judged at every so many months of it, not at its start.
    """
    for course in found:
        rule = course.planned["stop"] if course.planned else None
        if rule is None or rule["site"] is None:
            continue
        taken = month - np.ceil(course.start)
        due = course.acts(month) & (taken > 0) & (taken % rule["every_months"] == 0)
        t = t_score(request, rule["site"], abmd[:, SITES.index(rule["site"])])
        course.stop = np.where(due & (t >= rule["t_score_at_least"]), month, course.stop)
        put_after(found, month)


def end_at_fracture(found: list[Course], fractured: Bools, month: int) -> None:
    """End with a month the courses that stop at a fracture, for who broke a bone in it."""
    for course in found:
        rule = course.planned["stop"] if course.planned else None
        if rule is None or not rule["at_fracture"]:
            continue
        ends = fractured & course.acts(month) & (month + 1 < course.stop)
        course.stop = np.where(ends, month + 1, course.stop)
        put_after(found, month + 1)


# What acts


def inputs_at(found: list[Course], reading: Floats, start: Floats, months: Floats) -> Inputs:
    """Return levels at the times of reading, and doses from `start` for some months, by target."""
    total = {target: np.zeros(len(reading)) for target in TARGETS}
    for course in found:
        for effect in course.effects:
            if effect["every_months"] is None:
                times = course.acts(reading).astype(np.float64)
            else:
                times = doses(course, effect["every_months"], start, start + months)
            total[effect["target"]] += effect["amount"] * times
    return total


def doses(course: Course, every: int, begin: Floats, end: Floats) -> Floats:
    """Return doses at begin <= time < end: one in the first whole month, then one every so many."""
    first = np.ceil(course.start)

    def before(time: Floats) -> Floats:
        return np.maximum(0.0, np.ceil((np.minimum(time, course.stop) - first) / every))

    return before(end) - before(begin)


def medicine_months(found: list[Course], months_begun: Floats) -> Ints:
    """Return months of follow-up begun on medicines, summed over medicines."""
    total = np.zeros(len(months_begun))
    for course in found:
        if course.medicine:
            last = np.minimum(np.ceil(course.stop), months_begun)
            total += np.maximum(0.0, last - np.maximum(0.0, np.ceil(course.start)))
    return total.astype(np.int64)


def earliest_medicine(request: Plain, people: People) -> Floats:
    """Return when the first medicine of each person's cohort starts; 0 if none starts before index."""
    first = np.zeros(len(people.number))
    for k, cohort in enumerate(request["cohorts"]):
        for e in cohort["exposures"]:
            if e["medicine"] and e["anchor"] == "index" and e["after"] is None:
                here = people.cohort == k
                first[here] = np.minimum(first[here], e["start_month"])
    return first

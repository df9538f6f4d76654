"""Treatments in English: who, which dose, how long, when it stops, and what follows."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from cohortsim import english
from cohortsim.catalog import Catalog
from cohortsim.entries import Effect, Medicine
from cohortsim.treatments import Course, MedianPersistence, NextCourse, StopRule, Treatment, Who

Cite = Callable[[Iterable[str]], str]


class Courses:
    """Says treatments in sentences; `classify_at` is the density site where none is named."""

    def __init__(self, catalog: Catalog, cite: Cite, classify_at: str) -> None:
        self.catalog, self.cite, self.classify_at = catalog, cite, classify_at

    def told(self, treatment: Treatment, every_arm: bool = False) -> str:
        """Return a treatment and the courses that follow it."""
        medicine = self.catalog.medicine(treatment.medicine)
        who = self.who(treatment.who, medicine)
        start, length = _start(treatment), _length(treatment.planned_months)
        head = (
            f"{_share(treatment)}{who} {start[0]} {self._named(medicine, treatment)} {start[1]}, "
            f"planned {length}; {self._lasting(treatment, medicine)}. "
            f"{self._effects(medicine, treatment)}"
        )
        head = f"In every arm {head}" if every_arm else head[0].upper() + head[1:]
        return " ".join([head, *(self._next(course) for course in treatment.then)])

    def who(self, who: Who, medicine: Medicine) -> str:
        """Return who is eligible for a medicine."""
        sexes = [sex for sex in who.sexes if sex in medicine.sexes]
        said = "people" if len(sexes) > 1 else "".join(sexes)
        said += f" aged {english.ages(who.ages)}" if who.ages else ""
        if who.t_score_at_most is not None or who.t_score_at_least is not None:
            site = english.words(who.site or self.classify_at)
            score = english.between(who.t_score_at_least, who.t_score_at_most)
            said += f" with a T-score of {score} at the {site} at the start"
        if who.prior_fracture is not None:
            said += f" {earlier_fracture(who.prior_fracture)}"
        return f"all {said}"

    def _next(self, course: NextCourse) -> str:
        medicine = self.catalog.medicine(course.medicine)
        wait = course.wait_months
        when = f"{english.months(wait)} without it" if wait else "when that has ended"
        who = "they" if course.uptake == 1 else f"{100 * course.uptake:g} % of them"
        return (
            f"{'After ' if wait else 'Then, '}{when}, {who} take {self._named(medicine, course)}, "
            f"planned {_length(course.months)}; {self._lasting(course, medicine)}. "
            f"{self._effects(medicine, course)}"
        )

    def _named(self, medicine: Medicine, course: Course) -> str:
        taken = course.dose.value if course.dose else None
        return f"{medicine.label} ({english.dose(medicine, taken)})"

    def _lasting(self, course: Course, medicine: Medicine) -> str:
        persistence = self._persistence(course, medicine)
        return f"{persistence}; {self._stop(course.stop)}" if course.stop else persistence

    def _stop(self, rule: StopRule) -> str:
        reasons = []
        if rule.t_score_at_least is not None:
            site = english.words(rule.site or self.classify_at)
            reasons.append(
                f"when the T-score at the {site}, judged every "
                f"{english.months(rule.every_months).removeprefix('one ')} of it, is "
                f"{rule.t_score_at_least:g} or higher"
            )
        if rule.at_fracture:
            reasons.append("at the end of the month of a fracture")
        return f"it is stopped for good {', or '.join(reasons)}"

    def _persistence(self, course: Course, medicine: Medicine) -> str:
        if isinstance(course.persistence, MedianPersistence):
            return f"half of them have stopped after {course.persistence.months_median:g} months"
        if course.persistence == "full" or medicine.persistence is None:
            return "nobody stops of their own accord" if course.stop else "nobody stops early"
        return f"as in real life, {persistence_curve(medicine, self.cite)}"

    def _effects(self, medicine: Medicine, course: Course) -> str:
        scale = medicine.scale(course.dose.value if course.dose else None)
        said = []
        for shape, when in (("while_taken", "While it is taken"), ("per_dose", "Each dose")):
            acts = [effect for effect in medicine.effects if effect.shape == shape]
            if acts:
                listed = ", ".join(self._effect(effect, scale) for effect in acts)
                verb = "it changes" if shape == "while_taken" else "changes"
                said.append(f"{when} {verb} {listed}.")
        return " ".join(said) or "It does nothing."

    def _effect(self, effect: Effect, scale: float) -> str:
        factor = effect.at(scale)
        amount = english.value(effect.amount, factor)
        return f"{english.words(effect.target)} by {amount} ({self.cite(effect.amount.source)})"


def earlier_fracture(needed: bool) -> str:
    """Return a rule about earlier fractures."""
    return f"{'with' if needed else 'without'} an earlier fragility fracture"


def persistence_curve(medicine: Medicine, cite: Cite) -> str:
    """Return the points of a medicine's own curve of persistence, and its source."""
    if medicine.persistence is None:
        return "not known"
    points = [point for point in medicine.persistence.curve if point.month > 0]
    shares = ", ".join(f"{100 * p.share:g} % still take it at month {p.month:g}" for p in points)
    return f"{shares} ({cite(medicine.persistence.source)})"


def _share(course: Course) -> str:
    return "" if course.uptake == 1 else f"{100 * course.uptake:g} % of "


def _start(treatment: Treatment) -> tuple[str, str]:
    if treatment.start_month < 0:
        return "began", f"{english.months(-treatment.start_month)} before the start"
    month = treatment.start_month
    return "begin", f"in month {month}" if month else "at the start"


def _length(months: int | None) -> str:
    return f"for {english.months(months)}" if months else "to the end of follow-up"

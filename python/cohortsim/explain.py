"""`cohortsim explain`: the study in English."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

from cohortsim.catalog import PROFILE_KINDS, Catalog
from cohortsim.citations import entries, short
from cohortsim.entries import Medicine, Quantity
from cohortsim.scenario import (
    AS_MEASURED,
    Ages,
    Arm,
    Cohort,
    MedianPersistence,
    Scenario,
    Treatment,
)

WIDTH = 80
INTERVALS = (
    "The 95 % intervals of the tables tell the chance of the simulation alone (Monte Carlo), with "
    "all parameters held at their values; they do not tell how well the parameters are known. The "
    "range and source of each value stand in provenance.json."
)
NOT_MODELLED = (
    "Not modelled: care before the start; medicines other than those named; starting or changing a "
    "medicine because of a fracture or a new measurement; missed doses, other than stopping; side "
    "effects; weight, diet, activity and smoking that change over the years, other than by a "
    "profile; vertebral deformities that nobody notices; nursing homes, migration and births; "
    "trends in mortality or fracture rates over calendar time. Not validated above age 95."
)


class Explanation:
    """Says a study in sentences, with the catalog's labels and sources."""

    def __init__(self, scenario: Scenario, catalog: Catalog | None = None) -> None:
        self.scenario = scenario
        self.catalog = catalog or Catalog(scenario.origin.folder)
        self.bibliography = entries(self.catalog.references)

    def text(self) -> str:
        """Return the whole explanation, wrapped at 80 columns."""
        s = self.scenario
        paragraphs = [s.title or s.name, s.description, self._people()]
        paragraphs += [self._cohort(cohort) for cohort in s.cohorts]
        paragraphs += [self._arm(arm, place) for place, arm in enumerate(s.arms)]
        paragraphs += [self._classes(), self._fractures(), self._overrides()]
        paragraphs += [INTERVALS, NOT_MODELLED]
        return "\n\n".join(textwrap.fill(p, WIDTH) for p in paragraphs if p.strip())

    def _people(self) -> str:
        s = self.scenario
        arms = "one arm" if len(s.arms) == 1 else f"{len(s.arms)} arms that share people and luck"
        return (
            f"{s.people:,} people are followed for {_years(s.years)}, month by month, or until "
            f"they die, in {arms}. The seed is {s.seed}: the same study gives the same tables."
        )

    def _cohort(self, cohort: Cohort) -> str:
        population = self.catalog.population_entry(cohort.population)
        sexes = " and ".join(cohort.sexes).capitalize()
        share = (
            f"{100 * cohort.share:g} % of the people. " if len(self.scenario.cohorts) > 1 else ""
        )
        sentences = [
            f"Cohort {cohort.name}: {share}{sexes} aged {_ages(cohort.ages)} drawn from the "
            "population "
            f'"{population.label}" ({population.calendar_year}).'
        ]
        for kind in PROFILE_KINDS:
            for id_ in getattr(cohort, kind):
                if id_ != AS_MEASURED:
                    profile = self.catalog.profile(kind, id_)
                    said = profile.explain or f"{profile.label}."
                    sentences.append(f"{kind.capitalize()} ({id_}): {said}")
        measured = [kind for kind in PROFILE_KINDS if getattr(cohort, kind) == (AS_MEASURED,)]
        if measured:
            sentences.append(f"As measured in the population: {', '.join(measured)}.")
        for treatment in cohort.medicines:
            sentences.append("In every arm " + self._treatment(treatment))
        return " ".join(sentences)

    def _arm(self, arm: Arm, place: int) -> str:
        head = f"Arm {arm.name}" + (" (the one others are compared with)" if place == 0 else "")
        if not arm.medicines:
            return f"{head}: no medicine is added."
        return f"{head}: " + " ".join(self._treatment(t, first=True) for t in arm.medicines)

    def _treatment(self, treatment: Treatment, first: bool = False) -> str:
        medicine = self.catalog.medicine(treatment.medicine)
        who = self._who(treatment)
        share = "" if treatment.uptake == 1 else f"{100 * treatment.uptake:g} % of "
        start = (
            "at the start" if treatment.start_month == 0 else f"in month {treatment.start_month}"
        )
        length = f"for {treatment.months} months" if treatment.months else "to the end of follow-up"
        said = (
            f"{share}{who} begin {medicine.label} ({_dose(medicine)}) {start}, planned {length}; "
            f"{self._persistence(treatment, medicine)}. {self._effects(medicine)}"
        )
        return said[0].upper() + said[1:] if first else said

    def _who(self, treatment: Treatment) -> str:
        who = treatment.who
        said = " and ".join(who.sexes) if len(who.sexes) == 1 else "people"
        said += f" aged {_ages(who.ages)}" if who.ages else ""
        if who.t_score_at_most is not None:
            site = _words(who.site or self.scenario.classify_at)
            said += (
                f" with a T-score of {who.t_score_at_most:g} or lower at the {site} at the start"
            )
        return f"all {said}"

    def _persistence(self, treatment: Treatment, medicine: Medicine) -> str:
        if isinstance(treatment.persistence, MedianPersistence):
            return f"half of them have stopped after {treatment.persistence.months_median:g} months"
        curve = medicine.persistence
        if treatment.persistence == "full" or curve is None:
            return "nobody stops early"
        points = [point for point in curve.curve if point.month > 0]
        shares = ", ".join(
            f"{100 * p.share:g} % still take it at month {p.month:g}" for p in points
        )
        return f"as in real life, {shares} ({self._cite(curve.source)})"

    def _effects(self, medicine: Medicine) -> str:
        listed = [
            f"{_words(effect.target)} by {_value(effect.amount)} "
            f"({self._cite(effect.amount.source)})"
            for effect in medicine.effects
        ]
        return (
            f"While it is taken it changes {', '.join(listed)}." if listed else "It does nothing."
        )

    def _classes(self) -> str:
        site = _words(self.scenario.classify_at)
        changed = {o.parameter: o.value for o in self.scenario.overrides}
        names = ("density.osteopenia_t_score", "density.osteoporosis_t_score")
        quantity = self.catalog.parameters[names[1]]
        upper, lower = (changed.get(n, self.catalog.parameters[n].value) for n in names)
        return (
            f"Osteopenia and osteoporosis are judged at the {site}: a T-score above {upper:g} is "
            f"normal, above {lower:g} osteopenia, {lower:g} or lower osteoporosis "
            f"({self._cite(quantity.source)}); the reference is young women, for both sexes."
        )

    def _fractures(self) -> str:
        sites = ", ".join(site.label.lower() for site in self.catalog.fracture_sites)
        factors = [factor.label.lower() for factor in self.catalog.risk_factors]
        known = ", ".join(["age", "sex", "bone density", "turnover", "earlier fractures", *factors])
        return (
            f"Falls, fractures ({sites}) and deaths are drawn each month. The hazard of a fracture "
            f"depends on: {known}. People die by the life table of their population, more of them "
            "after some fractures and fewer of the others, so that the whole population as "
            "measured dies by its life table."
        )

    def _overrides(self) -> str:
        changes = [
            f"{o.parameter} is {o.value:g} {o.unit}, because: {o.reason.rstrip('.')}."
            for o in self.scenario.overrides
        ]
        return f"This study changes: {' '.join(changes)}" if changes else ""

    def _cite(self, keys: Iterable[str]) -> str:
        return ", ".join(short(key, self.bibliography) for key in keys)


def _words(name: str) -> str:
    return name.replace("_", " ")


def _value(quantity: Quantity) -> str:
    unit = "" if quantity.unit == "1" else f" {quantity.unit}"
    return f"{quantity.value:g}{unit}"


def _dose(medicine: Medicine) -> str:
    dose, every = medicine.dose, medicine.interval
    daily = every.value == 1 and every.unit == "d"
    often = "daily" if daily else f"every {every.value:g} {every.unit}"
    return f"{dose.value:g} {dose.unit} {often}, {medicine.route}"


def _ages(ages: Ages) -> str:
    return f"{ages.from_} and over" if ages.to == 100 else f"{ages.from_} to {ages.to}"


def _years(years: int) -> str:
    return "one year" if years == 1 else f"{years} years"

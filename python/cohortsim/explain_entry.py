"""`cohortsim explain ID` for what the catalog holds, with sources: medicines, profiles, populations,
fracture sites, risk factors, parameters.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from cohortsim import english
from cohortsim.catalog import PROFILE_KINDS, STUDY_KINDS, Catalog
from cohortsim.citations import UNPUBLISHED, entries, full
from cohortsim.core import core, is_built
from cohortsim.entries import (
    Effect,
    Medicine,
    PersistenceCurve,
    Profile,
    Quantity,
    RiskFactor,
)
from cohortsim.errors import Problem, ScenarioError, nearest
from cohortsim.fracture_sites import FractureSite
from cohortsim.population_data import PopulationData

KEY = re.compile(r"\b[a-z][a-z_]*\d{4}[a-z]?(?:_\w+)?\b")
FILES = {".yaml", ".yml", ".json"}
OTHER_KINDS = ("medicines", "populations", "fracture_sites", "risk_factors")
STATUS = {
    "read": "read in its source",
    "recalled": "recalled from its source, to be read again",
    "derived": "derived from its source",
    "calibrated": "fitted",
    "assumption": "an assumption",
}
SHAPES = {
    "while_taken": "while it is taken",
    "per_dose": "at each dose",
}


def explained(id_: str, catalog: Catalog) -> str:
    """Return what the catalog says about an id in English; empty: it holds nothing of that name.

    An id of both a medicine and a profile gives both; parameters are asked for by their full name.
    Raises CatalogError: a file is wrong.
    """
    told = [*_paragraphs(id_, catalog)]
    return english.wrapped(told)


def unknown(id_: str, catalog: Catalog) -> ScenarioError:
    """Return the error for an id of which there is no study and nothing in the catalog."""
    kinds = (*(f"profiles/{kind}" for kind in PROFILE_KINDS), *OTHER_KINDS)
    options = [
        *catalog.scenario_ids(*STUDY_KINDS),
        *(i for kind in kinds for i in catalog.ids(kind)),
        *catalog.parameters,
    ]
    found = "no such file, scenario, trial or entry of the catalog"
    needed = "needs a scenario file, or the id of one of these"
    return ScenarioError(
        Problem(id_, found, needed, nearest(id_, options) or "see `cohortsim list`")
    )


def is_id(text: str) -> bool:
    """Does this look like an id, or the full name of a parameter, and not like a path?"""
    return bool(text) and Path(text).name == text and Path(text).suffix not in FILES


def _paragraphs(id_: str, catalog: Catalog) -> Iterator[str]:
    if catalog.has("medicines", id_):
        yield from _Entry(catalog).medicine(catalog.medicine(id_))
    for kind in PROFILE_KINDS:
        if catalog.has(f"profiles/{kind}", id_):
            yield from _Entry(catalog).profile(kind, catalog.profile(kind, id_))
    if catalog.has("populations", id_):
        yield from _Entry(catalog).population(catalog.population(id_))
    if catalog.has("fracture_sites", id_):
        yield from _Entry(catalog).site(catalog.fracture_site(id_))
    if catalog.has("risk_factors", id_):
        yield from _Entry(catalog).factor(catalog.risk_factor(id_))
    if id_ in catalog.parameters:
        yield from _Entry(catalog).parameter(id_, catalog.parameters[id_])


class _Entry:
    """Says one entry in paragraphs, and gathers the sources on the way."""

    def __init__(self, catalog: Catalog) -> None:
        self.bibliography = entries(catalog.references)
        self.keys: dict[str, None] = {}
        specs = core().exposure_targets() if is_built() else []
        self.meanings = {str(spec["name"]): str(spec["meaning"]) for spec in specs}

    def medicine(self, medicine: Medicine) -> Iterator[str]:
        kind = ", ".join(
            part
            for part in (medicine.class_, f"ATC {medicine.atc}" if medicine.atc else "")
            if part
        )
        kind = f"; {kind}" if kind else ""
        whom = "" if medicine.applies_to == "all" else f", for {medicine.applies_to}"
        yield f"{medicine.label} (medicine {medicine.id}{kind}{whom})."
        yield medicine.describes
        yield self._dose(medicine)
        for effect in medicine.effects:
            yield self._effect(effect, SHAPES[effect.shape], bool(medicine.dose_range))
        if not medicine.effects:
            yield "It changes nothing in the model."
        yield self._persistence(medicine.persistence)
        yield from self._end(medicine.note)

    def profile(self, kind: str, profile: Profile) -> Iterator[str]:
        who = "women and men" if profile.applies_to == "all" else profile.applies_to
        yield f"{profile.label} ({kind} profile {profile.id}, for {who})."
        yield profile.describes
        yield profile.explain
        for name, quantity in profile.set.items():
            yield f"Sets {english.words(name)} to {self._quantity(quantity)}"
        for effect in profile.effects:
            yield self._effect(effect, _when(profile), False)
        if not profile.effects and not profile.set:
            yield "It changes nothing in the model."
        yield from self._end(profile.note)

    def population(self, data: PopulationData) -> Iterator[str]:
        entry = data.entry
        kind = ", ".join(part for part in (entry.country, entry.race_and_ethnicity) if part)
        years = english.listed([str(year) for year in data.plain["life_table"]["years"]])
        yield f"{entry.label} (population {entry.id}{f'; {kind}' if kind else ''})."
        yield entry.describes
        yield (
            f"The year of the population is {entry.calendar_year}, that of its fracture rates "
            f"{entry.incidence_year or entry.calendar_year}; life tables of {years}."
        )
        if entry.race_and_ethnicity:
            yield "Race and ethnicity describe who was measured; nothing in the model depends on them."
        for name, quantity in data.quantities():
            yield f"{_said(name)}: {self._quantity(quantity)}"
        for name, table in entry.tables.items():
            taken = data.taken_from.get(name)
            origin = f", as in population {taken}" if taken else ""
            cited = self._cited(table.source, table.note)
            known = f" ({STATUS[table.status]}{cited})" if table.status else cited
            yield f"{_words(name)}{origin}{known}. {table.note}".rstrip()
        yield from self._end(entry.note)

    def site(self, site: FractureSite) -> Iterator[str]:
        codes = f"; ICD-10 {', '.join(site.icd10)}" if site.icd10 else ""
        yield f"{site.label} (fracture site {site.id}{codes})."
        yield site.describes
        yield f"Bone density is that of the {english.words(site.density_site)}."
        for name, quantity in site.quantities():
            yield f"{_said(name)}: {self._quantity(quantity)}"
        yield from self._end(site.note)

    def factor(self, factor: RiskFactor) -> Iterator[str]:
        yield f"{factor.label} (risk factor {factor.id})."
        yield factor.describes
        for site, ratio in factor.hazard_ratios.items():
            held = (
                "at equal bone density" if ratio.adjusted_for_bmd else "bone density not held equal"
            )
            yield f"Hazard ratio of {english.words(site)}, {held}: {self._quantity(ratio)}"
        for what, quantity in (("falls", factor.falls_ratio), ("death", factor.mortality_ratio)):
            if quantity:
                yield f"Rate ratio of {what}: {self._quantity(quantity)}"
        for effect in factor.effects:
            yield self._effect(effect, "while it lasts", False)
        yield from self._end(factor.note)

    def parameter(self, name: str, quantity: Quantity) -> Iterator[str]:
        yield f"Parameter {name} of the model."
        yield f"Its value is {self._quantity(quantity)}"
        yield from self._end("")

    def _dose(self, medicine: Medicine) -> str:
        span = medicine.dose_range
        more = (
            f"A study may give {span.low:g} to {span.high:g} {medicine.dose.unit}."
            if span
            else "The dose is fixed."
        )
        return f"Dose: {english.dose(medicine)}. {more}"

    def _effect(self, effect: Effect, when: str, dosed: bool) -> str:
        meaning = self.meanings.get(effect.target)
        meant = f" ({meaning})" if meaning else ""
        scales = ""
        if dosed:
            scales = _scaling(effect)
        return (
            f"Changes {english.words(effect.target)}{meant} {when} by "
            f"{self._quantity(effect.amount)}{scales}"
        )

    def _quantity(self, quantity: Quantity) -> str:
        span = f"plausible {quantity.low:g} to {quantity.high:g}"
        cited = self._cited(quantity.source, quantity.note)
        status = STATUS[quantity.status]
        return f"{english.value(quantity)} ({span}; {status}{cited}). {quantity.note}".rstrip()

    def _persistence(self, curve: PersistenceCurve | None) -> str:
        if curve is None:
            return "No curve of persistence in real life: a study says how long people go on."
        points = []
        for point in curve.curve:
            if point.month > 0:
                low, high = (point.share if x is None else x for x in (point.low, point.high))
                span = f" (plausible {100 * low:g} to {100 * high:g} %)" if low < high else ""
                points.append(f"{100 * point.share:g} % at month {point.month:g}{span}")
        cited = self._cited(curve.source, curve.note)
        return (
            f"Still taking it in real life: {', '.join(points)} ({STATUS[curve.status]}{cited}). "
            f"{curve.note}"
        ).rstrip()

    def _cited(self, source: Iterable[str], note: str) -> str:
        """Keep the keys for the list of sources; return those that are published."""
        keys = [key for key in source if key not in UNPUBLISHED]
        mentioned = [key for key in KEY.findall(note) if key in self.bibliography]
        self.keys |= dict.fromkeys([*keys, *mentioned])
        return f": {', '.join(keys)}" if keys else ""

    def _end(self, note: str) -> Iterator[str]:
        self._cited((), note)
        yield note
        if self.keys:
            yield "Sources:"
        for key in self.keys:
            yield f"{key}: {full(key, self.bibliography)}"


def _scaling(effect: Effect) -> str:
    if not effect.scales_with_dose:
        return " The same at every dose."
    if effect.dose_exponent != 1:
        return f" In proportion to the dose to the power {effect.dose_exponent:g}."
    return " In proportion to the dose."


def _said(name: str) -> str:
    """Return the last parts of a full name as words."""
    return _words(" ".join(name.split(".")[2:]))


def _words(name: str) -> str:
    return english.words(name).capitalize().replace("Bmd", "BMD")


def _when(profile: Profile) -> str:
    start, months = profile.course.start_month, profile.course.months
    anchor = "the start of follow-up" if profile.course.anchor == "index" else "menopause"
    if start == 0:
        begins = f"from {anchor}"
    else:
        side = "before" if start < 0 else "after"
        begins = f"from {english.months(abs(start))} {side} {anchor}"
    return f"{begins} {'on' if months is None else f'for {english.months(months)}'}"

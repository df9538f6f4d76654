"""`cohortsim explain ID` for what the catalog holds, with sources: medicines, profiles, populations,
fracture sites, risk factors, parameters.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from cohortsim import english, explain_nature
from cohortsim.catalog import PROFILE_KINDS, STUDY_KINDS, Catalog
from cohortsim.entries import Medicine, PersistenceCurve, Profile, Quantity
from cohortsim.errors import Problem, ScenarioError, nearest
from cohortsim.explain_said import STATUS, Said

FILES = {".yaml", ".yml", ".json"}
OTHER_KINDS = ("medicines", "populations", "fracture_sites", "risk_factors")
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
        yield from _Entry(Said(catalog)).medicine(catalog.medicine(id_))
    for kind in PROFILE_KINDS:
        if catalog.has(f"profiles/{kind}", id_):
            yield from _Entry(Said(catalog)).profile(kind, catalog.profile(kind, id_))
    if catalog.has("populations", id_):
        yield from explain_nature.population(Said(catalog), catalog.population(id_))
    if catalog.has("fracture_sites", id_):
        yield from explain_nature.site(Said(catalog), catalog.fracture_site(id_))
    if catalog.has("risk_factors", id_):
        yield from explain_nature.factor(Said(catalog), catalog.risk_factor(id_))
    if id_ in catalog.parameters:
        yield from _Entry(Said(catalog)).parameter(id_, catalog.parameters[id_])


class _Entry:
    """Says a medicine, a profile or a parameter in paragraphs."""

    def __init__(self, said: Said) -> None:
        self.said = said

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
            yield self.said.effect(effect, SHAPES[effect.shape], bool(medicine.dose_range))
        if not medicine.effects:
            yield "It changes nothing in the model."
        yield self._persistence(medicine.persistence)
        yield from self.said.end(medicine.note)

    def profile(self, kind: str, profile: Profile) -> Iterator[str]:
        who = "women and men" if profile.applies_to == "all" else profile.applies_to
        yield f"{profile.label} ({kind} profile {profile.id}, for {who})."
        yield profile.describes
        yield profile.explain
        for name, quantity in profile.set.items():
            yield f"Sets {english.words(name)} to {self.said.quantity(quantity)}"
        for effect in profile.effects:
            yield self.said.effect(effect, _when(profile), False)
        if not profile.effects and not profile.set:
            yield "It changes nothing in the model."
        yield from self.said.end(profile.note)

    def parameter(self, name: str, quantity: Quantity) -> Iterator[str]:
        yield f"Parameter {name} of the model."
        yield f"Its value is {self.said.quantity(quantity)}"
        yield from self.said.end("")

    def _dose(self, medicine: Medicine) -> str:
        span = medicine.dose_range
        more = (
            f"A study may give {span.low:g} to {span.high:g} {medicine.dose.unit}."
            if span
            else "The dose is fixed."
        )
        return f"Dose: {english.dose(medicine)}. {more}"

    def _persistence(self, curve: PersistenceCurve | None) -> str:
        if curve is None:
            return "No curve of persistence in real life: a study says how long people go on."
        points = []
        for point in curve.curve:
            if point.month > 0:
                low, high = (point.share if x is None else x for x in (point.low, point.high))
                span = f" (plausible {100 * low:g} to {100 * high:g} %)" if low < high else ""
                points.append(f"{100 * point.share:g} % at month {point.month:g}{span}")
        cited = self.said.cited(curve.source, curve.note)
        return (
            f"Still taking it in real life: {', '.join(points)} ({STATUS[curve.status]}{cited}). "
            f"{curve.note}"
        ).rstrip()


def _when(profile: Profile) -> str:
    start, months = profile.course.start_month, profile.course.months
    anchor = "the start of follow-up" if profile.course.anchor == "index" else "menopause"
    if start == 0:
        begins = f"from {anchor}"
    else:
        side = "before" if start < 0 else "after"
        begins = f"from {english.months(abs(start))} {side} {anchor}"
    return f"{begins} {'on' if months is None else f'for {english.months(months)}'}"

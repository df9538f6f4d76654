"""Populations, fracture sites and risk factors in English, paragraph by paragraph."""

from __future__ import annotations

from collections.abc import Iterator

from cohortsim import english
from cohortsim.entries import RiskFactor
from cohortsim.explain_said import STATUS, Said, last_words, words
from cohortsim.fracture_sites import FractureSite
from cohortsim.population_data import PopulationData


def population(said: Said, data: PopulationData) -> Iterator[str]:
    """Yield what a population is made of."""
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
        yield f"{last_words(name)}: {said.quantity(quantity)}"
    for name, table in entry.tables.items():
        taken = data.taken_from.get(name)
        origin = f", as in population {taken}" if taken else ""
        cited = said.cited(table.source, table.note)
        known = f" ({STATUS[table.status]}{cited})" if table.status else cited
        yield f"{words(name)}{origin}{known}. {table.note}".rstrip()
    yield from said.end(entry.note)


def site(said: Said, site: FractureSite) -> Iterator[str]:
    """Yield what a fracture site depends on, and what follows the fracture."""
    codes = f"; ICD-10 {', '.join(site.icd10)}" if site.icd10 else ""
    yield f"{site.label} (fracture site {site.id}{codes})."
    yield site.describes
    yield f"Bone density is that of the {english.words(site.density_site)}."
    for name, quantity in site.quantities():
        yield f"{last_words(name)}: {said.quantity(quantity)}"
    yield from said.end(site.note)


def factor(said: Said, factor: RiskFactor) -> Iterator[str]:
    """Yield what a risk factor does."""
    yield f"{factor.label} (risk factor {factor.id})."
    yield factor.describes
    for site, ratio in factor.hazard_ratios.items():
        held = "at equal bone density" if ratio.adjusted_for_bmd else "bone density not held equal"
        yield f"Hazard ratio of {english.words(site)}, {held}: {said.quantity(ratio)}"
    for what, quantity in (("falls", factor.falls_ratio), ("death", factor.mortality_ratio)):
        if quantity:
            yield f"Rate ratio of {what}: {said.quantity(quantity)}"
    for effect in factor.effects:
        yield said.effect(effect, "while it lasts")
    yield from said.end(factor.note)

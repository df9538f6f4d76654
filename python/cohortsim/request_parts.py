"""Parts of a request: what the core is told of a population, a site, a risk factor, a cohort.

Each value passes the ledger, which applies the study's override and writes down where it comes from.
"""

from __future__ import annotations

from typing import Any

from cohortsim import exposures
from cohortsim.catalog import Catalog
from cohortsim.entries import Quantity, RiskFactor
from cohortsim.fields import SEXES
from cohortsim.fracture_sites import FRACTURE_NUMBERS, ByAge, FractureSite
from cohortsim.recruitment import EntryRules
from cohortsim.scenario import Cohort, Scenario

Plain = dict[str, Any]


class Ledger:
    """Takes each value into the model, applies the study's override, and writes down both."""

    def __init__(self, scenario: Scenario) -> None:
        self._overrides = {override.parameter: override for override in scenario.overrides}
        self._entries: dict[str, Plain] = {}

    def take(self, name: str, quantity: Quantity) -> float:
        """Return the value that the study uses for `name`."""
        entry: Plain = {"name": name, **_described(quantity)}
        override = self._overrides.get(name)
        if override is not None:
            entry |= {
                "value": override.value,
                "status": "override",
                "reason": override.reason,
                "replaced_value": quantity.value,
                "within_plausible_range": quantity.low <= override.value <= quantity.high,
            }
        self._entries[name] = entry
        return float(entry["value"])

    def note(self, entry: Plain) -> None:
        """Write down something that is not one number: a table."""
        self._entries[str(entry["name"])] = entry

    def entries(self) -> tuple[Plain, ...]:
        """Return all entries, by name."""
        return tuple(self._entries[name] for name in sorted(self._entries))


def parameters(catalog: Catalog, ledger: Ledger) -> dict[str, float]:
    """Return every parameter of the model."""
    return {name: ledger.take(name, quantity) for name, quantity in catalog.parameters.items()}


def population(scenario: Scenario, catalog: Catalog, id_: str, ledger: Ledger) -> Plain:
    """Return a population; its tables are noted with source and checksum."""
    found = catalog.population(id_)
    for table, file in found.entry.tables.items():
        taken_from = found.taken_from.get(table)
        ledger.note(
            {
                "name": f"populations.{found.entry.id}.{table}",
                "unit": file.unit,
                "source": list(file.source),
                "status": file.status,
                "note": file.note,
                "sha256": found.checksums.get(table),
            }
            | ({"taken_from": taken_from} if taken_from else {})
        )
    made = found.taken(ledger.take)
    factors = [factor.id for factor in catalog.risk_factors]
    entry = found.entry
    return made | {
        "id": id_,
        "correlation": {sex: found.ordered(made["correlation"][sex], factors) for sex in SEXES},
        "calendar_year": scenario.calendar_year or entry.calendar_year,
        "incidence_year": entry.incidence_year or entry.calendar_year,
    }


def risk_factor(factor: RiskFactor, ledger: Ledger) -> Plain:
    """Return a risk factor."""
    base = f"risk_factors.{factor.id}"

    def ratio(name: str, quantity: Quantity | None) -> float:
        return 1.0 if quantity is None else ledger.take(f"{base}.{name}", quantity)

    return {
        "id": factor.id,
        "hazard_ratios": {
            site: ratio(f"hazard_ratios.{site}", quantity)
            for site, quantity in sorted(factor.hazard_ratios.items())
        },
        "falls_ratio": ratio("falls_ratio", factor.falls_ratio),
        "mortality_ratio": ratio("mortality_ratio", factor.mortality_ratio),
        "effects": exposures.effects_of(base, factor.effects, ledger.take),
        "start_month": factor.exposure.start_month,
        "stop_month": factor.exposure.stop_month,
    }


def fracture_site(site: FractureSite, ledger: Ledger) -> Plain:
    """Return a fracture site."""
    base = f"fracture_sites.{site.id}"
    made: Plain = {
        "id": site.id,
        "decision": site.decision,
        "of_the_spine": site.of_the_spine,
        "density_site": site.density_site,
    }
    for name in FRACTURE_NUMBERS:
        made[name] = ledger.take(f"{base}.{name}", getattr(site, name))
    made["mortality_after"] = [
        {
            "from_month": step.from_month,
            "women": ledger.take(f"{base}.mortality_after[{i}].women", step.women),
            "men": ledger.take(f"{base}.mortality_after[{i}].men", step.men),
        }
        for i, step in enumerate(site.mortality_after)
    ]
    slope = site.mortality_age_slope
    if slope:
        made["mortality_age_slope"] = {
            sex: ledger.take(f"{base}.mortality_age_slope.{sex}", getattr(slope, sex))
            for sex in SEXES
        }
    made["mortality_until_month"] = site.mortality_until_month
    entries = site.nursing_home
    made["nursing_home"] = _by_age(f"{base}.nursing_home", entries, ledger) if entries else None
    return made


def _by_age(base: str, table: ByAge, ledger: Ledger) -> Plain:
    values = {name: ledger.take(name, quantity) for name, quantity in table.quantities(base)}
    return {
        sex: {
            "ages": list(table.ages),
            "values": [values[f"{base}.{sex}[{place}]"] for place in range(len(table.ages))],
        }
        for sex in SEXES
    }


def cohort(scenario: Scenario, cohort: Cohort, catalog: Catalog, ledger: Ledger) -> Plain:
    """Return a cohort."""
    settings, made = exposures.of_cohort(scenario, cohort, catalog, ledger.take)
    return {
        "name": cohort.name,
        "population": cohort.population_id,
        "share": cohort.share,
        "sexes": list(cohort.sexes),
        "age_from": cohort.ages.from_,
        "age_to": cohort.ages.to,
        "mortality_ratio": _mortality_ratio(cohort, catalog, ledger),
        "persons": None,
        "entry": _entry(cohort.entry),
        "set": settings,
        "exposures": made,
    }


def _mortality_ratio(cohort: Cohort, catalog: Catalog, ledger: Ledger) -> float:
    """Return the mortality of a cohort's people relative to the life table."""
    population = catalog.population(cohort.population_id)
    ratio = population.entry.scanned_mortality_ratio
    if cohort.people == "residents" or ratio is None:
        return 1.0
    return ledger.take(population.ratio_name, ratio)


def _entry(rules: EntryRules | None) -> Plain | None:
    """Return the rules of recruitment, or None where there is none: the core then screens nobody."""
    if rules is None or not rules.is_a_rule:
        return None
    since, spine = rules.years_since_menopause, rules.vertebral_deformities
    return {
        "t_scores": [
            {"site": rule.site, "at_least": rule.at_least, "at_most": rule.at_most}
            for rule in rules.t_scores
        ],
        "any_t_score": rules.t_score_rule == "any",
        "prior_fracture": rules.prior_fracture,
        "years_since_menopause_from": since.from_ if since else None,
        "years_since_menopause_to": since.to if since else None,
        "vertebral_deformities": spine.model_dump() if spine else None,
    }


def _described(quantity: Quantity) -> Plain:
    described = quantity.model_dump(mode="json")
    return {"value": quantity.value, **described}

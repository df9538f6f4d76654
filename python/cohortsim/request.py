"""Scenario + catalog -> the request: one JSON text with every value that the core needs.

Beside it stands the ledger: each value with its unit, plausible range, source and status, and what
the study changed and why. The text is canonical, so its SHA-256 is the fingerprint of the study.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from cohortsim import exposures, persons
from cohortsim.catalog import Catalog
from cohortsim.entries import Quantity, RiskFactor
from cohortsim.errors import Problem, ScenarioError
from cohortsim.fields import SEXES
from cohortsim.fitting import fits_core
from cohortsim.fracture_sites import FRACTURE_NUMBERS, ByAge, FractureSite
from cohortsim.references import against_catalog
from cohortsim.scenario import Cohort, EntryRules, Scenario

FORMAT = 3
Plain = dict[str, Any]


@dataclass(frozen=True)
class Request:
    """What the core compiles, and where each value in it comes from."""

    scenario: Scenario
    data: Plain
    values: tuple[Plain, ...]
    files: dict[str, str] = field(default_factory=dict)
    """Texts of the study's own data files, by their names beside the scenario."""
    persons: Mapping[str, persons.People] = field(default_factory=dict, compare=False)
    """Persons of a file or frame, by cohort; the request's text holds their digest only."""

    @cached_property
    def text(self) -> str:
        """The canonical JSON text."""
        return json.dumps(
            self.data, sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=True
        )

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the text, 64 hexadecimal digits."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def arms(self) -> list[str]:
        """Names of the arms, in the order of their codes."""
        return [arm["name"] for arm in self.data["arms"]]

    @property
    def cohorts(self) -> list[str]:
        """Names of the cohorts, in the order of their codes."""
        return [cohort["name"] for cohort in self.data["cohorts"]]

    @property
    def sites(self) -> list[str]:
        """Ids of the fracture sites, in the order of their codes."""
        return [site["id"] for site in self.data["fracture_sites"]]


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


def build(
    scenario: Scenario, catalog: Catalog | None = None, given: persons.Given | None = None
) -> Request:
    """Return the request of a study.

    given: frames of persons, by cohort, instead of files or of a draw from the population.

    Raises:
        ScenarioError: the study asks for what the catalog does not hold, or beyond its tables.
        CatalogError: a data file is wrong, or does not fit the core.
    """
    if scenario.origin.pinned is not None:
        return _repeated(scenario, scenario.origin.pinned, given)
    catalog = catalog or Catalog(scenario.origin.folder)
    mistakes, broken = against_catalog(scenario.plain(), catalog)
    problems = [mistake.placed(scenario.origin.document) for mistake in mistakes] + broken
    if problems:
        raise ScenarioError(problems)
    ledger = Ledger(scenario)
    data: Plain = {
        "parameters": _parameters(catalog, ledger),
        "populations": [
            _population(scenario, catalog, id_, ledger)
            for id_ in sorted({cohort.population_id for cohort in scenario.cohorts})
        ],
        "risk_factors": [_risk_factor(factor, ledger) for factor in catalog.risk_factors],
        "fracture_sites": [_fracture_site(site, ledger) for site in catalog.fracture_sites],
        "cohorts": [_cohort(scenario, cohort, catalog, ledger) for cohort in scenario.cohorts],
        "arms": [
            {"name": arm.name, "exposures": exposures.of_arm(scenario, i, catalog, ledger.take)}
            for i, arm in enumerate(scenario.arms)
        ],
    }
    fits_core(scenario, catalog)
    people = persons.of_study(scenario, data, given)
    if scenario.people is None:
        scenario = scenario.changed(people=persons.how_many(scenario, people))
    data |= _settings(scenario)
    return Request(scenario, data, ledger.entries(), catalog.own_files, people)


def _settings(scenario: Scenario) -> Plain:
    """Return the part of the request that a repeated run may change."""
    return {
        "format": FORMAT,
        "seed": scenario.seed,
        "people": scenario.headcount,
        "months": scenario.months,
        "precision": "f32",
        "secular_trend": scenario.secular_trend,
        "class_site": scenario.classify_at,
        "record_persons": scenario.record.persons,
        "visits": list(scenario.record.visits),
    }


def _parameters(catalog: Catalog, ledger: Ledger) -> dict[str, float]:
    return {name: ledger.take(name, quantity) for name, quantity in catalog.parameters.items()}


def _population(scenario: Scenario, catalog: Catalog, id_: str, ledger: Ledger) -> Plain:
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


def _risk_factor(factor: RiskFactor, ledger: Ledger) -> Plain:
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


def _fracture_site(site: FractureSite, ledger: Ledger) -> Plain:
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


def _cohort(scenario: Scenario, cohort: Cohort, catalog: Catalog, ledger: Ledger) -> Plain:
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


def _repeated(
    scenario: Scenario, pinned: Mapping[str, Any], given: persons.Given | None
) -> Request:
    """Return a former run's own request; only people, years, seed and record may differ."""
    form = pinned["request"].get("format")
    if form != FORMAT:
        raise ScenarioError(
            Problem(
                "provenance.json request.format",
                f"{form}: the run was made by another version of cohortsim",
                f"this version repeats runs of format {FORMAT}",
                "start from its scenario.yaml, or repeat it with the version that made it",
            )
        )
    before = Scenario.model_validate(pinned["scenario"])
    free = {"people", "years", "seed", "record", "name", "title", "description", "age_bands"}
    old, new = before.plain(), scenario.plain()
    changed = [key for key in old if key not in free and old[key] != new[key]]
    if changed:
        raise ScenarioError(
            Problem(
                f"provenance.json {changed[0]}",
                "differs from the run that is repeated",
                "a repeated run may change people, years, seed and record only",
                "start from the scenario.yaml of that run to change more",
            )
        )
    settings = _settings(scenario) if old != new else {}
    data = dict(pinned["request"]) | settings
    return Request(
        scenario,
        data,
        tuple(pinned["parameters"]),
        dict(pinned.get("own_files", {})),
        persons.of_study(scenario, data, given),
    )

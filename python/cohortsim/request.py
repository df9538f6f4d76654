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
from cohortsim import request_parts as parts
from cohortsim.catalog import Catalog
from cohortsim.errors import Problem, ScenarioError
from cohortsim.fitting import fits_core
from cohortsim.references import against_catalog
from cohortsim.scenario import Scenario

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
    ledger = parts.Ledger(scenario)
    data: Plain = {
        "parameters": parts.parameters(catalog, ledger),
        "populations": [
            parts.population(scenario, catalog, id_, ledger)
            for id_ in sorted({cohort.population_id for cohort in scenario.cohorts})
        ],
        "risk_factors": [parts.risk_factor(factor, ledger) for factor in catalog.risk_factors],
        "fracture_sites": [parts.fracture_site(site, ledger) for site in catalog.fracture_sites],
        "cohorts": [parts.cohort(scenario, cohort, catalog, ledger) for cohort in scenario.cohorts],
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

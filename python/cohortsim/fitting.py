"""Does what the data files say fit what the core asks for? Names, units and sizes are compared."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from cohortsim.catalog import PROFILE_KINDS, Catalog
from cohortsim.core import core, is_built
from cohortsim.document import Trail
from cohortsim.entries import Effect, Profile, Quantity
from cohortsim.errors import CatalogError, Problem, nearest, one_of
from cohortsim.fields import AS_MEASURED
from cohortsim.scenario import Scenario


def fits_core(scenario: Scenario, catalog: Catalog) -> None:
    """Compare parameters, targets of effects and characteristics with the core's own lists.

    Raises:
        CatalogError: with everything that does not fit. Without a built core nothing is compared.
    """
    if not is_built():
        return
    module = core()
    problems = [*_parameters(catalog, module.parameter_specs())]
    specs = module.exposure_targets()
    targets = {target["name"]: str(target["unit"]) for target in specs}
    named = {target["name"]: target for target in specs}
    for kind, id_, path, effect in _effects(scenario, catalog):
        wrong = [*_one("", "target", effect.target, effect.amount, targets)]
        if effect.target in named and not wrong:
            wrong += _suits(effect, named[effect.target])
        if wrong:
            place = catalog.place(kind, id_, path)
            problems += [Problem(place, p.found, p.needed, p.advice) for p in wrong]
    known = {entry["name"]: str(entry["unit"]) for entry in module.characteristics()}
    for profile in _profiles(scenario, catalog):
        for name, quantity in profile.set.items():
            place = f"profile {profile.id} set"
            problems += _one(place, "characteristic", name, quantity, known)
    if problems:
        raise CatalogError(problems)


def _parameters(catalog: Catalog, specs: list[Mapping[str, Any]]) -> Iterator[Problem]:
    wanted = {str(spec["name"]): str(spec["unit"]) for spec in specs}
    given = catalog.parameters
    for name in sorted(wanted.keys() - given.keys()):
        file = f"parameters/{name.split('.')[0]}.yaml"
        yield Problem(file, f'no value for "{name}"', "the model needs it", "add it")
    for name in sorted(given.keys()):
        place = f"parameters/{name.split('.')[0]}.yaml"
        yield from _one(place, "parameter", name, given[name], wanted)


def _one(
    place: str, what: str, name: str, quantity: Quantity, wanted: Mapping[str, str]
) -> Iterator[Problem]:
    if name not in wanted:
        advice = nearest(name, wanted) or "remove it"
        yield Problem(place, f'the model has no {what} "{name}"', one_of(wanted), advice)
    elif wanted[name] != quantity.unit:
        found, needed = f'{name} in "{quantity.unit}"', f'the model takes it in "{wanted[name]}"'
        yield Problem(place, found, needed, "convert the value, its range and its unit")


def _suits(effect: Effect, target: Mapping[str, Any]) -> Iterator[Problem]:
    """Shape and size of an effect, against those that the model can take."""
    shape = target.get("shape")
    if shape is not None and shape != effect.shape:
        found, needed = f"{effect.target} {effect.shape}", f"the model takes it {shape}"
        yield Problem("", found, needed, f"set `shape: {shape}`")
    low, high = target.get("low", -math.inf), target.get("high", math.inf)
    if not low <= effect.amount.value <= high:
        unit = "" if effect.amount.unit == "1" else f" {effect.amount.unit}"
        found = f"{effect.target} by {effect.amount.value:g}{unit}"
        needed = f"the model takes {low:g} to {high:g}{unit}"
        yield Problem("", found, needed, "choose an amount within that")


def _profiles(scenario: Scenario, catalog: Catalog) -> Iterator[Profile]:
    for cohort in scenario.cohorts:
        for kind in PROFILE_KINDS:
            for id_ in getattr(cohort, kind):
                if id_ != AS_MEASURED:
                    yield catalog.profile(kind, id_)


def _effects(scenario: Scenario, catalog: Catalog) -> Iterator[tuple[str, str, Trail, Effect]]:
    """Yield (kind, id, path in its file, effect) of all that acts in a study."""
    lists = [owner.medicines for owner in scenario.cohorts]
    lists += [owner.medicines for owner in scenario.arms]
    named = (course for listed in lists for head in listed for course in (head, *head.then))
    ids = dict.fromkeys(course.medicine for course in named)
    for id_ in ids:
        yield from _at("medicines", id_, catalog.medicine(id_).effects)
    for cohort in scenario.cohorts:
        for kind in PROFILE_KINDS:
            for id_ in getattr(cohort, kind):
                if id_ != AS_MEASURED:
                    effects = catalog.profile(kind, id_).effects
                    yield from _at(f"profiles/{kind}", id_, effects)
    for factor in catalog.risk_factors:
        yield from _at("risk_factors", factor.id, factor.effects)


def _at(
    kind: str, id_: str, effects: tuple[Effect, ...]
) -> Iterator[tuple[str, str, Trail, Effect]]:
    for index, effect in enumerate(effects):
        yield kind, id_, ("effects", index), effect

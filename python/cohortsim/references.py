"""What can be wrong between a scenario and the catalog: ids, units, ages, years.

As in `mistakes.py`, plain data is looked at with tolerance, so that everything is told at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from cohortsim import prescriptions
from cohortsim.catalog import PROFILE_KINDS, Catalog
from cohortsim.document import Trail
from cohortsim.entries import Quantity
from cohortsim.errors import CatalogError, Problem, nearest, one_of
from cohortsim.fields import AS_MEASURED
from cohortsim.mistakes import Mistake, ages_of, is_number, items, sexes_of
from cohortsim.persons_file import LIKE


def against_catalog(data: Any, catalog: Catalog) -> tuple[list[Mistake], list[Problem]]:
    """Return the scenario's mistakes, and the problems of data files that it asks for."""
    mistakes: list[Mistake] = []
    broken: list[Problem] = []
    if not isinstance(data, Mapping):
        return mistakes, broken
    for check in (_populations, _profiles, prescriptions.mistakes, _overrides):
        try:
            mistakes += check(data, catalog)
        except CatalogError as error:
            broken += error.problems
    return mistakes, list(dict.fromkeys(broken))


def named_quantities(data: Mapping[str, Any], catalog: Catalog) -> dict[str, Quantity]:
    """Return every number that this scenario's model uses, by full name."""
    found = dict(catalog.parameters)
    for _, _, id_, _ in populations(data):
        if catalog.has("populations", id_):
            found |= dict(catalog.population(id_).quantities())
    for site in catalog.fracture_sites:
        found |= dict(site.quantities())
    for factor in catalog.risk_factors:
        found |= dict(factor.quantities())
    for id_ in prescriptions.medicine_ids(data):
        if catalog.has("medicines", id_):
            found |= dict(catalog.medicine(id_).quantities())
    for _, kind, id_, _ in profiles(data):
        if id_ != AS_MEASURED and catalog.has(f"profiles/{kind}", id_):
            found |= dict(catalog.profile(kind, id_).quantities())
    return found


def profiles(data: Any) -> Iterator[tuple[Trail, str, str, Mapping[str, Any]]]:
    """Yield (path, kind, id, cohort) of each profile that the cohorts name."""
    for index, cohort in items(data, "cohorts"):
        for kind in PROFILE_KINDS:
            named = cohort.get(kind, AS_MEASURED)
            if isinstance(named, str):
                yield ("cohorts", index, kind), kind, named, cohort
            elif isinstance(named, list | tuple):
                for place, id_ in enumerate(named):
                    if isinstance(id_, str):
                        yield ("cohorts", index, kind, place), kind, id_, cohort


def populations(data: Any) -> Iterator[tuple[int, Trail, str, Mapping[str, Any]]]:
    """Yield (place, path, id, cohort) of each population that the cohorts name."""
    for index, cohort in items(data, "cohorts"):
        path: Trail = ("cohorts", index, "population")
        named = cohort.get("population")
        if isinstance(named, Mapping):
            named, path = named.get("like", LIKE), (*path, "like")
        if isinstance(named, str):
            yield index, path, named, cohort


def _populations(data: Mapping[str, Any], catalog: Catalog) -> Iterable[Mistake]:
    broken: list[Problem] = []
    for index, path, id_, cohort in populations(data):
        if not catalog.has("populations", id_):
            yield Mistake(path, *catalog.unknown("populations", id_, "population"))
            continue
        try:
            population = catalog.population(id_)
        except CatalogError as error:
            broken += error.problems
            continue
        factors = [factor.id for factor in catalog.risk_factors]
        broken += population.lacking([site.id for site in catalog.fracture_sites], factors)
        yield from _people_there(data, index, cohort, population.plain)
        yield from _old_enough(data, index, cohort, catalog)
        if cohort.get("people") == "scanned" and population.entry.scanned_mortality_ratio is None:
            yield Mistake(
                ("cohorts", index, "people"),
                f"scanned, and population {id_} does not say how they die",
                "needs a population with `scanned_mortality_ratio`",
                "choose another population, or `people: residents`",
            )
    if broken:
        raise CatalogError(broken)


def _age_range(cohort: Mapping[str, Any]) -> tuple[float, float] | None:
    """Return the youngest and the oldest age of a cohort, or nothing where they are not ages."""
    ages = ages_of({"ages": {"from": 50, "to": 100}, **cohort})
    return ages if ages and ages[0] <= ages[1] else None


def _old_enough(
    data: Mapping[str, Any], index: int, cohort: Mapping[str, Any], catalog: Catalog
) -> Iterable[Mistake]:
    ages, youngest = _age_range(cohort), catalog.parameters["cohort.youngest_age"].value
    for _, override in items(data, "overrides"):
        if override.get("parameter") == "cohort.youngest_age" and is_number(override.get("value")):
            youngest = override["value"]
    if ages and ages[0] < youngest:
        yield Mistake(
            ("cohorts", index, "ages"),
            f"ages from {ages[0]:g}",
            f"the model describes people of {youngest:g} and over (cohort.youngest_age)",
            f"begin at {youngest:g}",
        )


def _people_there(
    data: Mapping[str, Any], index: int, cohort: Mapping[str, Any], population: Mapping[str, Any]
) -> Iterable[Mistake]:
    ages = _age_range(cohort)
    if ages is None:
        return
    low, high = ages
    path = ("cohorts", index, "ages")
    knows = f"population {population['id']} knows ages"
    first = population["age_structure"]["first_age"]
    last = first + len(population["age_structure"]["women"]) - 1
    own = isinstance(cohort.get("population"), Mapping)  # ages come from a file of persons
    if not own and (low < first or high > last):
        found, needed = f"ages {low:g} to {high:g}", f"{knows} {first} to {last}"
        yield Mistake(path, found, needed, "choose ages within that")
        return
    sexes = sexes_of(cohort)
    if sexes and not own:
        held = sum(
            sum(population["age_structure"][sex][int(low) - first : int(high) - first + 1])
            for sex in sexes
        )
        if held <= 0:
            yield Mistake(
                path,
                f"nobody: population {population['id']} has no {' or '.join(sexes)} "
                f"aged {low:g} to {high:g}",
                "a cohort needs people",
                "widen `ages` or `sexes`",
            )
    yield from _within_life_table(data, path, low, population)


def _within_life_table(
    data: Mapping[str, Any], path: Trail, low: float, population: Mapping[str, Any]
) -> Iterable[Mistake]:
    """Even the youngest must stay within the life table; the few who outlive it keep its last rate."""
    years = data.get("years")
    table = population["life_table"]
    first, end = table["first_age"], table["first_age"] + len(table["women"][0])
    of = f"the life table of population {population['id']}"
    if low < first:
        needed = f"{of} begins at age {first}"
        yield Mistake(path, f"ages from {low:g}", needed, f"begin at {first}, or extend the table")
    elif is_number(years) and years >= 1 and low + years > end:
        yield Mistake(
            ("years",),
            f"{years:g} years from age {low:g} lead to age {low + years:g}",
            f"{of} ends at age {end}",
            f"use at most {end - int(low)} years for cohorts[{path[1]}]",
        )


def _profiles(data: Mapping[str, Any], catalog: Catalog) -> Iterable[Mistake]:
    replaced: dict[tuple[str | int, ...], str] = {}
    for path, kind, id_, cohort in profiles(data):
        if id_ == AS_MEASURED:
            continue
        if not catalog.has(f"profiles/{kind}", id_):
            found, needed, advice = catalog.unknown(f"profiles/{kind}", id_, f"{kind} profile")
            elsewhere = [
                k for k in PROFILE_KINDS if k != kind and catalog.has(f"profiles/{k}", id_)
            ]
            if elsewhere:
                advice = f"that is a profile of `{elsewhere[0]}`: move it there"
            yield Mistake(path, found, f"{needed}, or {AS_MEASURED}", advice)
            continue
        profile = catalog.profile(kind, id_)
        sexes = sexes_of(cohort)
        held = [sex for sex in profile.sexes if sex in sexes]
        if sexes and not held:
            yield Mistake(
                path,
                f'profile "{id_}" is for {profile.applies_to}',
                "the cohort has none of them",
                "remove the profile or widen `sexes`",
            )
        for sex in held:
            for characteristic in profile.set:
                key = (path[0], path[1], sex, characteristic)
                if key in replaced and replaced[key] != id_:
                    yield Mistake(
                        path,
                        f'"{replaced[key]}" and "{id_}" both set {characteristic} of {sex}',
                        "a characteristic can be set once",
                        "remove one of them",
                    )
                replaced[key] = id_


def _overrides(data: Mapping[str, Any], catalog: Catalog) -> Iterable[Mistake]:
    listed = items(data, "overrides")
    if not listed:
        return
    known = named_quantities(data, catalog)
    for index, override in listed:
        name, unit = override.get("parameter"), override.get("unit")
        if not isinstance(name, str):
            continue
        if name not in known:
            system = [other for other in known if other.split(".")[0] == name.split(".")[0]]
            advice = nearest(name, known) or "see `cohortsim list parameters`"
            needed = one_of(system or sorted({other.split(".")[0] for other in known}))
            yield Mistake(
                ("overrides", index, "parameter"), f'no parameter "{name}"', needed, advice
            )
        elif isinstance(unit, str) and unit != known[name].unit:
            yield Mistake(
                ("overrides", index, "unit"),
                f'unit "{unit}"',
                f'{name} is in "{known[name].unit}"',
                "convert the value to that unit and say so",
            )

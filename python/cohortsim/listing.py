"""`cohortsim list`: what can be asked for by id, with label and source."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from cohortsim import document, english
from cohortsim.catalog import PROFILE_KINDS, Catalog
from cohortsim.entries import Quantity
from cohortsim.errors import Problem, ScenarioError, nearest, one_of
from cohortsim.persons_columns import columns

WIDTH = 80
Row = tuple[str, str]


def listing(kind: str | None, folder: Path | None = None) -> str:
    """Return the table of one kind, or of all but the parameters. Raises ScenarioError."""
    if kind is not None and kind not in KINDS:
        advice = nearest(kind, KINDS) or "choose one of them"
        raise ScenarioError(Problem("list", f'no kind "{kind}"', one_of(KINDS), advice))
    catalog = Catalog(folder)
    kinds = [kind] if kind else [name for name in KINDS if name != "parameters"]
    return "\n\n".join("\n".join(_table(name, KINDS[name](catalog))) for name in kinds)


def _table(title: str, rows: Iterable[Row]) -> Iterator[str]:
    listed = list(rows)
    yield title.replace("_", " ")
    if not listed:
        yield "  (none)"
    width = max((len(id_) for id_, _ in listed), default=0)
    room = max(20, WIDTH - width - 4)
    for id_, text in listed:
        lines = _wrapped(text, room)
        yield f"  {id_:<{width}}  {lines[0]}".rstrip()
        yield from (" " * (width + 4) + line for line in lines[1:])


def _wrapped(text: str, room: int) -> list[str]:
    import textwrap

    return textwrap.wrap(text, room) or [""]


def _populations(catalog: Catalog) -> Iterator[Row]:
    for id_ in catalog.ids("populations"):
        entry = catalog.population_entry(id_)
        tables = dict(entry.tables)
        if entry.like is not None:
            there = catalog.population_entry(entry.like).tables
            tables = {name: table for name, table in tables.items() if table != there.get(name)}
        sources = (key for table in tables.values() for key in table.source)
        said = [
            f"country: {entry.country}" if entry.country not in entry.label else "",
            f"race and ethnicity: {entry.race_and_ethnicity}" if entry.race_and_ethnicity else "",
            f"else like {entry.like}" if entry.like else "",
        ]
        more = "; ".join(part for part in said if part)
        yield (
            id_,
            f"{entry.label}, {entry.calendar_year}{f' ({more})' if more else ''} [{_keys(sources)}]",
        )


def _profiles(catalog: Catalog) -> Iterator[Row]:
    for kind in PROFILE_KINDS:
        yield f"{kind}:", ""
        yield "  as_measured", "As the population was measured (default)"
        for id_ in catalog.ids(f"profiles/{kind}"):
            profile = catalog.profile(kind, id_)
            who = "" if profile.applies_to == "all" else f" ({profile.applies_to})"
            yield f"  {id_}", f"{profile.label}{who}{_cited(profile.quantities())}"


def _medicines(catalog: Catalog) -> Iterator[Row]:
    for id_ in catalog.ids("medicines"):
        medicine = catalog.medicine(id_)
        kind = "" if medicine.class_ == medicine.label.lower() else medicine.class_
        given = "; ".join(part for part in (kind, english.dose(medicine)) if part)
        who = "" if medicine.applies_to == "all" else f" ({medicine.applies_to})"
        yield id_, f"{medicine.label}{who}: {given}{_cited(medicine.quantities())}"


def _sites(catalog: Catalog) -> Iterator[Row]:
    for site in catalog.fracture_sites:
        codes = f" ({', '.join(site.icd10)})" if site.icd10 else ""
        yield site.id, f"{site.label}{codes}{_cited(site.quantities())}"


def _risk_factors(catalog: Catalog) -> Iterator[Row]:
    for factor in catalog.risk_factors:
        yield factor.id, f"{factor.label}{_cited(factor.quantities())}"


def _scenarios(catalog: Catalog) -> Iterator[Row]:
    return _studies(catalog, "scenarios")


def _trials(catalog: Catalog) -> Iterator[Row]:
    return _studies(catalog, "trials")


def _population_studies(catalog: Catalog) -> Iterator[Row]:
    return _studies(catalog, "studies")


def _studies(catalog: Catalog, kind: str) -> Iterator[Row]:
    for id_ in catalog.scenario_ids(kind):
        path = catalog.shipped / kind / f"{id_}.yaml"
        study = document.plain(document.read_text(path, path.name)[0])
        yield id_, str(study.get("title", ""))  # shipped studies are checked by the tests


def _persons_columns(catalog: Catalog) -> Iterator[Row]:
    for name, column in columns(factor.id for factor in catalog.risk_factors).items():
        yield name, column.said()


def _parameters(catalog: Catalog) -> Iterator[Row]:
    for name, quantity in sorted(catalog.parameters.items()):
        span = f"{quantity.low:g} to {quantity.high:g}"
        unit = "" if quantity.unit == "1" else f" {quantity.unit}"
        yield name, f"{quantity.value:g}{unit} ({span}) [{_keys(quantity.source)}]"


def _cited(quantities: Iterable[tuple[str, Quantity]]) -> str:
    keys = _keys(key for _, quantity in quantities for key in quantity.source)
    return f" [{keys}]" if keys else ""


def _keys(keys: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(keys))


KINDS = {
    "populations": _populations,
    "profiles": _profiles,
    "medicines": _medicines,
    "sites": _sites,
    "risk_factors": _risk_factors,
    "scenarios": _scenarios,
    "trials": _trials,
    "studies": _population_studies,
    "persons_columns": _persons_columns,
    "parameters": _parameters,
}

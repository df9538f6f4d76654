"""Populations and columns of files of persons -> Markdown tables."""

from __future__ import annotations

from collections.abc import Iterator

from cohortsim.persons_columns import columns

from model_docs.markdown import cells, head, sentences, span, with_unit
from model_docs.tables import DATA, Plain, Sources, read

FIRST = ("us", "us_nonhispanic_white", "us_nonhispanic_black", "us_mexican_american")


def populations(sources: Sources) -> Iterator[str]:
    """Yield the shipped populations in a table, then each with its tables and their sources."""
    found = _populations()
    yield head("population", "who", "country", "race and ethnicity", "year", "like")
    for plain in found:
        like = f"`{plain['like']}`" if "like" in plain else ""
        year, described = str(plain["calendar_year"]), plain.get("race_and_ethnicity", "")
        yield cells(f"`{plain['id']}`", plain["label"], plain["country"], described, year, like)
    yield (
        "\nWhat a population does not say itself is taken from the one that it is like. Race and "
        "ethnicity describe who was measured; nothing in the model depends on them."
    )
    for plain in found:
        yield f"\n### {plain['label']} (`{plain['id']}`)\n"
        yield sentences(*(sources.text(plain.get(key, "")) for key in ("describes", "note")))
        yield f"\n{head('table or number', 'value', 'status and source', 'how it was made')}"
        for site, offset in plain.get("bmd_offset", {}).items():
            yield _number(f"density offset, {site.replace('_', ' ')}", offset, sources)
        if "scanned_mortality_ratio" in plain:
            yield _number("mortality of the scanned", plain["scanned_mortality_ratio"], sources)
        for name, table in plain["tables"].items():
            path = f"populations/{plain['id']}/{table['file']}"
            yield cells(
                name.replace("_", " "),
                f"[`{table['file']}`](../../python/cohortsim/data/{path})",
                sources.rests_on({"status": "by row", **table}),
                sources.text(table.get("note", "")),
            )


def persons(_: Sources) -> Iterator[str]:
    """Yield the columns that a file of persons may have."""
    yield "How to use a file of persons: [real people](../real_people.md).\n"
    yield head("column", "unit and range, or meaning")
    factors = sorted(path.stem for path in (DATA / "risk_factors").glob("*.yaml"))
    for name, column in columns(factors).items():
        yield cells(f"`{name}`", column.said())


def _populations() -> list[Plain]:
    folders = sorted(path.parent.name for path in (DATA / "populations").glob("*/population.yaml"))
    order = [*FIRST, *(name for name in folders if name not in FIRST)]
    return [read(f"populations/{name}/population.yaml") for name in order]


def _number(name: str, entry: Plain, sources: Sources) -> str:
    value = f"{with_unit(entry['value'], entry['unit'])} ({span(entry)})"
    return cells(name, value, sources.rests_on(entry), sources.text(entry.get("note", "")))

"""Write the tables of a population: aggregated figures only, never a record of a person."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from populations import europe, falls, fractures
from populations.definitions import (
    BINARY_ORDER,
    CONTINUOUS_ORDER,
    OPEN_AGE,
    ORDER,
    SEXES,
    YOUNGEST,
    Array,
)
from populations.deformity import deformity_curves
from populations.distribution import Z_KNOTS, Model
from populations.life_tables import AGES, Tables
from populations.population import Inputs, Population
from populations.rates import Curve
from populations.structure import UNITED_STATES, five_year_groups, persons_by_sex
from populations.trends import trend_rows

Row = tuple[object, ...]


def write_population(population: Population, inputs: Inputs, out: Path) -> None:
    """Write the tables of a population that the survey describes.

    What a group shares with everybody is not written again: its `like` is `us`.
    """
    folder = out / population.name
    folder.mkdir(parents=True, exist_ok=True)
    group = population.group
    write_continuous(population, folder)
    write_correlation(population, folder)
    write_prevalence(population, folder)
    persons = {
        sex: five_year_groups(inputs.groups, fractures.YEAR_OF_SOURCES, sex) for sex in SEXES
    }
    write_incidence(fractures.Incidence(persons, group.medicare).curves(), folder)
    if group.race is None:
        by_sex = falls.falls_curves(persons_by_sex(inputs.census, falls.YEAR_OF_SOURCES))
        write_by_sex("falls", by_sex, folder)
    if group.race is None or group.small:
        write_age_structure(inputs.persons(group), folder)
        write_life_table(inputs.deaths.united_states(group.medicare), folder)
        curves = deformity_curves(inputs.groups, group.medicare)
        write_by_sex("vertebral_deformity", curves, folder)
        write_trend(population.name, folder)


def write_europe(inputs: Inputs, out: Path) -> None:
    """Write the own tables of the United Kingdom and Sweden, whose `like` is the white US."""

    def persons(year: int, country: str) -> dict[str, Array]:
        return {sex: five_year_groups(inputs.groups, year, sex, country) for sex in SEXES}

    us = persons(fractures.YEAR_OF_SOURCES, UNITED_STATES)
    white = fractures.Incidence(us, "white")
    deaths = inputs.deaths.sweden()
    own = persons(europe.SWEDISH_YEAR, europe.SWEDEN)
    residents = persons(europe.UK_YEAR, europe.UK)
    british = europe.united_kingdom(residents, white)
    swedish = europe.Sweden(own, deaths[europe.LIFE_TABLE_YEAR], white).curves()
    for name, ages, tables, curves in (
        ("uk", residents, inputs.deaths.united_kingdom(), british),
        ("sweden", own, deaths, swedish),
    ):
        folder = out / name
        folder.mkdir(parents=True, exist_ok=True)
        write_age_structure(ages, folder)
        write_life_table(tables, folder)
        write_incidence(curves, folder)
        write_trend(name, folder)
    by_sex = deformity_curves(inputs.groups, "sweden")
    write_by_sex("vertebral_deformity", by_sex, out / "sweden")


# --- tables ---------------------------------------------------------------------------------


def write_age_structure(persons: Mapping[str, Array], folder: Path) -> None:
    """Persons by single year of age."""
    rows: list[Row] = [
        (age, round(float(persons["women"][age])), round(float(persons["men"][age])))
        for age in range(YOUNGEST, OPEN_AGE + 1)
    ]
    write_csv(folder / "age_structure.csv", ("age", "women", "men"), rows)


def write_life_table(tables: Tables, folder: Path) -> None:
    """One-year chances of death by calendar year and age."""
    rows: list[Row] = [
        (year, f"{age:.0f}", *(significant(float(table[sex][k])) for sex in SEXES))
        for year, table in tables.items()
        for k, age in enumerate(AGES)
    ]
    write_csv(folder / "life_table.csv", ("year", "age", "women", "men"), rows)


def write_continuous(population: Population, folder: Path) -> None:
    """Location and spread at knots of age, and quantile functions."""
    knots: list[Row] = []
    quantiles: list[Row] = []
    for name in CONTINUOUS_ORDER:
        for sex in SEXES:
            model = population.models.get((name, sex))  # men have no menopause
            if model is not None:
                knots += [(name, sex, *cells) for cells in knot_cells(model)]
                cells = zip(Z_KNOTS, model.q, strict=True)
                quantiles += [(name, sex, f"{z:.2f}", f"{q:.3f}") for z, q in cells]
    header = ("characteristic", "sex", "age", "location", "spread")
    write_csv(folder / "characteristics.csv", header, knots)
    write_csv(folder / "quantiles.csv", ("characteristic", "sex", "z", "q"), quantiles)


def knot_cells(model: Model) -> Iterator[tuple[str, str, str]]:
    """Age, location and spread of each knot."""
    knots = model.knots
    for age, location, spread in zip(knots.ages, knots.location, knots.spread, strict=True):
        yield f"{age:.1f}", significant(location, 5), significant(spread)


def write_correlation(population: Population, folder: Path) -> None:
    """Latent correlation, every cell of the matrix."""
    rows = [
        (sex, ORDER[i], ORDER[j], f"{population.correlation[sex][i, j]:.3f}")
        for sex in SEXES
        for i in range(len(ORDER))
        for j in range(len(ORDER))
    ]
    write_csv(folder / "correlation.csv", ("sex", "row", "column", "r"), rows)


def write_prevalence(population: Population, folder: Path) -> None:
    """Prevalence of the binary characteristics at knots of age."""
    rows: list[Row] = []
    for name in BINARY_ORDER:
        for sex in SEXES:
            cells = zip(*population.prevalence[name, sex], strict=True)
            rows += [(name, sex, f"{age:.1f}", f"{value:.4f}") for age, value in cells]
    write_csv(folder / "prevalence.csv", ("characteristic", "sex", "age", "prevalence"), rows)


def write_incidence(curves: Mapping[tuple[str, str], Curve], folder: Path) -> None:
    """Fracture incidence, each rate with its source."""
    header = ("site", "sex", "age", "rate", "source", "status", "note")
    rows = [(*key, *cells) for key, curve in curves.items() for cells in rate_cells(curve)]
    write_csv(folder / "fracture_incidence.csv", header, rows)


def write_by_sex(name: str, curves: Mapping[str, Curve], folder: Path) -> None:
    """Rates of one thing by sex and age: falls, vertebral deformities."""
    header = ("sex", "age", "rate", "source", "status", "note")
    rows = [(sex, *cells) for sex, curve in curves.items() for cells in rate_cells(curve)]
    write_csv(folder / f"{name}.csv", header, rows)


def write_trend(name: str, folder: Path) -> None:
    """Secular trend of the sites that have one."""
    header = ("site", "women", "men", "source", "status", "note")
    write_csv(folder / "secular_trend.csv", header, trend_rows(name))


def rate_cells(curve: Curve) -> Iterator[tuple[str, ...]]:
    """Age, rate, source, status and note of each knot."""
    for age, rate, note in zip(curve.ages, curve.rates, curve.notes, strict=True):
        yield f"{age:.1f}", significant(rate), *note


# --- text -----------------------------------------------------------------------------------


def significant(value: float, digits: int = 4) -> str:
    """Format with a number of significant digits."""
    if value == 0:
        return "0"
    places = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    return f"{value:.{places}f}"


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write sorted rows with LF line ends, so that the same figures give the same bytes."""
    lines = [",".join(header)]
    for row in sorted(rows, key=sort_key):
        cells = [str(cell) for cell in row]
        lines.append(",".join(f'"{cell}"' if "," in cell else cell for cell in cells))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")


def sort_key(row: Sequence[object]) -> tuple[tuple[int, float, str], ...]:
    """Text by alphabet, numbers by size, of the first three cells, which tell rows apart."""
    key = []
    for cell in row[:3]:
        try:
            key.append((0, float(str(cell)), ""))
        except ValueError:
            key.append((1, 0.0, str(cell)))
    return tuple(key)

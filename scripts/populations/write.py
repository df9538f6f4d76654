"""Write the tables of a population: aggregated figures only, never a record of a person."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from populations import falls, fractures
from populations.definitions import (
    BINARY_ORDER,
    CONTINUOUS_ORDER,
    OPEN_AGE,
    ORDER,
    SEXES,
    YEAR,
    YOUNGEST,
)
from populations.distribution import Z_KNOTS, Model
from populations.population import Inputs, Population
from populations.rates import Curve
from populations.structure import (
    LIFE_TABLE_AGES,
    death_chances,
    five_year_groups,
    persons_by_sex,
)

Row = tuple[object, ...]


def write_population(population: Population, inputs: Inputs, out: Path) -> None:
    """Write the tables of one population."""
    folder = out / population.name
    folder.mkdir(parents=True, exist_ok=True)
    write_structure(inputs, folder)
    write_continuous(population, folder)
    write_correlation(population, folder)
    write_prevalence(population, folder)
    write_rates(population, inputs, folder)


# --- tables ---------------------------------------------------------------------------------


def write_structure(inputs: Inputs, folder: Path) -> None:
    """Age structure and life table."""
    header = ("age", "women", "men")
    persons = persons_by_sex(inputs.census, YEAR)
    rows: list[Row] = [
        (age, int(persons["women"][age]), int(persons["men"][age]))
        for age in range(YOUNGEST, OPEN_AGE + 1)
    ]
    write_csv(folder / "age_structure.csv", header, rows)
    chance = death_chances(inputs.life_table)
    rows = [
        (age, f"{chance['women'][age]:.6f}", f"{chance['men'][age]:.6f}")
        for age in range(YOUNGEST, LIFE_TABLE_AGES)
    ]
    write_csv(folder / "life_table.csv", header, rows)


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


def write_rates(population: Population, inputs: Inputs, folder: Path) -> None:
    """Fracture incidence and falls, each rate with its source."""
    header = ("site", "sex", "age", "rate", "source", "status", "note")
    persons = {
        sex: five_year_groups(inputs.groups, fractures.YEAR_OF_SOURCES, sex) for sex in SEXES
    }
    curves = fractures.Incidence(persons, population.white).curves()
    rows = [(*key, *cells) for key, curve in curves.items() for cells in rate_cells(curve)]
    write_csv(folder / "fracture_incidence.csv", header, rows)

    by_sex = falls.falls_curves(persons_by_sex(inputs.census, falls.YEAR_OF_SOURCES))
    rows_of_falls = [(sex, *cells) for sex, curve in by_sex.items() for cells in rate_cells(curve)]
    write_csv(folder / "falls.csv", header[1:], rows_of_falls)


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

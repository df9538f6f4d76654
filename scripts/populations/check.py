"""Compare people simulated from the written tables with the survey, in print.

Every part draws with its own fixed seed: the same tables print the same text.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from populations.definitions import (
    ACTIVITY,
    BINARY_ORDER,
    CALCIUM,
    CONTINUOUS,
    DECADES,
    FEMORAL_NECK,
    GLUCOCORTICOIDS,
    OLDER_FROM,
    OPEN_AGE,
    ORDER,
    SEXES,
    Array,
)
from populations.distribution import weighted_quantiles
from populations.osteoporosis import classes
from populations.population import Inputs, Population
from populations.rates import band_mean
from populations.reading import column
from populations.simulated import Tables
from populations.survey import ACTIVITY_COLUMN, CALCIUM_COLUMN, DIET_WEIGHT, aged, known

PEOPLE = 400_000  # of each sex, for the classes of density
PEOPLE_OF_OTHERS = 100_000  # in each band of age, for the other characteristics
CLASSES_SEED, OTHERS_SEED = 20190701, 7

TOLERATED_GAP = 2.0  # percentage points between survey and simulated class share
HALVES = ((50, 64), (65, 120))
PERCENTILES: Array = np.array([0.05, 0.5, 0.95])
ACTIVE_FROM = 30  # MET min/wk

Persons = dict[str, Array]


def check(population: Population, inputs: Inputs, out: Path) -> None:
    """Simulate people from the written tables and print them beside the survey."""
    tables = Tables.read(out / population.name, out / "us")
    persons = inputs.persons(population.group)
    print(f"\n{population.name}: {PEOPLE:,} simulated people of each sex against the survey")
    print("femoral neck, percent: survey | simulated, ages of 2019 | simulated, ages of the survey")
    for sex in SEXES:
        print_classes(population.people[sex], tables, persons[sex], sex)
    print("others, percentiles 5 / 50 / 95 at 50-64 and 65+: survey -> simulated at its ages")
    print_others(population, tables)
    print("binary, percent by decade 50, 60, 70, 80+: survey -> table")
    print_binary(population, tables)
    smallest = (f"{sex} {np.linalg.eigvalsh(tables.latent(sex))[0]:.3f}" for sex in SEXES)
    print("correlation: smallest eigenvalue " + ", ".join(smallest))
    print("fractures per 1,000 person-years, ages of 2019: 50+ (65+), and number a year at 50+")
    for site in tables.sites():
        print_fractures(tables, persons, site)
    for sex in SEXES:
        mean = band_mean(tables.falls_rate(sex), persons[sex], 65, OPEN_AGE)
        print(f"falls per person-year, {sex}, 65+: {mean:.3f}")


# --- classes of density ---------------------------------------------------------------------


def print_classes(people: pl.DataFrame, tables: Tables, persons: Array, sex: str) -> None:
    """Osteoporosis and osteopenia by decade, at the ages of the census and of the survey."""
    generator = np.random.default_rng(CLASSES_SEED)
    old = persons[OLDER_FROM:]
    ages = generator.choice(np.arange(OLDER_FROM, OPEN_AGE + 1), PEOPLE, p=old / old.sum())
    exact = ages + generator.random(PEOPLE)
    independent = generator.standard_normal((PEOPLE, len(ORDER)))
    z = (independent @ np.linalg.cholesky(tables.latent(sex)).T)[:, ORDER.index(FEMORAL_NECK)]
    density = tables.values(FEMORAL_NECK, sex, "identity", exact, z)
    scanned = known(people, "fn_bmd")
    for low, high in DECADES:
        part = aged(scanned, low, high)
        weight = column(part, "weight")
        seen = classes(column(part, "fn_bmd"), weight)
        here = (ages >= low) & (ages <= high)
        made = classes(density[here], np.ones(int(here.sum())))
        same = generator.choice(column(part, "age"), PEOPLE, p=weight / weight.sum())
        at_same = tables.values(FEMORAL_NECK, sex, "identity", same, z)
        label = f"{low}-{high}" if high < OPEN_AGE else f"{low}+"
        line = classes_line(seen, made, classes(at_same, np.ones(PEOPLE)))
        print(f"  {sex:5s} {label:5s} n={part.height:4d}  {line}")


Shares = tuple[float, float]  # percent osteoporosis, percent osteopenia


def classes_line(seen: Shares, made: Shares, again: Shares) -> str:
    """Shares of the survey and twice simulated; gaps too large are marked."""
    worst = max(abs(a - b) for a, b in zip(seen, made, strict=True))
    return (
        f"osteoporosis {seen[0]:5.1f} |{made[0]:5.1f} |{again[0]:5.1f}"
        f"   osteopenia {seen[1]:5.1f} |{made[1]:5.1f} |{again[1]:5.1f}"
        f"   largest gap {worst:4.1f}"
        f"{'  ABOVE 2' if worst > TOLERATED_GAP else ''}"
    )


# --- other characteristics ------------------------------------------------------------------


def print_others(population: Population, tables: Tables) -> None:
    """Percentiles of the characteristics fitted to the survey, at its ages."""
    specs = [(spec.name, spec.column, spec.transform) for spec in CONTINUOUS]
    specs += [(CALCIUM, CALCIUM_COLUMN, "log"), (ACTIVITY, ACTIVITY_COLUMN, "log1p")]
    for name, source, transform in specs:
        for sex in SEXES:
            parts = []
            for low, high in HALVES:
                part = aged(known(population.people[sex], source), low, high)
                made = simulated_at_ages(tables, name, sex, transform, part)
                parts.append(percentiles_text(name, source, part, made))
            print(f"  {name:18s} {sex:5s} " + "  |  ".join(parts))


def simulated_at_ages(
    tables: Tables, name: str, sex: str, transform: str, people: pl.DataFrame
) -> Array:
    """Values of simulated people with the weighted ages of these."""
    generator = np.random.default_rng(OTHERS_SEED)
    weight = column(people, "weight")
    ages = generator.choice(column(people, "age"), PEOPLE_OF_OTHERS, p=weight / weight.sum())
    z = generator.standard_normal(PEOPLE_OF_OTHERS)
    return tables.values(name, sex, transform, ages, z)


def percentiles_text(name: str, source: str, people: pl.DataFrame, made: Array) -> str:
    """Percentiles of survey and simulated people; of calcium and activity what fits are made to."""
    values, weight = column(people, source), column(people, "weight")
    text = " -> ".join(
        " ".join(f"{v:.4g}" for v in quantiles)
        for quantiles in (
            weighted_quantiles(values, weight, PERCENTILES),
            np.quantile(made, PERCENTILES),
        )
    )
    if name == CALCIUM:  # usual intake spreads less than one day's: the means agree
        mean = float(np.average(values, weights=column(people, DIET_WEIGHT)))
        text += f" (mean {mean:.0f} -> {made.mean():.0f})"
    if name == ACTIVITY:
        none = float(np.average(values < ACTIVE_FROM, weights=weight))
        text += f" (none {none:.2f} -> {np.mean(made < ACTIVE_FROM):.2f})"
    return text


def print_binary(population: Population, tables: Tables) -> None:
    """Prevalence by decade in survey and table."""
    for name in BINARY_ORDER:
        note = "  (survey: ever for a month; table: now)" if name == GLUCOCORTICOIDS else ""
        for sex in SEXES:
            texts = []
            for low, high in DECADES:
                part = aged(known(population.people[sex], name), low, high)
                weight = column(part, "weight")
                chance = tables.chance(name, sex, column(part, "age"))
                made = float(np.average(chance, weights=weight))
                seen = float(np.average(column(part, name), weights=weight))
                texts.append(f"{100 * seen:.1f}->{100 * made:.1f}")
            print(f"  {name:22s} {sex:5s} " + "  ".join(texts) + note)


# --- rates ----------------------------------------------------------------------------------


def print_fractures(tables: Tables, persons: Persons, site: str) -> None:
    """Mean rates at 50 and over and at 65 and over, and the number a year."""
    texts, number = [], 0.0
    for sex in SEXES:
        rate = tables.fracture_rate(site, sex)
        all_50 = band_mean(rate, persons[sex], OLDER_FROM, OPEN_AGE)
        all_65 = band_mean(rate, persons[sex], 65, OPEN_AGE)
        number += all_50 * float(persons[sex][OLDER_FROM:].sum())
        texts.append(f"{sex} {1000 * all_50:.2f} ({1000 * all_65:.2f})")
    print(f"  {site:19s} " + "  ".join(texts) + f"   {number:,.0f}")

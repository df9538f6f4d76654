"""Write the tables of the example `own_country`: life table and age structure of Norway.

    python scripts/derive_own_country.py MORTALITY.csv POPULATION.csv

MORTALITY.csv holds deaths per person-year by country, 5-year period, 5-year age group and sex (World
Population Prospects 2024), POPULATION.csv thousands of people by 5-year age group (2019 revision).
Single years: death rates are log-linear between the middles of the age groups, and the probability of
death within a year is 1 - exp(-rate); people of an age group are shared evenly among its ages.
"""

from __future__ import annotations

import csv
import math
import sys
from pathlib import Path

FOLDER = Path("python/cohortsim/data/examples/own_country/populations/norway")
COUNTRY = "Norway"
PERIODS = {2002: "2000-2005", 2017: "2015-2020", 2032: "2030-2035"}  # middle of each
CENSUS = "2020"
AGES = range(20, 105)
SEXES = ("F", "M")
OPEN = 100  # the last age group, "100 and over"


def main(mortality: Path, population: Path) -> None:
    """Write both tables."""
    rates = {
        (row["period"], row["sex"], int(row["age_lo"])): float(row["mx"]) for row in rows(mortality)
    }
    lines = ["year,age,women,men"]
    for year, period in PERIODS.items():
        for age in AGES:
            q = [1 - math.exp(-rate(rates, period, sex, age + 0.5)) for sex in SEXES]
            lines.append(f"{year},{age}," + ",".join(f"{value:.6f}" for value in q))
    write("life_table.csv", lines)

    people = {
        (row["sex"], int(row["age_group"].split("-")[0].rstrip("+"))): row["population_thousands"]
        for row in rows(population)
        if row["year"] == CENSUS
    }
    lines = ["age,women,men"]
    for age in range(AGES.start, OPEN + 1):
        width = 1 if age == OPEN else 5
        held = [1000 * float(people[sex, age - age % 5]) / width for sex in SEXES]
        lines.append(f"{age}," + ",".join(f"{value:.0f}" for value in held))
    write("age_structure.csv", lines)


def rate(rates: dict[tuple[str, str, int], float], period: str, sex: str, age: float) -> float:
    """Return the death rate at an exact age: log-linear between middles of groups, held outside."""
    groups = sorted(low for p, s, low in rates if (p, s) == (period, sex) and low >= 5)
    middles = [low + 2.5 for low in groups]
    logs = [math.log(rates[period, sex, low]) for low in groups]
    if age >= middles[-1]:
        return math.exp(logs[-1])
    after = next(place for place, middle in enumerate(middles) if middle > age)
    share = (age - middles[after - 1]) / (middles[after] - middles[after - 1])
    return math.exp(logs[after - 1] + share * (logs[after] - logs[after - 1]))


def rows(path: Path) -> list[dict[str, str]]:
    """Return the rows of the country."""
    with path.open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if row["country"] == COUNTRY]


def write(name: str, lines: list[str]) -> None:
    """Write a table."""
    (FOLDER / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))

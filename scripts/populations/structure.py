"""Age structure and life table: persons by age from the census, one-year chances of death."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from populations.definitions import OPEN_AGE, SEXES, YEAR, Array
from populations.reading import InputError, column, read_table

CENSUS_FILE = "population_us_2010_2024.csv"
GROUPS_FILE = "population_wpp2019_5yr.csv"
LIFE_TABLE_FILE = "lifetable_us_1970_2020.csv"

LIFE_TABLE_AGES = 110


def read_census(folder: Path) -> pl.DataFrame:
    """Persons by single year of age, 2010 to 2024."""
    return read_table(folder, CENSUS_FILE, ("year", "sex", "age", "population"))


def read_groups(folder: Path) -> pl.DataFrame:
    """Persons by five-year group, for years before those of the census file."""
    columns = ("country", "year", "sex", "age_group", "population_thousands")
    return read_table(folder, GROUPS_FILE, columns)


def read_life_table(folder: Path) -> pl.DataFrame:
    """One-year chances of death by year, sex and age."""
    return read_table(folder, LIFE_TABLE_FILE, ("year", "sex", "age", "qx"))


def single_years(census: pl.DataFrame, year: int, sex: str) -> Array:
    """Persons aged 0, 1, ... 100 and over."""
    part = census.filter((pl.col("year") == year) & (pl.col("sex") == SEXES[sex])).sort("age")
    if part["age"].to_list() != list(range(OPEN_AGE + 1)):
        raise InputError(
            f"{CENSUS_FILE}: ages 0 to 100 of {year} are not complete; use a complete file."
        )
    return column(part, "population")


def persons_by_sex(census: pl.DataFrame, year: int) -> dict[str, Array]:
    """Persons of both sexes by single year of age."""
    return {sex: single_years(census, year, sex) for sex in SEXES}


def five_year_groups(groups: pl.DataFrame, year: int, sex: str) -> Array:
    """US persons aged 0 .. 100 and over; a five-year group is spread evenly over its years."""
    part = groups.filter(
        (pl.col("country") == "United States of America")
        & (pl.col("year") == year)
        & (pl.col("sex") == SEXES[sex])
    )
    persons = np.zeros(OPEN_AGE + 1)
    for group, thousands in part.select("age_group", "population_thousands").iter_rows():
        if group.endswith("+"):
            persons[OPEN_AGE] += 1000.0 * thousands
        else:
            low, high = (int(text) for text in group.split("-"))
            persons[low : high + 1] += 1000.0 * thousands / (high - low + 1)
    if not persons.all():
        raise InputError(
            f"{GROUPS_FILE}: US age groups of {year} are not complete; use a complete file."
        )
    return persons


def death_chances(life_table: pl.DataFrame) -> dict[str, list[float]]:
    """One-year chance of death at ages 0 to 109, by sex."""
    table = life_table.filter(pl.col("year") == YEAR).sort("sex", "age")
    chance = {sex: table.filter(pl.col("sex") == SEXES[sex])["qx"].to_list() for sex in SEXES}
    if any(len(values) != LIFE_TABLE_AGES for values in chance.values()):
        raise InputError(
            f"{LIFE_TABLE_FILE}: ages 0 to 109 of {YEAR} are not complete; use a complete file."
        )
    return chance

"""Age structure: persons by age from the census, from five-year groups, and shares of groups."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from populations.age_trend import fit_knots
from populations.definitions import FIVE_YEAR_MIDDLES, OPEN_AGE, SEXES, TOP_AGE, Array
from populations.reading import InputError, column, read_table

CENSUS_FILE = "population_us_2010_2024.csv"
GROUPS_FILE = "population_wpp2019_5yr.csv"

SHARE_PARAMETERS = 5.0  # effective parameters of a group's share by age


def read_census(folder: Path) -> pl.DataFrame:
    """Persons by single year of age, 2010 to 2024."""
    return read_table(folder, CENSUS_FILE, ("year", "sex", "age", "population"))


def read_groups(folder: Path) -> pl.DataFrame:
    """Persons by five-year group, for years before those of the census file."""
    columns = ("country", "year", "sex", "age_group", "population_thousands")
    return read_table(folder, GROUPS_FILE, columns)


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


UNITED_STATES = "United States of America"


def five_year_groups(
    groups: pl.DataFrame, year: int, sex: str, country: str = UNITED_STATES
) -> Array:
    """Persons aged 0 .. 100 and over; a five-year group is spread evenly over its years."""
    part = groups.filter(
        (pl.col("country") == country) & (pl.col("year") == year) & (pl.col("sex") == SEXES[sex])
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
            f"{GROUPS_FILE}: age groups of {country} in {year} are not complete; "
            "use a complete file."
        )
    return persons


def share_of_group(survey: pl.DataFrame, race: str, sex: str) -> Array:
    """Share of a group in the survey's persons, by completed age 0 .. 100: smooth, flat from 80."""
    people = survey.filter(pl.col("sex") == SEXES[sex])
    age = np.minimum(column(people, "age_years"), TOP_AGE) + 0.5
    weight = column(people, "wt_mec")
    is_in = (people["race_eth"].cast(pl.String) == race).to_numpy().astype(np.float64)
    middles = np.array([*FIVE_YEAR_MIDDLES, TOP_AGE + 0.5])
    share = fit_knots(age, is_in, weight / weight.mean(), middles, SHARE_PARAMETERS)
    ages = np.arange(OPEN_AGE + 1) + 0.5
    return np.asarray(np.interp(ages, middles, share), dtype=np.float64)

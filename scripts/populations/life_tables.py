"""Life tables by calendar year: one-year chances of death of women and men from 20 on.

United States and United Kingdom: national single-year tables, and in later years the last of them
times the ratio of projected to recent death rates (UN). Sweden: UN rates of age groups alone, laid
out log-linearly. Groups of the United States: the national table times a ratio that gives the
published life expectancy.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from populations.definitions import SEXES, YOUNGEST, Array
from populations.reading import InputError, read_table

US_FILE = "lifetable_us_1970_2020.csv"
UK_FILE = "lifetable_uk_1980_2019.csv"
UN_FILE = "mortality_wpp2024_5yr.csv"

LAST_AGE = 109
ALL_AGES: Array = np.arange(LAST_AGE + 1.0)
AGES: Array = np.arange(float(YOUNGEST), LAST_AGE + 1)

US_YEARS = (1980, 1990, 2000, 2004, 2010, 2019)  # not 2020, the pandemic
UK_PERIODS = {
    1981: "1980-1982",
    1991: "1990-1992",
    2001: "2000-2002",
    2010: "2009-2011",
    2018: "2017-2019",
}
UK_LAST_AGE = 100
UN_CENTRES = {1993 + 5 * i: f"{1990 + 5 * i}-{1995 + 5 * i}" for i in range(12)}  # 1993 .. 2048
SWEDISH_YEARS = (1993, 1998, 2003, 2013, 2018, 2028, 2038, 2048)
PROJECTED = (2030, 2040, 2050)
BASE_CENTRE = 2018  # of the rates to which projected ones are related
OPEN_GROUP = 100
OPEN_GROUP_AGE = 101.5  # mean age of those of 100 and over (assumption)

# Life expectancy at birth 2019, both sexes: all 78.8, non-Hispanic white 78.8, non-Hispanic black
# 74.8, Hispanic 81.9 (nchs2019lifetable). Black and white death rates meet at high age (assumption).
EXPECTANCY_2019 = {"all": 78.8, "black": 74.8, "hispanic": 81.9}
FADING = {"black": (60.0, 95.0), "hispanic": None}

Table = dict[str, Array]  # chances of death by sex
Tables = dict[int, Table]  # by calendar year


@dataclass(frozen=True)
class Deaths:
    """The input tables."""

    us: pl.DataFrame
    uk: pl.DataFrame
    un: pl.DataFrame

    @staticmethod
    def read(folder: Path) -> Deaths:
        """Read the life tables of a folder."""
        return Deaths(
            read_table(folder, US_FILE, ("year", "sex", "age", "qx")),
            read_table(folder, UK_FILE, ("period", "sex", "age", "qx")),
            read_table(folder, UN_FILE, ("country", "period", "age_lo", "sex", "mx")),
        )

    def united_states(self, group: str) -> Tables:
        """National tables, or of a group (black, hispanic)."""
        found = {year: self.us_year(year, YOUNGEST) for year in US_YEARS}
        found |= self.projected(found[US_YEARS[-1]], "United States of America")
        if group in FADING:
            ratio = self.group_ratio(group)[YOUNGEST:]
            found = {
                year: {sex: chance(ratio * hazard(q)) for sex, q in table.items()}
                for year, table in found.items()
            }
        return found

    def us_year(self, year: int, first: int) -> Table:
        """National table of a year from an age on."""
        made = {}
        for sex, code in SEXES.items():
            here = (pl.col("year") == year) & (pl.col("sex") == code) & (pl.col("age") >= first)
            made[sex] = ages_complete(self.us.filter(here), first, LAST_AGE, US_FILE, str(year))
        return made

    def united_kingdom(self) -> Tables:
        """National tables; from 100 on the slope of the log hazard since 90 goes on."""
        found: Tables = {}
        for year, period in UK_PERIODS.items():
            found[year] = {}
            for sex, code in SEXES.items():
                here = (pl.col("period") == period) & (pl.col("sex") == code)
                here &= pl.col("age") >= YOUNGEST
                q = ages_complete(self.uk.filter(here), YOUNGEST, UK_LAST_AGE, UK_FILE, period)
                log_hazard = np.log(hazard(q))
                slope = (log_hazard[-1] - log_hazard[-11]) / 10
                beyond = log_hazard[-1] + slope * np.arange(1, LAST_AGE - UK_LAST_AGE + 1)
                found[year][sex] = chance(np.exp(np.append(log_hazard, beyond)))
        return found | self.projected(found[max(UK_PERIODS)], "United Kingdom")

    def sweden(self) -> Tables:
        """UN rates of five-year groups, log-linear between the middles of the groups."""
        return {
            year: {sex: chance(np.exp(self.un_rate("Sweden", sex, year)(AGES))) for sex in SEXES}
            for year in SWEDISH_YEARS
        }

    # --- projections --------------------------------------------------------------------------

    def projected(self, last: Table, country: str) -> Tables:
        """The last table times the ratio of projected to recent UN rates."""
        made: Tables = {}
        for year in PROJECTED:
            made[year] = {}
            for sex in SEXES:
                change = self.un_rate(country, sex, year)(AGES)
                change = change - self.un_rate(country, sex, BASE_CENTRE)(AGES)
                made[year][sex] = chance(hazard(last[sex]) * np.exp(change))
        return made

    def un_rate(self, country: str, sex: str, year: int) -> Callable[[Array], Array]:
        """Log death rate by completed age in a year: log-linear between ages and centres."""
        centres = sorted(UN_CENTRES)
        place = min(max(0, sum(centre <= year for centre in centres) - 1), len(centres) - 2)
        low, high = centres[place], centres[place + 1]
        share = (year - low) / (high - low)  # above 1 after the last centre: its slope goes on
        middles, first = self.un_groups(country, sex, UN_CENTRES[low])
        _, second = self.un_groups(country, sex, UN_CENTRES[high])
        log_rate = (1 - share) * first + share * second
        slope = (log_rate[-1] - log_rate[-2]) / (middles[-1] - middles[-2])

        def at(age: Array) -> Array:
            beyond = np.maximum(age + 0.5 - middles[-1], 0.0)
            return np.asarray(np.interp(age + 0.5, middles, log_rate) + slope * beyond)

        return at

    def un_groups(self, country: str, sex: str, period: str) -> tuple[Array, Array]:
        """Middles of the age groups and log rates of a period."""
        here = (pl.col("country") == country) & (pl.col("period") == period)
        here &= (pl.col("sex") == SEXES[sex]) & (pl.col("age_lo") >= YOUNGEST - 5)
        part = self.un.filter(here).sort("age_lo")
        low = part["age_lo"].to_list()
        if low != list(range(YOUNGEST - 5, OPEN_GROUP + 1, 5)):
            raise InputError(
                f"{UN_FILE}: age groups of {country} in {period} are not complete; "
                "use a complete file."
            )
        middles = np.array([OPEN_GROUP_AGE if age == OPEN_GROUP else age + 2.5 for age in low])
        return middles, np.log(part["mx"].to_numpy())

    # --- groups of the United States --------------------------------------------------------------

    def group_ratio(self, group: str) -> Array:
        """Hazard of a group relative to everybody by age that gives its life expectancy."""
        table = self.us_year(US_YEARS[-1], 0)
        fade, full = FADING[group], np.ones(LAST_AGE + 1)
        share = full if fade is None else np.interp(ALL_AGES, fade, (1.0, 0.0))
        # The file's own expectancy is a little off the published one: the gap is what counts.
        target = EXPECTANCY_2019[group] - EXPECTANCY_2019["all"] + expectancy(table, full)
        low, high = -2.0, 2.0
        for _ in range(80):
            middle = (low + high) / 2
            longer = expectancy(table, np.exp(middle * share)) > target
            low, high = (middle, high) if longer else (low, middle)
        return np.asarray(np.exp(low * share))


def expectancy(table: Table, ratio: Array) -> float:
    """Life expectancy at birth under hazards times a ratio, mean of both sexes."""
    years = [np.exp(-np.cumsum(hazard(q) * ratio)).sum() + 0.5 for q in table.values()]
    return float(np.mean(years))


def hazard(q: Array) -> Array:
    """Hazard of one-year chances of death."""
    return -np.log1p(-np.minimum(q, 1 - 1e-9))


def chance(rate: Array) -> Array:
    """One-year chance of death of a hazard."""
    return -np.expm1(-rate)


def ages_complete(part: pl.DataFrame, first: int, last: int, file: str, what: str) -> Array:
    """Chances of death sorted by age; every age must be there."""
    part = part.filter(pl.col("age") <= last).sort("age")
    if part["age"].to_list() != list(range(first, last + 1)):
        raise InputError(
            f"{file}: ages {first} to {last} of {what} are not complete; use a complete file."
        )
    return np.asarray(part["qx"].to_numpy(), dtype=np.float64)

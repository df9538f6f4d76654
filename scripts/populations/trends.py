"""Secular trend of fracture incidence: change of the log a year. Sites that are not here have none."""

from __future__ import annotations

import math

Row = tuple[str, str, str, str, str, str]  # site, women, men, source, status, note

CALIFORNIA = math.log(0.98)  # rate ratio a year 2000-2011, adjusted for age, sex and race


def trend_rows(population: str) -> list[Row]:
    """Rows of secular_trend.csv of a population."""
    if population == "uk":
        change = math.log(101.8 / 102.0) / 11
        note = "England 1998-2009, both sexes, age-standardized 102.0 to 101.8 per 100,000"
        return [row("hip", change, change, "wu2011", "derived", note)]
    if population == "sweden":
        note = (
            "after 1996, both sexes, age-standardized -2.2 % a year (-2.8 to -1.6); stable before"
        )
        change = math.log(1 - 0.022)
        return [row("hip", change, change, "rosengren2012", "derived", note)]
    if population == "us":
        note = "California 2000-2011, 0.98 a year; 15.3 % in nine years of either sex in adams2013"
        return [row("hip", CALIFORNIA, CALIFORNIA, "sullivan2016", "derived", note)]
    note = (
        "Medicare 2000-2009: black people no significant, Hispanic people minimal change; as none"
    )
    return [row("hip", 0.0, 0.0, "wright2012", "derived", note)]


def row(site: str, women: float, men: float, source: str, status: str, note: str) -> Row:
    """One row as text."""
    return site, f"{women:.4f}", f"{men:.4f}", source, status, note

"""New or worse vertebral deformities by age and sex: what the films of the European study EPOS saw."""

from __future__ import annotations

import math

import numpy as np
import polars as pl

from populations.definitions import EXTRAPOLATED_SLOPE, LAST_KNOT, SEXES, Array
from populations.rates import Curve, Note
from populations.reading import InputError
from populations.structure import GROUPS_FILE

# Per 1,000 person-years at 50-54, at 75-79 and at 50-79 standardized for age (felsenberg2002).
EPOS = {"women": (3.6, 29.3, 10.7), "men": (0.9, 13.6, 5.7)}
MIDDLES: Array = np.array([52.5, 57.5, 62.5, 67.5, 72.5, 77.5])
YOUNG: Array = np.array([22.5, 32.5, 42.5])
YEAR_OF_STUDY = 1995
COUNTRIES = (
    *("Denmark", "Finland", "France", "Germany", "Italy", "Netherlands", "Norway", "Poland"),
    *("Spain", "Sweden", "Switzerland", "United Kingdom"),
)
# Relative to white people. Black: prevalence of deformities in women of 65 and over (cauley2008);
# Hispanic: that of clinical vertebral fractures in Medicare (taylor2011). All races: 1. Sweden: the
# centres of EVOS differ threefold, those of Scandinavia have most deformities (oneill1996), and
# with Europe's mean fewer would be clinical than Malmo counted: fitted to its lifetime risks at 45.
TO_WHITE = {"all": 1.0, "white": 1.0, "black": 10.6 / 19.1, "hispanic": 0.69, "sweden": 1.75}
# What the spine's new and worse compressions come to for each person whom films would show one in:
# fitted so that simulated pairs of films four years apart give the rates of EPOS (calibrated rows).
# Above 1 in old age, where one person has several; at the ages in between it also corrects the curve.
PER_FILM = {
    "women": np.array([1, 1, 1, 1.00, 0.95, 0.92, 1.02, 1.18, 1.42, 1.50]),
    "men": np.array([1, 1, 1, 0.86, 0.72, 0.70, 0.78, 0.94, 1.28, 1.36]),
}
SOURCES = {"black": "cauley2008", "hispanic": "taylor2011", "sweden": "oneill1996"}


def deformity_curves(groups: pl.DataFrame, group: str) -> dict[str, Curve]:
    """Rates per person-year by sex; `groups` are persons by country and five-year group."""
    return {sex: deformity_curve(europeans(groups, sex), sex, group) for sex in SEXES}


def europeans(groups: pl.DataFrame, sex: str) -> Array:
    """Persons of the bands 50-54 .. 75-79 in Europe."""
    part = groups.filter(
        pl.col("country").is_in(COUNTRIES)
        & (pl.col("year") == YEAR_OF_STUDY)
        & (pl.col("sex") == SEXES[sex])
    )
    bands = [f"{int(middle - 2.5)}-{int(middle + 1.5)}" for middle in MIDDLES]
    persons = [
        part.filter(pl.col("age_group") == band)["population_thousands"].sum() for band in bands
    ]
    if not all(persons):
        raise InputError(f"{GROUPS_FILE}: European age groups of {YEAR_OF_STUDY} are missing.")
    return np.array(persons, dtype=np.float64)


def deformity_curve(persons: Array, sex: str, group: str) -> Curve:
    """Log-quadratic at 50-79 through both ends and the standardized mean; half slope beyond."""
    first, last, mean = EPOS[sex]
    share = (MIDDLES - MIDDLES[0]) / (MIDDLES[-1] - MIDDLES[0])
    line = math.log(first) + share * math.log(last / first)
    low, high = -5.0, 5.0
    for _ in range(80):
        bow = (low + high) / 2
        rates = np.exp(line + bow * share * (1 - share))
        low, high = (bow, high) if np.average(rates, weights=persons) < mean else (low, bow)
    slope = math.log(last / first) / float(MIDDLES[-1] - MIDDLES[0])
    young = first * np.exp(slope * (YOUNG - MIDDLES[0]))
    last_slope = math.log(rates[-1] / rates[-2]) / float(MIDDLES[-1] - MIDDLES[-2])
    old = rates[-1] * math.exp(EXTRAPOLATED_SLOPE * last_slope * (LAST_KNOT - MIDDLES[-1]))
    return Curve(
        np.concatenate([YOUNG, MIDDLES, [LAST_KNOT]]),
        TO_WHITE[group] * PER_FILM[sex] * np.concatenate([young, rates, [old]]) / 1000,
        notes_of(group),
    )


def notes_of(group: str) -> list[Note]:
    """Source, status and note of each knot."""
    ratio = TO_WHITE[group]
    race = f" x {ratio:.2f} ({SOURCES[group]})" if group in SOURCES else ""
    young = f"mean slope since 50-54 continued below{race}"
    text = (
        f"EPOS, log-quadratic between both ends and the mean; compressions per film, fitted{race}"
    )
    old = f"extrapolated: half of the last slope{race}"
    notes: list[Note] = [("assumption", "assumption", young)] * len(YOUNG)
    notes += [("felsenberg2002", "calibrated", text)] * len(MIDDLES)
    return [*notes, ("assumption", "assumption", old)]

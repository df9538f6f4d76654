"""Rates by age: log-linear between knots that give the published means of age bands."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from populations.definitions import EXTRAPOLATED_SLOPE, LAST_KNOT, OPEN_AGE, Array

Rate = Callable[[Array], Array]  # of exact ages
Band = tuple[int, int]  # first and last completed age
Note = tuple[str, str, str]  # source, status, note

BANDS: tuple[Band, ...] = (
    (50, 54),
    (55, 59),
    (60, 64),
    (65, 69),
    (70, 74),
    (75, 79),
    (80, 84),
    (85, 120),
)
BANDS_65 = BANDS[3:]  # those of the sources on people of 65 and over

EXTRAPOLATED: Note = ("assumption", "assumption", "extrapolated: half of the last slope")


@dataclass(frozen=True)
class Curve:
    """Rates at knots of age, each with its note."""

    ages: Array
    rates: Array
    notes: list[Note]


def band_curve(rates: Sequence[float], persons: Array, notes: list[Note]) -> Curve:
    """Curve whose means over BANDS are the given rates."""
    ages, values = knots_of_bands(rates, persons)
    return Curve(ages, values, [*notes, EXTRAPOLATED])


def knots_of_bands(rates: Sequence[float], persons: Array) -> tuple[Array, Array]:
    """Knots whose means over BANDS, with these persons, are the given rates; last extrapolated.

    Rates rise so steeply with age that a knot at the mean age of a band, set to the band's rate,
    would give another mean. The values are corrected in turn, damped because neighbours interact.
    """
    ages = np.array([*(round(mean_age(persons, band), 1) for band in BANDS), LAST_KNOT])
    target: Array = np.array(rates, dtype=np.float64)
    values = target
    for _ in range(200):
        rate = log_linear(ages, np.append(values, tail_rate(ages, values)))
        means = np.array([band_mean(rate, persons, low, high) for low, high in BANDS])
        values = values * (target / means) ** 0.7
    return ages, np.append(values, tail_rate(ages, values))


def mean_age(persons: Array, band: Band) -> float:
    """Mean exact age of the persons in a band."""
    years = np.arange(band[0], min(band[1], OPEN_AGE) + 1)
    return float(np.average(years + 0.5, weights=persons[years]))


def persons_in(persons: Array, band: Band) -> float:
    """Persons in a band."""
    low, high = band
    return float(persons[low : min(high, OPEN_AGE) + 1].sum())


def band_mean(rate: Rate, persons: Array, low: int, high: int) -> float:
    """Person-weighted mean of a rate over completed ages low..high."""
    ages = np.arange(low + 0.5, min(high, OPEN_AGE) + 1)
    return float(np.average(rate(ages), weights=persons[low : min(high, OPEN_AGE) + 1]))


def log_linear(ages: Array, rates: Array) -> Rate:
    """Rate as a function of age: log-linear between knots, constant outside."""
    return lambda age: np.exp(np.interp(age, ages, np.log(rates)))


def tail_rate(ages: Array, values: Array) -> float:
    """Rate at the last age: half of the last log slope goes on."""
    slope = math.log(values[-1] / values[-2]) / (ages[-2] - ages[-3])
    return float(values[-1] * math.exp(EXTRAPOLATED_SLOPE * slope * (ages[-1] - ages[-2])))

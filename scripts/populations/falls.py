"""Falls a year by sex and age, from the shares of people who fell."""

from __future__ import annotations

import math

import numpy as np

from populations.definitions import LAST_KNOT, OPEN_AGE, SEXES, Array
from populations.rates import EXTRAPOLATED, Curve, Note, tail_rate

YEAR_OF_SOURCES = 2014  # its US population weights the published share
OLD = 65  # the share is of people of 65 and over

# Log SD of the rates of persons, the same as the parameter falls.proneness_sd of the model: the
# shares hold under this spread, so both change together.
PRONENESS_SD = 0.6
FALLERS_65_PLUS = 0.287  # bergen2016, FAL-002
FALLERS_MEN_TO_WOMEN = 0.805  # morrison2012, FAL-011
# Share who fell by age, relative to 65-74 (26.7 %, 29.8 %, 36.5 %: bergen2016, recalled); below 65
# an assumption between flat (men) and rising (women) in peeters2018.
FALLERS_BY_AGE = ((50.0, 0.80), (60.0, 0.90), (70.0, 1.0), (80.0, 29.8 / 26.7), (89.0, 36.5 / 26.7))

AGES: Array = np.array([age for age, _ in FALLERS_BY_AGE])
RELATIVE: Array = np.array([share for _, share in FALLERS_BY_AGE])
SEX_RATIO = {"women": 1.0, "men": FALLERS_MEN_TO_WOMEN}


def falls_curves(persons: dict[str, Array]) -> dict[str, Curve]:
    """Mean falls a year by sex; `persons` is the US population."""
    level = fallers_at_70(persons)
    return {sex: falls_curve(level * SEX_RATIO[sex]) for sex in SEXES}


def fallers_at_70(persons: dict[str, Array]) -> float:
    """Share of women of 70 who fall that meets the published share of both sexes."""
    old = np.arange(OLD, OPEN_AGE + 1)
    relative = np.interp(old + 0.5, AGES, RELATIVE)
    expected = sum(float((persons[sex][old] * SEX_RATIO[sex] * relative).sum()) for sex in SEXES)
    return FALLERS_65_PLUS * sum(float(persons[sex][old].sum()) for sex in SEXES) / expected


def falls_curve(level: float) -> Curve:
    """Mean falls a year of one sex from the share that falls at 70."""
    shares = [level * relative for _, relative in FALLERS_BY_AGE]
    rates = np.array([mean_falls(share, PRONENESS_SD) for share in shares])
    ages = np.append(AGES, LAST_KNOT)
    notes = [note_of(age, share) for age, share in zip(AGES, shares, strict=True)]
    return Curve(ages, np.append(rates, tail_rate(ages, rates)), [*notes, EXTRAPOLATED])


def note_of(age: float, share: float) -> Note:
    """Source, status and note at one age."""
    text = f"{100 * share:.1f} % fall in a year, lognormal rates, log SD {PRONENESS_SD}"
    if age < OLD:
        return "peeters2018", "assumption", f"{text}; age pattern below 65 assumed"
    return "bergen2016", "derived", f"{text}; age pattern recalled, men:women morrison2012"


def mean_falls(share: float, sd: float) -> float:
    """Mean rate with which `share` fall in a year if rates are lognormal with this log SD."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(64)
    weights = weights / weights.sum()
    factor = np.exp(sd * nodes - sd * sd / 2)
    low, high = 1e-6, 50.0
    for _ in range(200):
        middle = math.sqrt(low * high)
        fell = 1 - float((weights * np.exp(-middle * factor)).sum())
        low, high = (middle, high) if fell < share else (low, middle)
    return low

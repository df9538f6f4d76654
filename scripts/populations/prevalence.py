"""Prevalence by age of the characteristics that a person has or has not."""

from __future__ import annotations

import numpy as np
import polars as pl

from populations.age_trend import fit_knots
from populations.definitions import (
    ARTHRITIS,
    BINARY_ORDER,
    FIVE_YEAR_MIDDLES,
    GLUCOCORTICOIDS,
    LAST_KNOT,
    SEXES,
    Array,
)
from populations.reading import column
from populations.survey import aged, known, people_of

PARAMETERS = 5.0  # effective parameters of a prevalence by age
LIMITS = (0.001, 0.999)  # keep the latent threshold finite

# Adults (20 and over) who take an oral glucocorticoid now (overman2013).
GLUCOCORTICOID_NOW = 0.012
# Rheumatoid arthritis by criteria at 60 and over, both sexes (rasch2003), where 10 % report it; women
# and men as in insurance claims of adults (hunter2017).
ARTHRITIS_60 = 0.0215
ARTHRITIS_AGES = (60, 120)
ARTHRITIS_CLAIMS = {"women": 0.00755, "men": 0.0030}

Prevalence = dict[tuple[str, str], tuple[Array, Array]]  # (characteristic, sex) -> ages, values


def fit_prevalence(people: dict[str, pl.DataFrame], top: dict[str, float]) -> Prevalence:
    """Prevalence as the survey asked it; of glucocorticoids, use ever for a month or more."""
    return {
        (name, sex): fit_binary(name, people[sex], top[sex])
        for sex in SEXES
        for name in BINARY_ORDER
    }


def fit_binary(name: str, people: pl.DataFrame, top: float) -> tuple[Array, Array]:
    """Prevalence at the knots of age; the last knot repeats the one before."""
    part = known(people, name)
    ages = np.array([*FIVE_YEAR_MIDDLES, top])
    values = fit_knots(
        column(part, "age"), column(part, name), column(part, "weight"), ages, PARAMETERS
    )
    return np.append(ages, LAST_KNOT), np.clip(np.append(values, values[-1]), *LIMITS)


def as_published(reported: Prevalence, survey: pl.DataFrame, top: dict[str, float]) -> Prevalence:
    """Scale what is over-reported or asked for ever: glucocorticoids and rheumatoid arthritis.

    Age (and for glucocorticoids sex) pattern as reported, the total as published (assumption).
    Published totals are of all races, so they are compared with everybody in the survey.
    """
    factor = factors(survey, top)
    return {
        (name, sex): (ages, values * factor.get((name, sex), 1.0))
        for (name, sex), (ages, values) in reported.items()
    }


def factors(survey: pl.DataFrame, top: dict[str, float]) -> dict[tuple[str, str], float]:
    """Published over reported prevalence, by characteristic and sex."""
    everybody = {sex: people_of(survey, sex, None, top[sex]) for sex in SEXES}
    both = pl.concat(everybody.values())
    found = {(GLUCOCORTICOIDS, sex): GLUCOCORTICOID_NOW for sex in SEXES}
    found = {key: now / reported(both, key[0]) for key, now in found.items()}
    sexes = {
        sex: ARTHRITIS_CLAIMS[sex] / reported(people, ARTHRITIS)
        for sex, people in everybody.items()
    }
    old = pl.concat(
        [
            aged(people, *ARTHRITIS_AGES).with_columns(pl.col(ARTHRITIS) * sexes[sex])
            for sex, people in everybody.items()
        ]
    )
    level = ARTHRITIS_60 / reported(old, ARTHRITIS)
    return found | {(ARTHRITIS, sex): level * share for sex, share in sexes.items()}


def reported(people: pl.DataFrame, name: str) -> float:
    """Weighted share of people with a characteristic."""
    part = known(people, name)
    return float(np.average(column(part, name), weights=column(part, "wt_mec")))

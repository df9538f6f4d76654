"""Prevalence by age of the characteristics that a person has or has not."""

from __future__ import annotations

import numpy as np
import polars as pl

from populations.age_trend import fit_knots
from populations.definitions import (
    BINARY_ORDER,
    FIVE_YEAR_MIDDLES,
    GLUCOCORTICOIDS,
    LAST_KNOT,
    SEXES,
    Array,
)
from populations.reading import column
from populations.survey import known, people_of

PARAMETERS = 5.0  # effective parameters of a prevalence by age
LIMITS = (0.001, 0.999)  # keep the latent threshold finite

# Adults (20 and over) who take an oral glucocorticoid now (overman2013).
GLUCOCORTICOID_NOW = 0.012

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


def with_current_glucocorticoids(
    ever: Prevalence, survey: pl.DataFrame, top: dict[str, float]
) -> Prevalence:
    """Turn use ever into current use: its age and sex pattern, the published total (assumption).

    The published total is of all races, so it is compared with everybody in the survey.
    """
    everybody = pl.concat(
        [known(people_of(survey, sex, False, top[sex]), GLUCOCORTICOIDS) for sex in SEXES]
    )
    scale = GLUCOCORTICOID_NOW / float(
        np.average(column(everybody, GLUCOCORTICOIDS), weights=column(everybody, "wt_mec"))
    )
    return {
        key: (ages, values * scale) if key[0] == GLUCOCORTICOIDS else (ages, values)
        for key, (ages, values) in ever.items()
    }

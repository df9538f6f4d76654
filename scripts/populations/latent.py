"""What the survey tells of a person's latent normals: scores with age taken out."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import polars as pl

from populations.activity import ACTIVITY_FLOOR
from populations.definitions import (
    ACTIVITY,
    BINARY_ORDER,
    CALCIUM,
    CONTINUOUS,
    MENOPAUSE,
    Array,
    Continuous,
    forward,
)
from populations.distribution import (
    Model,
    Models,
    inverse_q,
    normal_cdf,
    normal_density,
    normal_inverse,
    weighted_ranks,
)
from populations.prevalence import Prevalence
from populations.reading import column
from populations.survey import ACTIVITY_COLUMN, CALCIUM_COLUMN


@dataclass(frozen=True)
class Score:
    """What is known of a latent normal: a score (maybe a conditional mean) or a binary."""

    value: Array  # NaN where unknown
    threshold: Array | None = None  # of a binary: present when latent > threshold
    reliability: float = 1.0
    coarse: bool = False  # value is a conditional mean: divide by its variance


def scores(
    sex: str, people: pl.DataFrame, models: Models, prevalence: Prevalence
) -> dict[str, Score]:
    """Latent scores of all measured characteristics of one sex."""
    found = {spec.name: measured(spec, models[spec.name, sex], people) for spec in CONTINUOUS}
    found[CALCIUM] = calcium_score(models[CALCIUM, sex], people)
    found[ACTIVITY] = activity_score(models[ACTIVITY, sex], people)
    if sex == "women":
        weight = column(people, "weight")
        found[MENOPAUSE] = Score(normal_scores(column(people, MENOPAUSE), weight))
    age = column(people, "age")
    for name in BINARY_ORDER:
        ages, values = prevalence[name, sex]
        threshold = -normal_inverse(np.interp(age, ages, values))
        found[name] = Score(column(people, name), threshold=threshold)
    return found


def normal_scores(y: Array, weight: Array) -> Array:
    """Normal scores of weighted ranks, NaN where unknown."""
    known = np.isfinite(y)
    out = np.full_like(y, np.nan)
    out[known] = normal_inverse(weighted_ranks(y[known], weight[known]))
    return out


def measured(spec: Continuous, model: Model, people: pl.DataFrame) -> Score:
    """Score of a value standardized for age."""
    age = column(people, "age")
    y = forward(spec.transform, column(people, spec.column))
    standardized = (y - model.knots.location_at(age)) / model.knots.spread_at(age)
    return Score(normal_scores(standardized, column(people, "weight")))


def calcium_score(model: Model, people: pl.DataFrame) -> Score:
    """Score of one day's intake, whose reliability is the variance of usual intake over its own."""
    calcium, weight = column(people, CALCIUM_COLUMN), column(people, "weight")
    location = model.knots.location_at(column(people, "age"))
    log_calcium = np.log(np.where(calcium > 0, calcium, np.nan)) - location
    known = np.isfinite(log_calcium)
    one_day = math.sqrt(float(np.cov(log_calcium[known], aweights=weight[known])))
    reliability = (model.knots.spread[0] / one_day) ** 2
    return Score(normal_scores(log_calcium, weight), reliability=reliability)


def activity_score(model: Model, people: pl.DataFrame) -> Score:
    """Latent normal of those with activity; of those without, its mean below the floor."""
    y = forward("log1p", column(people, ACTIVITY_COLUMN))
    latent = inverse_q(model, np.maximum(y, ACTIVITY_FLOOR), column(people, "age"))
    value = np.where(y < ACTIVITY_FLOOR, -normal_density(latent) / normal_cdf(latent), latent)
    return Score(np.where(np.isfinite(y), value, np.nan), coarse=True)

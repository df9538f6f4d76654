"""One population: everything that is fitted to the survey, from the input files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from populations.activity import fit_activity
from populations.correlation import correlation_matrix
from populations.definitions import (
    ACTIVITY,
    CALCIUM,
    CONTINUOUS,
    DISTAL_RADIUS,
    FEMORAL_NECK,
    MENOPAUSE,
    SEXES,
    YEAR,
    Array,
)
from populations.distribution import Model, Models
from populations.marginals import fit_calcium, fit_continuous, fit_menopause
from populations.osteoporosis import match_classes
from populations.prevalence import Prevalence, fit_prevalence, with_current_glucocorticoids
from populations.radius import radius_model
from populations.reading import InputError
from populations.structure import read_census, read_groups, read_life_table, single_years
from populations.survey import people_of, read_survey, top_mean_age


@dataclass(frozen=True)
class Inputs:
    """The input files."""

    survey: pl.DataFrame
    census: pl.DataFrame
    groups: pl.DataFrame
    life_table: pl.DataFrame


def read_inputs(folder: Path) -> Inputs:
    """Read all input files."""
    if not folder.is_dir():
        raise InputError(
            f"{folder}: no such folder; name the folder that holds the survey data with --data DIR."
        )
    return Inputs(
        read_survey(folder), read_census(folder), read_groups(folder), read_life_table(folder)
    )


@dataclass(frozen=True)
class Population:
    """One population, fitted."""

    name: str
    white: bool
    people: dict[str, pl.DataFrame]
    models: Models
    prevalence: Prevalence
    correlation: dict[str, Array]


def derive(name: str, white: bool, inputs: Inputs) -> Population:
    """Fit everything of one population."""
    # People of all races give the mean age of those of 80 and over: single ages are few.
    top = {sex: top_mean_age(inputs.survey, inputs.census, sex) for sex in SEXES}
    people = {sex: people_of(inputs.survey, sex, white, top[sex]) for sex in SEXES}
    models: Models = {}
    for sex in SEXES:
        persons = single_years(inputs.census, YEAR, sex)
        for characteristic, model in fit_models(people[sex], persons, sex, top[sex]).items():
            models[characteristic, sex] = model
    ever = fit_prevalence(people, top)
    # Correlation goes with the answers as given, so with use of glucocorticoids ever.
    correlation = {sex: correlation_matrix(sex, people[sex], models, ever) for sex in SEXES}
    prevalence = with_current_glucocorticoids(ever, inputs.survey, top)
    return Population(name, white, people, models, prevalence, correlation)


def fit_models(people: pl.DataFrame, persons: Array, sex: str, top: float) -> dict[str, Model]:
    """Fit all continuous characteristics of one sex; `persons` is the census by age."""
    models = {spec.name: fit_continuous(spec, people, top) for spec in CONTINUOUS}
    models[FEMORAL_NECK] = match_classes(models[FEMORAL_NECK], people, persons)
    models[DISTAL_RADIUS] = radius_model(sex)
    models[CALCIUM] = fit_calcium(people, sex, top)
    models[ACTIVITY] = fit_activity(people, top)
    if sex == "women":
        models[MENOPAUSE] = fit_menopause(people)
    return models

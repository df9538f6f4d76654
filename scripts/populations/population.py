"""One population: everything that is fitted to the survey, from the input files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from populations.activity import fit_activity
from populations.correlation import correlation_matrix
from populations.definitions import (
    ACTIVITY,
    ARTHRITIS,
    CALCIUM,
    CONTINUOUS,
    DISTAL_RADIUS,
    FEMORAL_NECK,
    FRAILTY,
    MENOPAUSE,
    SEXES,
    YEAR,
    Array,
    Group,
)
from populations.distribution import Model, Models
from populations.frailty import frailty_model
from populations.life_tables import Deaths
from populations.marginals import fit_calcium, fit_continuous, fit_menopause
from populations.osteoporosis import match_classes
from populations.prevalence import Prevalence, as_published, fit_prevalence
from populations.radius import radius_model
from populations.reading import InputError
from populations.structure import (
    persons_by_sex,
    read_census,
    read_groups,
    share_of_group,
)
from populations.survey import people_of, read_survey, top_mean_age


@dataclass(frozen=True)
class Inputs:
    """The input files."""

    survey: pl.DataFrame
    census: pl.DataFrame
    groups: pl.DataFrame
    deaths: Deaths

    def persons(self, group: Group) -> dict[str, Array]:
        """US persons of a group by sex and age in YEAR.

        Non-Hispanic white people have the national structure; the small groups are much younger,
        so theirs is the national one times their share in the survey by age.
        """
        everybody = persons_by_sex(self.census, YEAR)
        if group.race is None or not group.small:
            return everybody
        return {
            sex: persons * share_of_group(self.survey, group.race, sex)
            for sex, persons in everybody.items()
        }


def read_inputs(folder: Path) -> Inputs:
    """Read all input files."""
    if not folder.is_dir():
        raise InputError(
            f"{folder}: no such folder; name the folder that holds the survey data with --data DIR."
        )
    return Inputs(
        read_survey(folder), read_census(folder), read_groups(folder), Deaths.read(folder)
    )


@dataclass(frozen=True)
class Population:
    """One population that the survey describes, fitted."""

    group: Group
    people: dict[str, pl.DataFrame]
    models: Models
    prevalence: Prevalence
    correlation: dict[str, Array]

    @property
    def name(self) -> str:
        """Id of the population, which names its folder."""
        return self.group.name


def derive(group: Group, inputs: Inputs, everybody: Population | None) -> Population:
    """Fit everything of one population; `everybody` lends a small one what few people cannot tell.

    Rheumatoid arthritis is that of everybody in all of them: over-reporting differs more between
    groups than the disease does.
    """
    # People of all races give the mean age of those of 80 and over: single ages are few.
    top = {sex: top_mean_age(inputs.survey, inputs.census, sex) for sex in SEXES}
    people = {sex: people_of(inputs.survey, sex, group.race, top[sex]) for sex in SEXES}
    persons = inputs.persons(group)
    models: Models = {}
    for sex in SEXES:
        fitted = fit_models(people[sex], persons[sex], sex, top[sex], group.small)
        for characteristic, model in fitted.items():
            models[characteristic, sex] = model
    told = fit_prevalence(people, top)
    # Correlation goes with the answers as given, so with use of glucocorticoids ever.
    lent = everybody.correlation if everybody and group.small else {}
    correlation = {
        sex: correlation_matrix(sex, people[sex], models, told, lent.get(sex)) for sex in SEXES
    }
    prevalence = as_published(told, inputs.survey, top)
    if everybody is not None:
        of_all = everybody.prevalence.items()
        prevalence |= {key: knots for key, knots in of_all if key[0] == ARTHRITIS}
    return Population(group, people, models, prevalence, correlation)


def fit_models(
    people: pl.DataFrame, persons: Array, sex: str, top: float, small: bool
) -> dict[str, Model]:
    """Fit all continuous characteristics of one sex; `persons` is the population by age."""
    models = {spec.name: fit_continuous(spec, people, top, small) for spec in CONTINUOUS}
    models[FEMORAL_NECK] = match_classes(models[FEMORAL_NECK], people, persons, small)
    models[DISTAL_RADIUS] = radius_model(sex)
    models[CALCIUM] = fit_calcium(people, sex, top)
    models[ACTIVITY] = fit_activity(people, top)
    models[FRAILTY] = frailty_model()
    if sex == "women":
        models[MENOPAUSE] = fit_menopause(people)
    return models

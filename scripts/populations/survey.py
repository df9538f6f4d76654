"""The health survey: examined persons of NHANES 2005-2010 with their weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from populations.definitions import (
    ALCOHOL,
    ARTHRITIS,
    DIABETES,
    GLUCOCORTICOIDS,
    MENOPAUSE,
    OPEN_AGE,
    PRIOR_FRACTURE,
    SEXES,
    TOP_AGE,
    YOUNGEST,
)
from populations.reading import column, read_table
from populations.structure import single_years

SURVEY_FILE = "nhanes_2005_2010.parquet"
SURVEY_COLUMNS = (
    "cycle",
    "sex",
    "age_years",
    "race_eth",
    "wt_mec",
    "wt_diet_d1",
    "weight_kg",
    "height_cm",
    "fn_bmd",
    "th_bmd",
    "ls_bmd",
    "fx_hip_ever",
    "fx_hip_first_age",
    "fx_wrist_ever",
    "fx_wrist_first_age",
    "fx_spine_ever",
    "fx_spine_first_age",
    "glucocort_daily",
    "mother_hip_fx",
    "father_hip_fx",
    "calcium_mg_d1",
    "vitd25oh_nmol_l",
    "smoking",
    "drinks_per_day",
    "rheum_arthritis",
    "diabetes",
    "met_min_week",
    "no_period_reason",
    "age_last_period",
    "hysterectomy",
)
CALCIUM_COLUMN = "calcium_mg_d1"  # one 24-hour recall, food without supplements
DIET_WEIGHT = "wt_diet_d1"  # weight of those who gave that recall
ACTIVITY_COLUMN = "met_min_week"  # asked from 2007 on

# Other bones are left out: the age and force of their fractures are not known.
FRACTURES_ASKED = ("hip", "wrist", "spine")
ADULT = 20
UNKNOWN_AGE = 99  # a fracture of unknown age counts as adult

CURRENT_SMOKER = 2
# Mean over the year from which alcohol counts: 2 US drinks of 14 g on every day (written 1.995) are
# 28 g, 3 units of 8-10 g.
DRINKS_A_DAY = 1.99
NATURAL_MENOPAUSE = 7  # reason for no period
MENOPAUSE_ASKED_AT = (55, 75)  # nearly all are past it at 55; recall fades with age

OLDEST_SINGLE_AGE_2005 = 85  # 2005-2006 gives single ages to 84


def read_survey(folder: Path) -> pl.DataFrame:
    """Read adults."""
    return read_table(folder, SURVEY_FILE, SURVEY_COLUMNS).filter(pl.col("age_years") >= YOUNGEST)


def top_mean_age(survey: pl.DataFrame, census: pl.DataFrame, sex: str) -> float:
    """Mean age of scanned people of 80 and over.

    2005-2006 gives single ages to 84 and the share of 85 and over, whose mean age is that of the
    2010 census population.
    """
    part = survey.filter(
        (pl.col("cycle") == "2005-2006")
        & (pl.col("sex") == SEXES[sex])
        & (pl.col("age_years") >= TOP_AGE)
        & pl.col("fn_bmd").is_not_null()
    )
    persons = single_years(census, 2010, sex)
    old = np.arange(OLDEST_SINGLE_AGE_2005, OPEN_AGE + 1)
    mean_of_old = float(np.average(old + 0.5, weights=persons[old]))
    age = column(part, "age_years")
    exact = np.where(age >= OLDEST_SINGLE_AGE_2005, mean_of_old, age + 0.5)
    return round(float(np.average(exact, weights=column(part, "wt_mec"))), 1)


def people_of(survey: pl.DataFrame, sex: str, race: str | None, top: float) -> pl.DataFrame:
    """Persons of one sex with exact age, mean-one weight and what is defined from answers.

    Exact age is the middle of the completed year, and `top` for all of 80 and over.
    """
    survey = survey.filter(pl.col("sex") == SEXES[sex])
    if race is not None:
        survey = survey.filter(pl.col("race_eth") == race)
    age = pl.when(pl.col("age_years") >= TOP_AGE).then(top).otherwise(pl.col("age_years") + 0.5)
    weight = pl.col("wt_mec").cast(pl.Float64)
    return survey.with_columns(
        age.alias("age"),
        (weight / weight.mean()).alias("weight"),
        age_at_natural_menopause().alias(MENOPAUSE),
        *binary_characteristics(),
    )


def known(people: pl.DataFrame, name: str) -> pl.DataFrame:
    """Persons with a known value of a column."""
    return people.filter(pl.col(name).is_not_null())


def aged(people: pl.DataFrame, low: int, high: int) -> pl.DataFrame:
    """Persons of completed ages low..high."""
    return people.filter(pl.col("age_years").is_between(low, high))


def binary_characteristics() -> list[pl.Expr]:
    """Expressions that give each binary characteristic as 0, 1 or unknown."""
    mother, father = pl.col("mother_hip_fx"), pl.col("father_hip_fx")
    return [
        adult_fracture().alias(PRIOR_FRACTURE),
        pl.col("glucocort_daily").cast(pl.Float64).alias(GLUCOCORTICOIDS),
        pl.max_horizontal(mother, father).cast(pl.Float64).alias("parental_hip_fracture"),
        (pl.col("smoking") == CURRENT_SMOKER).cast(pl.Float64).alias("smoking"),
        (pl.col("drinks_per_day") >= DRINKS_A_DAY).cast(pl.Float64).alias(ALCOHOL),
        pl.col("rheum_arthritis").cast(pl.Float64).alias(ARTHRITIS),
        pl.col(DIABETES).cast(pl.Float64),
    ]


def adult_fracture() -> pl.Expr:
    """Hip, wrist or spine fracture first suffered at 20 or later (unknown age counts as adult).

    Only the age at the first one is known: a limit of 50 would lose the later ones.
    """
    parts = [
        (pl.col(f"fx_{site}_ever") == 1)
        & (pl.col(f"fx_{site}_first_age").fill_null(UNKNOWN_AGE) >= ADULT)
        for site in FRACTURES_ASKED
    ]
    asked = pl.any_horizontal([pl.col(f"fx_{site}_ever").is_not_null() for site in FRACTURES_ASKED])
    return pl.when(asked).then(pl.any_horizontal(parts).fill_null(False).cast(pl.Float64))


def age_at_natural_menopause() -> pl.Expr:
    """Completed age at it, of women of 55-75 without hysterectomy; otherwise unknown."""
    natural = (
        (pl.col("no_period_reason") == NATURAL_MENOPAUSE)
        & (pl.col("hysterectomy") == 0)
        & pl.col("age_years").is_between(*MENOPAUSE_ASKED_AT)
    )
    return pl.when(natural).then(pl.col("age_last_period"))

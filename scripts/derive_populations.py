#!/usr/bin/env python3
"""Derive the shipped population tables from survey, census and life-table data.

    python scripts/derive_populations.py [--data DIR] [--out DIR] [--check]

Reads public data (by default from ``../shared/data`` beside the repository) and writes, for each
population, the CSV tables that ``population.yaml`` describes: age structure, life table, knots and
quantile functions of the continuous characteristics, latent-normal correlation, prevalence of the
binary characteristics, fracture incidence and falls. Only aggregated figures are written, never a
record of a person. The same input gives the same bytes.

A person's value is ``location(age) + spread(age) * Q(z)`` with a standard normal ``z``, then the
inverse of the transform; a binary characteristic is present when its latent normal exceeds
``inverse_normal(1 - prevalence(age))``, so a positive correlation means "present with more of it".

Methods, in short:

* Location is a piecewise linear function of age whose knots (middles of five-year bands, and the
  mean age of those 80 and over) are fitted to individual data by weighted least squares with a
  penalty on changes of slope. The penalty gives a stated number of effective parameters. Spread is
  the square root of the same fit to squared residuals.
* The last knot, at 95, continues the mean slope since 67.5 at half its size; spread stays.
* Q is the weighted quantile function of the standardized residuals, averaged over a window of 0.4
  in z, straight beyond |z| = 2.25, standardized to mean 0 and SD 1.
* Femoral neck: location and spread from 50 on are then moved, within about their standard errors,
  towards the survey's shares of osteoporosis and osteopenia by decade (a penalized least-squares
  step), because these shares are what the table is used for.
* Activity has a third of people at zero: location, spread and Q are fitted in turn to the quantiles
  by ten-year band, so that the latent value falls below log1p(30) with the survey's chance. Values
  below zero after the inverse transform (never below -1) mean none.
* Usual calcium intake is lognormal, with the recall's mean by age and the published spread of usual
  intake; its correlations are corrected for the day-to-day variation of one recall.
* Correlations are those of the latent normals at ages 50 and over with age taken out.

``--check`` simulates people from the written tables and compares them with the survey.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import NormalDist

import numpy as np
import numpy.typing as npt
import polars as pl

Array = npt.NDArray[np.float64]

ROOT = Path(__file__).resolve().parents[1]
NORMAL = NormalDist()
SEXES = {"women": "F", "men": "M"}
YEAR = 2019

# --- survey ---------------------------------------------------------------------------------

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
    "met_min_week",
    "no_period_reason",
    "age_last_period",
    "hysterectomy",
)
POPULATION_FILE = "population_us_2010_2024.csv"
GROUPS_FILE = "population_wpp2019_5yr.csv"
LIFE_TABLE_FILE = "lifetable_us_1970_2020.csv"

TOP_AGE = 80  # ages are top-coded at 80 (85 in 2005-2006)
BAND_MIDDLES = tuple(22.5 + 5 * i for i in range(12))  # 22.5 .. 77.5
LAST_KNOT = 95.0
EXTRAPOLATED_SLOPE = 0.5  # share of the slope since SLOPE_FROM that continues to LAST_KNOT
SLOPE_FROM = 67.5
Z_KNOTS: Array = np.linspace(-3.5, 3.5, 29)

# --- reference values -------------------------------------------------------------------------

FEMORAL_NECK_MEAN, FEMORAL_NECK_SD = 0.858, 0.120  # women 20-29, looker1998

# Usual calcium intake from food: mean (mg/d), share above 1200 mg/d, at 51-70 and 71+ (bailey2010).
USUAL_CALCIUM = {"women": ((788.0, 0.09), (748.0, 0.08)), "men": ((951.0, 0.22), (871.0, 0.15))}
USUAL_CALCIUM_LIMIT = 1200.0

# Adults (20 and over) who take an oral glucocorticoid now (overman2013).
GLUCOCORTICOID_NOW = 0.012

# Distal (one-third) radius was not scanned. Young-adult mean and SD (g/cm2) as the maker gives them
# (hologic_radius, recalled); loss with age as in the forearm of the Tromso study (berntsen2001),
# times 0.7 because the one-third site is cortical; SD widens with age (assumption).
RADIUS_YOUNG = {"women": (0.690, 0.055), "men": (0.815, 0.063)}
RADIUS_LOSS_PER_YEAR = {
    "women": ((0.0, 0.001), (50.0, 0.013), (65.0, 0.007)),
    "men": ((0.0, 0.001), (50.0, 0.006)),
}
RADIUS_CORTICAL_SHARE = 0.7
RADIUS_SD_AT_80 = {"women": 0.070, "men": 0.076}
RADIUS_CORRELATION = (0.55, 0.55, 0.55)  # with femoral neck, total hip, lumbar spine (forearm1990)

THRESHOLD_WEIGHT = 5.0
ACTIVITY_FLOOR = math.log1p(30.0)  # latent log1p(MET min/wk) at which any activity is reported

DECADES = ((50, 59), (60, 69), (70, 79), (80, 120))

FALLS_PRONENESS_SD = 0.6
FALLERS_65_PLUS = 0.287  # bergen2016, FAL-002
FALLERS_MEN_TO_WOMEN = 0.805  # morrison2012, FAL-011
# Share who fell by age, relative to 65-74 (26.7 %, 29.8 %, 36.5 %: bergen2016, recalled); below 65
# an assumption between flat (men) and rising (women) in peeters2018.
FALLERS_BY_AGE = ((50.0, 0.80), (60.0, 0.90), (70.0, 1.0), (80.0, 29.8 / 26.7), (89.0, 36.5 / 26.7))

# --- fracture incidence -------------------------------------------------------------------------

BANDS = ((50, 54), (55, 59), (60, 64), (65, 69), (70, 74), (75, 79), (80, 84), (85, 120))
BANDS_65 = BANDS[3:]
# Hip, per 1,000 person-years, US non-Hispanic white people 2006 (ettinger2010).
HIP_NHW = {
    "women": (0.29, 0.57, 1.05, 2.03, 3.94, 7.93, 14.47, 26.05),
    "men": (0.28, 0.38, 0.66, 1.18, 2.10, 4.02, 8.13, 16.30),
}
HIP_ALL_65 = {"women": 7.935, "men": 3.690}  # per 1,000, US Medicare 2005 (brauer2009)


@dataclass(frozen=True)
class Medicare:
    """Incidence in US Medicare 2000-2005 (taylor2011): crude rate and rate ratios."""

    per_1000: float
    men: float  # rate ratio men : women
    ages: tuple[float, ...]  # rate ratios of BANDS_65, first 1
    races: tuple[float, float, float, float]  # Asian, African, Hispanic, other : white


MEDICARE = {
    "clinical_vertebral": Medicare(
        6.30, 0.58, (1, 1.72, 2.80, 4.24, 6.00), (0.80, 0.25, 0.69, 0.74)
    ),
    "distal_forearm": Medicare(3.45, 0.23, (1, 1.27, 1.65, 2.00, 2.34), (0.63, 0.32, 0.90, 0.69)),
    "humerus": Medicare(2.74, 0.38, (1, 1.43, 2.06, 2.70, 3.86), (0.52, 0.36, 0.74, 0.72)),
    "tibia_fibula": Medicare(0.90, 0.49, (1, 1.19, 1.44, 1.64, 2.32), (0.45, 0.88, 0.94, 0.81)),
}
MEDICARE_RACES = (
    0.015,
    0.08,
    0.015,
    0.01,
)  # shares of Asian, African, Hispanic, other (wright2012)

# Clinical vertebral fracture, women 50-64, Malmo, per 1,000 (kanis2000, in ettinger2010 table 3).
VERTEBRAL_50_64 = (1.17, 1.27, 2.12)
# Distal forearm 50-64 relative to 65-69: women rise after menopause (vanstaa2001, recalled), men
# are flat (assumption).
FOREARM_50_64 = {"women": (0.59, 0.76, 0.90), "men": (1.0, 1.0, 1.0)}
PROXIMAL_SHARE_OF_HUMERUS = 0.78  # at 65 and over (assumption)
# Pelvis, hospital, Bavaria 2004-2009 (rapp2013), per 1,000: 65-69 and 90+; times all : hospital
# treated = 22.4 : 16.5 (andrich2015).
PELVIS_67_92 = {"women": (0.54, 9.35), "men": (0.38, 4.45)}
PELVIS_ALL_TO_HOSPITAL = 22.4 / 16.5
# "Other": 33 % of the 2.05 million osteoporotic fractures of 2005 in the US at 50+ (burge2007,
# recalled), less proximal humerus, which is counted on its own.
BURGE_TOTAL, BURGE_OTHER_SHARE = 2_050_000.0, 0.33
OTHER_SLOPE_50_64 = 0.015  # per year, below 65 (assumption)

# --- characteristics ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Continuous:
    """A characteristic that is fitted to the survey."""

    name: str
    column: str
    transform: str  # identity, log or log1p
    parameters: float  # effective parameters of the location
    youngest: int = 20
    pool_from: int = 50  # Q is pooled over ages from here


CONTINUOUS = (
    Continuous("abmd_femoral_neck", "fn_bmd", "identity", 7.0),
    Continuous("abmd_total_hip", "th_bmd", "identity", 7.0),
    Continuous("abmd_lumbar_spine", "ls_bmd", "identity", 7.0),
    Continuous("body_weight", "weight_kg", "log", 5.0),
    Continuous("height", "height_cm", "identity", 5.0),
    Continuous("serum_25ohd", "vitd25oh_nmol_l", "log", 4.0),
)
CONTINUOUS_ORDER = (
    "abmd_femoral_neck",
    "abmd_total_hip",
    "abmd_lumbar_spine",
    "abmd_distal_radius",
    "body_weight",
    "height",
    "calcium_intake",
    "serum_25ohd",
    "activity",
    "menopause_age",
)
BINARY_ORDER = ("prior_fracture", "glucocorticoids", "parental_hip_fracture", "smoking")
ORDER = (*CONTINUOUS_ORDER, *BINARY_ORDER)
FEMORAL_NECK = "abmd_femoral_neck"
BMD_MEASURED = ("abmd_femoral_neck", "abmd_total_hip", "abmd_lumbar_spine")
MIN_EIGENVALUE = 0.025
NEGLIGIBLE_MENOPAUSE_CORRELATION = 0.05


class InputError(Exception):
    """The input cannot be used; the message says what to do."""


@dataclass(frozen=True)
class Knots:
    """Location and spread at knots of age."""

    ages: Array
    location: Array
    spread: Array

    def location_at(self, age: Array) -> Array:
        """Location at exact ages."""
        return np.interp(age, self.ages, self.location)

    def spread_at(self, age: Array) -> Array:
        """Spread at exact ages."""
        return np.interp(age, self.ages, self.spread)


@dataclass(frozen=True)
class Model:
    """One characteristic in one sex: knots, and Q at Z_KNOTS."""

    knots: Knots
    q: Array


Models = dict[tuple[str, str], Model]  # (characteristic, sex)
Prevalence = dict[tuple[str, str], tuple[Array, Array]]  # (characteristic, sex) -> ages, values
Rows = list[tuple[object, ...]]


# --- reading ------------------------------------------------------------------------------------


def read_table(folder: Path, name: str, columns: Sequence[str]) -> pl.DataFrame:
    """Read the named columns of a CSV or Parquet file."""
    path = folder / name
    if not path.is_file():
        raise InputError(
            f"{path}: no such file; name the folder that holds {name} with --data DIR."
        )
    frame = pl.read_parquet(path) if path.suffix == ".parquet" else pl.read_csv(path)
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise InputError(
            f"{path}: column {', '.join(missing)} is missing; use the data that the notes describe."
        )
    return frame.select(columns)


def column(frame: pl.DataFrame, name: str) -> Array:
    """Return a column as floats, NaN where unknown."""
    return np.asarray(
        frame[name].cast(pl.Float64).fill_null(float("nan")).to_numpy(), dtype=np.float64
    )


def single_years(frame: pl.DataFrame, year: int, sex: str) -> Array:
    """Persons aged 0, 1, ... 100 and over."""
    part = frame.filter((pl.col("year") == year) & (pl.col("sex") == SEXES[sex])).sort("age")
    if part["age"].to_list() != list(range(101)):
        raise InputError(
            f"{POPULATION_FILE}: ages 0 to 100 of {year} are not complete; use a complete file."
        )
    return column(part, "population")


def five_year_groups(frame: pl.DataFrame, year: int, sex: str) -> Array:
    """US persons aged 0 .. 100 and over; a five-year group is spread evenly over its years."""
    part = frame.filter(
        (pl.col("country") == "United States of America")
        & (pl.col("year") == year)
        & (pl.col("sex") == SEXES[sex])
    )
    persons = np.zeros(101)
    for group, thousands in part.select("age_group", "population_thousands").iter_rows():
        if group.endswith("+"):
            persons[100] += 1000.0 * thousands
        else:
            low, high = (int(text) for text in group.split("-"))
            persons[low : high + 1] += 1000.0 * thousands / (high - low + 1)
    if not persons.all():
        raise InputError(
            f"{GROUPS_FILE}: US age groups of {year} are not complete; use a complete file."
        )
    return persons


# --- fitting ------------------------------------------------------------------------------------


def normal_cdf(x: Array) -> Array:
    """Standard normal distribution function."""
    return np.array([NORMAL.cdf(v) for v in x])


def normal_inverse(p: Array) -> Array:
    """Inverse of `normal_cdf`, kept finite."""
    return np.array([NORMAL.inv_cdf(min(max(v, 1e-9), 1 - 1e-9)) for v in p])


def normal_density(x: Array) -> Array:
    """Standard normal density."""
    return np.exp(-0.5 * x * x) / math.sqrt(2 * math.pi)


def hat_basis(age: Array, knots: Array) -> Array:
    """Columns are the piecewise linear functions that are 1 at one knot; constant outside."""
    return np.stack([np.interp(age, knots, row) for row in np.eye(len(knots))], axis=1)


def fit_knots(age: Array, y: Array, weight: Array, knots: Array, parameters: float) -> Array:
    """Values at the knots by penalized weighted least squares with `parameters` effective ones."""
    basis = hat_basis(age, knots)
    gram = basis.T @ (basis * weight[:, None])
    slope_change: Array = np.zeros((len(knots) - 2, len(knots)))
    for i in range(len(knots) - 2):
        left, right = knots[i + 1] - knots[i], knots[i + 2] - knots[i + 1]
        slope_change[i, i : i + 3] = (1 / left, -1 / left - 1 / right, 1 / right)
    penalty = slope_change.T @ slope_change
    low, high = -10.0, 30.0
    for _ in range(80):
        middle = (low + high) / 2
        used = float(np.trace(np.linalg.solve(gram + math.exp(middle) * penalty, gram)))
        low, high = (middle, high) if used > parameters else (low, middle)
    return np.asarray(
        np.linalg.solve(gram + math.exp(low) * penalty, basis.T @ (weight * y)), dtype=np.float64
    )


def extend_to_last_knot(ages: Array, values: Array) -> float:
    """Value at LAST_KNOT: half of the slope since SLOPE_FROM goes on."""
    start = float(np.interp(SLOPE_FROM, ages, values))
    slope = (values[-1] - start) / (ages[-1] - SLOPE_FROM)
    return float(values[-1] + EXTRAPOLATED_SLOPE * slope * (LAST_KNOT - ages[-1]))


def weighted_quantiles(values: Array, weight: Array, p: Array) -> Array:
    """Weighted quantiles, linear between the middles of the weights."""
    order = np.argsort(values, kind="stable")
    cumulative = np.cumsum(weight[order]) - weight[order] / 2
    return np.interp(p, cumulative / weight.sum(), values[order])


def smooth_quantiles(standardized: Array, weight: Array) -> Array:
    """Q at Z_KNOTS: window average of the quantiles, straight tails, mean 0 and SD 1."""
    reach = 2.25
    window = np.linspace(-0.2, 0.2, 17)
    inner = Z_KNOTS[np.abs(Z_KNOTS) <= reach + 1e-9]
    q = np.array(
        [weighted_quantiles(standardized, weight, normal_cdf(z + window)).mean() for z in inner]
    )
    low = (q[4] - q[0]) / (inner[4] - inner[0])
    high = (q[-1] - q[-5]) / (inner[-1] - inner[-5])
    full = np.interp(Z_KNOTS, inner, q)
    full += low * np.minimum(Z_KNOTS + reach, 0.0) + high * np.maximum(Z_KNOTS - reach, 0.0)
    return standardize(np.maximum.accumulate(full))


def standardize(q: Array) -> Array:
    """Shift and scale Q to mean 0 and SD 1 under the standard normal."""
    z = np.linspace(-5, 5, 2001)
    mass = normal_density(z) / normal_density(z).sum()
    value = evaluate_q(q, z)
    mean = float((mass * value).sum())
    return (q - mean) / math.sqrt(float((mass * (value - mean) ** 2).sum()))


def evaluate_q(q: Array, z: Array) -> Array:
    """Q(z): linear between knots, linear extrapolation outside."""
    step = Z_KNOTS[1] - Z_KNOTS[0]
    value = np.interp(z, Z_KNOTS, q)
    value = np.where(z < Z_KNOTS[0], q[0] + (z - Z_KNOTS[0]) * (q[1] - q[0]) / step, value)
    return np.where(z > Z_KNOTS[-1], q[-1] + (z - Z_KNOTS[-1]) * (q[-1] - q[-2]) / step, value)


def inverse_q(model: Model, value: Array, age: Array) -> Array:
    """The z of a (transformed) value at an age."""
    standardized = (value - model.knots.location_at(age)) / model.knots.spread_at(age)
    fine = np.linspace(-5.0, 5.0, 4001)
    return np.interp(standardized, evaluate_q(model.q, fine), fine)


def forward(transform: str, values: Array) -> Array:
    """Apply a transform."""
    if transform == "log":
        return np.log(values)
    return np.log1p(values) if transform == "log1p" else values


def backward(transform: str, values: Array) -> Array:
    """Undo a transform; log1p is kept at 0 or more."""
    if transform == "log":
        return np.exp(values)
    return np.maximum(np.expm1(values), 0.0) if transform == "log1p" else values


def fit_continuous(spec: Continuous, people: pl.DataFrame, top: float) -> Model:
    """Fit knots and Q of one characteristic in one sex."""
    part = people.filter(pl.col(spec.column).is_not_null() & (pl.col("age_years") >= spec.youngest))
    age, weight = column(part, "age"), column(part, "weight")
    y = forward(spec.transform, column(part, spec.column))
    fitted = np.array([*BAND_MIDDLES, top])
    location = fit_knots(age, y, weight, fitted, spec.parameters)
    residual = y - np.interp(age, fitted, location)
    spread = np.sqrt(fit_knots(age, residual**2, weight, fitted, 4.0))
    ages = np.append(fitted, LAST_KNOT)
    knots = Knots(
        ages,
        np.append(location, extend_to_last_knot(fitted, location)),
        np.append(spread, spread[-1]),
    )
    old = age >= spec.pool_from
    q = smooth_quantiles((residual / knots.spread_at(age))[old], weight[old])
    return Model(knots, q)


def t_score(fn: Array) -> Array:
    """Femoral-neck T-score by the reference of women of 20-29."""
    return (fn - FEMORAL_NECK_MEAN) / FEMORAL_NECK_SD


def classes(fn: Array, weight: Array) -> tuple[float, float]:
    """Percent osteoporosis and percent osteopenia."""
    t = t_score(fn)
    low = float(np.average(t <= -2.5, weights=weight))
    middle = float(np.average((t > -2.5) & (t <= -1.0), weights=weight))
    return 100 * low, 100 * middle


def match_classes(model: Model, people: pl.DataFrame, persons: Array) -> Model:
    """Move location and spread from 50 on towards the class shares of femoral-neck density.

    Penalized least squares: a gap of 0.5 percentage points counts like a change of a location by
    0.05 spreads or of a spread by 5 %, which are about their standard errors.
    """
    part = people.filter(pl.col("fn_bmd").is_not_null())
    fn, weight, years = column(part, "fn_bmd"), column(part, "weight"), column(part, "age_years")
    targets = []
    for low, high in DECADES:
        inside = (years >= low) & (years <= high)
        targets.append(classes(fn[inside], weight[inside]))
    target = np.array(targets).ravel()
    knots = model.knots
    free = np.flatnonzero(knots.ages >= 50)[:-1]
    ages = np.arange(50.0, 101.0)
    lived = persons[50:101]
    limits = FEMORAL_NECK_MEAN + FEMORAL_NECK_SD * np.array([-2.5, -1.0])

    def moved(step: Array) -> Model:
        location, spread = knots.location.copy(), knots.spread.copy()
        location[free] += 0.05 * step[: len(free)] * knots.spread[free]
        spread[free] *= np.exp(0.05 * step[len(free) :])
        location[-1] += location[-2] - knots.location[-2]  # the extrapolated knot goes along
        spread[-1] = spread[-2]
        return Model(Knots(knots.ages, location, spread), model.q)

    def gaps(step: Array) -> Array:
        trial = moved(step)
        below = [
            normal_cdf(inverse_q(trial, np.full(len(ages), limit), ages + 0.5)) for limit in limits
        ]
        made = []
        for low, high in DECADES:
            inside = (ages >= low) & (ages <= high)
            low_share, both = (
                100 * float(np.average(b[inside], weights=lived[inside])) for b in below
            )
            made += [low_share, both - low_share]
        return np.asarray((np.array(made) - target) / 0.5, dtype=np.float64)

    step = np.zeros(2 * len(free))
    for _ in range(8):
        base = gaps(step)
        jacobian = np.stack(
            [(gaps(step + 0.01 * e) - base) / 0.01 for e in np.eye(len(step))], axis=1
        )
        step = step - np.linalg.solve(
            jacobian.T @ jacobian + np.eye(len(step)), jacobian.T @ base + step
        )
    return moved(step)


def usual_calcium_log_sd(sex: str) -> float:
    """Log SD of a lognormal with the published mean and share above the limit, mean of two ages."""
    found = []
    for mean, above in USUAL_CALCIUM[sex]:
        z = NORMAL.inv_cdf(1 - above)
        gap = math.log(USUAL_CALCIUM_LIMIT / mean)
        found.append(z - math.sqrt(z * z - 2 * gap))  # root of gap + s^2 / 2 = z s
    return sum(found) / len(found)


def fit_calcium(people: pl.DataFrame, sex: str, top: float) -> Model:
    """Mean of the recall by age, spread of usual intake."""
    part = people.filter((pl.col("calcium_mg_d1") > 0) & pl.col("wt_diet_d1").is_not_null())
    weight = column(part, "wt_diet_d1")
    fitted = np.array([*BAND_MIDDLES, top])
    values = column(part, "calcium_mg_d1")
    mean = fit_knots(column(part, "age"), values, weight / weight.mean(), fitted, 4.0)
    sd = usual_calcium_log_sd(sex)
    location = np.log(mean) - sd * sd / 2
    location = np.append(location, location[-1])
    return Model(
        Knots(np.append(fitted, LAST_KNOT), location, np.full(len(location), sd)), Z_KNOTS.copy()
    )


def fit_activity(people: pl.DataFrame, top: float) -> Model:
    """Location and spread by ten-year band and one Q, fitted in turn to the bands' quantiles."""
    part = people.filter(pl.col("met_min_week").is_not_null())
    age, weight = column(part, "age"), column(part, "weight")
    y = np.log1p(column(part, "met_min_week"))
    middles = np.array([25.0, 35.0, 45.0, 55.0, 65.0, 75.0, top])
    chance_none = fit_knots(age, (y < ACTIVITY_FLOOR).astype(np.float64), weight, middles, 5.0)
    z0 = normal_inverse(np.clip(chance_none, 0.03, 0.9))
    inner = Z_KNOTS[np.abs(Z_KNOTS) <= 2.0]
    seen = np.full((len(middles), len(inner)), np.nan)  # latent value by band and z, where active
    for i, middle in enumerate(middles):
        band = (age >= middle - 5) & (age < middle + 5) if middle < top else age >= TOP_AGE
        active = band & (y >= ACTIVITY_FLOOR)
        none = float(NORMAL.cdf(z0[i]))
        for k, z in enumerate(inner):
            if z > z0[i]:
                window = np.clip(
                    (normal_cdf(z + np.linspace(-0.2, 0.2, 9)) - none) / (1 - none), 0.0, 1.0
                )
                seen[i, k] = weighted_quantiles(y[active], weight[active], window).mean()
    q = inner.copy()
    location, spread = np.zeros(len(middles)), np.ones(len(middles))
    for _ in range(200):
        for i in range(len(middles)):
            use = np.isfinite(seen[i])
            # The threshold itself is one more point, and counts more than the others.
            xs = np.append(q[use], np.interp(z0[i], inner, q))
            ys = np.append(seen[i, use], ACTIVITY_FLOOR)
            slope, start = np.polyfit(xs, ys, 1, w=np.append(np.ones(use.sum()), THRESHOLD_WEIGHT))
            location[i], spread[i] = start, max(slope, 0.2)
        for k in range(len(inner)):
            use = np.isfinite(seen[:, k])
            if use.any():
                q[k] = ((seen[use, k] - location[use]) * spread[use]).sum() / (
                    spread[use] ** 2
                ).sum()
            else:
                q[k] = q[np.isfinite(seen).any(axis=0)][0] + (
                    inner[k] - inner[np.isfinite(seen).any(axis=0)][0]
                )
        q = np.maximum.accumulate(q)
        centre, scale = (
            float(np.interp(0.0, inner, q)),
            float(q[-1] - np.interp(0.0, inner, q)) / 2.0,
        )
        q, location, spread = (q - centre) / scale, location + spread * centre, spread * scale
    full = np.interp(Z_KNOTS, inner, q)
    slope = (q[-1] - q[-5]) / (inner[-1] - inner[-5])
    full = np.where(Z_KNOTS > 2.0, q[-1] + slope * (Z_KNOTS - 2.0), full)
    full = np.where(Z_KNOTS < -2.0, q[0] + (Z_KNOTS + 2.0), full)
    knots = Knots(
        np.append(middles, LAST_KNOT),
        np.append(location, extend_to_last_knot(middles, location)),
        np.append(spread, spread[-1]),
    )
    return Model(knots, full)


def fit_menopause(people: pl.DataFrame) -> Model:
    """Natural menopause of women 55-75: kernel-smoothed against heaping, mean and SD kept."""
    part = natural_menopause(people)
    weight = column(part, "weight")
    age = np.clip(column(part, "age_last_period") + 0.5, 35.0, 61.0)
    mean = float(np.average(age, weights=weight))
    sd = math.sqrt(float(np.average((age - mean) ** 2, weights=weight)))
    bandwidth = 1.5
    grid = np.linspace(25, 70, 1801)
    density = np.zeros_like(grid)
    for value, share in zip(age, weight, strict=True):
        density += share * np.exp(-0.5 * ((grid - value) / bandwidth) ** 2)
    cumulative = np.cumsum(density) / density.sum()
    q = standardize(np.interp(normal_cdf(Z_KNOTS), cumulative, grid))
    return Model(Knots(np.array([20.0, LAST_KNOT]), np.full(2, mean), np.full(2, sd)), q)


def natural_menopause(people: pl.DataFrame) -> pl.DataFrame:
    """Women of 55-75 with natural menopause, no hysterectomy and a known age at it."""
    return people.filter(
        (pl.col("no_period_reason") == 7)
        & (pl.col("hysterectomy") == 0)
        & pl.col("age_last_period").is_not_null()
        & pl.col("age_years").is_between(55, 75)
    )


def radius_model(sex: str) -> Model:
    """Distal radius from published figures: young mean and SD, loss with age."""
    ages = np.array([20.0, 30.0, 40.0, 50.0, 55.0, 60.0, 65.0, 70.0, 75.0, 80.0, 85.0, 95.0])
    mean, sd = RADIUS_YOUNG[sex]
    steps = RADIUS_LOSS_PER_YEAR[sex]
    location = [mean]
    for start, stop in pairwise(ages):
        rate = [loss for since, loss in steps if since <= start][-1] * RADIUS_CORTICAL_SHARE
        years = stop - start if stop <= 85 else EXTRAPOLATED_SLOPE * (stop - start)
        location.append(location[-1] * (1 - rate) ** years)
    spread = np.interp(ages, [45.0, 80.0], [sd, RADIUS_SD_AT_80[sex]])
    return Model(Knots(ages, np.array(location), spread), Z_KNOTS.copy())


# --- binary characteristics ---------------------------------------------------------------------


def adult_fracture() -> pl.Expr:
    """Hip, wrist or spine fracture first suffered at 20 or later (unknown age counts as adult)."""
    parts = [
        (pl.col(f"fx_{site}_ever") == 1) & (pl.col(f"fx_{site}_first_age").fill_null(99) >= 20)
        for site in ("hip", "wrist", "spine")
    ]
    asked = pl.any_horizontal(
        [pl.col(f"fx_{site}_ever").is_not_null() for site in ("hip", "wrist", "spine")]
    )
    return pl.when(asked).then(pl.any_horizontal(parts).fill_null(False).cast(pl.Float64))


def binary_columns() -> list[pl.Expr]:
    """Expressions that give each binary characteristic as 0, 1 or unknown."""
    mother, father = pl.col("mother_hip_fx"), pl.col("father_hip_fx")
    return [
        adult_fracture().alias("prior_fracture"),
        pl.col("glucocort_daily").cast(pl.Float64).alias("glucocorticoids"),
        pl.max_horizontal(mother, father).cast(pl.Float64).alias("parental_hip_fracture"),
        (pl.col("smoking") == 2).cast(pl.Float64).alias("smoking"),
    ]


def fit_binary(name: str, people: pl.DataFrame, top: float) -> tuple[Array, Array]:
    """Prevalence at the knots of age; the last knot repeats the one before."""
    part = people.filter(pl.col(name).is_not_null())
    ages = np.array([*BAND_MIDDLES, top])
    values = fit_knots(column(part, "age"), column(part, name), column(part, "weight"), ages, 5.0)
    return np.append(ages, LAST_KNOT), np.clip(np.append(values, values[-1]), 0.001, 0.999)


# --- correlation --------------------------------------------------------------------------------


def weighted_ranks(values: Array, weight: Array) -> Array:
    """Weighted mid-ranks in 0..1; ties share the middle."""
    order = np.argsort(values, kind="stable")
    sorted_values = values[order]
    cumulative = np.cumsum(weight[order])
    first = np.searchsorted(sorted_values, sorted_values, side="left")
    last = np.searchsorted(sorted_values, sorted_values, side="right") - 1
    below = np.where(first > 0, cumulative[np.maximum(first - 1, 0)], 0.0)
    ranks = np.empty_like(values)
    ranks[order] = (below + cumulative[last]) / 2 / weight.sum()
    return ranks


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
    age, weight = column(people, "age"), column(people, "weight")
    found: dict[str, Score] = {}

    def normal_scores(y: Array) -> Array:
        known = np.isfinite(y)
        out = np.full_like(y, np.nan)
        out[known] = normal_inverse(weighted_ranks(y[known], weight[known]))
        return out

    for spec in CONTINUOUS:
        knots = models[spec.name, sex].knots
        y = forward(spec.transform, column(people, spec.column))
        found[spec.name] = Score(normal_scores((y - knots.location_at(age)) / knots.spread_at(age)))

    calcium = column(people, "calcium_mg_d1")
    knots = models["calcium_intake", sex].knots
    log_calcium = np.log(np.where(calcium > 0, calcium, np.nan)) - knots.location_at(age)
    known = np.isfinite(log_calcium)
    one_day = math.sqrt(float(np.cov(log_calcium[known], aweights=weight[known])))
    found["calcium_intake"] = Score(
        normal_scores(log_calcium), reliability=(knots.spread[0] / one_day) ** 2
    )

    model = models["activity", sex]
    y = np.log1p(column(people, "met_min_week"))
    latent = inverse_q(model, np.maximum(y, ACTIVITY_FLOOR), age)
    value = np.where(y < ACTIVITY_FLOOR, -normal_density(latent) / normal_cdf(latent), latent)
    found["activity"] = Score(np.where(np.isfinite(y), value, np.nan), coarse=True)

    if sex == "women":
        eligible = (
            (column(people, "no_period_reason") == 7)
            & (column(people, "hysterectomy") == 0)
            & (age < 76)
            & (age >= 55)
        )
        found["menopause_age"] = Score(
            normal_scores(np.where(eligible, column(people, "age_last_period"), np.nan))
        )

    for name in BINARY_ORDER:
        ages, values = prevalence[name, sex]
        found[name] = Score(
            column(people, name), threshold=-normal_inverse(np.interp(age, ages, values))
        )
    return found


def latent_correlation(a: Score, b: Score, weight: Array) -> float:
    """Correlation of two latent normals from their pairwise known scores."""
    known = np.isfinite(a.value) & np.isfinite(b.value)
    w = weight[known] / weight[known].sum()
    x, y = a.value[known], b.value[known]
    if a.threshold is not None and b.threshold is not None:
        return both_binary(x, y, a.threshold[known], b.threshold[known], w)
    if a.threshold is not None:
        a, b, x, y = b, a, y, x
    x = x - float((w * x).sum())
    if b.threshold is not None:  # cov(present, x) = density(threshold) * r
        limit = b.threshold[known]
        r = float((w * (y - normal_cdf(-limit)) * x).sum() / (w * normal_density(limit)).sum())
        r /= math.sqrt(float((w * x * x).sum())) if not a.coarse else float((w * x * x).sum())
    else:
        y = y - float((w * y).sum())
        scale_x, scale_y = float((w * x * x).sum()), float((w * y * y).sum())
        r = float((w * x * y).sum())
        r /= scale_x if a.coarse else math.sqrt(scale_x)
        r /= scale_y if b.coarse else math.sqrt(scale_y)
    return r / math.sqrt(a.reliability * b.reliability)


def both_binary(x: Array, y: Array, tx: Array, ty: Array, w: Array) -> float:
    """Tetrachoric correlation with chances that vary with age, by the tetrachoric series."""
    target = float((w * (x - normal_cdf(-tx)) * (y - normal_cdf(-ty))).sum())
    base = w * normal_density(tx) * normal_density(ty)
    terms = (
        float(base.sum()),
        float((base * tx * ty).sum()) / 2,
        float((base * (tx**2 - 1) * (ty**2 - 1)).sum()) / 6,
        float((base * (tx**3 - 3 * tx) * (ty**3 - 3 * ty)).sum()) / 24,
    )
    low, high = -0.6, 0.6
    for _ in range(60):
        r = (low + high) / 2
        value = sum(term * r ** (i + 1) for i, term in enumerate(terms))
        low, high = (r, high) if value < target else (low, r)
    return (low + high) / 2


def correlation_matrix(
    sex: str, people: pl.DataFrame, models: Models, prevalence: Prevalence
) -> Array:
    """Latent correlation in ORDER, positive definite."""
    people = people.filter(pl.col("age_years") >= 50)
    weight = column(people, "weight")
    known = scores(sex, people, models, prevalence)
    n = len(ORDER)
    matrix = np.eye(n)
    for i, first in enumerate(ORDER):
        for j in range(i + 1, n):
            second = ORDER[j]
            if first in known and second in known:
                r = latent_correlation(known[first], known[second], weight)
                if "menopause_age" in (first, second) and abs(r) < NEGLIGIBLE_MENOPAUSE_CORRELATION:
                    r = 0.0
                matrix[i, j] = matrix[j, i] = r
    # The radius is tied to the others only through the three measured sites.
    sites = [ORDER.index(name) for name in BMD_MEASURED]
    radius = ORDER.index("abmd_distal_radius")
    beta = np.linalg.solve(matrix[np.ix_(sites, sites)], np.array(RADIUS_CORRELATION))
    implied = beta @ matrix[sites, :]
    for i in range(n):
        if i != radius:
            matrix[i, radius] = matrix[radius, i] = implied[i]
    return nearest_positive_definite(matrix)


def nearest_positive_definite(matrix: Array) -> Array:
    """Raise small eigenvalues and restore the unit diagonal, in turn; rounded to three decimals."""
    for _ in range(500):
        matrix = (matrix + matrix.T) / 2
        np.fill_diagonal(matrix, 1.0)
        values, vectors = np.linalg.eigh(matrix)
        if values[0] >= MIN_EIGENVALUE - 1e-6:
            break
        matrix = (vectors * np.maximum(values, MIN_EIGENVALUE)) @ vectors.T
    scale = np.sqrt(np.diag(matrix))
    rounded: Array = np.round(matrix / np.outer(scale, scale), 3) + 0.0
    if np.linalg.eigvalsh(rounded)[0] < 0.02:
        raise InputError("the correlation could not be repaired to a smallest eigenvalue of 0.02.")
    return rounded


# --- fracture incidence and falls ---------------------------------------------------------------


def band_mean(rate: Callable[[Array], Array], persons: Array, low: int, high: int) -> float:
    """Person-weighted mean of a rate over completed ages low..high."""
    ages = np.arange(low + 0.5, min(high, 100) + 1)
    return float(np.average(rate(ages), weights=persons[low : min(high, 100) + 1]))


def log_linear(ages: Array, rates: Array) -> Callable[[Array], Array]:
    """Rate as a function of age: log-linear between knots, constant outside."""
    return lambda age: np.exp(np.interp(age, ages, np.log(rates)))


def knots_of_bands(
    rates: Sequence[float], persons: Array, bands: Sequence[tuple[int, int]] = BANDS
) -> tuple[Array, Array]:
    """Knots whose band means, with these persons, are the given rates; last knot extrapolated."""
    middles = []
    for low, high in bands:
        years = np.arange(low, min(high, 100) + 1)
        middles.append(float(np.average(years + 0.5, weights=persons[years])))
    ages = np.array([round(age, 1) for age in (*middles, LAST_KNOT)])
    values: Array = np.array(rates, dtype=np.float64)
    for _ in range(200):
        full = np.append(values, tail_rate(ages, values))
        means = [band_mean(log_linear(ages, full), persons, low, high) for low, high in bands]
        values = values * (np.array(rates) / np.array(means)) ** 0.7
    return ages, np.append(values, tail_rate(ages, values))


def tail_rate(ages: Array, values: Array) -> float:
    """Rate at the last age: half of the last log slope goes on."""
    slope = math.log(values[-1] / values[-2]) / (ages[-2] - ages[-3])
    return float(values[-1] * math.exp(EXTRAPOLATED_SLOPE * slope * (ages[-1] - ages[-2])))


Note = tuple[str, str, str]  # source, status, note


@dataclass(frozen=True)
class Curve:
    """Rates per 1,000 person-years at knots, each with its note."""

    ages: Array
    rates: Array
    notes: list[Note]


EXTRAPOLATED: Note = ("assumption", "assumption", "extrapolated: half of the last slope")


def band_curve(rates: Sequence[float], persons: Array, notes: list[Note]) -> Curve:
    """Curve whose means over BANDS are the given rates."""
    ages, values = knots_of_bands(rates, persons)
    return Curve(ages, values, [*notes, EXTRAPOLATED])


@dataclass(frozen=True)
class Incidence:
    """Fracture incidence of one population; `persons` is the US population of 2005 by sex."""

    persons: dict[str, Array]
    white: bool

    def medicare(self, site: str, sex: str, white: bool | None = None) -> list[float]:
        """Rates of BANDS_65: the crude rate of both sexes laid out by the published ratios."""
        source = MEDICARE[site]
        ratio = {"women": 1.0, "men": source.men}
        total, weighted = 0.0, 0.0
        for each in SEXES:
            for (low, high), age_ratio in zip(BANDS_65, source.ages, strict=True):
                n = float(self.persons[each][low : min(high, 100) + 1].sum())
                total += n
                weighted += n * ratio[each] * age_ratio
        level = source.per_1000 * total / weighted
        if self.white if white is None else white:
            level /= all_to_white(site)
        return [level * ratio[sex] * age_ratio for age_ratio in source.ages]

    def medicare_note(self, more: str = "") -> Note:
        """Note of a rate from Medicare."""
        race = ", white people by the published race ratios" if self.white else ""
        text = f"Medicare 2000-2005 crude rate laid out by rate ratios{race}{more}"
        return "taylor2011", "derived", text

    def hip_factor(self, sex: str) -> float:
        """All races relative to non-Hispanic white people at 65 and over."""
        ages, rates = knots_of_bands(HIP_NHW[sex], self.persons[sex])
        mean = band_mean(log_linear(ages, rates), self.persons[sex], 65, 100)
        return HIP_ALL_65[sex] / mean

    def hip(self, sex: str) -> Curve:
        """Hip."""
        factor = 1.0 if self.white else self.hip_factor(sex)
        note = (
            "ettinger2010",
            "derived",
            "hospital 2006, repeat fractures counted; knots give the published band means",
        )
        if not self.white:
            text = f"ettinger2010 x {factor:.3f} to meet Medicare 2005 at 65 and over"
            note = ("brauer2009", "derived", text)
        return band_curve([factor * rate for rate in HIP_NHW[sex]], self.persons[sex], [note] * 8)

    def clinical_vertebral(self, sex: str) -> Curve:
        """Clinical vertebral."""
        site = "clinical_vertebral"
        factor = 1.0 if sex == "women" else MEDICARE[site].men
        factor *= 1.0 if self.white else all_to_white(site)
        text = "Malmo women 50-64"
        text += "" if sex == "women" else " x men:women of Medicare (assumption)"
        text += "" if self.white else " x all:white of Medicare"
        rates = [*(factor * rate for rate in VERTEBRAL_50_64), *self.medicare(site, sex)]
        notes: list[Note] = [("kanis2000", "derived", text)] * 3 + [self.medicare_note()] * 5
        return band_curve(rates, self.persons[sex], notes)

    def distal_forearm(self, sex: str) -> Curve:
        """Distal forearm."""
        old = self.medicare("distal_forearm", sex)
        young: Note = ("assumption", "assumption", "flat below 65, as at 65-69")
        if sex == "women":
            text = "rise after menopause relative to 65-69 as in UK general practice"
            young = ("vanstaa2001", "recalled", text)
        rates = [*(share * old[0] for share in FOREARM_50_64[sex]), *old]
        return band_curve(rates, self.persons[sex], [young] * 3 + [self.medicare_note()] * 5)

    def proximal_humerus_rates(self, sex: str, white: bool | None = None) -> list[float]:
        """Rates of BANDS."""
        old = [PROXIMAL_SHARE_OF_HUMERUS * r for r in self.medicare("humerus", sex, white)]
        slope = math.log(old[3] / old[0]) / 15
        years = (15, 10, 5) if sex == "women" else (5, 5, 5)  # men: exponential from 60 only
        return [*(old[0] * math.exp(-slope * y) for y in years), *old]

    def proximal_humerus(self, sex: str) -> Curve:
        """Proximal humerus."""
        text = "exponential shape (men: from 60) continued below 65"
        notes: list[Note] = [("kim2012", "derived", text)] * 3
        share = f", proximal share {PROXIMAL_SHARE_OF_HUMERUS} assumed"
        notes += [self.medicare_note(share)] * 5
        return band_curve(self.proximal_humerus_rates(sex), self.persons[sex], notes)

    def pelvis(self, sex: str) -> Curve:
        """Pelvis."""
        low, high = PELVIS_67_92[sex]
        slope = math.log(high / low) / 25  # 67.5 to 92.5
        factor = 1.0 if self.white else self.hip_factor(sex)
        level = PELVIS_ALL_TO_HOSPITAL * factor
        ages = np.array([*(52.5 + 5 * i for i in range(9)), LAST_KNOT])
        # Below 65 men have relatively more of them from violence: half of the slope (assumption).
        damp = np.where(ages < 67.5, 1.0 if sex == "women" else 0.5, 1.0)
        rates = level * low * np.exp(slope * damp * (np.minimum(ages, 92.5) - 67.5))
        race = "" if self.white else f" x {factor:.3f} (all to white, of hip)"
        text = (
            f"Bavaria, hospital, exponential 67-92, x {PELVIS_ALL_TO_HOSPITAL:.2f} for all treated"
        )
        young = "exponential continued below 65" + ("" if sex == "women" else " at half slope")
        notes: list[Note] = [("assumption", "assumption", young)] * 3
        notes += [("rapp2013", "derived", f"{text} (andrich2015){race}")] * 6
        return Curve(ages, rates, [*notes, ("assumption", "assumption", "flat after 92.5")])

    def other(self, sex: str) -> Curve:
        """The published total, with the pattern of tibia and fibula by age and sex."""
        source = MEDICARE["tibia_fibula"]
        young = [math.exp(-OTHER_SLOPE_50_64 * years) for years in (15, 10, 5)]
        pattern = {
            "women": [*young, *source.ages],
            "men": [source.men * r for r in (*young, *source.ages)],
        }
        counted, humeri = 0.0, 0.0
        for each in SEXES:
            arms = self.proximal_humerus_rates(each, white=False)
            for (first, last), arm, rate in zip(BANDS, arms, pattern[each], strict=True):
                n = float(self.persons[each][first : min(last, 100) + 1].sum()) / 1000
                humeri += n * arm
                counted += n * rate
        level = (BURGE_TOTAL * BURGE_OTHER_SHARE - humeri) / counted
        text = "33 % of 2.05 million fractures of 2005 less humerus, pattern of tibia and fibula"
        if self.white:
            level /= all_to_white("tibia_fibula")
            text += ", white people by its race ratios"
        rates = [level * rate for rate in pattern[sex]]
        return band_curve(rates, self.persons[sex], [("burge2007", "recalled", text)] * 8)

    def rows(self) -> Rows:
        """All sites and sexes as rows of the table."""
        sites: dict[str, Callable[[str], Curve]] = {
            "hip": self.hip,
            "clinical_vertebral": self.clinical_vertebral,
            "distal_forearm": self.distal_forearm,
            "proximal_humerus": self.proximal_humerus,
            "pelvis": self.pelvis,
            "other": self.other,
        }
        rows: Rows = []
        for site, curve_of in sites.items():
            for sex in SEXES:
                curve = curve_of(sex)
                for age, rate, note in zip(curve.ages, curve.rates, curve.notes, strict=True):
                    rows.append((site, sex, f"{age:.1f}", significant(rate / 1000), *note))
        return rows


def all_to_white(site: str) -> float:
    """Rate of all races relative to white people in Medicare."""
    races = MEDICARE[site].races
    others = sum(share * ratio for share, ratio in zip(MEDICARE_RACES, races, strict=True))
    return 1 - sum(MEDICARE_RACES) + others


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


def falls_rows(persons: dict[str, Array]) -> Rows:
    """`persons` is the US population of 2014."""
    ages = np.array([age for age, _ in FALLERS_BY_AGE])
    relative = np.array([value for _, value in FALLERS_BY_AGE])
    sex_ratio = {"women": 1.0, "men": FALLERS_MEN_TO_WOMEN}
    old = np.arange(65, 101)
    expected = sum(
        float((persons[sex][old] * sex_ratio[sex] * np.interp(old + 0.5, ages, relative)).sum())
        for sex in SEXES
    )
    level = FALLERS_65_PLUS * sum(float(persons[sex][old].sum()) for sex in SEXES) / expected
    rows: Rows = []
    for sex in SEXES:
        rates = []
        for age, value in FALLERS_BY_AGE:
            share = level * sex_ratio[sex] * value
            rates.append(mean_falls(share, FALLS_PRONENESS_SD))
            below = age < 65
            source = "peeters2018" if below else "bergen2016"
            status = "assumption" if below else "derived"
            note = (
                f"{100 * share:.1f} % fall in a year, lognormal rates, log SD {FALLS_PRONENESS_SD}"
            )
            note += (
                "; age pattern below 65 assumed"
                if below
                else "; age pattern recalled, men:women morrison2012"
            )
            rows.append((sex, f"{age:.1f}", significant(rates[-1]), source, status, note))
        last = tail_rate(np.append(ages, LAST_KNOT), np.array(rates))
        rows.append(
            (
                sex,
                f"{LAST_KNOT:.1f}",
                significant(last),
                "assumption",
                "assumption",
                "extrapolated: half of the last slope",
            )
        )
    return rows


# --- writing ------------------------------------------------------------------------------------


def significant(value: float, digits: int = 4) -> str:
    """Format with a number of significant digits."""
    if value == 0:
        return "0"
    places = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    return f"{value:.{places}f}"


def sort_key(row: Sequence[object]) -> tuple[tuple[int, float, str], ...]:
    """Text by alphabet, numbers by size."""
    key = []
    for cell in row[:3]:
        try:
            key.append((0, float(str(cell)), ""))
        except ValueError:
            key.append((1, 0.0, str(cell)))
    return tuple(key)


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write sorted rows with LF line ends."""
    lines = [",".join(header)]
    for row in sorted(rows, key=sort_key):
        cells = [str(cell) for cell in row]
        lines.append(",".join(f'"{cell}"' if "," in cell else cell for cell in cells))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")


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
        read_table(folder, SURVEY_FILE, SURVEY_COLUMNS).filter(pl.col("age_years") >= 20),
        read_table(folder, POPULATION_FILE, ("year", "sex", "age", "population")),
        read_table(
            folder, GROUPS_FILE, ("country", "year", "sex", "age_group", "population_thousands")
        ),
        read_table(folder, LIFE_TABLE_FILE, ("year", "sex", "age", "qx")),
    )


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
    old = np.arange(85, 101)
    age = column(part, "age_years")
    exact = np.where(age >= 85, float(np.average(old + 0.5, weights=persons[old])), age + 0.5)
    return round(float(np.average(exact, weights=column(part, "wt_mec"))), 1)


def people_of(inputs: Inputs, sex: str, white: bool, top: float) -> pl.DataFrame:
    """Persons of one sex with exact age, mean-one weight and binary characteristics."""
    survey = inputs.survey.filter(pl.col("sex") == SEXES[sex])
    if white:
        survey = survey.filter(pl.col("race_eth") == "NHWhite")
    age = pl.when(pl.col("age_years") >= TOP_AGE).then(top).otherwise(pl.col("age_years") + 0.5)
    weight = pl.col("wt_mec").cast(pl.Float64)
    return survey.with_columns(
        age.alias("age"), (weight / weight.mean()).alias("weight"), *binary_columns()
    )


@dataclass(frozen=True)
class Population:
    """One population, fitted."""

    name: str
    white: bool
    people: dict[str, pl.DataFrame]
    top: dict[str, float]
    models: Models
    prevalence: Prevalence
    correlation: dict[str, Array]


def derive(name: str, white: bool, inputs: Inputs) -> Population:
    """Fit everything of one population."""
    models: Models = {}
    prevalence: Prevalence = {}
    ever: Prevalence = {}
    people: dict[str, pl.DataFrame] = {}
    top = {sex: top_mean_age(inputs.survey, inputs.census, sex) for sex in SEXES}
    for sex in SEXES:
        people[sex] = people_of(inputs, sex, white, top[sex])
        for spec in CONTINUOUS:
            models[spec.name, sex] = fit_continuous(spec, people[sex], top[sex])
        persons = single_years(inputs.census, YEAR, sex)
        models[FEMORAL_NECK, sex] = match_classes(models[FEMORAL_NECK, sex], people[sex], persons)
        models["abmd_distal_radius", sex] = radius_model(sex)
        models["calcium_intake", sex] = fit_calcium(people[sex], sex, top[sex])
        models["activity", sex] = fit_activity(people[sex], top[sex])
        for binary in BINARY_ORDER:
            ever[binary, sex] = fit_binary(binary, people[sex], top[sex])
    models["menopause_age", "women"] = fit_menopause(people["women"])
    # Current glucocorticoid use: age and sex pattern of ever-use, level of the published total.
    asked = pl.concat(
        [
            people_of(inputs, s, False, top[s]).filter(pl.col("glucocorticoids").is_not_null())
            for s in SEXES
        ]
    )
    scale = GLUCOCORTICOID_NOW / float(
        np.average(column(asked, "glucocorticoids"), weights=column(asked, "wt_mec"))
    )
    for key, (ages, values) in ever.items():
        prevalence[key] = (ages, values * scale) if key[0] == "glucocorticoids" else (ages, values)
    correlation = {sex: correlation_matrix(sex, people[sex], models, ever) for sex in SEXES}
    return Population(name, white, people, top, models, prevalence, correlation)


def write_population(population: Population, inputs: Inputs, out: Path) -> None:
    """Write the tables of one population."""
    folder = out / population.name
    folder.mkdir(parents=True, exist_ok=True)
    by_sex = {sex: single_years(inputs.census, YEAR, sex) for sex in SEXES}
    rows: Rows = [
        (age, int(by_sex["women"][age]), int(by_sex["men"][age])) for age in range(20, 101)
    ]
    write_csv(folder / "age_structure.csv", ("age", "women", "men"), rows)

    table = inputs.life_table.filter(pl.col("year") == YEAR).sort("sex", "age")
    chance = {sex: table.filter(pl.col("sex") == SEXES[sex])["qx"].to_list() for sex in SEXES}
    if any(len(values) != 110 for values in chance.values()):
        raise InputError(
            f"{LIFE_TABLE_FILE}: ages 0 to 109 of {YEAR} are not complete; use a complete file."
        )
    rows = [
        (age, f"{chance['women'][age]:.6f}", f"{chance['men'][age]:.6f}") for age in range(20, 110)
    ]
    write_csv(folder / "life_table.csv", ("age", "women", "men"), rows)

    rows, quantiles = [], []
    for name in CONTINUOUS_ORDER:
        for sex in SEXES:
            if (name, sex) not in population.models:
                continue
            model = population.models[name, sex]
            for age, location, spread in zip(
                model.knots.ages, model.knots.location, model.knots.spread, strict=True
            ):
                rows.append(
                    (name, sex, f"{age:.1f}", significant(location, 5), significant(spread, 4))
                )
            quantiles += [
                (name, sex, f"{z:.2f}", f"{q:.3f}") for z, q in zip(Z_KNOTS, model.q, strict=True)
            ]
    write_csv(
        folder / "characteristics.csv", ("characteristic", "sex", "age", "location", "spread"), rows
    )
    write_csv(folder / "quantiles.csv", ("characteristic", "sex", "z", "q"), quantiles)

    rows = [
        (sex, ORDER[i], ORDER[j], f"{population.correlation[sex][i, j]:.3f}")
        for sex in SEXES
        for i in range(len(ORDER))
        for j in range(len(ORDER))
    ]
    write_csv(folder / "correlation.csv", ("sex", "row", "column", "r"), rows)

    rows = []
    for name in BINARY_ORDER:
        for sex in SEXES:
            ages, values = population.prevalence[name, sex]
            rows += [(name, sex, f"{a:.1f}", f"{v:.4f}") for a, v in zip(ages, values, strict=True)]
    write_csv(folder / "prevalence.csv", ("characteristic", "sex", "age", "prevalence"), rows)

    header = ("site", "sex", "age", "rate", "source", "status", "note")
    persons_2005 = {sex: five_year_groups(inputs.groups, 2005, sex) for sex in SEXES}
    write_csv(
        folder / "fracture_incidence.csv", header, Incidence(persons_2005, population.white).rows()
    )
    persons_2014 = {sex: single_years(inputs.census, 2014, sex) for sex in SEXES}
    write_csv(folder / "falls.csv", header[1:], falls_rows(persons_2014))


# --- checking -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Tables:
    """The written tables of one population, read back."""

    characteristics: pl.DataFrame
    quantiles: pl.DataFrame
    prevalence: pl.DataFrame
    correlation: pl.DataFrame
    incidence: pl.DataFrame
    falls: pl.DataFrame

    @staticmethod
    def read(folder: Path) -> Tables:
        """Read the tables of a folder."""
        names = (
            "characteristics",
            "quantiles",
            "prevalence",
            "correlation",
            "fracture_incidence",
            "falls",
        )
        return Tables(*(pl.read_csv(folder / f"{name}.csv") for name in names))

    def values(self, name: str, sex: str, transform: str, age: Array, z: Array) -> Array:
        """Values of a characteristic at ages and latent normals."""
        knots = self.characteristics.filter(
            (pl.col("characteristic") == name) & (pl.col("sex") == sex)
        )
        q = column(
            self.quantiles.filter((pl.col("characteristic") == name) & (pl.col("sex") == sex)), "q"
        )
        ages = column(knots, "age")
        location = np.interp(age, ages, column(knots, "location"))
        spread = np.interp(age, ages, column(knots, "spread"))
        return backward(transform, location + spread * evaluate_q(q, z))

    def chance(self, name: str, sex: str, age: Array) -> Array:
        """Prevalence at ages."""
        part = self.prevalence.filter((pl.col("characteristic") == name) & (pl.col("sex") == sex))
        return np.interp(age, column(part, "age"), column(part, "prevalence"))

    def latent(self, sex: str) -> Array:
        """Correlation matrix in ORDER."""
        part = self.correlation.filter(pl.col("sex") == sex)
        cells = {(row, name): r for row, name, r in part.select("row", "column", "r").iter_rows()}
        return np.array([[cells[row, name] for name in ORDER] for row in ORDER])


def check(population: Population, inputs: Inputs, out: Path, people: int = 400_000) -> None:
    """Simulate people from the written tables and print them beside the survey."""
    tables = Tables.read(out / population.name)
    print(f"\n{population.name}: {people:,} simulated people of each sex against the survey")
    print("femoral neck, percent: survey | simulated, ages of 2019 | simulated, ages of the survey")
    for sex in SEXES:
        generator = np.random.default_rng(20190701)
        persons = single_years(inputs.census, YEAR, sex)
        ages = generator.choice(np.arange(50, 101), people, p=persons[50:] / persons[50:].sum())
        exact = ages + generator.random(people)
        z = (
            generator.standard_normal((people, len(ORDER)))
            @ np.linalg.cholesky(tables.latent(sex)).T
        )
        fn = tables.values("abmd_femoral_neck", sex, "identity", exact, z[:, 0])
        survey = population.people[sex]
        scanned = survey.filter(pl.col("fn_bmd").is_not_null())
        for low, high in DECADES:
            part = scanned.filter(pl.col("age_years").is_between(low, high))
            weight = column(part, "weight")
            seen = classes(column(part, "fn_bmd"), weight)
            here = (ages >= low) & (ages <= high)
            made = classes(fn[here], np.ones(int(here.sum())))
            same = generator.choice(column(part, "age"), people, p=weight / weight.sum())
            again = classes(
                tables.values("abmd_femoral_neck", sex, "identity", same, z[:, 0]), np.ones(people)
            )
            label = f"{low}-{high}" if high < 100 else f"{low}+"
            worst = max(abs(a - b) for a, b in zip(seen, made, strict=True))
            print(
                f"  {sex:5s} {label:5s} n={part.height:4d}"
                f"  osteoporosis {seen[0]:5.1f} |{made[0]:5.1f} |{again[0]:5.1f}"
                f"   osteopenia {seen[1]:5.1f} |{made[1]:5.1f} |{again[1]:5.1f}"
                f"   largest gap {worst:4.1f}"
                f"{'  ABOVE 2' if worst > 2 else ''}"
            )
    print("others, percentiles 5 / 50 / 95 at 50-64 and 65+: survey -> simulated at its ages")
    specs = [(s.name, s.column, s.transform) for s in CONTINUOUS]
    specs += [("calcium_intake", "calcium_mg_d1", "log"), ("activity", "met_min_week", "log1p")]
    p = np.array([0.05, 0.5, 0.95])
    for name, source, transform in specs:
        for sex in SEXES:
            parts = []
            for low, high in ((50, 64), (65, 120)):
                generator = np.random.default_rng(7)
                part = population.people[sex].filter(
                    pl.col(source).is_not_null() & pl.col("age_years").is_between(low, high)
                )
                weight = column(part, "weight")
                seen_q = weighted_quantiles(column(part, source), weight, p)
                same = generator.choice(column(part, "age"), 100_000, p=weight / weight.sum())
                made_v = tables.values(
                    name, sex, transform, same, generator.standard_normal(100_000)
                )
                made_q = np.quantile(made_v, p)
                text = (
                    " ".join(f"{v:.4g}" for v in seen_q)
                    + " -> "
                    + " ".join(f"{v:.4g}" for v in made_q)
                )
                if name == "calcium_intake":
                    mean = float(
                        np.average(column(part, source), weights=column(part, "wt_diet_d1"))
                    )
                    text += f" (mean {mean:.0f} -> {made_v.mean():.0f})"
                if name == "activity":
                    none = float(np.average(column(part, source) < 30, weights=weight))
                    text += f" (none {none:.2f} -> {np.mean(made_v < 30):.2f})"
                parts.append(text)
            print(f"  {name:18s} {sex:5s} " + "  |  ".join(parts))
    print("binary, percent by decade 50, 60, 70, 80+: survey -> table")
    for name in BINARY_ORDER:
        for sex in SEXES:
            texts = []
            for low, high in DECADES:
                part = population.people[sex].filter(
                    pl.col(name).is_not_null() & pl.col("age_years").is_between(low, high)
                )
                weight = column(part, "weight")
                made_p = float(
                    np.average(tables.chance(name, sex, column(part, "age")), weights=weight)
                )
                seen_p = float(np.average(column(part, name), weights=weight))
                texts.append(f"{100 * seen_p:.1f}->{100 * made_p:.1f}")
            note = "  (survey: ever for a month; table: now)" if name == "glucocorticoids" else ""
            print(f"  {name:22s} {sex:5s} " + "  ".join(texts) + note)
    print(
        "correlation: smallest eigenvalue "
        + ", ".join(f"{s} {np.linalg.eigvalsh(tables.latent(s))[0]:.3f}" for s in SEXES)
    )
    print("fractures per 1,000 person-years, ages of 2019: 50+ (65+), and number a year at 50+")
    for site in tables.incidence["site"].unique(maintain_order=True).to_list():
        texts, number = [], 0.0
        for sex in SEXES:
            part = tables.incidence.filter((pl.col("site") == site) & (pl.col("sex") == sex))
            rate = log_linear(column(part, "age"), column(part, "rate"))
            persons = single_years(inputs.census, YEAR, sex)
            all_50 = band_mean(rate, persons, 50, 100)
            number += all_50 * float(persons[50:].sum())
            texts.append(
                f"{sex} {1000 * all_50:.2f} ({1000 * band_mean(rate, persons, 65, 100):.2f})"
            )
        print(f"  {site:19s} " + "  ".join(texts) + f"   {number:,.0f}")
    for sex in SEXES:
        part = tables.falls.filter(pl.col("sex") == sex)
        rate = log_linear(column(part, "age"), column(part, "rate"))
        mean = band_mean(rate, single_years(inputs.census, YEAR, sex), 65, 100)
        print(f"falls per person-year, {sex}, 65+: {mean:.3f}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return the exit code."""
    parser = argparse.ArgumentParser(
        description="Derive the shipped population tables from survey and census data."
    )
    parser.add_argument(
        "--data",
        type=Path,
        default=ROOT / ".." / "shared" / "data",
        help="folder of the input data",
    )
    parser.add_argument(
        "--out", type=Path, default=ROOT / "python" / "cohortsim" / "data" / "populations"
    )
    parser.add_argument(
        "--check", action="store_true", help="simulate from the tables and compare with the survey"
    )
    options = parser.parse_args(arguments)
    try:
        inputs = read_inputs(options.data)
        for name, white in (("us", False), ("us_nonhispanic_white", True)):
            population = derive(name, white, inputs)
            write_population(population, inputs, options.out)
            if options.check:
                check(population, inputs, options.out)
    except InputError as problem:
        print(f"derive_populations: {problem}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

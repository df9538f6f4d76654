"""What is derived and for whom: sexes, year, ages and the characteristics of a person."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

SEXES = {"women": "F", "men": "M"}  # name in the tables, code in the data
YEAR = 2019  # of the US age structure and life table: the last one before the pandemic

# --- populations ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Group:
    """A population of the United States that the survey describes."""

    name: str
    race: str | None  # code in the survey; None is everybody
    medicare: str  # all, white, black or hispanic: the columns of the published race ratios
    small: bool = False  # few people were surveyed: fewer parameters, pairs with binaries of all


GROUPS = (
    Group("us", None, "all"),
    Group("us_nonhispanic_white", "NHWhite", "white"),
    Group("us_nonhispanic_black", "NHBlack", "black", small=True),
    Group("us_mexican_american", "MexAm", "hispanic", small=True),
)

# --- ages -----------------------------------------------------------------------------------

YOUNGEST = 20
OPEN_AGE = 100  # the census counts 100 and over as one age
TOP_AGE = 80  # survey ages are top-coded at 80 (85 in 2005-2006)
FIVE_YEAR_MIDDLES = tuple(22.5 + 5 * i for i in range(12))  # 22.5 .. 77.5
LAST_KNOT = 95.0
# Share of the last slope that continues to LAST_KNOT: people of 80 and over are one band, so the
# trend beyond them is not observed (assumption).
EXTRAPOLATED_SLOPE = 0.5
DECADES = ((50, 59), (60, 69), (70, 79), (80, 120))  # bands in which density is compared
OLDER_FROM = 50  # Q and correlation are those of people from here on

# --- characteristics ------------------------------------------------------------------------


@dataclass(frozen=True)
class Continuous:
    """A characteristic that is fitted to the survey."""

    name: str
    column: str
    transform: str  # identity or log
    parameters: float  # effective parameters of the location


FEMORAL_NECK = "abmd_femoral_neck"
TOTAL_HIP = "abmd_total_hip"
LUMBAR_SPINE = "abmd_lumbar_spine"
DISTAL_RADIUS = "abmd_distal_radius"
CALCIUM = "calcium_intake"
ACTIVITY = "activity"
MENOPAUSE = "menopause_age"
FRAILTY = "frailty"
PRIOR_FRACTURE = "prior_fracture"
GLUCOCORTICOIDS = "glucocorticoids"
ALCOHOL = "alcohol"
ARTHRITIS = "rheumatoid_arthritis"
DIABETES = "diabetes"

# Density gets more parameters than the others: its slope changes most, above all at menopause.
CONTINUOUS = (
    Continuous(FEMORAL_NECK, "fn_bmd", "identity", 7.0),
    Continuous(TOTAL_HIP, "th_bmd", "identity", 7.0),
    Continuous(LUMBAR_SPINE, "ls_bmd", "identity", 7.0),
    Continuous("body_weight", "weight_kg", "log", 5.0),
    Continuous("height", "height_cm", "identity", 5.0),
    Continuous("serum_25ohd", "vitd25oh_nmol_l", "log", 4.0),
)
SCANNED_SITES = (FEMORAL_NECK, TOTAL_HIP, LUMBAR_SPINE)

CONTINUOUS_ORDER = (
    FEMORAL_NECK,
    TOTAL_HIP,
    LUMBAR_SPINE,
    DISTAL_RADIUS,
    "body_weight",
    "height",
    CALCIUM,
    "serum_25ohd",
    ACTIVITY,
    MENOPAUSE,
    FRAILTY,
)
BINARY_ORDER = (
    PRIOR_FRACTURE,
    GLUCOCORTICOIDS,
    "parental_hip_fracture",
    "smoking",
    ALCOHOL,
    ARTHRITIS,
    DIABETES,
)
ORDER = (*CONTINUOUS_ORDER, *BINARY_ORDER)  # rows and columns of the correlation


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

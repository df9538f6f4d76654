"""Distal (one-third) radius, which was not scanned: built from published figures.

Young-adult mean and SD come from the maker's reference, loss with age from the forearm of the Tromso
study, correlation with the scanned sites from a study of forearm, spine and hip.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from populations.age_trend import Knots
from populations.definitions import (
    DISTAL_RADIUS,
    EXTRAPOLATED_SLOPE,
    ORDER,
    SCANNED_SITES,
    Array,
)
from populations.distribution import Z_KNOTS, Model

AGES: Array = np.array([20.0, 30, 40, 50, 55, 60, 65, 70, 75, 80, 85, 95])
OLDEST_OBSERVED = 85

# Young-adult mean and SD (g/cm2) as the maker gives them (hologic_radius, recalled).
YOUNG = {"women": (0.690, 0.055), "men": (0.815, 0.063)}
# Share lost a year from an age on, forearm of the Tromso study (berntsen2001).
LOSS_PER_YEAR = {
    "women": ((0.0, 0.001), (50.0, 0.013), (65.0, 0.007)),
    "men": ((0.0, 0.001), (50.0, 0.006)),
}
CORTICAL_SHARE = 0.7  # of that loss, because the one-third site is cortical (assumption)
SD_AT_80 = {"women": 0.070, "men": 0.076}  # SD widens with age from 45 (assumption)
CORRELATION = (0.55, 0.55, 0.55)  # with femoral neck, total hip, lumbar spine (forearm1990)


def radius_model(sex: str) -> Model:
    """Young mean and SD, loss with age; normal."""
    mean, sd = YOUNG[sex]
    location = [mean]
    for start, stop in pairwise(AGES):
        rate = loss_from(sex, start) * CORTICAL_SHARE
        years = stop - start if stop <= OLDEST_OBSERVED else EXTRAPOLATED_SLOPE * (stop - start)
        location.append(location[-1] * (1 - rate) ** years)
    spread = np.interp(AGES, [45.0, 80.0], [sd, SD_AT_80[sex]])
    return Model(Knots(AGES, np.array(location), spread), Z_KNOTS.copy())


def loss_from(sex: str, age: float) -> float:
    """Share lost a year at an age."""
    return [loss for since, loss in LOSS_PER_YEAR[sex] if since <= age][-1]


def tie_radius(matrix: Array) -> None:
    """Fill the radius into a correlation in ORDER: tied to the rest only through scanned sites."""
    sites = [ORDER.index(name) for name in SCANNED_SITES]
    radius = ORDER.index(DISTAL_RADIUS)
    beta = np.linalg.solve(matrix[np.ix_(sites, sites)], np.array(CORRELATION))
    implied = beta @ matrix[sites, :]
    for i in range(len(ORDER)):
        if i != radius:
            matrix[i, radius] = matrix[radius, i] = implied[i]

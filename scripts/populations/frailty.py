"""Frailty: standard normal among the living, tied to what the survey measured by assumption.

The survey asked for no index of frailty that could be used with bone density. Its links are set here
once for both sexes and every population, and added to the measured correlations.
"""

from __future__ import annotations

import numpy as np

from populations.age_trend import Knots
from populations.definitions import (
    ACTIVITY,
    ARTHRITIS,
    DIABETES,
    FEMORAL_NECK,
    FRAILTY,
    GLUCOCORTICOIDS,
    LAST_KNOT,
    ORDER,
    PRIOR_FRACTURE,
    TOTAL_HIP,
    YOUNGEST,
    Array,
)
from populations.distribution import Z_KNOTS, Model

# Latent correlation with age taken out (assumption; signs and rough size from li2014,
# bartosch2018). Everything else has none.
LINKS = {
    FEMORAL_NECK: -0.10,
    TOTAL_HIP: -0.10,
    "serum_25ohd": -0.10,
    ACTIVITY: -0.25,
    PRIOR_FRACTURE: 0.25,
    GLUCOCORTICOIDS: 0.20,
    "smoking": 0.10,
    ARTHRITIS: 0.30,
    DIABETES: 0.25,
}


def frailty_model() -> Model:
    """Location 0, spread 1 at every age, normal: the scale is that of the model, not of an index."""
    ages: Array = np.array([float(YOUNGEST), LAST_KNOT])
    return Model(Knots(ages, np.zeros(2), np.ones(2)), Z_KNOTS.copy())


def tie_frailty(matrix: Array) -> None:
    """Write the links into a correlation in ORDER."""
    frailty = ORDER.index(FRAILTY)
    for name, r in LINKS.items():
        other = ORDER.index(name)
        matrix[frailty, other] = matrix[other, frailty] = r

"""Offset of femoral-neck density that brings a population's osteoporosis to published shares."""

from __future__ import annotations

import numpy as np

from populations.definitions import FEMORAL_NECK, Array
from populations.distribution import NORMAL, inverse_q
from populations.osteoporosis import FEMORAL_NECK_MEAN, FEMORAL_NECK_SD, OSTEOPOROSIS
from populations.simulated import Tables

# Percent with a T-score of -2.5 or less at the femoral neck at 50-54 .. 80-84, Sweden, as the
# European Union is said to be (hernlund2013, recalled).
SWEDISH = {
    "women": (6.3, 9.6, 14.3, 20.2, 27.9, 37.5, 47.2),
    "men": (2.5, 3.5, 5.8, 7.4, 7.8, 10.3, 16.6),
}
MIDDLES: Array = np.arange(52.5, 85.0, 5.0)


def shares(tables: Tables, sex: str, offset: float) -> Array:
    """Percent with osteoporosis at MIDDLES if density is higher by an offset (g/cm2)."""
    limit = FEMORAL_NECK_MEAN + OSTEOPOROSIS * FEMORAL_NECK_SD - offset
    model = tables.model(FEMORAL_NECK, sex)
    z = inverse_q(model, np.full(len(MIDDLES), limit), MIDDLES)
    return np.array([100 * NORMAL.cdf(value) for value in z])


def swedish_offset(tables: Tables) -> float:
    """Offset with the least squared gap of normal scores over all ages and both sexes."""
    wanted = {
        sex: np.array([NORMAL.inv_cdf(p / 100) for p in published])
        for sex, published in SWEDISH.items()
    }
    candidates = np.arange(-0.150, 0.0505, 0.001)
    gaps = [
        sum(
            float(((scores(shares(tables, sex, offset)) - wanted[sex]) ** 2).sum())
            for sex in SWEDISH
        )
        for offset in candidates
    ]
    return float(candidates[int(np.argmin(gaps))])


def scores(percent: Array) -> Array:
    """Normal scores of percentages."""
    return np.array([NORMAL.inv_cdf(min(max(p / 100, 1e-6), 1 - 1e-6)) for p in percent])

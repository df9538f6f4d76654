"""Remaining lifetime risk of a first fracture at a site, with death competing."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from populations.definitions import Array
from populations.life_tables import LAST_AGE, hazard
from populations.rates import Rate


def lifetime_risk(rate: Rate, deaths: Array, start: int) -> float:
    """Chance of at least one fracture from an age on, if all people have the same rate.

    `deaths` are the one-year chances of death from `start` to LAST_AGE. People who broke a bone
    break more, so that the same mean rate gives fewer people with a fracture; deaths of one period
    ask for a higher rate than the falling ones that people will meet. The two roughly cancel.
    """
    middles: Array = np.arange(start + 0.5, LAST_AGE + 1)
    free = np.exp(-np.concatenate([[0.0], np.cumsum(rate(middles))]))
    dying = np.concatenate([[0.0], np.cumsum(hazard(deaths))])
    alive = np.exp(-(dying[:-1] + dying[1:]) / 2)
    return float((alive * -np.diff(free)).sum())


def factor_for(risk_of: Callable[[float], float], target: float) -> float:
    """Factor between 1/20 and 20 at which an increasing risk meets its target."""
    low, high = np.log(0.05), np.log(20.0)
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if risk_of(float(np.exp(middle))) < target else (low, middle)
    return float(np.exp(low))

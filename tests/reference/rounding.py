"""How far the kernel may be from its twin by rounding alone, derived step by step.

Limits are relative errors. A unit (ULP) is the relative distance of neighbouring numbers in single
precision; one operation rounds by half of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from .month import FIRST_SITE, Month
from .populations import Plain
from .systems import Floats

ULP = 2.0**-23
DENSITY_IN_SINGLE = 32 * ULP
"""Relative error that single precision may make of density.

Each step rounds bone volume by up to half a unit. A state forgets its errors as it relaxes: at a rate
k and steps h they add up to about 1 / sqrt(2 k h) units, 14 for bone of 0.03 a year by the month.
"""
RESORPTION_IN_SINGLE = 128 * ULP
"""The same of resorption, modelling and microdamage: under medicines they may be what is left when
nearly all is taken away."""
SHARE_IN_SINGLE = 2e-6
"""Of the kernel's normal distribution in single precision, down to 7 SD below 0."""
SHARE_IN_DOUBLE = 5e-11
"""Of the kernel's normal distribution in double precision."""


@dataclass(frozen=True)
class Rounding:
    """Limits of one precision."""

    abmd: float
    """Of densities."""
    state: float
    """Of frailty and instability, for each month lived."""
    thresholds: Callable[[Plain, Month, int], Floats]
    """(request, what was asked of chance, month) -> limits of thresholds, (decisions, n)."""


def slope_of_share(demand: Floats) -> Floats:
    """Return d ln(share) / d demand: below 0.8 for demands above 0, about -demand far below."""
    density = np.exp(-0.5 * demand**2) / np.sqrt(2.0 * np.pi)
    return np.asarray(density / ndtr(demand))


def thresholds_in_double(request: Plain, asked: Month, month: int) -> Floats:
    """Return limits in double precision: all sums and products keep far within 1e-11."""
    limits = np.full_like(asked.hazard, 1e-11)
    limits[FIRST_SITE:] += SHARE_IN_DOUBLE
    return limits


def thresholds_in_single(request: Plain, asked: Month, month: int) -> Floats:
    """Return limits in single precision.

    Frailty is added to once a month, each time rounded by half a unit of its size, and instability
    multiplied: after m months they are off by m units of 1 or more. Falls and deaths are products
    of a few numbers, one of them an exponential of frailty.

    The demand of a fracture is a sum of 16 numbers or fewer, each below 8 and so rounded by up to 2
    units of 1, of logarithms of density and states with their errors, and of frailty. Its error e
    moves ln of the breaking share by e times the slope of that logarithm; the share's own error and
    the product with four other numbers come on top.
    """
    p = request["parameters"]
    size = np.maximum(1.0, np.abs(asked.frailty) + asked.instability)
    frailty = (month + 2) * ULP * size
    limits = np.zeros_like(asked.hazard)
    limits[0] = 8 * ULP + p["falls.frailty_exponent"] * frailty
    limits[1] = 8 * ULP + p["mortality.frailty_exponent"] * frailty
    relief = p["fracture.modelling_relief"]
    for k, site in enumerate(request["fracture_sites"]):
        states = abs(site["turnover_exponent"]) * (1.0 + relief) + abs(site["microdamage_exponent"])
        error = states * RESORPTION_IN_SINGLE + abs(site["frailty_exponent"]) * frailty
        error = error + abs(site["change_exponent"]) * DENSITY_IN_SINGLE + 32 * ULP
        demand = asked.demand[k]
        error = error / site["spread"] + 2 * ULP * np.abs(demand)
        limits[FIRST_SITE + k] = SHARE_IN_SINGLE + slope_of_share(demand) * error + 8 * ULP
    return limits


IN_DOUBLE = Rounding(1e-11, 1e-13, thresholds_in_double)
IN_SINGLE = Rounding(DENSITY_IN_SINGLE, ULP, thresholds_in_single)

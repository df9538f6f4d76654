"""Location and spread by age: knots fitted to individual data by penalized least squares."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from populations.definitions import EXTRAPOLATED_SLOPE, LAST_KNOT, Array

# The slope that continues to the last knot is the mean one since here, because that between the
# last two knots alone is noisy.
SLOPE_FROM = 67.5


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


def continued(ages: Array, location: Array, spread: Array) -> Knots:
    """Add the last knot: half of the slope of location goes on, spread stays."""
    start = float(np.interp(SLOPE_FROM, ages, location))
    slope = (location[-1] - start) / (ages[-1] - SLOPE_FROM)
    last = float(location[-1] + EXTRAPOLATED_SLOPE * slope * (LAST_KNOT - ages[-1]))
    return Knots(
        np.append(ages, LAST_KNOT), np.append(location, last), np.append(spread, spread[-1])
    )


def fit_knots(age: Array, y: Array, weight: Array, knots: Array, parameters: float) -> Array:
    """Values at the knots by penalized weighted least squares with `parameters` effective ones."""
    basis = hat_basis(age, knots)
    gram = basis.T @ (basis * weight[:, None])
    penalty = roughness(knots)
    strength = math.exp(log_strength(gram, penalty, parameters))
    return np.asarray(
        np.linalg.solve(gram + strength * penalty, basis.T @ (weight * y)), dtype=np.float64
    )


def hat_basis(age: Array, knots: Array) -> Array:
    """Columns are the piecewise linear functions that are 1 at one knot; constant outside."""
    return np.stack([np.interp(age, knots, row) for row in np.eye(len(knots))], axis=1)


def roughness(knots: Array) -> Array:
    """Quadratic form of the squared changes of slope at the inner knots."""
    slope_change: Array = np.zeros((len(knots) - 2, len(knots)))
    for i in range(len(knots) - 2):
        left, right = knots[i + 1] - knots[i], knots[i + 2] - knots[i + 1]
        slope_change[i, i : i + 3] = (1 / left, -1 / left - 1 / right, 1 / right)
    return slope_change.T @ slope_change


def log_strength(gram: Array, penalty: Array, parameters: float) -> float:
    """Log of the penalty's factor that leaves this many effective parameters, by bisection.

    Their number is the trace of the matrix that takes the data to the fitted values.
    """
    low, high = -10.0, 30.0
    for _ in range(80):
        middle = (low + high) / 2
        used = float(np.trace(np.linalg.solve(gram + math.exp(middle) * penalty, gram)))
        low, high = (middle, high) if used > parameters else (low, middle)
    return low

"""Normal and quantile functions: a person's value from a standard normal, and back."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from populations.age_trend import Knots
from populations.definitions import Array

NORMAL = NormalDist()

# Q is written at these z and straight between them.
Z_KNOTS: Array = np.linspace(-3.5, 3.5, 29)
# Beyond lies 1.2 % of people at each end, too few for a quantile: the tail continues straight.
STRAIGHT_FROM = 2.25
TAIL_STEPS = 4  # knots over which the slope of a tail is taken
WINDOW = 0.2  # half width, in z, over which quantiles are averaged


@dataclass(frozen=True)
class Model:
    """One characteristic in one sex: knots, and Q at Z_KNOTS."""

    knots: Knots
    q: Array


Models = dict[tuple[str, str], Model]  # (characteristic, sex)

# --- normal ---------------------------------------------------------------------------------


def normal_cdf(x: Array) -> Array:
    """Standard normal distribution function."""
    return np.array([NORMAL.cdf(v) for v in x])


def normal_inverse(p: Array) -> Array:
    """Inverse of `normal_cdf`, kept finite."""
    return np.array([NORMAL.inv_cdf(min(max(v, 1e-9), 1 - 1e-9)) for v in p])


def normal_density(x: Array) -> Array:
    """Standard normal density."""
    return np.exp(-0.5 * x * x) / math.sqrt(2 * math.pi)


# --- weighted order statistics --------------------------------------------------------------


def weighted_quantiles(values: Array, weight: Array, p: Array) -> Array:
    """Weighted quantiles, linear between the middles of the weights."""
    order = np.argsort(values, kind="stable")
    cumulative = np.cumsum(weight[order]) - weight[order] / 2
    return np.interp(p, cumulative / weight.sum(), values[order])


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


# --- quantile function ----------------------------------------------------------------------


def smooth_quantiles(standardized: Array, weight: Array) -> Array:
    """Q at Z_KNOTS: window average of the quantiles, straight tails, mean 0 and SD 1."""
    window = np.linspace(-WINDOW, WINDOW, 17)
    inner = Z_KNOTS[np.abs(Z_KNOTS) <= STRAIGHT_FROM + 1e-9]
    q = np.array(
        [weighted_quantiles(standardized, weight, normal_cdf(z + window)).mean() for z in inner]
    )
    low = (q[TAIL_STEPS] - q[0]) / (inner[TAIL_STEPS] - inner[0])
    high = upper_slope(inner, q)
    full = np.interp(Z_KNOTS, inner, q)
    full += low * np.minimum(Z_KNOTS + STRAIGHT_FROM, 0.0)
    full += high * np.maximum(Z_KNOTS - STRAIGHT_FROM, 0.0)
    return standardize(np.maximum.accumulate(full))


def upper_slope(z: Array, q: Array) -> float:
    """Slope of Q over its last knots."""
    return float((q[-1] - q[-1 - TAIL_STEPS]) / (z[-1] - z[-1 - TAIL_STEPS]))


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

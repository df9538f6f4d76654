"""Correlation of the latent normals at 50 and over, from pairs of known scores."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import polars as pl

from populations.definitions import BINARY_ORDER, MENOPAUSE, OLDER_FROM, ORDER, Array
from populations.distribution import Models, normal_cdf, normal_density
from populations.frailty import tie_frailty
from populations.latent import Score, scores
from populations.prevalence import Prevalence
from populations.radius import tie_radius
from populations.reading import InputError, column

# Asked of women of 55-75 alone: a correlation below this cannot be told from none.
NEGLIGIBLE_MENOPAUSE_CORRELATION = 0.05
MIN_EIGENVALUE = 0.025  # the matrix is repaired to this one,
ACCEPTED_EIGENVALUE = 0.02  # and still has this one after it is rounded


def correlation_matrix(
    sex: str,
    people: pl.DataFrame,
    models: Models,
    prevalence: Prevalence,
    of_all: Array | None = None,
) -> Array:
    """Latent correlation in ORDER, positive definite.

    `of_all` is that of everybody; it replaces pairs with a binary, which few people cannot tell.
    """
    people = people.filter(pl.col("age_years") >= OLDER_FROM)
    weight = column(people, "weight")
    known = scores(sex, people, models, prevalence)
    matrix = np.eye(len(ORDER))
    for (i, first), (j, second) in combinations(enumerate(ORDER), 2):
        if first in known and second in known:
            r = latent_correlation(known[first], known[second], weight)
            if MENOPAUSE in (first, second) and abs(r) < NEGLIGIBLE_MENOPAUSE_CORRELATION:
                r = 0.0
            if of_all is not None and (first in BINARY_ORDER or second in BINARY_ORDER):
                r = float(of_all[i, j])
            matrix[i, j] = matrix[j, i] = r
    tie_radius(matrix)
    tie_frailty(matrix)
    return nearest_positive_definite(matrix)


def latent_correlation(a: Score, b: Score, weight: Array) -> float:
    """Correlation of two latent normals from their pairwise known scores."""
    known = np.isfinite(a.value) & np.isfinite(b.value)
    w = weight[known] / weight[known].sum()
    x, y = a.value[known], b.value[known]
    if a.threshold is not None and b.threshold is not None:
        return both_binary(x, y, a.threshold[known], b.threshold[known], w)
    if a.threshold is not None:
        a, b, x, y = b, a, y, x
    if b.threshold is not None:
        r = one_binary(x, y, a.coarse, b.threshold[known], w)
    else:
        r = none_binary(x, y, a.coarse, b.coarse, w)
    return r / math.sqrt(a.reliability * b.reliability)


def none_binary(x: Array, y: Array, x_coarse: bool, y_coarse: bool, w: Array) -> float:
    """Product-moment correlation; a conditional mean is divided by its variance instead of SD."""
    x, y = x - float((w * x).sum()), y - float((w * y).sum())
    variance_x, variance_y = float((w * x * x).sum()), float((w * y * y).sum())
    r = float((w * x * y).sum())
    r /= variance_x if x_coarse else math.sqrt(variance_x)
    r /= variance_y if y_coarse else math.sqrt(variance_y)
    return r


def one_binary(x: Array, y: Array, x_coarse: bool, limit: Array, w: Array) -> float:
    """Biserial correlation of a score with a binary whose chance varies with age."""
    x = x - float((w * x).sum())
    variance = float((w * x * x).sum())
    # cov(present, x) = density(threshold) * r
    r = float((w * (y - normal_cdf(-limit)) * x).sum() / (w * normal_density(limit)).sum())
    return r / (variance if x_coarse else math.sqrt(variance))


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
    low, high = -0.6, 0.6  # the series ends after four terms, too few for more
    for _ in range(60):
        r = (low + high) / 2
        value = sum(term * r ** (i + 1) for i, term in enumerate(terms))
        low, high = (r, high) if value < target else (low, r)
    return (low + high) / 2


def nearest_positive_definite(matrix: Array) -> Array:
    """Raise small eigenvalues and restore the unit diagonal, in turn; rounded to three decimals.

    Pairs are known of different people, so the matrix as measured need not be positive definite.
    """
    for _ in range(500):
        matrix = (matrix + matrix.T) / 2
        np.fill_diagonal(matrix, 1.0)
        values, vectors = np.linalg.eigh(matrix)
        if values[0] >= MIN_EIGENVALUE - 1e-6:
            break
        matrix = (vectors * np.maximum(values, MIN_EIGENVALUE)) @ vectors.T
    scale = np.sqrt(np.diag(matrix))
    rounded: Array = np.round(matrix / np.outer(scale, scale), 3) + 0.0
    if np.linalg.eigvalsh(rounded)[0] < ACCEPTED_EIGENVALUE:
        raise InputError("the correlation could not be repaired to a smallest eigenvalue of 0.02.")
    return rounded

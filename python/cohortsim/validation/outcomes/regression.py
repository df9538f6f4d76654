"""Least squares and Poisson regression, written plainly; odds ratios by strata.

Poisson: counts y in time t with mean t exp(x b); Newton steps of the log-likelihood,
    b += (X' diag(mu) X)^-1 X' (y - mu),   mu = t exp(X b).
Mantel and Haenszel 1959: odds ratio = sum_k a_k d_k / n_k / sum_k b_k c_k / n_k.
"""

from __future__ import annotations

import numpy as np

from cohortsim.validation.compare import NotThereError
from cohortsim.validation.outcomes.sums import Array

STEPS = 50
CLOSE = 1e-8  # change of a coefficient
MOST_STEP = 2.0  # longest step of a coefficient, so that the first steps do not run away


def poisson(x: Array, events: Array, time: Array) -> Array:
    """Return the coefficients of log rates: x (cells, terms), events and time (cells).

    Raises NotThereError: too few events, or terms that cannot be told apart.
    """
    kept = time > 0
    x, events, time = x[kept], events[kept], time[kept]
    if events.sum() < x.shape[1] + 1:
        raise NotThereError(f"only {int(events.sum())} events")
    b: Array = np.zeros(x.shape[1])
    b[0] = np.log(events.sum() / time.sum())
    for _ in range(STEPS):
        mu = time * np.exp(np.clip(x @ b, -60, 30))
        try:
            step = np.linalg.solve(x.T @ (x * mu[:, None]), x.T @ (events - mu))
        except np.linalg.LinAlgError:
            raise NotThereError("nobody to compare with") from None
        b = b + np.clip(step, -MOST_STEP, MOST_STEP)
        if np.max(np.abs(step)) < CLOSE:
            return b
    raise NotThereError("the regression finds no end: too few events in a stratum")


def least_squares(products: Array) -> Array:
    """Return coefficients from X'X in the first columns and X'y in the last: (terms, terms + 1)."""
    try:
        made: Array = np.linalg.solve(products[:, :-1], products[:, -1]).astype(np.float64)
    except np.linalg.LinAlgError:
        raise NotThereError("nobody to compare with") from None
    return made


def odds_ratio(table: Array) -> float:
    """Return the Mantel-Haenszel odds ratio of (strata, exposed 0/1, outcome 0/1)."""
    n = table.sum(axis=(1, 2))
    n = np.where(n > 0, n, 1)
    above = float((table[:, 1, 1] * table[:, 0, 0] / n).sum())
    below = float((table[:, 1, 0] * table[:, 0, 1] / n).sum())
    if below <= 0 or above <= 0:
        raise NotThereError("an outcome that nobody, or everybody, had")
    return above / below

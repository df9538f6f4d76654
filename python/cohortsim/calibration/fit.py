"""The fit: least squares from several starts, and what the data do not say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import least_squares

from cohortsim.calibration.courses import Courses
from cohortsim.calibration.evidence import Evidence
from cohortsim.calibration.free import Floats, Free
from cohortsim.catalog import Catalog
from cohortsim.entries import Quantity

STEP = 1e-3
"""Step of the derivatives on the logistic scale."""
START_SPREAD = 0.8
"""SD of random starts on the logistic scale: most lie in the inner three quarters of the range."""
Say = Callable[[str], None]


@dataclass(frozen=True)
class Fit:
    """A fitted set of values, what it simulates, and how well each direction is known."""

    courses: Courses
    scaled: Floats
    """Fitted values on the logistic scale, shape (n,)."""
    simulated: Floats
    """What each target gets, shape (targets,)."""
    jacobian: Floats
    """d residual / d scale of the fitted targets, without the pull, shape (fitted, n)."""
    cost: float
    offset: Floats
    """What whole trials give beyond typical people, shape (targets,); part of `simulated`."""

    @property
    def free(self) -> Free:
        """What was free."""
        return self.courses.free

    @property
    def values(self) -> dict[str, float]:
        """Fitted values by full name."""
        values = self.free.values(self.scaled)
        return {n: float(x) for n, x in zip(self.free.names, values, strict=True)}

    def spread(self) -> Floats:
        """Return the local standard deviation of each value (data and pull), in its own unit."""
        pull = self.courses.evidence.weights.pull_to_middle
        information = self.jacobian.T @ self.jacobian + pull**2 * np.eye(len(self.scaled))
        variance = np.diag(np.linalg.inv(information))
        spread: Floats = np.sqrt(variance) * self.free.slope(self.scaled)
        return spread

    def told_by_data(self) -> Floats:
        """Return, for each value, the share of its precision that the data give (0 to 1)."""
        pull = self.courses.evidence.weights.pull_to_middle
        information = self.jacobian.T @ self.jacobian + pull**2 * np.eye(len(self.scaled))
        share: Floats = 1.0 - pull**2 * np.diag(np.linalg.inv(information))
        return share

    def known(self) -> list[tuple[str, Quantity, float, float, float]]:
        """Return (full name, quantity, fitted value, local SD, share told by data) of each value."""
        rows = zip(self.values.items(), self.spread(), self.told_by_data(), strict=True)
        return [
            (name, self.free.quantities[name], value, float(spread), float(share))
            for (name, value), spread, share in rows
        ]

    def unidentified(self) -> list[tuple[float, list[tuple[str, float]]]]:
        """Return the directions that the pull holds more than the data do.

        Each is (ratio of information, data to pull; the four names that weigh most in it, with
        their weights), least known first.
        """
        pull = self.courses.evidence.weights.pull_to_middle
        values, vectors = np.linalg.eigh(self.jacobian.T @ self.jacobian)
        found = []
        for value, vector in zip(values, vectors.T, strict=True):
            if value < pull**2:
                heavy = np.argsort(-np.abs(vector))[:4]
                named = [(self.free.names[k], float(vector[k])) for k in heavy]
                found.append((float(max(value, 0.0) / pull**2), named))
        return found


class _Problem:
    """Residuals and derivatives on the logistic scale."""

    def __init__(self, courses: Courses, offset: Floats | None = None) -> None:
        self.courses, self.free = courses, courses.free
        self.offset = np.zeros(len(courses.targets)) if offset is None else offset
        evidence = courses.evidence
        self.published = np.array([target.value for target in courses.targets])
        self.scale = np.array([evidence.scale(target) for target in courses.targets])
        self.fitted = np.array([target.fitted for target in courses.targets])
        self.pull = evidence.weights.pull_to_middle

    def residuals(self, scaled: Floats) -> Floats:
        simulated = self.simulated(scaled)
        missed = ((simulated - self.published) / self.scale)[self.fitted]
        return np.concatenate([missed, self.pull * scaled])

    def simulated(self, scaled: Floats) -> Floats:
        typical: Floats = self.courses.simulated(self.free.values(scaled))[0]
        return typical + self.offset

    def data_jacobian(self, scaled: Floats) -> Floats:
        n = len(scaled)
        sets = np.vstack([scaled, scaled + STEP * np.eye(n)])
        simulated = self.courses.simulated(self.free.values(sets))
        slopes: Floats = ((simulated[1:] - simulated[0]) / STEP / self.scale).T[self.fitted]
        return slopes

    def jacobian(self, scaled: Floats) -> Floats:
        return np.vstack([self.data_jacobian(scaled), self.pull * np.eye(len(scaled))])

    def solved(self, start: Floats, iterations: int) -> Fit:
        solution = least_squares(
            self.residuals, start, jac=self.jacobian, x_scale="jac", max_nfev=iterations
        )
        scaled = np.asarray(solution.x, dtype=np.float64)
        return self.at(scaled, float(solution.cost))

    def at(self, scaled: Floats, cost: float) -> Fit:
        simulated, slopes = self.simulated(scaled), self.data_jacobian(scaled)
        return Fit(self.courses, scaled, simulated, slopes, cost, self.offset)


def calibrate(
    *,
    starts: int = 3,
    iterations: int = 80,
    people: int = 16,
    rounds: int = 3,
    seed: int = 1,
    from_shipped: bool = True,
    catalog: Catalog | None = None,
    evidence: Evidence | None = None,
    say: Say = lambda _: None,
) -> Fit:
    """Refit the free parameters.

    First one typical person an arm, from several starts; then, from the best, the mean of several
    people an arm, who differ in their individual constants; then the same again with what the
    whole trials give beyond those people (their ages, diets and weights differ), found by
    simulating the trials with the values at hand, a few times over.

    Args:
        starts: random starts, beside the shipped values.
        iterations: most evaluations of each descent.
        people: people of each arm in the later descents; 1 leaves them out.
        rounds: how often the whole trials are simulated and the fit is repeated; 0 leaves it out.
        seed: seed of the random starts.
        from_shipped: whether the shipped values are a start, too.
        catalog: parameters and medicines; the shipped ones if not given.
        evidence: targets and weights; the shipped ones if not given.
        say: is told of each step, one line at a time.

    Returns:
        The best fit.

    Raises:
        ValueError: there is no start.
    """
    catalog, evidence = catalog or Catalog(), evidence or Evidence()
    free = Free.of(catalog)
    random = np.random.default_rng(seed)
    points = [("the shipped values", free.scaled(free.shipped))] if from_shipped else []
    for k in range(starts):
        drawn = random.normal(0.0, START_SPREAD, len(free.names))
        points.append((f"random start {k + 1}", drawn))
    if not points:
        raise ValueError("no start: ask for at least one random start or the shipped values")
    typical = _Problem(Courses(evidence, catalog, free))
    fits = []
    for name, point in points:
        fit = typical.solved(point, iterations)
        say(f"typical people, from {name}: cost {fit.cost:.2f}")
        fits.append(fit)
    best = min(fits, key=lambda fit: fit.cost)
    crowd = Courses(evidence, catalog, free, people)
    if people > 1:
        best = _Problem(crowd).solved(best.scaled, iterations // 2)
        say(f"{people} people an arm, from the best of these: cost {best.cost:.2f}")
    for k in range(rounds):
        offset = beyond_typical(crowd, best)
        best = _Problem(crowd, offset).solved(best.scaled, iterations // 4)
        size = float(np.sqrt(np.mean((offset / _Problem(crowd).scale) ** 2)))
        say(f"round {k + 1} with whole trials (they add {size:.2f} scales): cost {best.cost:.2f}")
    return best


def beyond_typical(courses: Courses, fit: Fit) -> Floats:
    """Return what whole trials, simulated with fitted values, give beyond typical people.

    Shape (targets,); 0 where a trial gives no number.
    """
    from cohortsim.calibration.trials import simulated_in_trials

    values = fit.values
    in_trials = simulated_in_trials(courses.catalog, values)
    typical = courses.simulated(courses.free.values(fit.scaled))[0]
    return np.array(
        [
            in_trials.get(target.id, float(own)) - float(own)
            for target, own in zip(courses.targets, typical, strict=True)
        ]
    )


def evaluated(
    people: int = 16,
    trials: bool = True,
    catalog: Catalog | None = None,
    evidence: Evidence | None = None,
) -> Fit:
    """Return the shipped values as a fit, without fitting: residuals and identification.

    Args:
        people: people of each arm.
        trials: whether to add what whole trials give beyond them.
        catalog: parameters and medicines; the shipped ones if not given.
        evidence: targets and weights; the shipped ones if not given.
    """
    catalog, evidence = catalog or Catalog(), evidence or Evidence()
    free = Free.of(catalog)
    courses = Courses(evidence, catalog, free, people)
    scaled = free.scaled(free.shipped)
    problem = _Problem(courses)
    found = problem.at(scaled, 0.0)
    if trials:
        problem = _Problem(courses, beyond_typical(courses, found))
    residuals = problem.residuals(scaled)
    return problem.at(scaled, float(0.5 * residuals @ residuals))

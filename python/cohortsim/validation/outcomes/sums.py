"""Sums by group of people -> one number with the chance of the simulation in it.

Ratios are handled as logarithms, so that their intervals stay positive.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cohortsim.validation import jackknife
from cohortsim.validation.compare import NotThereError
from cohortsim.validation.outcomes.targets import Outcome

Array = NDArray[np.float64]
Index = NDArray[np.int64]


@dataclass(frozen=True)
class Sums:
    """by_group: sums, the first axis is the group; make: the number of sums over groups.

    people: how many were looked at in each group, which is also their weight in the jackknife.
    `make` raises NotThereError where there is no such number.
    """

    by_group: Array
    people: Array
    make: Callable[[Array], float]


@dataclass(frozen=True, slots=True)
class Compared:
    """A published outcome beside the simulated one; `reason` says why there is none.

    error: standard error of the simulated number by chance of the simulation alone, of its natural
    logarithm where it is a ratio. low, high: its 95 % interval.
    """

    outcome: Outcome
    simulated: float | None = None
    low: float | None = None
    high: float | None = None
    error: float | None = None
    people: int = 0
    reason: str = ""

    @property
    def difference(self) -> float | None:
        """Simulated minus published."""
        return None if self.simulated is None else self.simulated - self.outcome.published

    @property
    def z(self) -> float | None:
        """Difference in standard errors, of the published and the simulated number together."""
        o = self.outcome
        if self.simulated is None or o.low is None or o.high is None or o.high <= o.low:
            return None
        numbers = (self.simulated, o.published, o.low, o.high)
        if o.is_ratio:
            if min(numbers) <= 0:
                return None
            numbers = tuple(map(math.log, numbers))  # type: ignore[assignment]
        simulated, published, low, high = numbers
        return (simulated - published) / math.hypot((high - low) / (2 * 1.959964), self.error or 0)

    @property
    def inside(self) -> bool | None:
        """Is the simulated number in the published interval? None where there is no interval."""
        o = self.outcome
        if self.simulated is None or o.low is None or o.high is None:
            return None
        return o.low <= self.simulated <= o.high


def compared(outcome: Outcome, sums: Sums) -> Compared:
    """Return the number beside the published one. Raises NotThereError: there is none."""
    total = sums.by_group.sum(axis=0)
    people = int(sums.people.sum())
    if people == 0:
        raise NotThereError("nobody of that sex and age in the study")
    simulated = float(sums.make(total))
    if not math.isfinite(simulated):
        raise NotThereError("nothing happened that it could be made of")
    error = _error(sums, total, outcome.is_ratio, simulated)
    if error is None:
        return Compared(outcome, simulated, people=people)
    groups = int((sums.people > 0).sum())
    half = jackknife.quantile(groups - 1) * error
    if outcome.is_ratio:
        low, high = simulated * math.exp(-half), simulated * math.exp(half)
    else:
        low, high = simulated - half, simulated + half
    return Compared(outcome, simulated, low, high, error, people)


def _error(sums: Sums, total: Array, is_ratio: bool, simulated: float) -> float | None:
    def scaled(number: float) -> float:
        return math.log(number) if is_ratio else number

    there = [group for group, people in enumerate(sums.people) if people > 0]
    try:
        whole = scaled(simulated)
        without = {g: scaled(float(sums.make(total - sums.by_group[g]))) for g in there}
    except (NotThereError, ValueError):
        return None
    error = jackknife.error(whole, without, {g: float(sums.people[g]) for g in there})
    return error if error is not None and math.isfinite(error) else None


def counted(groups: int, shape: tuple[int, ...], *index: Any, weights: Any = None) -> Array:
    """Return sums by group and cell: index holds the group, then one array for each axis of shape."""
    full = (groups, *shape)
    size = math.prod(full)
    flat = np.ravel_multi_index(index, full) if size else np.zeros(0, dtype=np.int64)
    made: Array = np.bincount(flat, weights=weights, minlength=size).astype(np.float64)
    return made.reshape(full)


def ratio(above: float, below: float) -> float:
    """Return above / below. Raises NotThereError: nothing below."""
    if below <= 0:
        raise NotThereError("nothing happened among those it is compared with")
    return above / below

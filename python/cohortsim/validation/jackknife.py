"""The chance of the simulation in any number made of sums: delete-a-group jackknife.

For groups of unequal size (Busing, Meijer and van der Leeden 1999): the number is made again
without each group of people in turn. So whatever people share is in the interval as it is.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache

CONFIDENCE = 0.95


def error(whole: float, without: Mapping[int, float], sizes: Mapping[int, float]) -> float | None:
    """Return the standard error of a number; None where one group alone holds everybody.

    whole: the number of all people; without: the number without each group; sizes: people in it.
    """
    people, groups = sum(sizes.values()), len(sizes)
    if groups < 2:
        return None
    centre = groups * whole - sum((1 - m / people) * without[g] for g, m in sizes.items())
    squares = 0.0
    for group, size in sizes.items():
        share = people / size
        pseudo = share * whole - (share - 1) * without[group]
        squares += (pseudo - centre) ** 2 / (share - 1)
    return math.sqrt(squares / groups)


@cache
def quantile(degrees: int) -> float:
    """Return the two-sided 95 % quantile of Student's t."""
    from scipy.special import stdtrit

    return float(stdtrit(degrees, (1 + CONFIDENCE) / 2))

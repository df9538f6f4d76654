"""Remaining lifetime risk as registers compute it: from the rates of one time, death competing.

People of all ages are followed for some years; everybody is at risk from the age at which they are
first seen. So the risk is that of somebody who would live through the rates of today, age by age, as
the published risks of Malmo, Rochester and general practice are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cohortsim.validation.compare import NotThereError
from cohortsim.validation.outcomes.lives import Lives
from cohortsim.validation.outcomes.sums import Array, Sums, counted
from cohortsim.validation.outcomes.targets import OLDEST, Outcome

if TYPE_CHECKING:
    from cohortsim.validation.outcomes.observed import Observed


def lifetime_risk(outcome: Outcome, seen: Observed) -> Sums:
    """Percent of people of an age who break a bone of these sites in the rest of their lives.

    From the rates of first fractures in follow-up and of deaths before them by single year of age.
    """
    lives = seen.lives(outcome)
    who = np.isin(lives.sex, outcome.sexes) & (lives.age + lives.exit > outcome.age_from)
    if not who.any():
        raise NotThereError("nobody is seen at these ages")
    return Sums(_by_age(outcome, lives, who), lives.people(who), lambda sums: _risk(outcome, sums))


def _by_age(outcome: Outcome, lives: Lives, who: Array) -> Array:
    """Return years at risk, first fractures, deaths before them: (groups, 3, ages)."""
    first = lives.first(outcome.site)
    end = np.minimum(first, lives.exit)
    group, start, stop = lives.group[who], lives.age[who], (lives.age + end)[who]
    broke = (first <= lives.exit)[who]
    died = lives.died[who] & ~broke
    last = np.clip(stop.astype(np.int64), 0, OLDEST - 1)
    sums = np.zeros((lives.groups, 3, OLDEST))
    for age in range(outcome.age_from, OLDEST):
        time = np.clip(np.minimum(stop, age + 1) - np.maximum(start, age), 0, None)
        sums[:, 0, age] = np.bincount(group, weights=time, minlength=lives.groups)
    for row, happened in ((1, broke), (2, died)):
        sums[:, row] = counted(lives.groups, (OLDEST,), group[happened], last[happened])
    return sums


def _risk(outcome: Outcome, sums: Array) -> float:
    years, fractures, deaths = sums[:, outcome.age_from :]
    there = years > 0
    fracture, death = (np.where(there, n / np.where(there, years, 1), 0) for n in (fractures, deaths))
    both = fracture + death
    left = np.exp(-np.concatenate([[0.0], np.cumsum(both)[:-1]]))
    share = np.where(both > 0, fracture / np.where(both > 0, both, 1), 0)
    return 100 * float((left * share * -np.expm1(-both)).sum())

"""Prevalence of osteoporosis and low bone mass at index, at one site or at the lower of two."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cohortsim.validation.outcomes.sums import Sums
from cohortsim.validation.outcomes.targets import Outcome

if TYPE_CHECKING:
    from cohortsim.validation.outcomes.observed import Observed

OSTEOPOROSIS, NORMAL = -2.5, -1.0  # T-scores, WHO 1994
EITHER = "femoral_neck_or_lumbar_spine"


def class_share(outcome: Outcome, seen: Observed) -> Sums:
    """Percent with osteoporosis (T at most -2.5) or low bone mass (T between that and -1)."""
    lives = seen.lives(outcome)
    sites = ("femoral_neck", "lumbar_spine") if outcome.site == EITHER else (outcome.site,)
    scores = []
    for site in sites:
        mean, spread = seen.reference[site]
        scores.append((lives.column(f"abmd_{site}") - mean) / spread)
    lowest = np.minimum.reduce(scores)
    in_class = lowest <= OSTEOPOROSIS
    if outcome.factor == "low_bone_mass":
        in_class = (lowest > OSTEOPOROSIS) & (lowest < NORMAL)
    who = lives.chosen(outcome)
    sums = np.stack([lives.people(who & in_class), lives.people(who)], axis=1)
    return Sums(sums, sums[:, 1], lambda total: 100 * total[0] / total[1])

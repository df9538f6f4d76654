"""Names of measures, as outcomes.csv spells them -> what computes them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cohortsim.validation.outcomes import (
    arms,
    deaths,
    gradients,
    lifetime,
    prevalence,
    rates,
    repeats,
    spine,
)
from cohortsim.validation.outcomes.sums import Sums
from cohortsim.validation.outcomes.targets import Outcome

if TYPE_CHECKING:
    from cohortsim.validation.outcomes.observed import Observed


@dataclass(frozen=True, slots=True)
class Measure:
    """What computes a number; does it need tables of persons, is it of a trial?"""

    compute: Callable[[Outcome, Observed], Sums]
    needs_persons: bool = True
    is_of_trials: bool = False

    @property
    def meaning(self) -> str:
        """What it is, in one line."""
        return (self.compute.__doc__ or "").strip().splitlines()[0]


MEASURES = {
    "class_share": Measure(prevalence.class_share),
    "rate": Measure(rates.rate, needs_persons=False),
    "women_to_men": Measure(rates.women_to_men, needs_persons=False),
    "per_fall": Measure(rates.per_fall, needs_persons=False),
    "risk": Measure(rates.risk, needs_persons=False),
    "lifetime_risk": Measure(lifetime.lifetime_risk),
    "sum_of_risks": Measure(rates.sum_of_risks, needs_persons=False),
    "per_sd": Measure(gradients.per_sd),
    "ratio": Measure(gradients.factor_ratio),
    "ratio_at_same_density": Measure(gradients.factor_ratio_at_same_density),
    "share_by_density": Measure(gradients.share_by_density),
    "body_mass": Measure(gradients.body_mass),
    "rise": Measure(gradients.rise),
    "rise_by_density": Measure(gradients.rise_by_density),
    "prior_at_landmark": Measure(repeats.prior_at_landmark),
    "after_first": Measure(repeats.against_population),
    "after_first_per_year_of_age": Measure(repeats.per_year_of_age),
    "after_first_women_to_men": Measure(repeats.women_to_men_after),
    "next_within": Measure(repeats.next_within),
    "between_arms": Measure(arms.rate_ratio, needs_persons=False),
    "share": Measure(arms.share, needs_persons=False, is_of_trials=True),
    "risk_ratio": Measure(arms.risk_ratio, needs_persons=False, is_of_trials=True),
    "odds_ratio": Measure(arms.odds_ratio, needs_persons=False, is_of_trials=True),
    "hazard_ratio": Measure(arms.rate_ratio, needs_persons=False, is_of_trials=True),
    "on_films": Measure(spine.on_films),
    "deformed": Measure(spine.deformed),
    "attended": Measure(spine.attended),
    "new_within": Measure(spine.new_within),
    "new_by_state": Measure(spine.new_by_state),
    "again_within": Measure(spine.again_within),
    "height_lost_by": Measure(spine.height_lost_by),
    "height_lost": Measure(spine.height_lost),
    "kyphosis": Measure(spine.kyphosis),
    "kyphosis_spread": Measure(spine.kyphosis_spread),
    "kyphosis_gained": Measure(spine.kyphosis_gained),
    "kyphosis_by": Measure(spine.kyphosis_by),
    "kyphosis_above_40": Measure(spine.above),
    "deformed_among_bent": Measure(spine.deformed_among_bent),
    "back": Measure(spine.back),
    "excess_deaths": Measure(deaths.excess, needs_persons=False),
    "death_ratio": Measure(deaths.death_ratio, needs_persons=False),
    "death_hazard_ratio": Measure(deaths.hazard_ratio, needs_persons=False),
    "mortality_ratio": Measure(deaths.standardised_ratio, needs_persons=False),
    "died_after": Measure(deaths.died_after),
    "deaths_by_factor": Measure(deaths.factor_death_ratio),
}

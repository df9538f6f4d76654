"""What chance is asked in one month: draws and hazards, looked at from the state at its start.

Arrays over people have the shape (n,), over decisions (decisions, n); hazards are per month.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from . import chance, populations, spine
from .balance import SITES, State
from .chance import Ints
from .hazards import (
    Lived,
    Means,
    bone_hazard,
    burden,
    death_ratio_after_all,
    death_ratio_of_factors,
    death_ratio_of_frailty,
    fall_ratio,
    level_hazards,
    mean_of,
    of_population,
    probability,
    usual_course,
    weight,
)
from .people import People
from .populations import MONTHS_PER_YEAR, Plain
from .spine import LEVELS, Spine
from .systems import Bools, Floats, Inputs

MINUTES_PER_MONTH = 43_830
FALL, DEATH, FIRST_SITE = 0, 1, 2
"""Rows of decisions: falls, death, then the fracture sites."""


@dataclass
class Course:
    """What changes in follow-up."""

    alive: Bools
    state: State
    spine: Spine
    prior: Bools
    """Whether there was an earlier fracture."""
    since: Floats
    """Months since the last fracture, (n, fracture sites)."""
    frailty: Floats
    instability: Floats
    in_nursing_home: Bools
    kyphosis_excess: Floats
    """Degrees above the mean of the age, renewed at anniversaries and at compressions."""


@dataclass(frozen=True)
class Month:
    """What was asked of chance in one month of one arm."""

    alive: Bools
    abmd: Floats
    """g/cm2 at the start of the month, (n, 4)."""
    draw: Floats
    hazard: Floats
    of_the_spine: Bools
    """Which decisions ask for a compression, (decisions,)."""
    demand: Floats
    """ln(load / strength) / spread of each fracture site (the least of the levels), (sites, n)."""
    by_level: Floats
    """Hazards of the levels of the spine, (n, 13)."""
    life_table: Floats
    """Hazard of death of the life table."""
    by_fractures: Floats
    """Relative hazard of death that earlier fractures cause."""
    frailty: Floats
    instability: Floats

    @property
    def threshold(self) -> Floats:
        """Probability of each decision; the hardest load of a month comes once (spine, 4)."""
        once = np.minimum(1.0, self.hazard)
        return np.where(self.of_the_spine[:, None], once, probability(self.hazard))

    @property
    def happened(self) -> Bools:
        """Whether each decision is a yes, for the living."""
        return (self.draw < self.threshold) & self.alive

    @property
    def minute(self) -> Ints:
        """When within the month a constant hazard has used up each draw; 0 without a hazard."""
        some = self.hazard > 0.0
        share = -np.log1p(-self.draw) / np.where(some, self.hazard, 1.0)
        minute = np.minimum(np.floor(share * MINUTES_PER_MONTH), MINUTES_PER_MONTH - 1)
        return np.where(some, minute, 0.0).astype(np.int64)


def year_of(request: Plain, population: Plain, month: int) -> int:
    """Return the calendar year whose rates hold; it stands still without a secular trend."""
    passed = month // MONTHS_PER_YEAR if request["secular_trend"] else 0
    return int(population["calendar_year"]) + passed


def ask_chance(
    request: Plain,
    means: Means,
    who: People,
    now: Course,
    month: int,
    abmd: Floats,
    inputs: Inputs,
) -> Month:
    """Return this month's draws and hazards."""
    age = (who.age_months + month) // MONTHS_PER_YEAR
    lived = Lived(
        who=who,
        abmd={site: abmd[:, k] for k, site in enumerate(SITES)},
        state=now.state,
        inputs=inputs,
        frailty=now.frailty,
        instability=now.instability,
    )

    def drawn(decision: int) -> Floats:
        return chance.uniform(request["seed"], who.number, month, decision)

    falls = of_population(request, populations.fall_hazard, who, age)
    own_falls = falls * fall_ratio(request, lived) / mean_of(request, means, "fall", who, age)
    fall_drawn = drawn(chance.FALL)
    fell = (fall_drawn < probability(own_falls)).astype(np.float64)

    def life_table_of(population: Plain) -> Floats:
        return populations.death_hazard(population, year_of(request, population, month))

    life_table = of_population(request, life_table_of, who, age)
    by_fractures = death_ratio_after_all(request, who.sex, age, now.since)
    by_fractures = by_fractures * death_ratio_of_frailty(request, now.instability)
    own_death = death_ratio_of_frailty(request, now.frailty) * by_fractures
    own_death = own_death * death_ratio_of_factors(request, who)

    draws = [fall_drawn, drawn(chance.DEATH)]
    hazards = [own_falls, life_table * own_death / mean_of(request, means, "death", who, age)]
    by_level, demands = np.zeros((len(age), len(LEVELS))), []
    sites = request["fracture_sites"]
    for site in sites:
        times = weight(request, site, who, fell, probability(falls), now.prior.astype(np.float64))
        times = times * trend_of(request, site, who, month)
        margin = burden(request, site, lived)
        margin = margin + mean_of(request, means, f"offset.{site['id']}", who, age)
        margin = margin + usual_course(request, means, site, who, age)
        margin = margin - usual_course(request, means, site, who, who.age)
        draws.append(drawn(chance.FIRST_FRACTURE + site["decision"]))
        if site["of_the_spine"]:
            excess = now.kyphosis_excess
            by_level = level_hazards(request, site, now.spine, excess, margin, times)
            hazards.append(np.sum(by_level, axis=1))
            margin = margin + np.min(spine.level_part(request["parameters"], now.spine), axis=1)
            margin = margin + spine.kyphosis_load(request["parameters"], excess)
        else:
            hazards.append(bone_hazard(site, margin, times))
        demands.append(margin / site["spread"])
    return Month(
        alive=now.alive,
        abmd=abmd,
        draw=np.array(draws),
        hazard=np.array(hazards),
        of_the_spine=np.array([False, False, *(s["of_the_spine"] for s in sites)]),
        demand=np.array(demands),
        by_level=by_level,
        life_table=life_table,
        by_fractures=by_fractures,
        frailty=now.frailty,
        instability=now.instability,
    )


def trend_of(request: Plain, site: Plain, who: People, month: int) -> Floats:
    """Return by how much fractures are more frequent than when their incidence was measured."""
    if not request["secular_trend"]:
        return np.ones(len(who.number))
    # At the spine it is that of what its hazard stands for: all deformities.
    name = "vertebral_deformity" if site["of_the_spine"] else site["id"]
    by_sex = np.array(
        [
            populations.trend(population, name, year_of(request, population, month))
            for population in request["populations"]
        ]
    )
    ratio: Floats = by_sex[who.population, who.sex]
    return ratio

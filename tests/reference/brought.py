"""Deformities that people bring to index (equation 8 of the spine).

They come of what is measured alone, so that an entry rule can ask for them. Arrays over people have
the shape (n,).
"""

from __future__ import annotations

import numpy as np

from . import chance, populations, spine
from .chance import Ints
from .hazards import Means, mean_of, of_population
from .people import People
from .populations import AGES, MONTHS_PER_YEAR, SEXES, Plain
from .spine import LEVELS, Spine
from .strength import ln_load, ln_ratio, measured_strength
from .systems import Floats

FIRST_AGE = 50
"""Age from which the mean person's compressions are counted, years."""


def site_of_the_spine(request: Plain) -> tuple[int, Plain] | None:
    """Return position and entry of the fracture site that the spine is."""
    return next(
        ((k, s) for k, s in enumerate(request["fracture_sites"]) if s["of_the_spine"]), None
    )


def measured_margin(request: Plain, site: Plain, who: People) -> Floats:
    """Return ln(load / strength) of the spine as far as it is measured, without kyphosis."""
    abmd = who.values[f"abmd_{site['density_site']}"]
    return ln_load(site, who, who.values["frailty"]) - measured_strength(request, site, abmd)


def spine_at_index(
    request: Plain, who: People, means: Means, offset: Floats | None = None, draw: int = 0
) -> Spine:
    """Return the deformities that people bring; `offset` replaces that of the means.

    `draw`: which of several spines of the same people, from 0.
    """
    found = site_of_the_spine(request)
    if found is None:
        return spine.intact(len(who.number))
    _, site = found
    if offset is None:
        offset = mean_of(request, means, "offset_history.spine", who, who.age)
    prior = who.prior_fracture.astype(np.float64)
    monthly = of_population(request, populations.deformity_hazard, who, who.age)
    ratio = np.exp(ln_ratio(request, site, who, prior)) / monthly
    margin = measured_margin(request, site, who) + offset
    return drawn(request, site, who, margin, ratio, who.attempt + draw)


def drawn(
    request: Plain, site: Plain, who: People, margin: Floats, ratio: Floats, attempt: Ints
) -> Spine:
    """Return the deformities that people of a margin and a relative hazard bring.

    `attempt`: the candidate whose luck decides.
    """
    p, n = request["parameters"], len(margin)
    early = np.array([p[f"spine.early_deformities.{name}"] for name in SEXES])[who.sex]
    later = p["spine.past_incidence_ratio"] * lived(request, who)
    age = who.age_months / MONTHS_PER_YEAR
    found, left = spine.intact(n), np.ones(n)
    # Today's relative risk held in the past in part only.
    excess = spine.excess_kyphosis(request, who, found, age)
    by = spine.by_level(p, site, found, margin + spine.kyphosis_load(p, excess))
    later = later * (np.sum(by, axis=1) * ratio) ** (p["spine.past_persistence"] - 1.0)
    for k in range(len(LEVELS)):
        first = chance.EARLIER_DEFORMITY + 8 * k
        waits, level, grade, shape, attention = (
            chance.once(request["seed"], who.number, attempt, first + j) for j in range(5)
        )
        excess = spine.excess_kyphosis(request, who, found, age)
        by = spine.by_level(p, site, found, margin + spine.kyphosis_load(p, excess))
        left = left + np.log(waits) / (early + later * np.sum(by, axis=1) * ratio)
        if not np.any(left > 0.0):
            break
        found = spine.compressed(p, found, left > 0.0, by, (level, grade, shape, attention)).spine
    return found


def lived(request: Plain, who: People) -> Floats:
    """Return the compressions that the mean person of each population, sex and age had from 50 on."""
    tables = [
        lived_incidence(MONTHS_PER_YEAR * populations.deformity_hazard(population))
        for population in request["populations"]
    ]
    whole: Floats = np.array([before for before, _ in tables])[who.population, who.sex, who.age]
    begun: Floats = np.array([now for _, now in tables])[who.population, who.sex, who.age]
    return whole + who.age_months % MONTHS_PER_YEAR / MONTHS_PER_YEAR * begun


def lived_incidence(yearly: Floats) -> tuple[Floats, Floats]:
    """Return compressions before each completed year of age from 50, and in it; (2 sexes, ages)."""
    since_first = np.where(AGES >= FIRST_AGE, yearly, 0.0)
    return np.cumsum(since_first, axis=1) - since_first, since_first

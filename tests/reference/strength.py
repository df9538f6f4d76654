"""Strength against load: how likely a loading event breaks a bone (strength, equations 1 to 3).

Arrays over people have the shape (n,). `site` is a fracture site of the request.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.special import ndtr

from .balance import State
from .people import People
from .populations import Plain
from .systems import Floats, Inputs

LOWEST = 0.01
"""Least modelling and microdamage that are told apart."""
USUAL_WEIGHT, USUAL_HEIGHT = 70.0, 165.0
"""kg and cm at which a load is 1."""


def measured_strength(request: Plain, site: Plain, abmd: Floats) -> Floats:
    """Return ln strength as far as density at index tells it."""
    reference = request["parameters"][f"density.reference_mean.{site['density_site']}"]
    strength: Floats = site["strength_exponent"] * np.log(abmd / reference)
    return strength


def ln_strength(
    request: Plain, site: Plain, who: People, abmd: Floats, state: State, inputs: Inputs
) -> Floats:
    """Return ln strength: density at index and what became of it, open cavities, microdamage, and
    what exposures do to it.
    """
    at_index = who.values[f"abmd_{site['density_site']}"]
    relief = request["parameters"]["fracture.modelling_relief"]
    modelling = np.log(np.maximum(state["modelling"], LOWEST))
    cavities = np.log(state["resorption"]) - relief * modelling
    damage = np.log(np.maximum(state["microdamage"], LOWEST))
    strength = measured_strength(request, site, at_index)
    strength += site["change_exponent"] * np.log(abmd / at_index)
    strength -= site["turnover_exponent"] * cavities
    strength -= site["microdamage_exponent"] * damage
    return strength + inputs["strength"]


def ln_load(site: Plain, who: People, frailty: Floats) -> Floats:
    """Return ln load of body weight, height and effective frailty."""
    load: Floats = site["weight_exponent"] * np.log(who.values["body_weight"] / USUAL_WEIGHT)
    load = load + site["height_exponent"] * np.log(who.values["height"] / USUAL_HEIGHT)
    return np.asarray(load + site["frailty_exponent"] * frailty)


def share_broken(margin: Floats, spread: float) -> Floats:
    """Return the probability that a loading event breaks the bone."""
    share: Floats = ndtr(margin / spread)
    return share


def ln_ratio(request: Plain, site: Plain, who: People, prior: Floats) -> Floats:
    """Return the logarithm of the ratios that risk factors and an earlier fracture bring."""
    score = math.log(site["prior_fracture_ratio"]) * prior
    for k, factor in enumerate(request["risk_factors"]):
        ratio = factor["hazard_ratios"].get(site["id"], 1.0)
        score = score + np.where(who.risk_factors[:, k], math.log(ratio), 0.0)
    return score

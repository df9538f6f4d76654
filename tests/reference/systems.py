"""The systems that set the signals of the balance: hormones, minerals, loading, medicines.

Numbers in brackets are those of the equations in the header of the system's source:
hormones H, minerals M, loading L, medicines Z.
Arrays over people have the shape (n,); what differs between regions has the shape (n, 3).
Time is in years, rates are per year.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Parameters = Mapping[str, float]
Inputs = Mapping[str, Floats]

REGIONS = ("spine", "proximal_femur", "radius")
# Region of each compartment, by the first word of its name.
REGION_OF_BONE = {"spine": "spine", "hip": "proximal_femur", "radius": "radius"}
TARGETS = (
    "bisphosphonate_uptake",
    "bisphosphonate_dose",
    "rankl_antibody",
    "sclerostin_antibody",
    "pth_analogue_formation",
    "pth_analogue_resorption",
    "estrogen_replacement",
    "estrogen_receptor_modulation",
    "estrogen_suppression",
    "androgen_deprivation",
    "glucocorticoid",
    "load",
    "calcium_intake",
    "serum_25ohd",
    "protein_intake",
    "strength",
    "falls",
)


@dataclass(frozen=True)
class Person:
    """What the balance needs of each person; what is individual is 1 on average."""

    male: Bools
    menopause_age: Floats
    """Age at the final menstrual period, years."""
    turnover: Floats
    estrogen_half_effect: Floats
    """The constant itself, not relative to the parameter."""
    formation_ageing: Floats
    modelling: Floats
    anabolic_response: Floats
    drug_sensitivity: Floats
    load_ageing: Floats
    habitual_load: Floats
    calcium_intake: Floats
    """From food, mg/d."""
    serum_25ohd: Floats
    """nmol/L."""


def positive(x: Floats) -> Floats:
    """Return (x)+, the part of x above 0."""
    return np.maximum(x, 0.0)


def by(names: tuple[str, ...], p: Parameters, parameter: str) -> Floats:
    """Return a parameter that has a value for each of some names, in their order."""
    return np.array([p[f"{parameter}.{name}"] for name in names])


# Hormones


def womens_signal(p: Parameters, years_after_menopause: Floats) -> Floats:
    """Return the sex-steroid signal of women, 1 = young adult (H1)."""
    widths = (years_after_menopause - p["hormones.transition_midpoint"]) / p[
        "hormones.transition_width"
    ]
    lost: Floats = expit(widths)
    return 1.0 - (1.0 - p["hormones.residual_estrogen"]) * lost


def mens_signal(p: Parameters, age: Floats) -> Floats:
    """Return the sex-steroid signal of men, 1 = young adult (H2)."""
    years = positive(age - p["hormones.mens_decline_from"])
    return positive(1.0 - p["hormones.mens_decline_per_year"] * years)


def sex_steroid_signal(p: Parameters, person: Person, inputs: Inputs, age: Floats) -> Floats:
    """Return the signal that exposures leave (H1 to H5)."""
    own = np.where(person.male, mens_signal(p, age), womens_signal(p, age - person.menopause_age))
    therapy = p["hormones.replacement_efficacy"] * inputs["estrogen_replacement"]
    replaced = own + (1.0 - own) * therapy
    lost = (1.0 - p["hormones.suppression_residue"]) * inputs["estrogen_suppression"]
    deprived = p["hormones.deprivation_efficacy"] * inputs["androgen_deprivation"]
    left = replaced * positive(1.0 - lost) * positive(1.0 - deprived)
    modulated = p["hormones.modulation_efficacy"] * inputs["estrogen_receptor_modulation"]
    return left + (1.0 - left) * np.minimum(1.0, modulated)


# Minerals


def absorbed_calcium(
    p: Parameters, intake: Floats, serum_25ohd: Floats, age: Floats, estrogen: Floats
) -> Floats:
    """Return calcium absorbed, mg/d, at an intake (mg/d) and 25-hydroxyvitamin D (nmol/L) (M1 to M3)."""
    years = positive(age - p["minerals.absorption_loss_from"])
    fraction = np.maximum(
        p["minerals.absorption_min"],
        p["minerals.absorption_intercept"]
        - p["minerals.absorption_log_slope"] * np.log(np.maximum(intake, 1.0))
        - p["minerals.absorption_loss_per_year"] * years
        - p["minerals.absorption_estrogen_loss"] * (1.0 - estrogen),
    )
    half = p["minerals.absorption_vitamin_d_half"]
    usual = p["minerals.reference_serum_25ohd"]
    vitamin_d = serum_25ohd / (serum_25ohd + half) / (usual / (usual + half))
    return intake * fraction * vitamin_d


def supply_index(
    p: Parameters, intake: Floats, serum_25ohd: Floats, age: Floats, estrogen: Floats
) -> Floats:
    """Return the calcium supply index: 0 usual and 1 replete, both of the young adult (M4)."""

    def young(which: str) -> Floats:
        return absorbed_calcium(
            p,
            np.array(p[f"minerals.{which}_calcium_intake"]),
            np.array(p[f"minerals.{which}_serum_25ohd"]),
            np.array(p["minerals.absorption_loss_from"]),
            np.array(1.0),
        )

    now = absorbed_calcium(p, intake, serum_25ohd, age, estrogen)
    index = (now - young("reference")) / (young("replete") - young("reference"))
    return np.clip(index, p["minerals.supply_index_min"], 1.0)


def parathyroid_hormone(
    p: Parameters, person: Person, inputs: Inputs, age: Floats, estrogen: Floats
) -> Floats:
    """Return PTH relative to the young adult at usual supply (M5)."""
    supply = supply_index(
        p,
        person.calcium_intake + inputs["calcium_intake"],
        person.serum_25ohd + inputs["serum_25ohd"],
        age,
        estrogen,
    )
    decades = positive(age - p["minerals.pth_age_from"]) / 10.0
    with_age = 1.0 + p["minerals.pth_gain_per_decade"] * decades
    answer = 1.0 - p["minerals.pth_calcium_response"] * supply
    return with_age * np.maximum(p["remodeling.inhibition_floor"], answer)


# Loading


def habitual_load(p: Parameters, male: Bools, activity: Floats, weight: Floats) -> Floats:
    """Return habitual load from activity (MET.min/wk) and body weight (kg), 1 = reference (L1)."""
    more = np.log(1.0 + activity) - np.log(1.0 + p["loading.reference_activity"])
    activity_part: Floats = np.clip(
        1.0 + p["loading.activity_load_gain"] * more,
        p["loading.activity_load_min"],
        p["loading.activity_load_max"],
    )
    reference: Floats = np.where(
        male, p["loading.reference_weight.men"], p["loading.reference_weight.women"]
    )
    return activity_part * (weight / reference) ** p["loading.weight_load_exponent"]


def relative_load(inputs: Inputs) -> Floats:
    """Return load relative to one's own habitual load (L2)."""
    return positive(1.0 + inputs["load"])


def mechanical_signal(p: Parameters, person: Person, relative: Floats, age: Floats) -> Floats:
    """Return the mechanical signal in each region (L3)."""
    felt: Floats = person.habitual_load * np.where(
        relative <= 1.0, relative, 1.0 + p["loading.exercise_gain"] * (relative - 1.0) / 0.1
    )
    scores = positive(age - p["remodeling.load_decline_from"]) / 20.0
    decline = by(REGIONS, p, "remodeling.load_decline") * (person.load_ageing * scores**2)[:, None]
    signal: Floats = felt[:, None] * np.maximum(p["loading.signal_left_with_age"], 1.0 - decline)
    return np.maximum(p["loading.load_min"], signal)


def unloading(relative: Floats) -> Floats:
    """Return the lack of load (L4)."""
    return positive(1.0 - relative)


# Medicines


def resorption_left(p: Parameters, surface: Floats) -> Floats:
    """Return the share of resorption that bisphosphonate at the surface leaves (Z1)."""
    return 1.0 - p["medicines.bisphosphonate_max_inhibition"] * surface / (1.0 + surface)


def drive_left_by_rankl_antibody(p: Parameters, person: Person, antibody: Floats) -> Floats:
    """Return the share of the drive of resorption that RANKL antibody leaves (Z4)."""
    felt = person.drug_sensitivity * antibody
    most, half = p["medicines.antibody_max_blockade"], p["medicines.antibody_half_effect"]
    return 1.0 - most * felt / (felt + half)


def drive_under_sclerostin_antibody(
    p: Parameters, antibody: Floats, adaptation: Floats, rebound: Floats
) -> Floats:
    """Return by how much sclerostin antibody and adaptation to it multiply the drive (Z5)."""
    held = 1.0 - p["medicines.sclerostin_resorption_inhibition"] * antibody
    worn = adaptation * antibody + rebound
    rebound = 1.0 + p["medicines.sclerostin_rebound_gain"] * worn
    return np.maximum(p["remodeling.inhibition_floor"], held) * rebound


def refilling_left_by_sclerostin_adaptation(p: Parameters, adaptation: Floats) -> Floats:
    """Return the share of refilling that adaptation to sclerostin antibody leaves (Z5)."""
    left = 1.0 - p["medicines.sclerostin_formation_adaptation"] * adaptation
    return np.maximum(p["remodeling.inhibition_floor"], left)


def pth_analogue_signal(
    p: Parameters, signal: Floats, tolerance: Floats, left_by_rankl_antibody: Floats
) -> Floats:
    """Return the resorption signal of PTH analogues that reaches bone (Z6)."""
    tolerated = positive(1.0 - p["medicines.pth_tolerance"] * tolerance)
    return signal * tolerated * left_by_rankl_antibody


def stimulus_of_modelling(p: Parameters, person: Person, inputs: Inputs) -> Floats:
    """Return the stimulus of modelling, 1 = doubled (Z7)."""
    sclerostin = p["medicines.sclerostin_formation_stimulus"] * inputs["sclerostin_antibody"]
    analogue = p["medicines.pth_formation_stimulus"] * inputs["pth_analogue_formation"]
    return person.anabolic_response * (sclerostin + analogue)

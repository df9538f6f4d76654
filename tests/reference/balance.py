"""The remodelling balance, in the order of the equations of each system.

Numbers in brackets are those of the equations in the header of the system's source:
hormones H, minerals M, loading L, medicines Z, remodelling R.
Arrays over people have the shape (n,); what differs between density sites has the shape (n, 4).
Time is in years, rates are per year; every state is relative to the healthy adult of 25 to 30.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

Floats = NDArray[np.float64]
Parameters = Mapping[str, float]
Inputs = Mapping[str, Floats]
State = dict[str, Floats]

SITES = ("lumbar_spine", "total_hip", "femoral_neck", "distal_radius")
TARGETS = (
    "bisphosphonate_uptake",
    "estrogen_replacement",
    "androgen_deprivation",
    "estrogen_suppression",
    "glucocorticoid",
    "load",
    "calcium_intake",
    "serum_25ohd",
    "rankl_inhibition",
    "modelling_stimulus",
)


@dataclass(frozen=True)
class Person:
    """What the balance needs of each person."""

    male: NDArray[np.bool_]
    menopause_age: Floats
    """Age at the final menstrual period, years."""
    turnover: Floats
    estrogen_half_effect: Floats
    formation_ageing: Floats
    habitual_load: Floats
    calcium_intake: Floats
    """From food, mg/d."""
    serum_25ohd: Floats
    """nmol/L."""


def positive(x: Floats) -> Floats:
    """Return (x)+, the part of x above 0."""
    return np.maximum(x, 0.0)


def by_site(p: Parameters, name: str) -> Floats:
    """Return a parameter that differs between density sites, in their order."""
    return np.array([p[f"{name}.{site}"] for site in SITES])


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
    """Return the signal that exposures leave (H1 to H4)."""
    own = np.where(person.male, mens_signal(p, age), womens_signal(p, age - person.menopause_age))
    therapy = p["hormones.replacement_efficacy"] * inputs["estrogen_replacement"]
    replaced = own + (1.0 - own) * therapy
    lost = (1.0 - p["hormones.suppression_residue"]) * inputs["estrogen_suppression"]
    deprived = p["hormones.deprivation_efficacy"] * inputs["androgen_deprivation"]
    return replaced * positive(1.0 - lost) * positive(1.0 - deprived)


# Minerals


def absorbed_calcium(p: Parameters, intake: Floats, serum_25ohd: Floats) -> Floats:
    """Return calcium absorbed, mg/d, at an intake (mg/d) and 25-hydroxyvitamin D (nmol/L) (M1 to M3)."""
    fraction = np.maximum(
        p["minerals.absorption_min"],
        p["minerals.absorption_intercept"]
        - p["minerals.absorption_log_slope"] * np.log(np.maximum(intake, 1.0)),
    )
    half = p["minerals.absorption_vitamin_d_half"]
    usual = p["minerals.reference_serum_25ohd"]
    vitamin_d = serum_25ohd / (serum_25ohd + half) / (usual / (usual + half))
    return intake * fraction * vitamin_d


def supply_index(p: Parameters, intake: Floats, serum_25ohd: Floats) -> Floats:
    """Return the calcium supply index: 0 usual, 1 replete (M4)."""

    def at(which: str) -> Floats:
        return absorbed_calcium(
            p,
            np.array(p[f"minerals.{which}_calcium_intake"]),
            np.array(p[f"minerals.{which}_serum_25ohd"]),
        )

    now = absorbed_calcium(p, intake, serum_25ohd)
    index = (now - at("reference")) / (at("replete") - at("reference"))
    return np.clip(index, p["minerals.supply_index_min"], 1.0)


def parathyroid_hormone(p: Parameters, supply: Floats, age: Floats) -> Floats:
    """Return PTH relative to the young adult at usual supply (M5)."""
    decades = positive(age - p["minerals.pth_age_from"]) / 10.0
    with_age = 1.0 + p["minerals.pth_gain_per_decade"] * decades
    answer = 1.0 - p["minerals.pth_calcium_response"] * supply
    return with_age * np.maximum(p["remodeling.inhibition_floor"], answer)


# Loading


def habitual_load(
    p: Parameters, male: NDArray[np.bool_], activity: Floats, weight: Floats
) -> Floats:
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


def load_now(person: Person, inputs: Inputs) -> Floats:
    """Return load with what exposures add (L2)."""
    return positive(person.habitual_load + inputs["load"])


def mechanical_signal(p: Parameters, load: Floats, age: Floats) -> Floats:
    """Return the mechanical signal at each density site (L3)."""
    felt: Floats = np.where(
        load <= 1.0, load, 1.0 + p["loading.exercise_gain"] * (load - 1.0) / 0.1
    )
    scores = positive(age - p["remodeling.load_decline_from"]) / 20.0
    decline = by_site(p, "remodeling.load_decline") * (scores**2)[:, None]
    signal: Floats = felt[:, None] * np.maximum(p["loading.signal_left_with_age"], 1.0 - decline)
    return np.maximum(p["loading.load_min"], signal)


def unloading(load: Floats) -> Floats:
    """Return the lack of load (L4)."""
    return positive(1.0 - load)


# Medicines in bone


def resorption_left(p: Parameters, surface: Floats) -> Floats:
    """Return the share of resorption that bisphosphonate at the surface leaves (Z1)."""
    return 1.0 - p["medicines.bisphosphonate_max_inhibition"] * surface / (1.0 + surface)


def pools_after(
    p: Parameters, state: State, uptake: Floats, resorption: Floats, years: Floats
) -> tuple[Floats, Floats]:
    """Return bisphosphonate at the surface and buried after some years of held resorption (Z2, Z3)."""
    elimination = p["medicines.bisphosphonate_elimination"]
    burial = p["medicines.bisphosphonate_burial"]
    release = p["medicines.bisphosphonate_release"] * resorption
    surface, buried = state["surface"], state["buried"]
    leaving = elimination + burial
    surface_after = relaxed(surface, leaving, (uptake + release * buried) / leaving, years)
    mean_surface = (surface + surface_after) / 2.0
    buried_after = relaxed(buried, release, burial * mean_surface / release, years)
    return surface_after, buried_after


# Remodelling


def young_share_at_peak(p: Parameters, turnover: Floats) -> Floats:
    """Return the young share of the young adult's bone at each density site, y_0 (R9)."""
    rate = turnover[:, None] * by_site(p, "remodeling.turnover_rate")
    return rate / (rate + 1.0 / p["remodeling.mineralization_time"])


def at_peak(p: Parameters, person: Person) -> State:
    """Return the balanced young adult."""
    one = np.ones_like(person.turnover)
    return {
        "precursors": one,
        "refilling": one,
        "modelling": one,
        "progenitors": one,
        "adaptation": 0.0 * one,
        "volume": np.ones((len(one), len(SITES))),
        "young": young_share_at_peak(p, person.turnover),
        "surface": 0.0 * one,
        "buried": 0.0 * one,
        "resorption": one,
    }


def relative_density(p: Parameters, person: Person, state: State) -> Floats:
    """Return density relative to the young adult at each site (R9)."""
    mu = p["remodeling.undermineralized_deficit"]
    at_start = 1.0 - mu * young_share_at_peak(p, person.turnover)
    return state["volume"] * (1.0 - mu * state["young"]) / at_start


def p1np(p: Parameters, state: State) -> Floats:
    """Return the formation marker (R10); the resorption marker CTX is the state `resorption`."""
    share = p["remodeling.p1np_modelling_share"]
    return (1.0 - share) * state["refilling"] + share * state["modelling"]


def rankl_drive(
    p: Parameters, person: Person, state: State, estrogen: Floats, pth: Floats, dose: Floats
) -> Floats:
    """Return the drive of resorption before any blockade, K (R1)."""
    eps = person.estrogen_half_effect
    gain = p["remodeling.glucocorticoid_resorption_gain"]
    burst = 1.0 + gain * positive(dose - state["adaptation"])
    return (1.0 + eps) / (estrogen + eps) * pth ** p["remodeling.pth_exponent"] * burst


def refilling_efficiency(
    p: Parameters, person: Person, estrogen: Floats, dose: Floats, age: Floats
) -> Floats:
    """Return the share of what was resorbed that is refilled (R4)."""
    floor = p["remodeling.inhibition_floor"]
    deficit = 1.0 - p["remodeling.estrogen_deficit_formation_loss"] * (1.0 - estrogen)
    decades = positive(age - p["remodeling.ageing_from"]) / 10.0
    loss = p["remodeling.formation_loss_per_decade"] * person.formation_ageing * decades
    return deficit * formation_under_glucocorticoid(p, dose) * np.maximum(floor, 1.0 - loss)


def formation_under_glucocorticoid(p: Parameters, dose: Floats) -> Floats:
    """Return the share of formation that glucocorticoids leave (R4, R5)."""
    floor = p["remodeling.inhibition_floor"]
    return np.maximum(floor, 1.0 - p["remodeling.glucocorticoid_formation_loss"] * dose)


Pull = dict[str, tuple[Floats | float, Floats]]


def pull(
    p: Parameters, person: Person, inputs: Inputs, state: State, age: Floats
) -> tuple[Pull, Floats]:
    """Return (rate per year, target) of every living state, and resorption R (R1 to R8)."""
    dose = inputs["glucocorticoid"]
    estrogen = sex_steroid_signal(p, person, inputs, age)
    supply = supply_index(
        p,
        person.calcium_intake + inputs["calcium_intake"],
        person.serum_25ohd + inputs["serum_25ohd"],
    )
    pth = parathyroid_hormone(p, supply, age)
    floor = p["remodeling.inhibition_floor"]

    drive = rankl_drive(p, person, state, estrogen, pth, dose)
    blocked = drive * np.maximum(floor, 1.0 - inputs["rankl_inhibition"])
    xi = p["remodeling.precursor_rankl_share"]
    gain, loss = 1.0 + xi * (drive - 1.0), 1.0 + xi * (blocked - 1.0)
    resorption = blocked * state["precursors"] * resorption_left(p, state["surface"])

    stimulus = inputs["modelling_stimulus"]
    answer = stimulus * state["progenitors"]
    answer = answer * state["refilling"] ** p["remodeling.modelling_turnover_exponent"]
    depletion = 1.0 + p["remodeling.progenitor_depletion"] * stimulus

    load = load_now(person, inputs)
    lack = unloading(load)[:, None]
    a = person.turnover[:, None] * by_site(p, "remodeling.turnover_rate")
    resorbed = resorption[:, None] * (1.0 + by_site(p, "remodeling.unloading_resorption") * lack)
    m = by_site(p, "remodeling.modelling_share")
    bc, bm = state["refilling"][:, None], state["modelling"][:, None]
    formed = bc + m * (bm * (1.0 - p["remodeling.unloading_modelling_loss"] * lack) - bc)
    bone = np.maximum(p["remodeling.mechanostat_volume_floor"], state["volume"])
    kappa = by_site(p, "remodeling.mechanostat_exponent")
    built = formed * (mechanical_signal(p, load, age) / bone) ** kappa
    entering = a * built / bone
    ageing = 1.0 / p["remodeling.mineralization_time"]

    pulls: Pull = {
        "precursors": (p["remodeling.precursor_rate"] * loss, gain / loss),
        "refilling": (
            p["remodeling.coupling_rate"],
            resorption * refilling_efficiency(p, person, estrogen, dose, age),
        ),
        "modelling": (
            p["remodeling.modelling_rate"],
            (1.0 + answer) * formation_under_glucocorticoid(p, dose),
        ),
        "progenitors": (p["remodeling.progenitor_rate"] * depletion, 1.0 / depletion),
        "adaptation": (p["remodeling.glucocorticoid_adaptation_rate"], dose),
        "volume": (a * resorbed, built / resorbed),
        "young": (entering + ageing, entering / (entering + ageing)),
    }
    return pulls, resorption


def relaxed(x: Floats, rate: Floats | float, target: Floats, years: Floats) -> Floats:
    """Return x after some years of x' = rate (target - x)."""
    return x + (target - x) * -np.expm1(-rate * years)


def follow(p: Parameters, state: State, pulls: Pull, years: Floats) -> State:
    """Return the living states after some years of a held pull; the others as they were."""
    after = dict(state)
    for name, (rate, target) in pulls.items():
        time = years[:, None] if state[name].ndim == 2 else years
        after[name] = relaxed(state[name], rate, target, time)
    after["volume"] = np.maximum(after["volume"], p["remodeling.volume_floor"])
    return after


def step(
    p: Parameters, person: Person, inputs: Inputs, state: State, age: Floats, years: Floats
) -> State:
    """Return the state after one exponential midpoint step from an age (years)."""
    uptake = inputs["bisphosphonate_uptake"]
    first, resorption = pull(p, person, inputs, state, age)
    end = follow(p, state, first, years)
    middle = {name: (state[name] + end[name]) / 2.0 for name in state}
    middle["surface"], middle["buried"] = pools_after(p, state, uptake, resorption, years / 2.0)
    second, resorption = pull(p, person, inputs, middle, age + years / 2.0)
    after = follow(p, state, second, years)
    after["surface"], after["buried"] = pools_after(p, state, uptake, resorption, years)
    after["resorption"] = resorption
    return after

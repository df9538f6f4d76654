"""The remodelling balance, in the order of its equations.

Numbers in brackets are those of the equations in the header of the source: remodelling R, and of the
systems as in `systems`. Arrays over people have the shape (n,), over bone compartments (n, 5), over
density sites (n, 4). Time is in years, rates are per year; every state is relative to the healthy adult
of 25 to 30.
"""

from __future__ import annotations

import numpy as np

from .systems import (
    REGION_OF_BONE,
    REGIONS,
    Bools,
    Floats,
    Inputs,
    Parameters,
    Person,
    by,
    drive_left_by_rankl_antibody,
    drive_under_sclerostin_antibody,
    mechanical_signal,
    parathyroid_hormone,
    positive,
    pth_analogue_signal,
    refilling_left_by_sclerostin_adaptation,
    relative_load,
    resorption_left,
    sex_steroid_signal,
    stimulus_of_modelling,
    unloading,
)

State = dict[str, Floats]
Pulls = dict[str, tuple[Floats | float, Floats]]
"""(rate per year, target) of every living state."""

SITES = ("lumbar_spine", "total_hip", "femoral_neck", "distal_radius")
COMPARTMENTS = (
    "spine_trabecular",
    "spine_cortical",
    "hip_trabecular",
    "hip_cortical",
    "radius_cortical",
)
REGION_OF_COMPARTMENT = [REGIONS.index(REGION_OF_BONE[name.split("_")[0]]) for name in COMPARTMENTS]
CORTICAL = np.array([name.endswith("cortical") for name in COMPARTMENTS])
MIXED_OF = {  # trabecular and cortical bone of each density site
    "lumbar_spine": ("spine_trabecular", "spine_cortical"),
    "total_hip": ("hip_trabecular", "hip_cortical"),
    "femoral_neck": ("hip_trabecular", "hip_cortical"),
    "distal_radius": ("radius_cortical", "radius_cortical"),
}
FINE_STEPS = 4


def by_compartment(p: Parameters, name: str) -> Floats:
    """Return a parameter of the compartments; one of the regions goes to the compartments in them."""
    if f"{name}.{COMPARTMENTS[0]}" in p:
        return by(COMPARTMENTS, p, name)
    of_region: Floats = by(REGIONS, p, name)[REGION_OF_COMPARTMENT]
    return of_region


# What is read from a state


def young_share_at_peak(p: Parameters, turnover: Floats) -> Floats:
    """Return the young share of the young adult's bone in each compartment, y_0 (R11)."""
    rate = turnover[:, None] * by_compartment(p, "remodeling.turnover_rate")
    return rate / (rate + 1.0 / p["remodeling.mineralization_time"])


def at_peak(p: Parameters, person: Person) -> State:
    """Return the balanced young adult: 1 in all that lives, 0 in what only exposures bring."""
    one = np.ones_like(person.turnover)
    ones = ("precursors", "refilling", "modelling", "progenitors", "microdamage", "resorption")
    zeros = (
        "glucocorticoid_adaptation",
        "unloading_memory",
        "healing",
        "surface_bisphosphonate",
        "buried_bisphosphonate",
        "rankl_antibody",
        "sclerostin_adaptation",
        "sclerostin_rebound",
        "pth_resorption",
        "pth_tolerance",
    )
    return (
        dict.fromkeys(ones, one)
        | dict.fromkeys(zeros, 0.0 * one)
        | {
            "volume": np.ones((len(one), len(COMPARTMENTS))),
            "young": young_share_at_peak(p, person.turnover),
        }
    )


def relative_density(p: Parameters, person: Person, state: State) -> Floats:
    """Return density relative to the young adult at each density site (R11)."""
    mu = p["remodeling.undermineralized_deficit"]
    at_start = 1.0 - mu * young_share_at_peak(p, person.turnover)
    of_compartment = state["volume"] * (1.0 - mu * state["young"]) / at_start
    columns = []
    for site in SITES:
        trabecular, cortical = (
            of_compartment[:, COMPARTMENTS.index(name)] for name in MIXED_OF[site]
        )
        share = p[f"density.trabecular_share.{site}"]
        columns.append(share * trabecular + (1.0 - share) * cortical)
    return np.array(columns).T


def ctx(p: Parameters, state: State) -> Floats:
    """Return the resorption marker relative to the young adult (R12)."""
    floor = p["remodeling.ctx_assay_floor"]
    return (state["resorption"] + floor) / (1.0 + floor)


def p1np(p: Parameters, state: State) -> Floats:
    """Return the formation marker relative to the young adult (R12)."""
    share = p["remodeling.p1np_modelling_share"]
    return (1.0 - share) * state["refilling"] + share * state["modelling"]


def measures(p: Parameters, person: Person, state: State) -> Floats:
    """Return what visits measure, (n, 6): relative density at four sites, CTX, P1NP."""
    markers = np.array([ctx(p, state), p1np(p, state)]).T
    return np.hstack([relative_density(p, person, state), markers])


# What pulls a state


def felt_glucocorticoid(p: Parameters, inputs: Inputs) -> Floats:
    """Return glucocorticoid as cells feel the dose, 1 at 10 mg/d (R6)."""
    half = p["remodeling.glucocorticoid_half_effect"]
    felt: Floats = inputs["glucocorticoid"] * (1.0 + half) / (inputs["glucocorticoid"] + half)
    return felt


def formation_under_glucocorticoid(p: Parameters, dose: Floats, adaptation: Floats) -> Floats:
    """Return the share of formation that glucocorticoids leave, f_g (R6)."""
    felt = positive(dose - p["remodeling.glucocorticoid_formation_adaptation"] * adaptation)
    left = 1.0 - p["remodeling.glucocorticoid_formation_loss"] * felt
    return np.maximum(p["remodeling.inhibition_floor"], left)


def refilled_share(
    p: Parameters, person: Person, inputs: Inputs, state: State, estrogen: Floats, age: Floats
) -> Floats:
    """Return the share of what was resorbed that is refilled, q (R4)."""
    floor = p["remodeling.inhibition_floor"]
    deficit = 1.0 - p["remodeling.estrogen_deficit_formation_loss"] * (1.0 - estrogen)
    formation = formation_under_glucocorticoid(
        p, felt_glucocorticoid(p, inputs), state["glucocorticoid_adaptation"]
    )
    decades = positive(age - p["remodeling.ageing_from"]) / 10.0
    loss = p["remodeling.formation_loss_per_decade"] * person.formation_ageing * decades
    protein = 1.0 + p["remodeling.protein_formation_gain"] * inputs["protein_intake"]
    adapted = refilling_left_by_sclerostin_adaptation(p, state["sclerostin_adaptation"])
    drawn = 1.0 + p["remodeling.healing_resorption_gain"] * state["healing"]
    return deficit * formation * np.maximum(floor, 1.0 - loss) * protein * adapted / drawn


def pulls(
    p: Parameters, person: Person, inputs: Inputs, state: State, age: Floats
) -> tuple[Pulls, Floats]:
    """Return (rate per year, target) of every living state, and resorption R (R1 to R10)."""
    dose = felt_glucocorticoid(p, inputs)
    estrogen = sex_steroid_signal(p, person, inputs, age)
    pth = parathyroid_hormone(p, person, inputs, age, estrogen)
    left = drive_left_by_rankl_antibody(p, person, state["rankl_antibody"])
    analogue = pth_analogue_signal(p, state["pth_resorption"], state["pth_tolerance"], left)

    # R1: the drive of resorption before and after antibodies
    eps = person.estrogen_half_effect
    early = positive(dose - state["glucocorticoid_adaptation"])
    drive = (1.0 + eps) / (estrogen + eps) * pth ** p["remodeling.pth_exponent"]
    drive = drive * (1.0 + p["remodeling.glucocorticoid_resorption_gain"] * early)
    drive = drive * (1.0 + p["medicines.pth_resorption_gain"] * analogue)
    drive = drive * (1.0 + p["remodeling.healing_resorption_gain"] * state["healing"])
    sclerostin = inputs["sclerostin_antibody"]
    blocked = drive * left
    blocked = blocked * drive_under_sclerostin_antibody(
        p, sclerostin, state["sclerostin_adaptation"], state["sclerostin_rebound"]
    )

    # R2: P' = k [i (1 - c (P - 1)) - o P] = k [i (1 + c) - (o + c i) P]
    xi, crowding = p["remodeling.precursor_rankl_share"], p["remodeling.precursor_crowding"]
    inflow, outflow = 1.0 + xi * (drive - 1.0), 1.0 + xi * (blocked - 1.0)
    leaving = outflow + crowding * inflow

    # R3
    resorption = blocked * state["precursors"]
    resorption = resorption * resorption_left(p, state["surface_bisphosphonate"])

    # R5
    stimulus = stimulus_of_modelling(p, person, inputs)
    answer = stimulus * state["progenitors"]
    answer = answer * state["refilling"] ** p["remodeling.modelling_turnover_exponent"]
    formation = formation_under_glucocorticoid(p, dose, state["glucocorticoid_adaptation"])
    drawn = 1.0 + p["remodeling.progenitor_turnover_share"] * (state["refilling"] - 1.0)
    drawn = drawn + p["remodeling.progenitor_depletion"] * stimulus

    relative = relative_load(inputs)
    removal = p["remodeling.microdamage_removal_rate"] * resorption
    found: Pulls = {
        "precursors": (
            p["remodeling.precursor_rate"] * leaving,
            inflow * (1.0 + crowding) / leaving,
        ),
        "refilling": (
            p["remodeling.coupling_rate"],
            resorption * refilled_share(p, person, inputs, state, estrogen, age),
        ),
        "modelling": (p["remodeling.modelling_rate"], (1.0 + answer) * formation),
        "progenitors": (p["remodeling.progenitor_rate"] * drawn, 1.0 / drawn),
        "glucocorticoid_adaptation": (p["remodeling.glucocorticoid_adaptation_rate"], dose),
        "unloading_memory": (p["remodeling.unloading_memory_rate"], unloading(relative)),
        "microdamage": (removal, person.habitual_load * relative / resorption),
        "healing": (p["remodeling.healing_rate"], 0.0 * relative),
    }
    found |= pulls_of_medicines(p, person, inputs, state, resorption)
    found |= pulls_of_bone(p, person, state, resorption, analogue, relative, age)
    return found, resorption


def pulls_of_medicines(
    p: Parameters, person: Person, inputs: Inputs, state: State, resorption: Floats
) -> Pulls:
    """Return what pulls the pools of medicines and what they leave behind (Z2 to Z6)."""
    burial = p["medicines.bisphosphonate_burial"]
    leaving = p["medicines.bisphosphonate_elimination"] + burial
    release = p["medicines.bisphosphonate_release"] * resorption
    arriving = person.drug_sensitivity * inputs["bisphosphonate_uptake"]
    arriving = arriving + release * state["buried_bisphosphonate"]
    buried = burial * state["surface_bisphosphonate"]
    return {
        "surface_bisphosphonate": (leaving, arriving / leaving),
        "buried_bisphosphonate": (release, buried / release),
        "rankl_antibody": (p["medicines.antibody_elimination"], 0.0 * resorption),
        "sclerostin_adaptation": (
            p["medicines.sclerostin_adaptation_rate"],
            inputs["sclerostin_antibody"],
        ),
        "sclerostin_rebound": (
            p["medicines.sclerostin_rebound_rate"],
            state["sclerostin_adaptation"] * np.maximum(0.0, 1.0 - inputs["sclerostin_antibody"]),
        ),
        "pth_resorption": (
            p["medicines.pth_resorption_rate"],
            inputs["pth_analogue_resorption"],
        ),
        "pth_tolerance": (p["medicines.pth_tolerance_rate"], state["pth_resorption"]),
    }


def pulls_of_bone(
    p: Parameters,
    person: Person,
    state: State,
    resorption: Floats,
    analogue: Floats,
    relative: Floats,
    age: Floats,
) -> Pulls:
    """Return what pulls bone volume and its young share in every compartment (R9, R10)."""
    lack = unloading(relative)[:, None]
    up = by_compartment(p, "remodeling.unloading_resorption")
    cortical = 1.0 + p["medicines.pth_cortical_resorption"] * analogue
    resorbed = resorption[:, None] * (1.0 + up * lack)
    resorbed = resorbed * np.where(CORTICAL, cortical[:, None], 1.0)

    memory = p["remodeling.unloading_refilling"] * up * state["unloading_memory"][:, None]
    refilled = state["refilling"][:, None] * (1.0 + memory)
    share = person.modelling[:, None] * by_compartment(p, "remodeling.modelling_share")
    modelled = 1.0 - p["remodeling.unloading_modelling_loss"] * lack
    formed = refilled + share * (state["modelling"][:, None] * modelled - refilled)
    formed = np.maximum(p["remodeling.inhibition_floor"], formed)

    signal = mechanical_signal(p, person, relative, age)[:, REGION_OF_COMPARTMENT]
    bone = np.maximum(p["remodeling.mechanostat_volume_floor"], state["volume"])
    built = formed * (signal / bone) ** by_compartment(p, "remodeling.mechanostat_exponent")

    a = person.turnover[:, None] * by_compartment(p, "remodeling.turnover_rate")
    entering = a * built / bone
    ageing = 1.0 / p["remodeling.mineralization_time"]
    return {
        "volume": (a * resorbed, built / resorbed),
        "young": (entering + ageing, entering / (entering + ageing)),
    }


# How a state goes on


def relaxed(x: Floats, rate: Floats | float, target: Floats, years: Floats) -> Floats:
    """Return x after some years of x' = rate (target - x)."""
    return x + (target - x) * -np.expm1(-rate * years)


def follow(state: State, held: Pulls, years: Floats) -> State:
    """Return the living states after some years of held pulls; the others as they were."""
    after = dict(state)
    for name, (rate, target) in held.items():
        time = years[:, None] if state[name].ndim == 2 else years
        after[name] = relaxed(state[name], rate, target, time)
    return after


def step(
    p: Parameters, person: Person, inputs: Inputs, state: State, age: Floats, years: Floats
) -> State:
    """Return the state after one exponential midpoint step from an age (years), without doses."""
    first, _ = pulls(p, person, inputs, state, age)
    end = follow(state, first, years)
    middle = {name: (state[name] + end[name]) / 2.0 for name in state}
    second, resorption = pulls(p, person, inputs, middle, age + years / 2.0)
    after = follow(state, second, years)
    after["volume"] = np.maximum(after["volume"], p["remodeling.volume_floor"])
    after["resorption"] = resorption
    return after


def dosed(person: Person, inputs: Inputs, state: State) -> State:
    """Return the state after the doses of a month, which are given at its start (Z2, Z4)."""
    bisphosphonate = person.drug_sensitivity * inputs["bisphosphonate_dose"]
    return state | {
        "rankl_antibody": state["rankl_antibody"] + inputs["rankl_antibody"],
        "surface_bisphosphonate": state["surface_bisphosphonate"] + bisphosphonate,
    }


def needs_fine_steps(inputs: Inputs, state: State) -> Bools:
    """Return who is on a potent medicine, or has cells that have not settled after one."""
    anabolic = sum(
        inputs[target]
        for target in (
            "sclerostin_antibody",
            "pth_analogue_formation",
            "pth_analogue_resorption",
        )
    )
    found: Bools = (
        (state["rankl_antibody"] > 1e-6)
        | (anabolic + state["sclerostin_adaptation"] + state["pth_resorption"] > 1e-3)
        | (state["precursors"] > 1.05)
        | (inputs["bisphosphonate_dose"] > 0.0)
    )
    return found


def either(condition: Bools, yes: State, no: State) -> State:
    """Return the one state for whom a condition holds, and the other for everybody else."""
    return {
        name: np.where(condition[:, None] if x.ndim == 2 else condition, x, no[name])
        for name, x in yes.items()
    }


def month(
    p: Parameters, person: Person, inputs: Inputs, state: State, age: Floats, years: Floats
) -> State:
    """Return the state after a month (or a step of history): doses, then one step or four fine ones."""
    start = dosed(person, inputs, state)
    fine = needs_fine_steps(inputs, start)
    after = step(p, person, inputs, start, age, years)
    if not fine.any():
        return after
    finely, part = start, years / FINE_STEPS
    for k in range(FINE_STEPS):
        finely = step(p, person, inputs, finely, age + k * part, part)
    return either(fine, finely, after)

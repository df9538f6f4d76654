"""Fits what brings fractures, compressed vertebrae and deaths after them to published outcomes.

    python scripts/fit_outcomes.py [--rounds 4] [--people 60000] [--only hip_gradient ...]

Only outcomes of use `calibrate` are looked at, and trials of medicines are none of them. Each step
moves one number, or a family of numbers by one factor, against one outcome or a few, on the scale
on which the one goes with the other; rounds go on until nothing moves by more than the chance of the
simulation. Prints every round and, last, the values to be written into the data files by hand: a
number whose range they leave stops at the end of it, and is marked.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from cohortsim.catalog import Catalog
from cohortsim.entries import Quantity
from cohortsim.validation import outcomes, trials
from cohortsim.validation.outcomes import observed, targets

SITES = "fracture_sites."
OUTSIDE_THE_SPINE = ("distal_forearm", "proximal_humerus", "pelvis", "ribs", "tibia", "other")
ALL_SITES = ("hip", "clinical_vertebral", *OUTSIDE_THE_SPINE)
MOST = 1.35
"""Largest factor by which one round moves a number."""


def of_sites(name: str, sites: Iterable[str]) -> tuple[str, ...]:
    """Return the full names of a number of several sites."""
    return tuple(f"{SITES}{site}.{name}" for site in sites)


def by_ratio(published: float, simulated: float) -> float:
    """Return the factor for a number that an outcome is in proportion to."""
    return published / simulated


def by_log(published: float, simulated: float) -> float:
    """Return the factor for a number that the logarithm of a ratio is in proportion to."""
    return math.log(published) / math.log(simulated)


def against_log(published: float, simulated: float) -> float:
    """Return the factor for a spread, which the logarithm of a gradient falls with."""
    return math.log(simulated) / math.log(published)


def by_root(published: float, simulated: float) -> float:
    """Return a cautious factor: the square root of the ratio."""
    return math.sqrt(published / simulated)


@dataclass(frozen=True)
class Step:
    """What is moved, by which outcomes, and how the factor comes of published and simulated."""

    name: str
    moved: tuple[str, ...]
    outcomes: tuple[str, ...]
    factor: Callable[[float, float], float]
    studies: tuple[str, ...] = field(default=())


STEPS = (
    Step("hip_gradient", of_sites("spread", ["hip"]), ("RGR-045", "RGR-046"), against_log),
    Step(
        "other_gradients",
        of_sites("spread", OUTSIDE_THE_SPINE),
        ("RGR-047", "RGR-048"),
        against_log,
    ),
    Step("spine_gradient", of_sites("spread", ["clinical_vertebral"]), ("RGR-053",), against_log),
    Step("prior_fracture", of_sites("prior_fracture_ratio", ALL_SITES), ("RGR-059",), by_ratio),
    Step("second_fracture", of_sites("instability", ALL_SITES), ("RGR-085",), by_log),
    Step("cascade", ("spine.neighbour_load",), ("RGR-064", "RGR-074", "RGR-080"), by_root),
    Step(
        "attention",
        tuple(f"spine.attention_share.{grade}" for grade in ("mild", "moderate", "severe")),
        ("INC-069",),
        by_ratio,
    ),
    Step("past_women", ("spine.past_incidence_ratio",), ("VPR-002",), by_root),
    Step("early_men", ("spine.early_deformities.men",), ("VPR-003",), by_root),
    Step(
        "kyphosis",
        tuple(f"spine.wedge_angle.{shape}" for shape in ("wedge", "biconcave", "crush")),
        ("VCQ-002",),
        by_ratio,
    ),
    Step("wedge_height", ("spine.height_loss.wedge",), ("VCQ-016",), by_ratio),
    Step("crush_height", ("spine.height_loss.crush",), ("VCQ-017",), by_ratio),
    Step(
        "smoking_hip", ("risk_factors.smoking.hazard_ratios.hip",), ("RGR-111", "RGR-112"), by_ratio
    ),
)


def quantities(catalog: Catalog) -> dict[str, Quantity]:
    """Return every number that may be moved, by its full name."""
    found = dict(catalog.parameters)
    for site in catalog.fracture_sites:
        found |= dict(site.quantities())
    for factor in catalog.risk_factors:
        found |= dict(factor.quantities())
    return found


def simulated(
    wanted: list[targets.Outcome],
    values: Mapping[str, float],
    units: Mapping[str, Quantity],
    people: int | None,
) -> dict[str, float]:
    """Return the simulated outcomes at these values, by id."""
    overrides = [
        {"parameter": name, "value": value, "unit": units[name].unit, "reason": "fit"}
        for name, value in values.items()
    ]
    plans = [
        trials.Plan(
            plan.id,
            plan.scenario and plan.scenario.changed(overrides=overrides or None),
            plan.failure,
        )
        for plan in observed.planned(wanted, people, None)
    ]
    rows = outcomes.carried_out(wanted, plans)
    return {
        row["id"]: row["simulated"]
        for row in rows.iter_rows(named=True)
        if row["simulated"] is not None
    }


def moved(
    step: Step, factor: float, values: dict[str, float], known: Mapping[str, Quantity]
) -> None:
    """Move the numbers of a step by a factor, each within its plausible range."""
    factor = min(max(factor, 1 / MOST), MOST)
    for name in step.moved:
        low, high = known[name].low, known[name].high
        values[name] = min(max(values.get(name, known[name].value) * factor, low), high)


def main() -> None:
    """Fit and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--people", type=int, default=None)
    parser.add_argument("--only", nargs="*", default=[step.name for step in STEPS])
    asked = parser.parse_args()
    steps = [step for step in STEPS if step.name in asked.only]
    ids = {id_ for step in steps for id_ in step.outcomes}
    wanted = [o for o in targets.outcomes(["risk", "spine", "mortality"]) if o.id in ids]
    if any(not outcome.calibrated for outcome in wanted):
        raise SystemExit("an outcome that is only compared must not be fitted to")
    published = {outcome.id: outcome.published for outcome in wanted}
    known = quantities(Catalog())
    values: dict[str, float] = {}
    for number in range(1, asked.rounds + 1):
        found = simulated(wanted, values, known, asked.people)
        print(f"round {number}")
        for step in steps:
            factors = [step.factor(published[i], found[i]) for i in step.outcomes if i in found]
            factor = math.prod(factors) ** (1 / len(factors))
            seen = ", ".join(f"{i} {found[i]:.3g} ({published[i]:g})" for i in step.outcomes)
            print(f"  {step.name:16} x {factor:.3f}   {seen}", flush=True)
            if number < asked.rounds:
                moved(step, factor, values, known)
    for name, value in sorted(values.items()):
        low, high = known[name].low, known[name].high
        at_end = "   at the end of its range" if value in (low, high) else ""
        print(f"{name}: {value:.4g}{at_end}")


if __name__ == "__main__":
    main()

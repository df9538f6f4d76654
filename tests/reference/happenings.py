"""What happens to people within a month, and what follows from it.

Arrays over people have the shape (n,), over fracture sites (sites, n).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from . import chance, populations, spine
from .brought import site_of_the_spine
from .chance import Ints
from .hazards import Means, mean_of
from .month import DEATH, FALL, FIRST_SITE, MINUTES_PER_MONTH, Course, Month
from .people import People
from .populations import MONTHS_PER_YEAR, Plain
from .spine import Compression
from .systems import Bools, Floats


@dataclass(frozen=True)
class Event:
    """An event of those who have it, as the table of events tells it."""

    code: int
    who: Bools
    minute: Ints
    details: dict[str, Ints] = field(default_factory=dict)
    """level, grade, grade_before, shape, recorded, attributable."""


@dataclass(frozen=True)
class Happened:
    """What happened in a month."""

    died: Bools
    lived: Ints
    """Minutes of the month that people lived."""
    fell: Bools
    fractured: Bools
    """Fractures that came to attention, (sites, n)."""
    events: list[Event]


def happen(
    request: Plain, means: Means, who: People, now: Course, asked: Month, month: int
) -> Happened:
    """Return what happens in a month, and change people by it."""
    died, minute = asked.happened[DEATH], asked.minute
    death = np.where(died, minute[DEATH], MINUTES_PER_MONTH)
    # Who dies no longer breaks a bone or falls; in the same minute death comes first.
    broken = asked.happened[FIRST_SITE:] & (minute[FIRST_SITE:] < death)
    fell = asked.happened[FALL] & (~died | (minute[FALL] < death))
    caused = np.floor(100.0 * (1.0 - 1.0 / np.maximum(1.0, asked.by_fractures)) + 0.5)
    attributable = {"attributable": caused.astype(np.int64)}
    events = [Event(0, died, minute[DEATH], attributable)]

    fractured = broken.copy()
    details: list[dict[str, Ints]] = [{} for _ in request["fracture_sites"]]
    found = site_of_the_spine(request)
    if found is not None:
        k, _ = found
        made = compression(request, who, now, asked, broken[k], month)
        fractured[k] = made.attended
        seen: dict[str, Ints] = {
            "level": made.level + 1,
            "grade": made.grade,
            "grade_before": made.before,
            "shape": made.shape,
        }
        deformity = len(request["fracture_sites"]) + 1
        events.append(Event(deformity, made.who, minute[FIRST_SITE + k], seen))
        details[k] = seen | {"recorded": recorded(request, means, who, month).astype(np.int64)}
        compress(request, who, now, made, month)

    for k, which in enumerate(fractured):
        events.append(Event(k + 1, which, minute[FIRST_SITE + k], details[k]))
    events.append(nursing_home_entry(request, who, now, fractured, minute[FIRST_SITE:], month))
    fracture(request, now, fractured)
    return Happened(died, death, fell, fractured, events)


# The spine


def compression(
    request: Plain, who: People, now: Course, asked: Month, which: Bools, month: int
) -> Compression:
    """Return the compressions of a month."""
    level, grade, shape, attention = (
        chance.uniform(request["seed"], who.number, month, decision)
        for decision in (chance.LEVEL, chance.GRADE, chance.SHAPE, chance.ATTENTION)
    )
    draws = (level, grade, shape, attention)
    return spine.compressed(request["parameters"], now.spine, which, asked.by_level, draws)


def compress(request: Plain, who: People, now: Course, made: Compression, month: int) -> None:
    """Let it happen: kyphosis is renewed at once."""
    now.spine = made.spine
    age = (who.age_months + month) / MONTHS_PER_YEAR
    bent = spine.excess_kyphosis(request, who, now.spine, age)
    now.kyphosis_excess = np.where(made.who, bent, now.kyphosis_excess)


def recorded(request: Plain, means: Means, who: People, month: int) -> Bools:
    """Return whose compression a register would have, if it came to attention."""
    u = chance.uniform(request["seed"], who.number, month, chance.RECORDED)
    age = (who.age_months + month) // MONTHS_PER_YEAR
    return u < mean_of(request, means, "recorded", who, age)


# What fractures bring with them


def fracture(request: Plain, now: Course, fractured: Bools) -> None:
    """Let fractures draw on the skeleton, make people unsteady and frail, and be remembered."""

    def total(name: str) -> Floats:
        each = np.array([site[name] for site in request["fracture_sites"]])
        summed: Floats = fractured.T @ each
        return summed

    now.prior = now.prior | np.any(fractured, axis=0)
    now.state = now.state | {"healing": now.state["healing"] + total("healing_draw")}
    now.instability = now.instability + total("instability")
    now.frailty = now.frailty + total("mobility_loss")
    # The month that follows counts as the first: it starts at 0.
    now.since = np.where(fractured.T, -1.0, now.since)


def nursing_home_entry(
    request: Plain, who: People, now: Course, fractured: Bools, minute: Ints, month: int
) -> Event:
    """Return who enters a nursing home at the first fracture of the month that can bring it.

    The month has one draw for it, and people enter once.
    """
    u = chance.uniform(request["seed"], who.number, month, chance.NURSING_HOME)
    age = np.minimum((who.age_months + month) // MONTHS_PER_YEAR, populations.AGES[-1])
    when = np.full(len(u), MINUTES_PER_MONTH)
    for k, site in enumerate(request["fracture_sites"]):
        if site["nursing_home"] is None:
            continue
        share = populations.by_knots(site["nursing_home"], logarithmic=False)[who.sex, age]
        when = np.where(fractured[k] & (u < share), np.minimum(when, minute[k]), when)
    enters = (when < MINUTES_PER_MONTH) & ~now.in_nursing_home
    now.in_nursing_home = now.in_nursing_home | enters
    return Event(len(request["fracture_sites"]) + 2, enters, when)

"""A slow, obvious twin of the kernel: the same people, months, hazards and events, in plain NumPy.

Everything is float64; people are a vector and months a Python loop. It is written from the equations
in the headers of the sources and from what the documentation promises, not for speed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from . import balance, chance, exposures, people, populations
from .balance import SITES, State
from .book import MINUTES_PER_MONTH, Book, Table
from .chance import Ints
from .hazards import (
    Means,
    death_ratio_after,
    death_ratio_of_factors,
    fall_factor,
    mean_of,
    of_population,
    probability,
    relative_fracture_hazard,
)
from .index import AtIndex, at_index
from .people import NEVER
from .populations import MONTHS_PER_YEAR, Plain
from .systems import Bools, Floats


@dataclass(frozen=True)
class Month:
    """What was asked of chance in one month of one arm: arrays (decisions, n).

    Decisions are: fall, death, then the fracture sites.
    """

    alive: Bools
    abmd: Floats
    """g/cm2 at the start of the month, (n, 4)."""
    draw: Floats
    threshold: Floats
    hazard: Floats


@dataclass(frozen=True)
class Lives:
    """Tables as the kernel gives them, and every draw beside its threshold, by arm and month."""

    tables: dict[str, Table]
    chance: list[list[Month]]


def simulated(request: Plain, number: Ints, means: Means) -> Lives:
    """Return the lives of these people in all arms."""
    index = at_index(request, people.recruited(request, number), means)
    book = Book(request, index.people)
    months = [followed(request, index, means, arm, book) for arm in range(len(request["arms"]))]
    return Lives(book.tables(), months)


def followed(request: Plain, index: AtIndex, means: Means, arm: int, book: Book) -> list[Month]:
    """Live all months of one arm: look, ask chance, write down, go on."""
    p, who = request["parameters"], index.people
    of_arm = exposures.of_arm(request, who, arm)
    state = index.state
    at_index = balance.measures(p, index.person, state)
    at_peak = balance.measures(p, index.person, balance.at_peak(p, index.person))
    alive = np.ones(len(who.number), dtype=np.bool_)
    prior = who.prior_fracture.copy()
    since = index.months_since.copy()
    exit_minutes = np.full(len(alive), request["months"] * MINUTES_PER_MONTH)
    exit_abmd = np.zeros_like(index.scale)
    one = np.ones(len(alive))
    asked: list[Month] = []

    def look(month: int) -> Floats:
        measured = balance.measures(p, index.person, state)
        abmd: Floats = index.scale * measured[:, : len(SITES)]
        exit_abmd[alive] = abmd[alive]
        if month % MONTHS_PER_YEAR == 0:
            book.count_states(arm, month, alive, abmd)
        book.count_visit(arm, month, alive, measured, at_index, at_peak)
        return abmd

    for month in range(request["months"]):
        age = (who.age_months + month) / 12.0
        abmd = look(month)
        exposures.judge(request, of_arm, abmd, month)
        acting = index.exposures + of_arm
        inputs = exposures.inputs_at(acting, month * one, month * one, one)

        now = ask_chance(request, index, means, month, alive, abmd, state, prior, since)
        asked.append(now)
        happened = (now.draw < now.threshold) & alive
        minute = minutes_of(now)
        death = np.where(happened[1], minute[1], MINUTES_PER_MONTH)
        # Who dies no longer breaks a bone or falls; in the same minute death comes first.
        fractured = happened[2:] & (minute[2:] < death)
        fell = happened[0] & ((death == MINUTES_PER_MONTH) | (minute[0] < death))
        book.count_time(arm, month, alive, abmd, death, fell)
        book.write_events(arm, month, abmd, np.vstack([happened[1:2], fractured]), minute[1:])

        exit_minutes[happened[1]] = month * MINUTES_PER_MONTH + death[happened[1]]
        alive = alive & ~happened[1]
        broke: Bools = np.any(fractured, axis=0)
        prior |= broke
        draws = np.array([site["healing_draw"] for site in request["fracture_sites"]])
        state = state | {"healing": state["healing"] + fractured.T @ draws}
        # What acts in this month was settled at its start; a fracture ends a course with the month.
        exposures.end_at_fracture(of_arm, broke, month)
        state = balance.month(p, index.person, inputs, state, age, one / 12.0)
        # The month after a fracture is the first: months since are 0 in it.
        since = np.where(fractured.T, 0.0, np.minimum(NEVER, since + 1.0))
    look(request["months"])
    taken = of_arm + exposures.of_cohorts(request, who)
    begun = exposures.medicine_months(taken, np.ceil(exit_minutes / MINUTES_PER_MONTH))
    book.write_exits(arm, exit_minutes, ~alive, begun, exit_abmd)
    return asked


def ask_chance(
    request: Plain,
    index: AtIndex,
    means: Means,
    month: int,
    alive: Bools,
    abmd: Floats,
    state: State,
    prior: Bools,
    since: Floats,
) -> Month:
    """Return this month's draws, hazards and thresholds (falls 1 and 3, fracture 2, mortality 1)."""
    who = index.people
    age = (who.age_months + month) // MONTHS_PER_YEAR

    def drawn(decision: int) -> Floats:
        return chance.uniform(request["seed"], who.number, month, decision)

    falls = of_population(request, populations.fall_hazard, who, age)
    own = falls * people.fall_ratio(request, who) / mean_of(request, means, "fall", who, age)
    draws, hazards = [drawn(chance.FALL)], [own]
    fell = (draws[0] < probability(own)).astype(np.float64)

    death = of_population(request, populations.death_hazard, who, age)
    death = death * death_ratio_of_factors(request, who)
    for k, site in enumerate(request["fracture_sites"]):
        death = death * death_ratio_after(site, who.sex, since[:, k])
    draws.append(drawn(chance.DEATH))
    hazards.append(death / mean_of(request, means, "death", who, age))

    for site in request["fracture_sites"]:
        incidence = of_population(
            request, lambda of, id_=site["id"]: populations.fracture_hazard(of, id_), who, age
        )
        r = relative_fracture_hazard(
            request,
            site,
            who,
            abmd[:, SITES.index(site["density_site"])],
            state["resorption"],
            prior,
        )
        mean = mean_of(request, means, f"fracture.{site['id']}", who, age)
        draws.append(drawn(chance.FIRST_FRACTURE + site["decision"]))
        hazards.append(incidence * r / mean * fall_factor(site, fell / probability(falls)))
    hazard = np.array(hazards)
    return Month(alive, abmd, np.array(draws), probability(hazard), hazard)


def minutes_of(month: Month) -> Ints:
    """Return when within the month a constant hazard has used up each draw; 0 without a hazard."""
    some = month.hazard > 0.0
    share = -np.log1p(-month.draw) / np.where(some, month.hazard, 1.0)
    minute = np.minimum(np.floor(share * MINUTES_PER_MONTH), MINUTES_PER_MONTH - 1)
    return np.where(some, minute, 0.0).astype(np.int64)

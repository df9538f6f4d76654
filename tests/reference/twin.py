"""A slow, obvious twin of the kernel: the same people, months, hazards and events, in plain NumPy.

Everything is float64; people are a vector and months a Python loop. It is written from the equations
in the headers of the sources and from what the documentation promises, not for speed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from . import balance, chance, exposures, people, populations, spine
from .balance import SITES, State
from .book import MINUTES_PER_MONTH, Book, Happened, Table
from .chance import Ints
from .hazards import (
    Lived,
    Means,
    aged,
    burden,
    death_ratio_after_all,
    death_ratio_of_factors,
    death_ratio_of_frailty,
    fall_ratio,
    left_of_instability,
    mean_of,
    of_population,
    probability,
    weight,
)
from .index import AtIndex, at_index, site_of_the_spine
from .people import NEVER
from .populations import MONTHS_PER_YEAR, Plain
from .spine import Spine
from .strength import share_broken
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


@dataclass
class Course:
    """What changes in follow-up."""

    alive: Bools
    state: State
    spine: Spine
    prior: Bools
    since: Floats
    """Months since the last fracture, (n, fracture sites)."""
    frailty: Floats
    instability: Floats
    in_nursing_home: Bools
    kyphosis_excess: Floats
    """Degrees above the mean of the age, renewed at anniversaries and at deformities."""


def followed(request: Plain, index: AtIndex, means: Means, arm: int, book: Book) -> list[Month]:
    """Live all months of one arm: look, ask chance, write down, go on."""
    p, who = request["parameters"], index.people
    of_arm = exposures.of_arm(request, who, arm)
    at_index = balance.measures(p, index.person, index.state)
    at_peak = balance.measures(p, index.person, balance.at_peak(p, index.person))
    n = len(who.number)
    now = Course(
        alive=np.ones(n, dtype=np.bool_),
        state=index.state,
        spine=index.spine,
        prior=who.prior_fracture.copy(),
        since=index.months_since.copy(),
        frailty=who.values["frailty"].copy(),
        instability=index.instability.copy(),
        in_nursing_home=np.zeros(n, dtype=np.bool_),
        kyphosis_excess=np.zeros(n),
    )
    exit_minutes = np.full(n, request["months"] * MINUTES_PER_MONTH)
    exit_abmd = np.zeros_like(index.scale)
    exit_back = np.zeros((n, 6))
    exit_spine = np.zeros(n, dtype=np.uint64)
    one = np.ones(n)
    asked: list[Month] = []
    calendar = Calendar(request)

    def look(month: int) -> Floats:
        measured = balance.measures(p, index.person, now.state)
        abmd: Floats = index.scale * measured[:, : len(SITES)]
        exit_abmd[now.alive] = abmd[now.alive]
        if month % MONTHS_PER_YEAR == 0:
            age = (who.age_months + month) / MONTHS_PER_YEAR
            now.kyphosis_excess = spine.excess_kyphosis(request, who, now.spine, age)
            book.count_states(arm, month, now.alive, abmd)
            book.count_spines(arm, month, now.alive, now.spine, clinical_since(request, now.since))
        book.count_visit(arm, month, now.alive, measured, at_index, at_peak)
        return abmd

    for month in range(request["months"]):
        age = (who.age_months + month) / 12.0
        abmd = look(month)
        exposures.judge(request, of_arm, abmd, month)
        acting = index.exposures + of_arm
        inputs = exposures.inputs_at(acting, month * one, month * one, one)
        lived = Lived(
            who=who,
            abmd={site: abmd[:, k] for k, site in enumerate(SITES)},
            state=now.state,
            inputs=inputs,
            frailty=now.frailty,
            instability=now.instability,
        )
        month_of = ask_chance(request, means, calendar, month, now, abmd, lived)
        asked.append(month_of)
        happened = (month_of.draw < month_of.threshold) & now.alive
        minute = minutes_of(month_of)
        death = np.where(happened[1], minute[1], MINUTES_PER_MONTH)
        # Who dies no longer breaks a bone or falls; in the same minute death comes first.
        broken = happened[2:] & (minute[2:] < death)
        fell = happened[0] & ((death == MINUTES_PER_MONTH) | (minute[0] < death))
        book.count_time(arm, month, now.alive, abmd, death, fell)
        what = consequences(request, who, now, month, month_of, broken, minute[2:])
        book.write_events(arm, month, abmd, happened[1], minute[1], month_of.caused, what)

        exit_minutes[happened[1]] = month * MINUTES_PER_MONTH + death[happened[1]]
        leaves = happened[1] | (now.alive & (month == request["months"] - 1) & False)
        note_backs(request, who, now, month, leaves, exit_back, exit_spine)
        now.alive = now.alive & ~happened[1]
        broke: Bools = np.any(what.fractured, axis=0)
        # What acts in this month was settled at its start; a fracture ends a course with the month.
        exposures.end_at_fracture(of_arm, broke, month)
        now.state = balance.month(p, index.person, inputs, now.state, age, one / 12.0)
        now.frailty = aged(request, now.frailty, month_of.life_table)
        now.instability = now.instability * left_of_instability(request, 1.0)
        # The month after a fracture is the first: months since are 0 in it.
        now.since = np.where(what.fractured.T, 0.0, np.minimum(NEVER, now.since + 1.0))
    look(request["months"])
    note_backs(request, who, now, request["months"], now.alive, exit_back, exit_spine)
    taken = of_arm + exposures.of_cohorts(request, who)
    begun = exposures.medicine_months(taken, np.ceil(exit_minutes / MINUTES_PER_MONTH))
    book.write_exits(arm, exit_minutes, ~now.alive, begun, exit_abmd, exit_spine, exit_back)
    return asked

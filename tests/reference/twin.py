"""A slow, obvious twin of the kernel: the same people, months, hazards and events, in plain NumPy.

Everything is float64; people are a vector and months a Python loop. It is written from the equations
in the headers of the sources and from what the documentation promises, not for speed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from . import balance, exposures, spine
from .balance import SITES
from .book import Backs, Book, Table
from .brought import site_of_the_spine
from .chance import Ints
from .happenings import happen
from .hazards import Means, aged, left_of_instability
from .index import AtIndex, at_index
from .month import MINUTES_PER_MONTH, Course, Month, ask_chance
from .people import NEVER, People
from .populations import MONTHS_PER_YEAR, Plain
from .recruiting import Persons, recruited
from .spine import Spine
from .systems import Bools, Floats


@dataclass(frozen=True)
class Lives:
    """Tables as the kernel gives them, and every draw beside its threshold, by arm and month."""

    tables: dict[str, Table]
    chance: list[list[Month]]


def simulated(request: Plain, number: Ints, means: Means, persons: Persons | None = None) -> Lives:
    """Return the lives of these people in all arms."""
    index = at_index(request, recruited(request, number, means, persons), means)
    who = index.people
    brought = backs(request, who, index.spine, 0, index.months_since)
    book = Book(request, who, brought)
    months = [followed(request, index, means, arm, book) for arm in range(len(request["arms"]))]
    return Lives(book.tables(), months)


def backs(request: Plain, who: People, of: Spine, month: Ints | int, since: Floats) -> Backs:
    """Return what spines are to people so many months after index; since: (n, sites)."""
    age = (who.age_months + month) / MONTHS_PER_YEAR
    found = site_of_the_spine(request)
    seen = np.full(len(age), NEVER) if found is None else since[:, found[0]]
    return Backs(
        spine=of,
        height_loss=spine.height_loss(request["parameters"], of, age),
        kyphosis=spine.kyphosis(request, who, of, age),
        complaints=spine.back(request, who, of, age, seen),
    )


def started(index: AtIndex) -> Course:
    """Return people at index."""
    who = index.people
    n = len(who.number)
    return Course(
        alive=np.ones(n, dtype=np.bool_),
        state=index.state,
        spine=index.spine,
        prior=who.prior_fracture,
        since=index.months_since,
        frailty=who.values["frailty"],
        instability=index.instability,
        in_nursing_home=np.zeros(n, dtype=np.bool_),
        kyphosis_excess=np.zeros(n),
    )


def followed(request: Plain, index: AtIndex, means: Means, arm: int, book: Book) -> list[Month]:
    """Live all months of one arm: look, ask chance, write down, go on."""
    p, who = request["parameters"], index.people
    of_arm = exposures.of_arm(request, who, arm)
    at_index = balance.measures(p, index.person, index.state)
    at_peak = balance.measures(p, index.person, balance.at_peak(p, index.person))
    now = started(index)
    one = np.ones(len(who.number))
    exit_minutes = np.full(len(one), request["months"] * MINUTES_PER_MONTH)
    exit_abmd, exit_since = np.zeros_like(index.scale), np.zeros_like(index.months_since)
    asked: list[Month] = []

    def look(month: int) -> Floats:
        measured = balance.measures(p, index.person, now.state)
        abmd: Floats = index.scale * measured[:, : len(SITES)]
        exit_abmd[now.alive] = abmd[now.alive]
        if month % MONTHS_PER_YEAR == 0:
            age = (who.age_months + month) / MONTHS_PER_YEAR
            now.kyphosis_excess = spine.excess_kyphosis(request, who, now.spine, age)
            book.count_states(arm, month, now.alive, abmd)
            of_backs = backs(request, who, now.spine, month, now.since)
            book.count_backs(arm, month, now.alive, of_backs)
        book.count_visit(arm, month, now.alive, measured, at_index, at_peak)
        return abmd

    for month in range(request["months"]):
        abmd = look(month)
        exposures.judge(request, of_arm, abmd, month)
        inputs = exposures.inputs_at(index.exposures + of_arm, month * one, month * one, one)
        asked.append(ask_chance(request, means, who, now, month, abmd, inputs))
        happened = happen(request, means, who, now, asked[-1], month)
        book.count_time(arm, month, now.alive, abmd, happened.lived, happened.fell)
        for event in happened.events:
            book.write_event(arm, month, abmd, event)

        died = happened.died
        exit_minutes[died] = month * MINUTES_PER_MONTH + happened.lived[died]
        exit_since[now.alive] = now.since[now.alive]
        now.alive = now.alive & ~died
        # What acts in this month was settled at its start; a fracture ends a course with the month.
        broke: Bools = np.any(happened.fractured, axis=0)
        exposures.end_at_fracture(of_arm, broke, month)
        age = (who.age_months + month) / MONTHS_PER_YEAR
        now.state = balance.month(p, index.person, inputs, now.state, age, one / 12.0)
        now.frailty = aged(request, now.frailty, asked[-1].life_table)
        now.instability = now.instability * left_of_instability(request, 1.0)
        now.since = np.minimum(NEVER, now.since + 1.0)
    look(request["months"])
    exit_since[now.alive] = now.since[now.alive]
    taken = of_arm + exposures.of_cohorts(request, who)
    begun = exposures.medicine_months(taken, np.ceil(exit_minutes / MINUTES_PER_MONTH))
    left = backs(request, who, now.spine, exit_minutes // MINUTES_PER_MONTH, exit_since)
    book.write_exits(arm, exit_minutes, ~now.alive, begun, exit_abmd, left)
    return asked

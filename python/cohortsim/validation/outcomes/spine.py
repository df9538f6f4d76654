"""The spine: deformities seen on films, height, kyphosis and the back.

Of persons: at index, and at exit of those who live to the end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from cohortsim.validation.compare import NotThereError
from cohortsim.validation.outcomes.lives import DEFORMITY, NEW_DEFORMITY, SPINE, Flags, Lives
from cohortsim.validation.outcomes.regression import least_squares, odds_ratio
from cohortsim.validation.outcomes.sums import Array, Sums, counted, ratio
from cohortsim.validation.outcomes.targets import Outcome

if TYPE_CHECKING:
    from cohortsim.validation.outcomes.observed import Observed

THORACIC = tuple(f"T{k}" for k in range(4, 13))  # what the angle of kyphosis spans
ALL_LEVELS = (*THORACIC, *(f"L{k}" for k in range(1, 5)))
BAND = 5  # years of age
BANDS = 24
PER_1000, PER_100 = 1_000, 100


def on_films(outcome: Outcome, seen: Observed) -> Sums:
    """People with a new deformity on a film some years after index, per 1,000 years to the film.

    Standardised to sex and age at index, in bands of five years.
    """
    lives = seen.lives(outcome, recorded=False)
    years = float(seen.years if outcome.years is None else outcome.years)
    who = lives.chosen(outcome) & (lives.exit >= years - 1e-9)
    hit = who & (lives.first(NEW_DEFORMITY) < years)
    everybody = lives.chosen(outcome)
    shape = (2, BANDS)
    band = np.clip(lives.age // BAND, 0, BANDS - 1).astype(np.int64)
    sums = np.stack(
        [
            counted(lives.groups, shape, lives.group[w], lives.sex[w], band[w])
            for w in (hit, who, everybody)
        ],
        axis=1,
    )

    def make(total: Array) -> float:
        hits, filmed, weights = total
        there = filmed > 0
        rates = hits[there] / (filmed[there] * years)
        return float(PER_1000 * (rates * weights[there]).sum() / weights[there].sum())

    return Sums(sums, lives.people(who), make)


def deformed(outcome: Outcome, seen: Observed) -> Sums:
    """Percent of people at index with at least one deformity."""
    lives = seen.lives(outcome)
    return _share(lives, lives.chosen(outcome), lives.column("deformities") > 0)


def attended(outcome: Outcome, seen: Observed) -> Sums:
    """Clinical vertebral fractures in percent of deformities that came about in follow-up."""
    lives = seen.lives(outcome, recorded=False)
    who = lives.chosen(outcome)
    made = []
    for site in (SPINE, DEFORMITY):
        people, _ = lives.all(site)
        made.append(counted(lives.groups, (), lives.group[people[who[people]]]))
    sums = np.stack(made, axis=1)
    return Sums(sums, lives.people(who), lambda t: PER_100 * ratio(t[0], t[1]))


def new_within(outcome: Outcome, seen: Observed) -> Sums:
    """Percent with a new event (`site`) within some years, of those in a state at index.

    factor: `deformities:1`, `deformities:3+`, `grade:2` (the worst one) and so on; empty: all.
    """
    lives = seen.lives(outcome, recorded=False)
    who = lives.chosen(outcome) & _in_state(lives, outcome.factor)
    until = seen.years if outcome.years is None else outcome.years
    return _share(lives, who, lives.first(outcome.site) < until)


def new_by_state(outcome: Outcome, seen: Observed) -> Sums:
    """Ratio of these shares of those with a deformity and those without one at index."""
    lives = seen.lives(outcome, recorded=False)
    until = seen.years if outcome.years is None else outcome.years
    hit = lives.first(outcome.site) < until
    parts = []
    for state in (lives.column("deformities") > 0, lives.column("deformities") == 0):
        who = lives.chosen(outcome) & state
        parts += [lives.people(who & hit), lives.people(who)]
    sums = np.stack(parts, axis=1)
    return Sums(sums, sums[:, 1], lambda t: ratio(ratio(t[0], t[1]), ratio(t[2], t[3])))


def again_within(outcome: Outcome, seen: Observed) -> Sums:
    """Percent with a further deformity within some years of a first new one in follow-up."""
    lives = seen.lives(outcome, recorded=False)
    years = float(outcome.years or 1.0)
    first = lives.first(outcome.site)
    who = lives.chosen(outcome) & (first <= lives.years - years)
    people, when = lives.all(outcome.site)
    late = when > first[people]
    second = np.full(lives.count, np.inf)
    np.minimum.at(second, people[late], when[late])
    with np.errstate(invalid="ignore"):
        soon = second - first < years
    return _share(lives, who, soon)


# --- height and kyphosis --------------------------------------------------------------------------


def height_lost_by(outcome: Outcome, seen: Observed) -> Sums:
    """Height lost (cm) for one new deformity of a shape (`factor`), by least squares with age."""
    return _per_deformity(outcome, seen, "height_loss", ALL_LEVELS)


def kyphosis_by(outcome: Outcome, seen: Observed) -> Sums:
    """Kyphosis gained (degrees) for one new thoracic deformity, by least squares with age."""
    return _per_deformity(outcome, seen, "kyphosis", THORACIC)


def height_lost(outcome: Outcome, seen: Observed) -> Sums:
    """Mean height lost in follow-up (cm), of those with or without (`factor`) a new deformity."""
    lives, who = _to_the_end(outcome, seen)
    new = lives.first(NEW_DEFORMITY) <= lives.exit
    who = who & (new if outcome.factor == "with" else ~new)
    return _mean(lives, who, lives.at_exit("height_loss") - lives.column("height_loss"))


def kyphosis(outcome: Outcome, seen: Observed) -> Sums:
    """Mean kyphosis at index, degrees; factor `intact`: of those without a deformity."""
    lives = seen.lives(outcome)
    return _mean(lives, _of_index(outcome, lives), lives.column("kyphosis"))


def kyphosis_gained(outcome: Outcome, seen: Observed) -> Sums:
    """Mean kyphosis gained in follow-up by those who live to its end, degrees."""
    lives, who = _to_the_end(outcome, seen)
    return _mean(lives, who, lives.at_exit("kyphosis") - lives.column("kyphosis"))


def kyphosis_spread(outcome: Outcome, seen: Observed) -> Sums:
    """Standard deviation of kyphosis at index between people, degrees."""
    lives = seen.lives(outcome)
    who = _of_index(outcome, lives)
    angle = lives.column("kyphosis")[who]
    sums = np.stack(
        [counted(lives.groups, (), lives.group[who], weights=w) for w in (angle, angle**2)]
        + [lives.people(who)],
        axis=1,
    )

    def make(total: Array) -> float:
        mean = total[0] / total[2]
        return float(np.sqrt(max(total[1] / total[2] - mean**2, 0.0)))

    return Sums(sums, lives.people(who), make)


def above(outcome: Outcome, seen: Observed) -> Sums:
    """Percent at index with a kyphosis above 40 degrees; factor `intact` as `kyphosis`."""
    lives = seen.lives(outcome)
    return _share(lives, _of_index(outcome, lives), lives.column("kyphosis") > 40)


def deformed_among_bent(outcome: Outcome, seen: Observed) -> Sums:
    """Percent with a deformity of those with hyperkyphosis (50 degrees and more) at index."""
    lives = seen.lives(outcome)
    who = lives.chosen(outcome) & (lives.column("kyphosis") >= 50)
    return _share(lives, who, lives.column("deformities") > 0)


def back(outcome: Outcome, seen: Observed) -> Sums:
    """Odds ratio of an outcome of the back (`factor`) at the end, by a new deformity in follow-up.

    By bands of five years of age (Mantel-Haenszel). against: `intact` or `deformed` at index.
    """
    lives, who = _to_the_end(outcome, seen)
    had = lives.column("deformities") > 0
    who = who & (had if outcome.against == "deformed" else ~had)
    new = (lives.first(DEFORMITY) <= lives.exit).astype(np.int64)
    state = lives.at_exit(outcome.factor).astype(np.int64)
    band = np.clip(lives.age // BAND, 0, BANDS - 1).astype(np.int64)
    index = (lives.group[who], band[who], new[who], state[who])
    sums = counted(lives.groups, (BANDS, 2, 2), *index)
    return Sums(sums, lives.people(who), odds_ratio)


# --- parts ----------------------------------------------------------------------------------------


def _share(lives: Lives, who: Flags, hit: Flags) -> Sums:
    sums = np.stack([lives.people(who & hit), lives.people(who)], axis=1)
    return Sums(sums, sums[:, 1], lambda t: PER_100 * ratio(t[0], t[1]))


def _mean(lives: Lives, who: Flags, value: Array) -> Sums:
    total = counted(lives.groups, (), lives.group[who], weights=value[who])
    sums = np.stack([total, lives.people(who)], axis=1)
    return Sums(sums, sums[:, 1], lambda t: ratio(t[0], t[1]))


def _of_index(outcome: Outcome, lives: Lives) -> Flags:
    who = lives.chosen(outcome)
    return who & (lives.column("deformities") == 0) if outcome.factor == "intact" else who


def _in_state(lives: Lives, factor: str) -> Flags:
    if not factor:
        return np.ones(lives.count, dtype=np.bool_)
    name, _, text = factor.partition(":")
    column = {"deformities": "deformities", "grade": "worst_grade"}.get(name)
    if column is None:
        raise NotThereError(f'no state "{factor}"')
    value = lives.column(column)
    return value >= int(text[:-1]) if text.endswith("+") else value == int(text)


def _to_the_end(outcome: Outcome, seen: Observed) -> tuple[Lives, Flags]:
    lives = seen.lives(outcome, recorded=False)
    return lives, lives.chosen(outcome) & ~lives.died


def _per_deformity(outcome: Outcome, seen: Observed, name: str, levels: tuple[str, ...]) -> Sums:
    """Return the coefficient of new deformities in what `name` gained, with age and the others."""
    lives, who = _to_the_end(outcome, seen)
    gained = lives.at_exit(name) - lives.column(name)
    rows = lives.events(NEW_DEFORMITY)
    places = lives.places(rows)
    wanted = rows["level"].cast(pl.String).is_in(levels).to_numpy()
    if outcome.factor:
        wanted = wanted & (rows["shape"].cast(pl.String) == outcome.factor).to_numpy()
    these = np.bincount(places[wanted], minlength=lives.count).astype(np.float64)
    other = np.bincount(places, minlength=lives.count) - these
    x = np.stack([these, np.ones(lives.count), lives.age - 70, other], axis=1)[who]
    if not x[:, 3].any():
        x = x[:, :3]
    y = gained[who]
    both = np.concatenate([x, y[:, None]], axis=1)
    terms = x.shape[1]
    sums = np.zeros((lives.groups, terms, terms + 1))
    for group in range(lives.groups):
        mine = lives.group[who] == group
        sums[group] = x[mine].T @ both[mine]
    return Sums(sums, lives.people(who), lambda t: float(least_squares(t)[0]))

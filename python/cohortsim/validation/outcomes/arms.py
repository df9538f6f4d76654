"""Fracture arms of trials: shares of people with an event, and ratios between arms.

Clinical events count when they happen. Deformities count when they are seen: on the first of the
scheduled films after they came about, by people who live to have it taken.
Both arms hold the same people with the same luck, so that ratios have little chance in them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from cohortsim.validation.compare import NotThereError
from cohortsim.validation.outcomes.lives import (
    DEFORMITY,
    NEW_DEFORMITY,
    happened,
    years_since_index,
)
from cohortsim.validation.outcomes.rates import at_index
from cohortsim.validation.outcomes.sums import Array, Sums, counted, ratio
from cohortsim.validation.outcomes.targets import Outcome

if TYPE_CHECKING:
    from cohortsim.validation.outcomes.observed import Observed

SEEN_ON_FILMS = (DEFORMITY, NEW_DEFORMITY)
FILMS_EVERY = 1.0  # years
HIT, PEOPLE, YEARS = 0, 1, 2


def share(outcome: Outcome, seen: Observed) -> Sums:
    """Percent of an arm with at least one event within some years."""
    sums = _arm(outcome, seen)
    return Sums(sums, sums[:, PEOPLE], lambda total: 100 * ratio(total[HIT], total[PEOPLE]))


def risk_ratio(outcome: Outcome, seen: Observed) -> Sums:
    """Ratio of the shares of two arms."""
    return _between(outcome, seen, lambda t: ratio(t[HIT], t[PEOPLE]))


def odds_ratio(outcome: Outcome, seen: Observed) -> Sums:
    """Ratio of the odds of two arms."""
    return _between(outcome, seen, lambda t: ratio(t[HIT], t[PEOPLE] - t[HIT]))


def rate_ratio(outcome: Outcome, seen: Observed) -> Sums:
    """Ratio of first events per time until then, which a hazard ratio estimates."""
    return _between(outcome, seen, lambda t: ratio(t[HIT], t[YEARS]))


def _between(outcome: Outcome, seen: Observed, made: Callable[[Array], float]) -> Sums:
    here = _arm(outcome, seen)
    other = _arm(replace(outcome, arm=outcome.against), seen)
    both = np.stack([here, other], axis=1)
    return Sums(both, here[:, PEOPLE], lambda total: ratio(made(total[0]), made(total[1])))


def _arm(outcome: Outcome, seen: Observed) -> Array:
    """Return people with an event, people, and years until the event: (groups, 3)."""
    until = seen.years if outcome.years is None else outcome.years
    if until > seen.years:
        raise NotThereError(f"the study lasts {seen.years} years")
    events = seen.table("events", outcome)
    is_death = pl.col("event").cast(pl.String) == "death"
    deaths = _first(events.filter(is_death), "death")
    first = _first(happened(events, outcome.site, seen.sites), "first").drop("group")
    both = deaths.join(first, on="person", how="left")
    alone = _first(happened(events, outcome.site, seen.sites), "first").join(
        deaths.select("person"), on="person", how="anti"
    )
    rows = pl.concat([both, alone], how="diagonal").fill_null(np.inf)
    group, death = rows["group"].cast(pl.Int64).to_numpy(), rows["death"].to_numpy()
    when = rows["first"].to_numpy()
    people = at_index(outcome, seen)
    if outcome.site in SEEN_ON_FILMS:
        last_film = np.floor(until / FILMS_EVERY + 1e-9) * FILMS_EVERY
        film = np.minimum(np.ceil(when / FILMS_EVERY) * FILMS_EVERY, until)
        hit = (when < until) & (death >= film)
        first_film = min(FILMS_EVERY, until, last_film or until)
        people = people - counted(seen.groups, (), group[death < first_film])
    else:
        hit = when < until
    lost = until - np.minimum(np.minimum(when, death), until)
    years = people * until - counted(seen.groups, (), group, weights=lost)
    return np.stack([counted(seen.groups, (), group[hit]), people, years], axis=1)


def _first(events: pl.DataFrame, name: str) -> pl.DataFrame:
    """Return person, group and time of the first event of each person."""
    timed = events.select("person", "group", pl.Series(name, years_since_index(events)))
    return timed.group_by("person", maintain_order=True).agg(
        pl.col("group").first(), pl.col(name).min()
    )

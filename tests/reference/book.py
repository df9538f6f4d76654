"""Where what happens to people is written down, and the tables that come of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .balance import SITES
from .chance import Ints
from .happenings import Event
from .people import People, density_class
from .populations import MONTHS_PER_YEAR, Plain
from .spine import OUTCOMES, Spine
from .systems import Bools, Floats

Table = dict[str, NDArray[Any]]

STRATA = ["arm", "cohort", "sex", "age", "year"]
DETAILS = {
    "level": 0,
    "grade": 0,
    "grade_before": 0,
    "shape": 0,
    "recorded": 1,
    "attributable": 0,
}
"""What only some events have, and what the others show."""


@dataclass(frozen=True)
class Backs:
    """What spines are to people."""

    spine: Spine
    height_loss: Floats
    """cm since youth."""
    kyphosis: Floats
    """Degrees."""
    complaints: Ints
    """Bit by bit, as in `spine.OUTCOMES`."""

    @property
    def columns(self) -> Table:
        """As tables of persons have it."""
        return {
            "spine": self.spine.packed,
            "deformities": self.spine.deformities,
            "worst_grade": self.spine.worst,
            "kyphosis": self.kyphosis,
            "height_loss": self.height_loss,
            "back": self.complaints,
        }


class Book:
    """Where what happens is written down."""

    def __init__(self, request: Plain, who: People, brought: Backs) -> None:
        self._request, self._who, self._brought = request, who, brought
        self._events: list[Ints] = []
        self._exits: list[Table] = []
        self._time: list[Ints] = []
        self._states: list[Ints] = []
        self._backs: list[Ints] = []
        self._visits: list[Ints] = []

    def _strata(self, arm: int, month: int) -> list[Ints]:
        who = self._who
        age = (who.age_months + month) // MONTHS_PER_YEAR
        same = np.ones_like(who.number)
        return [same * arm, who.cohort, who.sex, age, same * (month // MONTHS_PER_YEAR)]

    def _class(self, abmd: Floats) -> Ints:
        site: str = self._request["class_site"]
        return density_class(self._request, site, abmd[:, SITES.index(site)])

    def count_states(self, arm: int, month: int, alive: Bools, abmd: Floats) -> None:
        """Count the living by density class at each site at an anniversary."""
        for k, site in enumerate(SITES):
            own_class = density_class(self._request, site, abmd[:, k])
            micrograms = np.floor(abmd[:, k] * 1e6 + 0.5).astype(np.int64)
            counts = [(own_class == c).astype(np.int64) for c in range(3)]
            columns = [*self._strata(arm, month), np.full_like(own_class, k), *counts, micrograms]
            self._states.append(np.array(columns)[:, alive])

    def count_backs(self, arm: int, month: int, alive: Bools, backs: Backs) -> None:
        """Count the living by what is the matter with their backs at an anniversary."""
        limit = self._request["parameters"]["spine.hyperkyphosis_from"]
        deformities, worst = backs.spine.deformities, backs.spine.worst
        loss, bent = rounded(backs.height_loss * 1e3), rounded(backs.kyphosis * 1e3)
        counts = [
            np.ones_like(worst),
            deformities > 0,
            deformities,
            worst >= 2,
            worst >= 3,
            loss,
            loss**2,
            bent,
            rounded(backs.kyphosis * 10.0) ** 2,
            backs.kyphosis >= limit,
            *(backs.complaints >> k & 1 for k in range(len(OUTCOMES))),
        ]
        columns = [*self._strata(arm, month), *(np.asarray(c, dtype=np.int64) for c in counts)]
        self._backs.append(np.array(columns)[:, alive])

    def count_visit(
        self, arm: int, month: int, alive: Bools, now: Floats, index: Floats, peak: Floats
    ) -> None:
        """Count change from index and from the young adult, measures as (n, 6), if there is a visit."""
        if month not in self._request["visits"]:
            return
        same = np.ones_like(self._who.number)
        change, from_peak = parts(now / index - 1.0), parts(now / peak - 1.0)
        for k in range(now.shape[1]):
            keys = [same * arm, self._who.cohort, same * month, same * k]
            amounts = [same, change[:, k], change[:, k] ** 2, from_peak[:, k]]
            self._visits.append(np.array([*keys, *amounts])[:, alive])

    def count_time(
        self, arm: int, month: int, alive: Bools, abmd: Floats, lived: Ints, fell: Bools
    ) -> None:
        """Count minutes lived and falls by stratum."""
        columns = [*self._strata(arm, month), self._class(abmd), lived, fell.astype(np.int64)]
        self._time.append(np.array(columns)[:, alive])

    def write_event(self, arm: int, month: int, abmd: Floats, event: Event) -> None:
        """Write down an event of those who have it."""
        who, same = self._who, np.ones_like(self._who.number)
        columns = [who.number, same * arm, same * month, event.minute, same * event.code]
        columns += [who.age_months + month, who.cohort, who.sex, self._class(abmd)]
        columns += [event.details.get(name, same * none) for name, none in DETAILS.items()]
        self._events.append(np.array(columns)[:, event.who])

    def write_exits(
        self,
        arm: int,
        minutes: Ints,
        died: Bools,
        medicine_months: Ints,
        abmd: Floats,
        backs: Backs,
    ) -> None:
        """Write down how people left."""
        self._exits.append(
            {
                "person": self._who.number,
                "arm": np.full_like(self._who.number, arm),
                "minutes": minutes,
                "died": died.astype(np.int64),
                "medicine_months": medicine_months,
            }
            | {f"abmd_{site}": abmd[:, k] for k, site in enumerate(SITES)}
            | backs.columns
        )

    def tables(self) -> dict[str, Table]:
        """Return everything as the kernel's tables."""
        events = [
            "person",
            "arm",
            "month",
            "minute",
            "event",
            "age_months",
            "cohort",
            "sex",
            "class",
            *DETAILS,
        ]
        counts = ["normal", "osteopenia", "osteoporosis", "abmd_sum"]
        changes = ["people", "change_sum", "change_square_sum", "peak_sum"]
        deformed = ["people", "deformed", "deformities", "moderate", "severe"]
        sums = ["height_loss_sum", "height_loss_square_sum", "kyphosis_sum", "kyphosis_square_sum"]
        tables = {
            "persons": persons_table(self._who) | self._brought.columns,
            "follow_up": {
                name: np.concatenate([one[name] for one in self._exits]) for name in self._exits[0]
            },
            "events": dict(zip(events, np.hstack(self._events), strict=True)),
            "person_time": added_up(self._time, [*STRATA, "class"], ["minutes", "falls"]),
            "states": added_up(self._states, [*STRATA, "site"], counts),
            "spine": added_up(self._backs, STRATA, [*deformed, *sums, "hyperkyphotic", *OUTCOMES]),
        }
        if self._visits:
            keys = ["arm", "cohort", "month", "measure"]
            tables["visits"] = added_up(self._visits, keys, changes)
        return tables


def parts(x: Floats) -> Ints:
    """Return whole parts of 1e-5."""
    return rounded(x * 1e5)


def rounded(x: Floats) -> Ints:
    """Return whole numbers, halves away from zero."""
    return (np.sign(x) * np.floor(np.abs(x) + 0.5)).astype(np.int64)


def persons_table(who: People) -> Table:
    """Return who the people are."""
    bits = 2 ** np.arange(who.risk_factors.shape[1])
    table: Table = {
        "person": who.number,
        "cohort": who.cohort,
        "sex": who.sex,
        "age_months": who.age_months,
        "prior_fracture": who.prior_fracture.astype(np.int64),
        "risk_factors": (who.risk_factors * bits).sum(axis=1),
    }
    table |= who.values
    table["menopause_age"] = np.where(who.sex == 1, np.nan, who.values["menopause_age"])
    table["source_row"] = who.source_row
    return table


def added_up(parts: list[Ints], keys: list[str], amounts: list[str]) -> Table:
    """Return the sums of the amounts by the keys, ordered by the keys."""
    columns = np.hstack(parts)
    strata, which = np.unique(columns[: len(keys)], axis=1, return_inverse=True)
    table: Table = dict(zip(keys, strata, strict=True))
    for name, values in zip(amounts, columns[len(keys) :], strict=True):
        total = np.zeros(strata.shape[1], dtype=np.int64)
        np.add.at(total, which.ravel(), values)
        table[name] = total
    return table

"""Groups of people by a number of theirs, such as body weight: quantiles, or bands between limits."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import polars as pl

from cohortsim.errors import Problem, ResultsError
from cohortsim.mistakes import shown

MISSING = "missing"
MOST_GROUPS = 100


@dataclass(frozen=True, slots=True)
class Groups:
    """A stratum made from a column of numbers of `results.persons`.

    Made by `quantiles` and `bands`. In tables it is the column `<column>_group`; people without
    the number are in the group "missing".
    """

    column: str
    parts: int = 0
    limits: tuple[float, ...] = ()
    within: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Name of the stratum in tables."""
        return f"{self.column}_group"

    @property
    def labels(self) -> list[str]:
        """Names of the groups in ascending order, without the group of those who miss the number."""
        if self.parts:
            return [f"{k} of {self.parts}" for k in range(1, self.parts + 1)]
        between = [f"{low:g} to {high:g}" for low, high in pairwise(self.limits)]
        return [f"under {self.limits[0]:g}", *between, f"{self.limits[-1]:g} and over"]

    @property
    def kind(self) -> pl.Enum:
        """Type of the stratum in tables."""
        return pl.Enum([*self.labels, MISSING])

    def edges(self, persons: pl.LazyFrame) -> pl.DataFrame:
        """Return the limits between the groups, a column each, a row for each group of `within`."""
        if not self.parts:
            return pl.DataFrame({f"edge_{k}": [edge] for k, edge in enumerate(self.limits)})
        known = pl.col(self.column).drop_nulls().sort()
        n = pl.col(self.column).count()
        found = [
            known.get((k * n + self.parts - 1) // self.parts - 1, null_on_oob=True).alias(
                f"edge_{k}"
            )
            for k in range(1, self.parts)
        ]
        if self.within:
            return persons.group_by(list(self.within)).agg(found).collect()
        return persons.select(found).collect()

    def added(self, persons: pl.LazyFrame, edges: pl.DataFrame) -> pl.LazyFrame:
        """Add the stratum to rows of people; `edges` are those of everybody."""
        names = [name for name in edges.columns if name not in self.within]
        if self.within:
            found = persons.join(edges.lazy(), on=list(self.within), how="left", nulls_equal=True)
        else:
            found = persons.join(edges.lazy(), how="cross")
        value = pl.col(self.column)
        place = pl.lit(0, dtype=pl.UInt32)
        for name in names:  # a quantile ends with its limit, a band begins with it
            above = value > pl.col(name) if self.parts else value >= pl.col(name)
            place = place + above.cast(pl.UInt32)
        labels = pl.lit(pl.Series([*self.labels, MISSING], dtype=self.kind))
        place = place.fill_null(len(self.labels))
        return found.with_columns(labels.gather(place).alias(self.name)).drop(names)


def quantiles(column: str, groups: int = 4, within: str | Iterable[str] = ()) -> Groups:
    """Return groups of equal size by a number of the people at index, for `by` of a measure.

    Args:
        column: a column of numbers of `results.persons`, such as "body_weight".
        groups: how many: 4 makes quarters, "1 of 4" being the lowest.
        within: rank within each of these columns, such as "sex"; otherwise among everybody.

    Equal numbers are never in different groups. `results.incidence(by=["sex",
    cs.quantiles("abmd_femoral_neck", 5, within="sex")])`. Raises ResultsError: too few or too many.
    """
    if isinstance(groups, bool) or not isinstance(groups, int) or not 2 <= groups <= MOST_GROUPS:
        needed = f"needs a whole number from 2 to {MOST_GROUPS}"
        raise ResultsError(Problem("quantiles(groups=...)", shown(groups), needed, "4 is usual"))
    inside = (within,) if isinstance(within, str) else tuple(within)
    return Groups(column, parts=groups, within=inside)


def bands(column: str, limits: Sequence[float]) -> Groups:
    """Return groups between limits of a number of the people at index, for `by` of a measure.

    Args:
        column: a column of numbers of `results.persons`, such as "height".
        limits: ascending; a band begins with its limit: [60, 80] makes "under 60", "60 to 80"
            and "80 and over", in the unit of the column.

    Raises ResultsError: no limits, or not ascending.
    """
    try:
        edges = () if isinstance(limits, str) else tuple(float(limit) for limit in limits)
    except (TypeError, ValueError):
        edges = ()
    if not edges or not all(map(math.isfinite, edges)) or list(edges) != sorted(set(edges)):
        found, needed = shown(limits), "needs ascending numbers"
        raise ResultsError(Problem("bands(limits=...)", found, needed, "for example [60, 80]"))
    return Groups(column, limits=edges)

"""Target + what its trial measured -> the simulated number with its interval, or why there is none.

The simulated number is made of sums over all people. Its 95 % interval comes from the delete-a-group
jackknife for groups of unequal size (Busing, Meijer and van der Leeden 1999): the number is made
again without each group of people in turn. So whatever people share is in the interval as it is:
arms that hold the same people with the same luck, two visits of the same people, a spread, a
correlation. It tells the chance of the simulation at fixed parameters, nothing else.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cohortsim.errors import nearest
from cohortsim.validation import jackknife
from cohortsim.validation.targets import Target
from cohortsim.validation.trials import PAIRS, SUMS, Observed
from cohortsim.visits import UNITS_PER_PERCENT

CONFIDENCE = jackknife.CONFIDENCE
MONTHS_PER_YEAR = 12
Sums = tuple[float, ...]  # whole numbers at visits
Key = tuple[str, str, int, str]  # arm, cohort, month, measure
Made = Callable[[Callable[[Key], Sums]], float]


class NotThereError(Exception):
    """What a target asks for is not in its trial; the message is the reason."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """A published number beside the simulated one; `reason` says why there is none."""

    target: Target
    simulated: float | None = None
    low: float | None = None
    high: float | None = None
    people: int = 0
    reason: str = ""

    @property
    def difference(self) -> float | None:
        """Simulated minus published."""
        return None if self.simulated is None else self.simulated - self.target.published


class Tallies:
    """Sums of a trial by group and in all, as lookups by arm, cohort, month and measure."""

    def __init__(self, observed: Observed) -> None:
        self.observed = observed
        self.visits = _tables(observed, SUMS)
        self.pairs = _tables(observed, PAIRS)

    def missing(self, key: Key) -> str:
        """Return why a key is not there."""
        scenario = self.observed.scenario
        if self.observed.failure or scenario is None:
            return f"the trial cannot be simulated: {self.observed.failure}"
        arm, cohort, month, measure = key
        for noun, name, there in (
            ("arm", arm, [entry.name for entry in scenario.arms]),
            ("cohort", cohort, [entry.name for entry in scenario.cohorts]),
        ):
            if name not in there:
                return f'no {noun} "{name}" in the trial; {nearest(name, there) or "see its file"}'
        if month not in scenario.record.visits:
            return f"no visit at month {month} in the trial"
        return f"nobody lives at month {month} ({arm}, {cohort}, {measure})"


def evaluated(
    target: Target, tallies: Tallies, precision: Mapping[str, float] | None = None
) -> Comparison:
    """Return a target beside what its trial gives; `precision` is the error of a scan, CV in %."""
    try:
        make = _made(target, tallies, precision or {})
        tables = tallies.pairs if target.kind == "tracking" else tallies.visits
        key = (target.arm, target.cohort, target.month, target.measure)
        simulated = make(lambda k: _total(tables, k, tallies))
        people = int(_total(tables, key, tallies)[0])
        error, groups = _error(make, tables, key, simulated)
    except NotThereError as missing:
        return Comparison(target, reason=str(missing))
    if error is None:
        return Comparison(target, simulated, people=people)
    half = jackknife.quantile(groups - 1) * error
    return Comparison(target, simulated, simulated - half, simulated + half, people)


# --- the forms of `against` ---------------------------------------------------------------------


def _made(target: Target, tallies: Tallies, precision: Mapping[str, float]) -> Made:
    """Return the function that makes the number of a target out of sums."""
    arm, cohort, month, measure = target.arm, target.cohort, target.month, target.measure
    here = (arm, cohort, month, measure)
    if target.kind == "peak":
        return lambda sums: _peak(sums(here))
    if target.kind == "arm":
        other = (target.other, cohort, month, measure)
        return lambda sums: _change(sums(here)) - _change(sums(other))
    if target.kind == "cohort":
        other = (arm, target.other, month, measure)
        return lambda sums: _change(sums(here)) - _change(sums(other))
    if target.kind == "yearly":
        before = (arm, cohort, target.from_month, measure)
        years = (month - target.from_month) / MONTHS_PER_YEAR
        if years <= 0:
            raise NotThereError(f"no time from month {target.from_month} to month {month}")
        return lambda sums: (_change(sums(here)) - _change(sums(before))) / years
    if target.kind == "sd":
        if measure not in precision:
            raise NotThereError(f"precision.yaml has no error of a scan for {measure}")
        scans = math.sqrt(2) * precision[measure]
        return lambda sums: math.hypot(_spread(sums(here)), scans)
    if target.kind == "tracking":
        scenario = tallies.observed.scenario
        if scenario is not None and month != scenario.months:
            end = f"the trial ends at month {scenario.months}"
            raise NotThereError(f"persons are kept at the end only, and {end}")
        return lambda sums: _correlation(sums(here))
    return lambda sums: _change(sums(here))


def _change(sums: Sums) -> float:
    people, change, _, _ = sums
    return change / (people * UNITS_PER_PERCENT)


def _peak(sums: Sums) -> float:
    people, _, _, peak = sums
    return peak / (people * UNITS_PER_PERCENT)


def _spread(sums: Sums) -> float:
    people, change, squares, _ = sums
    if people < 2:
        raise NotThereError("one person alone has no spread")
    # whole numbers of any size: nothing is lost where the two are nearly equal
    variance = (people * squares - change * change) / (people * (people - 1))
    return math.sqrt(variance) / UNITS_PER_PERCENT


def _correlation(sums: Sums) -> float:
    people, x, y, xx, yy, xy = sums
    product = (people * xx - x * x) * (people * yy - y * y)
    if people < 2 or product <= 0:
        raise NotThereError("too few people, or all alike: no correlation")
    return (people * xy - x * y) / math.sqrt(product)


# --- sums, and the interval ---------------------------------------------------------------------


def _tables(observed: Observed, names: tuple[str, ...]) -> dict[Key, dict[int, Sums]]:
    frame = observed.visits if names is SUMS else observed.pairs
    made: dict[Key, dict[int, Sums]] = defaultdict(dict)
    end = observed.scenario.months if observed.scenario else 0
    for row in frame.iter_rows(named=True):
        key = (row["arm"], row["cohort"], row.get("month", end), row["measure"])
        if row["people"]:
            made[key][row["group"]] = tuple(row[name] for name in names)
    return dict(made)


def _total(tables: Mapping[Key, Mapping[int, Sums]], key: Key, tallies: Tallies) -> Sums:
    groups = tables.get(key)
    if not groups:
        raise NotThereError(tallies.missing(key))
    return tuple(map(sum, zip(*groups.values(), strict=True)))


def _error(
    make: Made, tables: Mapping[Key, Mapping[int, Sums]], key: Key, whole: float
) -> tuple[float | None, int]:
    """Return the standard error and the number of groups; None where it cannot be known."""
    sizes = {group: sums[0] for group, sums in tables[key].items()}
    if len(sizes) < 2:
        return None, len(sizes)
    try:
        without = {group: make(lambda k, g=group: _left(tables, k, g)) for group in sizes}  # type: ignore[misc]
    except NotThereError:
        return None, len(sizes)
    return jackknife.error(whole, without, sizes), len(sizes)


def _left(tables: Mapping[Key, Mapping[int, Sums]], key: Key, group: int) -> Sums:
    kept = [sums for g, sums in tables.get(key, {}).items() if g != group]
    if not kept:
        raise NotThereError("one group holds everybody")
    return tuple(map(sum, zip(*kept, strict=True)))

"""Columns of one file or frame of persons: what each of them is, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from cohortsim.errors import Problem, brief, nearest, nearest_name, one_of
from cohortsim.persons_cells import Cells, Floats, sorted_problems
from cohortsim.persons_columns import COMMON_NAMES, Column, columns
from cohortsim.persons_reading import Raw

LIST = "see `cohortsim list persons_columns`"
BODY_WEIGHTS = (25.0, 250.0)
"""Survey weights that all lie here, in a file without body weight, look like kilograms."""
USUAL_HEIGHT = 165.0  # cm, where the height is not known
ENOUGH_PEOPLE, HEAVIEST_HALF = 10, 45.0
"""Persons whose middle body mass index (kg/m2) is above this are heavier than any population."""
MOST_WEIGHT = 1e12
MOST_NAMES, LONGEST_NAME = 20, 60
"""Most unknown columns that are named, and most characters of a name that may be a slip."""
Plain = dict[str, Any]


class Source:
    """Columns of one file or frame, checked; `problems` holds all that is wrong with it."""

    def __init__(
        self, raw: Raw, renames: Mapping[str, str | None], population: Plain, factors: Sequence[str]
    ) -> None:
        self.raw = raw
        self.columns: dict[str, Floats] = {}
        known = columns(factors)
        table = population["life_table"]
        women = table["women"]
        ages = len(women[0]) if isinstance(women[0], list) else len(women)
        known["age"] = replace(
            known["age"],
            unit=f"years of the life table of population {population['id']}",
            low=table["first_age"],
            high=table["first_age"] + ages - 1,
        )
        problems = list(raw.problems)
        if raw.frame.width or not problems:
            problems += self._taken(renames, known)
        self.problems = tuple(problems)

    def _taken(
        self, renames: Mapping[str, str | None], known: Mapping[str, Column]
    ) -> Iterator[Problem]:
        raw = self.raw
        meant, wrong = _meant(raw, renames, known)
        yield from wrong
        if raw.frame.height == 0:
            if not raw.problems:
                yield Problem(raw.shown, "holds no rows", "needs a row for each person", "fill it")
            return
        cells = Cells(raw)
        for name, own in meant.items():
            values = cells.take(known[name], raw.frame[own], own)
            if values is not None:
                self.columns[name] = values
        sex = self.columns.get("sex")
        for name, values in self.columns.items():
            if known[name].of_women and sex is not None:
                cells.women_only(values, sex, meant[name])
        yield from sorted_problems(cells.problems)
        yield from self._weights(renames, meant)
        yield from self._pounds(renames, meant)

    def _weights(
        self, renames: Mapping[str, str | None], meant: Mapping[str, str]
    ) -> Iterator[Problem]:
        weights = self.columns.get("weight")
        if weights is None or not (np.abs(weights) <= MOST_WEIGHT).all():
            return
        place = f"{self.raw.shown} {meant['weight']}"
        if (weights == 0).all():
            yield Problem(place, "all weights are 0", "needs one above 0", "remove the column")
        low, high = BODY_WEIGHTS
        middle = float(np.median(weights))
        like_kilograms = ((weights >= low) & (weights <= high)).all() and 40 <= middle <= 120
        if like_kilograms and "body_weight" not in meant and "weight" not in renames.values():
            yield Problem(
                place,
                f"weights from {weights.min():g} to {weights.max():g} look like kilograms",
                "needs survey weights: how many people each row stands for",
                "write columns: {weight: body_weight}, or {weight: weight} if they are weights",
            )

    def _pounds(
        self, renames: Mapping[str, str | None], meant: Mapping[str, str]
    ) -> Iterator[Problem]:
        """Pounds are within the range of kilograms; but half of all people are not so heavy."""
        weights = self.columns.get("body_weight")
        if weights is None or "body_weight" in renames.values():
            return
        height = self.columns.get("height", np.full(len(weights), USUAL_HEIGHT))
        squares = (np.where(np.isnan(height), USUAL_HEIGHT, height) / 100) ** 2
        known = ~np.isnan(weights) & (squares > 0)
        middle = float(np.median((weights / squares)[known])) if known.any() else 0.0
        if known.sum() >= ENOUGH_PEOPLE and middle > HEAVIEST_HALF:
            name = meant["body_weight"]
            yield Problem(
                f"{self.raw.shown} {name}",
                f"half of all people are above {middle:.0f} kg/m2",
                "needs kilograms; these look like pounds",
                f"give kilograms, or write columns: {{{name}: body_weight}} if they are",
            )


def _meant(
    raw: Raw, renames: Mapping[str, str | None], known: Mapping[str, Column]
) -> tuple[dict[str, str], list[Problem]]:
    """Return which column of the source holds what, and what is wrong with the names."""
    problems: list[Problem] = []
    own: dict[str, str] = {}
    for name in raw.frame.columns:
        if own.setdefault(name.strip(), name) != name:
            found = f'"{own[name.strip()]}" and "{name}" are one name but for spaces'
            problems.append(Problem(raw.shown, found, "needs each column once", "remove one"))
    meant: dict[str, str] = {}
    for name, target in renames.items():
        place = f"{raw.shown} columns.{name}"
        if name not in own:
            advice = nearest(name, own) or "correct the name"
            problems.append(Problem(place, f'no column "{name}"', one_of(own), advice))
        elif target is not None and target not in known:
            advice = nearest(target, known) or LIST
            problems.append(Problem(place, f'no characteristic "{target}"', one_of(known), advice))
    strange = []
    for name in own:
        target = renames.get(name, name) if name in renames else name
        if target is None or (name in renames and target not in known):
            continue
        if target not in known:
            strange.append(name)
        elif target in meant:
            found = f'"{meant[target].strip()}" and "{name}" are both {target}'
            advice = f"leave one out with columns: {{{name}: null}}"
            problems.append(Problem(f"{raw.shown} {name}", found, "needs one column", advice))
        else:
            meant[target] = own[name]
    problems += _strangers(raw, strange, known)
    for column in known.values():
        if column.required and column.name not in meant:
            near = [name for name in strange if _like(name, known) == column.name]
            advice = f"rename it with columns: {{{near[0]}: {column.name}}}" if near else "add it"
            found = f'no column "{column.name}"'
            problems.append(Problem(raw.shown, found, "needs sex and age of everybody", advice))
    return meant, problems


def _strangers(raw: Raw, strange: Sequence[str], known: Mapping[str, Column]) -> Iterator[Problem]:
    """A name like a known one may be a slip of the pen; all others are told together."""
    others = []
    for name in strange:
        near = _like(name, known)
        if near:
            advice = f"did you mean {near}? columns: {{{name}: {near}}}, or {{{name}: null}}"
            found = f'unknown column "{name}"'
            problem = Problem(f"{raw.shown} {name}", found, "needs columns that are known", advice)
            yield problem
        else:
            others.append(name)
    if others:
        said = "unknown column" if len(others) == 1 else f"{len(others)} unknown columns"
        named = [brief(name) or "of no name" for name in others[:MOST_NAMES]]
        found = f"{said} {', '.join(named)}"
        if len(others) > MOST_NAMES:
            found += f" and {len(others) - MOST_NAMES} more"
        advice = f"leave out with columns: {{{brief(others[0])}: null}}; {LIST}"
        yield Problem(raw.shown, found, one_of(known, 30), advice)


def _like(name: str, known: Mapping[str, Column]) -> str:
    if len(name) > LONGEST_NAME:
        return ""
    common = COMMON_NAMES.get(name.lower(), "")
    return common or nearest_name(name, known)

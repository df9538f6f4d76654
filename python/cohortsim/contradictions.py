"""What a scenario's keys say against each other: shares, names, order, ranges that hold nobody.

Plain data is looked at with tolerance. What is wrong between courses of medicines is in `courses.py`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from cohortsim import courses
from cohortsim.courses import treatments
from cohortsim.document import Trail
from cohortsim.mistakes import Mistake, ages_of, is_number, items, sexes_of

SHARE_TOLERANCE = 1e-9


def between_keys(data: Any) -> list[Mistake]:
    """Return the contradictions between keys: shares, names, order, empty cohorts, courses."""
    if not isinstance(data, Mapping):
        return []
    return [
        *_shares(data),
        *_names(data, "cohorts"),
        *_names(data, "arms"),
        *_age_bands(data),
        *_age_ranges(data),
        *_doubled_sexes(data),
        *_entry_rules(data),
        *_visits(data),
        *courses.mistakes(data),
        *_doubled_overrides(data),
    ]


def _shares(data: Mapping[str, Any]) -> Iterable[Mistake]:
    cohorts = items(data, "cohorts")
    shares = [cohort.get("share", 1.0) for _, cohort in cohorts]
    if not shares or not all(is_number(share) for share in shares):
        return
    total = math.fsum(float(share) for share in shares)
    if abs(total - 1.0) > SHARE_TOLERANCE:
        yield Mistake(
            ("cohorts",),
            f"the shares of the cohorts sum to {total:.10g}",
            "the shares must sum to 1",
            "change the `share` of "
            + ", ".join(str(cohort.get("name", f"cohorts[{i}]")) for i, cohort in cohorts[:8]),
        )


def _names(data: Mapping[str, Any], kind: str) -> Iterable[Mistake]:
    first: dict[str, int] = {}
    for index, item in items(data, kind):
        name = item.get("name")
        if not isinstance(name, str):
            continue
        if name in first:
            yield Mistake(
                (kind, index, "name"),
                f'the name "{name}" is also that of {kind}[{first[name]}]',
                "needs a name of its own",
                "rename one of them",
            )
        first.setdefault(name, index)
    for index, _ in items(data, kind)[255:256]:
        yield Mistake(
            (kind, index), f"more than 255 {kind}", f"at most 255 {kind}", "split the study"
        )


def _age_bands(data: Mapping[str, Any]) -> Iterable[Mistake]:
    bands = data.get("age_bands")
    if not isinstance(bands, list | tuple) or not all(is_number(band) for band in bands):
        return
    for index, band in enumerate(bands):
        if not 0 <= band <= 120:
            yield Mistake(
                ("age_bands", index), f"{band:g}", "needs an age from 0 to 120 years", "correct it"
            )
        elif index and band <= bands[index - 1]:
            yield Mistake(
                ("age_bands", index),
                f"{band:g} after {bands[index - 1]:g}",
                "age bands must ascend",
                "sort them and remove doubles",
            )


def _age_ranges(data: Mapping[str, Any]) -> Iterable[Mistake]:
    groups: list[tuple[Trail, Mapping[str, Any]]] = [
        (("cohorts", index), cohort) for index, cohort in items(data, "cohorts")
    ]
    groups += _whos(data)
    for trail, group in groups:
        ages = ages_of(group)
        if ages and ages[0] > ages[1]:
            yield Mistake(
                (*trail, "ages"),
                f"from {ages[0]:g} to {ages[1]:g} holds nobody",
                "`from` must be at most `to`",
                "swap or correct the two ages",
            )


def _whos(data: Mapping[str, Any]) -> list[tuple[Trail, Mapping[str, Any]]]:
    return [
        ((*path, "who"), treatment["who"])
        for path, treatment in treatments(data)
        if isinstance(treatment.get("who"), Mapping)
    ]


def _doubled_sexes(data: Mapping[str, Any]) -> Iterable[Mistake]:
    groups: list[tuple[Trail, Mapping[str, Any]]] = [
        (("cohorts", index), cohort) for index, cohort in items(data, "cohorts")
    ]
    groups += _whos(data)
    for trail, group in groups:
        sexes = group.get("sexes")
        if not isinstance(sexes, list | tuple):
            continue
        texts = [str(sex) for sex in sexes]
        if len(set(texts)) < len(texts):
            yield Mistake(
                (*trail, "sexes"),
                f"{', '.join(texts)}: named twice",
                "needs each sex once",
                "remove one",
            )


def _entry_rules(data: Mapping[str, Any]) -> Iterable[Mistake]:
    for index, cohort in items(data, "cohorts"):
        entry = cohort.get("entry")
        if not isinstance(entry, Mapping):
            continue
        path: Trail = ("cohorts", index, "entry")
        for place, rule in items(entry, "t_scores"):
            here: Trail = (*path, "t_scores", place)
            yield from _range(here, rule, ("at_least", "at_most"), "a rule without a T-score")
        spine = entry.get("vertebral_deformities")
        if isinstance(spine, Mapping):
            here = (*path, "vertebral_deformities")
            yield from _range(here, spine, ("at_least", "at_most"), "a rule without a number")
        since = entry.get("years_since_menopause")
        if since is None:
            continue
        here = (*path, "years_since_menopause")
        if isinstance(since, list | tuple) and len(since) == 2:
            since = {"from": since[0], "to": since[1]}
        if isinstance(since, Mapping):
            yield from _range(here, since, ("from", "to"), "a rule without years")
        if "men" in sexes_of(cohort):
            yield Mistake(
                here,
                "years since menopause, and the cohort holds men",
                "needs a cohort of women",
                "set `sexes: [women]`, and put men into a cohort of their own",
            )


def _range(
    path: Trail, group: Mapping[str, Any], keys: tuple[str, str], nothing: str
) -> Iterable[Mistake]:
    """A range needs one end at least, and its ends in order."""
    low, high = (group.get(key) for key in keys)
    first, last = (f"`{key}`" for key in keys)
    if low is None and high is None:
        yield Mistake(path, nothing, f"needs {first}, {last} or both", "add one, or remove it")
    elif is_number(low) and is_number(high) and low > high:
        found = f"{keys[0].replace('_', ' ')} {low:g}, {keys[1].replace('_', ' ')} {high:g}"
        advice = "swap or correct the two"
        yield Mistake(path, f"{found}: holds nobody", f"{first} must be at most {last}", advice)


def _visits(data: Mapping[str, Any]) -> Iterable[Mistake]:
    record, years = data.get("record"), data.get("years")
    visits = record.get("visits") if isinstance(record, Mapping) else None
    if not isinstance(visits, list | tuple) or not all(is_number(visit) for visit in visits):
        return
    last = years * 12 if is_number(years) and years >= 1 else math.inf
    for index, month in enumerate(visits):
        path: Trail = ("record", "visits", index)
        if last < month <= 2400:
            found, needed = f"month {month:g} is not in follow-up", f"needs at most {last:g}"
            yield Mistake(path, found, needed, "follow longer, or leave this visit out")
        elif index and month <= visits[index - 1]:
            found = f"month {month:g} after month {visits[index - 1]:g}"
            yield Mistake(path, found, "visits must ascend", "sort them and remove doubles")


def _doubled_overrides(data: Mapping[str, Any]) -> Iterable[Mistake]:
    first: dict[str, int] = {}
    for index, override in items(data, "overrides"):
        name = override.get("parameter")
        if isinstance(name, str) and name in first:
            yield Mistake(
                ("overrides", index, "parameter"),
                f'"{name}" is already changed by overrides[{first[name]}]',
                "needs one override for each parameter",
                "remove one of them",
            )
        elif isinstance(name, str):
            first[name] = index

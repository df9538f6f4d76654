"""Recruiting: who the people of a request are, and who of the candidates is recruited.

Arrays over people have the shape (n,). A request is the JSON that the kernel compiles.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

import numpy as np

from . import chance
from .brought import spine_at_index
from .chance import Ints
from .from_file import Columns, people_of
from .hazards import Means
from .people import People, is_one_of, measured, t_score, within
from .populations import MONTHS_PER_YEAR, SEXES, Plain, by_year
from .systems import Bools, Floats

Persons = Mapping[str, Columns]


def recruited(request: Plain, number: Ints, means: Means, persons: Persons | None = None) -> People:
    """Return the people of these numbers: for each the first candidate whom the cohort takes.

    `persons`: columns of cohorts that come from a file, by name.
    """
    cohort = cohort_of(request, chance.once(request["seed"], number, 0, chance.COHORT))
    people = candidates(request, number, cohort, 0, persons or {})
    waiting = ~meets_entry_rules(request, people, means)
    attempt = 0
    while waiting.any():
        attempt += 1
        others = candidates(request, number[waiting], cohort[waiting], attempt, persons or {})
        people = with_others(people, waiting, others)
        waiting[waiting] = ~meets_entry_rules(request, others, means)
    return people


def candidates(
    request: Plain, number: Ints, cohort: Ints, attempt: int, persons: Persons
) -> People:
    """Return the candidates of an attempt for the places of these numbers, as they are screened."""
    seed = request["seed"]
    names = [p["id"] for p in request["populations"]]
    population = np.array([names.index(c["population"]) for c in request["cohorts"]])[cohort]
    u = chance.once(seed, number, attempt, chance.SEX_AND_AGE)
    sex, age = sex_and_age(request, cohort, u)
    month = np.floor(12.0 * chance.once(seed, number, attempt, chance.BIRTH_MONTH))
    age_months = age * MONTHS_PER_YEAR + month.astype(np.int64)
    people = replace(measured(request, number, population, sex, age_months, attempt), cohort=cohort)
    for k, of in enumerate(request["cohorts"]):
        here = cohort == k
        if of["persons"] is not None and here.any():
            columns, position = persons[of["name"]], names.index(of["population"])
            known = people_of(request, position, of, columns, number[here], attempt)
            people = with_others(people, here, known)
    values = dict(people.values)
    for k, c in enumerate(request["cohorts"]):
        for profile in c["set"]:
            who = (cohort == k) & is_one_of(people.sex, profile["sexes"])
            name = profile["characteristic"]
            values[name] = np.where(who, profile["value"], values[name])
    return replace(people, values=values)


def meets_entry_rules(request: Plain, people: People, means: Means) -> Bools:
    """Return whom their cohort takes: T-scores (all or any of them), history, menopause, vertebrae."""
    takes = np.ones(len(people.number), dtype=np.bool_)
    since = people.age_months / MONTHS_PER_YEAR - people.values["menopause_age"]
    for k, cohort in enumerate(request["cohorts"]):
        rules = cohort["entry"]
        if rules is None:
            continue
        met = takes | True
        by_t_score = [
            within(
                t_score(request, rule["site"], people.values[f"abmd_{rule['site']}"]),
                rule["at_least"],
                rule["at_most"],
            )
            for rule in rules["t_scores"]
        ]
        if by_t_score:
            together = np.any if rules["any_t_score"] else np.all
            met = met & together(by_t_score, axis=0)
        if rules["prior_fracture"] is not None:
            met = met & (people.prior_fracture == rules["prior_fracture"])
        first, last = rules["years_since_menopause_from"], rules["years_since_menopause_to"]
        if first is not None or last is not None:
            # For women only, and after menopause.
            met = met & (people.sex == 0) & (since >= (first or 0.0))
            met = met & within(since, None, last)
        deformities = rules["vertebral_deformities"]
        if deformities is not None:
            grade = spine_at_index(request, people, means).grade
            counted = np.sum(grade >= (deformities["grade_at_least"] or 1), axis=1)
            met = met & within(counted, deformities["at_least"], deformities["at_most"])
        takes = takes & (met | (people.cohort != k))
    return takes


def with_others(people: People, where: Bools, others: People) -> People:
    """Return the people with others in some of their places."""

    def put(before: Any, after: Any) -> Any:
        made = before.copy()
        made[where] = after
        return made

    changed = {
        f.name: put(getattr(people, f.name), getattr(others, f.name))
        for f in fields(people)
        if f.name != "values"
    }
    values = {name: put(x, others.values[name]) for name, x in people.values.items()}
    return People(values=values, **changed)


def cohort_of(request: Plain, u: Floats) -> Ints:
    """Return the cohort that a draw falls in, by cumulative share."""
    edges = np.cumsum([c["share"] for c in request["cohorts"]])
    return np.minimum(np.searchsorted(edges, u, side="right"), len(edges) - 1)


def sex_and_age(request: Plain, cohort: Ints, u: Floats) -> tuple[Ints, Ints]:
    """Return sex and completed years, as frequent as in the cohort's part of its population."""
    sex, age = np.zeros_like(cohort), np.zeros_like(cohort)
    for k, c in enumerate(request["cohorts"]):
        population = next(p for p in request["populations"] if p["id"] == c["population"])
        living = by_year(population["age_structure"], keep_last=False)
        cells = [
            (s, a)
            for s, name in enumerate(SEXES)
            if name in c["sexes"]
            for a in range(c["age_from"], min(c["age_to"], 120) + 1)
            if living[s, a] > 0
        ]
        edges = np.cumsum([living[cell] for cell in cells])
        edges /= edges[-1]
        here = cohort == k
        cell = np.minimum(np.searchsorted(edges, u[here], side="right"), len(cells) - 1)
        sex[here], age[here] = np.array(cells)[cell].T
    return sex, age

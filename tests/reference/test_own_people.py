"""People of a user's own file, some of whose values are missing, against the twin."""

from __future__ import annotations

from typing import Any

import cohortsim as cs
import numpy as np
import polars as pl
import pytest
from cohortsim import request as requests

from .pairs import BOTH, WOMEN, Pair, cohort, pair, same_months, same_persons, same_tables
from .rounding import IN_DOUBLE

ROWS, PEOPLE = 160, 240
COHORTS = [
    cohort("clinic", BOTH, share=0.6),
    cohort(
        "recruited",
        [WOMEN],
        share=0.3,
        entry={
            "t_scores": [{"site": "femoral_neck", "at_most": -1.0}],
            "vertebral_deformities": {"at_most": 1},
        },
    ),
    cohort("drawn", BOTH, share=0.1),
]


def frame(exact_ages: bool) -> pl.DataFrame:
    """People in whom something else is known of each, from nothing but age to nearly everything."""
    luck = np.random.default_rng(8)
    age = luck.integers(48, 92, ROWS) + (luck.random(ROWS) if exact_ages else 0.0)

    def some(share: float, values: Any) -> list[float | None]:
        kept = luck.random(ROWS) < share
        return [float(x) if k else None for x, k in zip(values, kept, strict=True)]

    return pl.DataFrame(
        {
            "sex": np.where(luck.random(ROWS) < 0.7, "women", "men"),
            "age": age,
            "weight": luck.integers(0, 4, ROWS),
            "abmd_femoral_neck": some(0.6, np.round(luck.normal(0.72, 0.12, ROWS), 3)),
            "abmd_lumbar_spine": some(0.4, np.round(luck.normal(0.95, 0.15, ROWS), 3)),
            "body_weight": some(0.8, np.round(luck.normal(72.0, 12.0, ROWS), 1)),
            "serum_25ohd": some(0.5, np.round(luck.normal(60.0, 15.0, ROWS))),
            "activity": some(0.5, np.where(luck.random(ROWS) < 0.4, 0.0, 900.0)),
            "frailty": some(0.3, np.round(luck.normal(0.0, 1.0, ROWS), 2)),
            "prior_fracture": some(0.6, luck.random(ROWS) < 0.3),
            "smoking": some(0.6, luck.random(ROWS) < 0.2),
            "glucocorticoids": some(0.4, luck.random(ROWS) < 0.1),
        }
    )


@pytest.fixture(scope="module", params=[False, True], ids=["whole_years", "exact_ages"])
def double(request: pytest.FixtureRequest) -> Pair:
    """A study of two cohorts of these people and one that is drawn."""
    study = {
        "cohortsim": 1,
        "name": "own",
        "people": PEOPLE,
        "years": 3,
        "seed": 5,
        "cohorts": COHORTS,
        "arms": [{"name": "usual_care"}],
        "record": {"persons": True},
    }
    people = frame(request.param)
    made = requests.build(cs.load(study), given={"clinic": people, "recruited": people})
    persons = {name: of.arrays() for name, of in made.persons.items()}
    return pair(dict(made.data) | {"precision": "f64"}, persons)


def test_the_people_are_those_of_the_file(double: Pair) -> None:
    persons = double.kernel["persons"]
    assert set(persons["cohort"]) == {0, 1, 2}
    assert (persons["source_row"][persons["cohort"] == 2] == -1).all()
    assert len(set(persons["source_row"][persons["cohort"] == 0])) > 60


def test_the_same_people_and_lives(double: Pair) -> None:
    same_persons(double)
    same_tables(double)
    for number in range(0, double.people, 9):
        same_months(double, number, 0, IN_DOUBLE)

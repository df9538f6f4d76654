"""Runs that the statistical tests share."""

from __future__ import annotations

import cohortsim as cs
import pytest

PEOPLE = 250_000


def population_run(population: str, years: int) -> cs.Results:
    """Everybody aged 50 and over of a population, without treatment."""
    return cs.run(
        cs.load(
            {
                "cohortsim": 1,
                "name": population,
                "people": PEOPLE,
                "years": years,
                "seed": 20,
                "cohorts": [{"name": "all", "population": population, "share": 1.0}],
                "arms": [{"name": "usual_care"}],
                "record": {"persons": True},
            }
        )
    )


@pytest.fixture(scope="session")
def us() -> cs.Results:
    """The United States for one year."""
    return population_run("us", 1)


@pytest.fixture(scope="session")
def us_nonhispanic_white() -> cs.Results:
    """Non-Hispanic white people of the United States for ten years."""
    return population_run("us_nonhispanic_white", 10)

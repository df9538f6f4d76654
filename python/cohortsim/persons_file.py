"""A user's own file of persons, as a scenario names it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Discriminator, Field, Tag

from cohortsim.fields import Plain, Text

LIKE = "us"
"""The population that persons of a file are like where nothing else is said."""


class PersonsFile(Plain):
    """Persons from a file beside the scenario; what it does not hold is drawn as in a population."""

    file: Text = Field(description="CSV or Parquet file of persons, beside the scenario.")
    like: Text = Field(
        default=LIKE,
        description="Id of the population that gives life table, incidence and what the file lacks.",
    )
    columns: dict[Text, Text | None] = Field(
        default_factory=dict,
        description="Names of columns in the file: what each of them is, or null to leave it out. "
        "See `cohortsim list persons_columns`.",
    )


def _kind_of_population(value: Any) -> str:
    return "own_people" if isinstance(value, Mapping | PersonsFile) else "population_id"


Population = Annotated[
    Annotated[Text, Tag("population_id")] | Annotated[PersonsFile, Tag("own_people")],
    Discriminator(_kind_of_population),
]

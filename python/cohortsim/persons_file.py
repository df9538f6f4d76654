"""A user's own file of persons, as a scenario names it."""

from __future__ import annotations

from pydantic import Field

from cohortsim.fields import Plain, Text

LIKE = "us"
"""The population that persons of a file are like where nothing else is said."""


class PersonsFile(Plain):
    """Persons from a file beside the scenario; what it does not hold is drawn as in a population."""

    file: Text = Field(description="Parquet or CSV file of persons, beside the scenario.")
    like: Text = Field(
        default=LIKE,
        description="Id of the population that gives life table, incidence and what the file lacks.",
    )
    columns: dict[Text, Text] = Field(
        default_factory=dict, description="Names of columns in the file: what each of them is."
    )

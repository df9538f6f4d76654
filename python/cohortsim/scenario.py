"""A study: who is followed, for how long, and what differs between the arms.

The classes are frozen. What they say in Python is what a scenario file says in YAML, key for key.
Cohorts answer *who the people are*; arms answer *what is done to the very same people*.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, PrivateAttr, model_validator

from cohortsim.document import Document
from cohortsim.errors import InternalError, Problem
from cohortsim.fields import (
    AS_MEASURED,
    AgeRange,
    Ages,
    DensitySite,
    Ids,
    Name,
    Number,
    Plain,
    Sexes,
    Text,
    Whole,
    many,
)
from cohortsim.persons_file import Population
from cohortsim.population import FIRST_YEAR, LAST_YEAR
from cohortsim.recruitment import EntryRules
from cohortsim.treatments import Treatments


class Cohort(Plain):
    """People of one kind: where they come from, their ages, and how they live."""

    name: Name = Field(description="Name of the cohort in the tables.")
    population: Population = Field(
        description="Id of the population the people are drawn from, or a file of persons."
    )
    people: Literal["residents", "scanned"] = Field(
        default="residents",
        description="residents die by the life table; scanned, people who come for a density scan, "
        "by the population's ratio to it.",
    )
    share: Number = Field(
        default=1.0,
        gt=0,
        le=1,
        description="Share of all people; the shares of all cohorts sum to 1.",
    )
    sexes: Sexes = Field(default=("women", "men"), description="Sexes that are recruited.")
    ages: AgeRange = Field(
        default_factory=lambda: Ages(from_=50, to=100), description="Ages at index, years."
    )
    entry: EntryRules | None = Field(
        default=None, description="Who is recruited; null = everybody of these sexes and ages."
    )
    hormones: Ids = Field(default=(AS_MEASURED,), description="Hormone profile(s), or as_measured.")
    activity: Ids = Field(
        default=(AS_MEASURED,), description="Activity profile(s), or as_measured."
    )
    diet: Ids = Field(default=(AS_MEASURED,), description="Diet profile(s), or as_measured.")
    medicines: Treatments = Field(default=(), description="Medicines of this cohort, in every arm.")

    @property
    def population_id(self) -> str:
        """Id of the population that gives life table, incidence and what a file does not hold."""
        return self.population if isinstance(self.population, str) else self.population.like


class Arm(Plain):
    """One of the worlds that are compared; all arms hold the same people with the same luck."""

    name: Name = Field(description="Name of the arm in the tables.")
    medicines: Treatments = Field(default=(), description="Medicines given in this arm.")


class Override(Plain):
    """A parameter value that this study changes, and why."""

    parameter: Text = Field(description="Full name, for example remodeling.coupling_rate.")
    value: Number = Field(description="The value that this study uses.")
    unit: Text = Field(description="Unit in UCUM spelling; must be the parameter's own.")
    reason: Text = Field(description="Why this study uses another value.")


class Record(Plain):
    """What is written down beside the tables that are always kept."""

    persons: bool = Field(
        default=True, description="Keep one row per person (at index and at exit)."
    )
    visits: Annotated[Sequence[Annotated[Whole, Field(ge=0, le=2400)]], BeforeValidator(many)] = (
        Field(
            default=(),
            description="Months from index at which mean changes of density and turnover markers "
            "are kept, ascending; 0 = index.",
        )
    )


def _default_arms() -> tuple[Arm, ...]:
    return (Arm(name="usual_care"),)


class Scenario(Plain):
    """A whole study: people, follow-up, cohorts, arms, and what is recorded."""

    cohortsim: Literal[1] = Field(default=1, description="Version of the scenario format.")
    name: Name = Field(description="Short name; becomes part of the results folder's name.")
    title: str = Field(default="", description="One line for tables and reports.")
    description: str = Field(default="", description="What the study asks.")
    people: Annotated[Whole, Field(ge=1, le=10**12)] | None = Field(
        description="How many people each arm holds; null: as many as a file of persons has rows."
    )
    years: Whole = Field(ge=1, le=200, description="Years of follow-up.")
    seed: Whole = Field(default=1, ge=0, lt=2**64, description="Seed of all chance in the study.")
    calendar_year: Whole | None = Field(
        default=None,
        ge=FIRST_YEAR,
        le=LAST_YEAR,
        description="Calendar year at index; null = that of each population.",
    )
    secular_trend: bool = Field(
        default=False,
        description="true: life table and fracture incidence move on with calendar time; "
        "false: they stay those of the start.",
    )
    classify_at: DensitySite = Field(
        default="femoral_neck",
        description="Site whose T-score makes normal, osteopenia, osteoporosis.",
    )
    age_bands: Annotated[Sequence[Whole], BeforeValidator(many), Field(min_length=1)] = Field(
        default=(50, 60, 70, 80, 90),
        description="Lower ends of the age bands of the tables, years.",
    )
    cohorts: Annotated[Sequence[Cohort], BeforeValidator(many), Field(min_length=1)] = Field(
        description="Who the people are; at least one cohort."
    )
    arms: Annotated[Sequence[Arm], BeforeValidator(many), Field(min_length=1)] = Field(
        default_factory=_default_arms,
        description="What is compared; the first arm is the one others are compared with.",
    )
    record: Record = Field(default_factory=lambda: Record(), description="What is kept.")
    overrides: Annotated[Sequence[Override], BeforeValidator(many)] = Field(
        default=(), description="Parameter values that this study changes."
    )

    _origin: Origin = PrivateAttr(default_factory=lambda: Origin())

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        from cohortsim.contradictions import between_keys
        from cohortsim.mistakes import MistakesError

        wrong = between_keys(self.plain())
        if wrong:
            raise MistakesError(wrong)
        return self

    @property
    def months(self) -> int:
        """Months of follow-up."""
        return self.years * 12

    @property
    def headcount(self) -> int:
        """How many people each arm holds, in a study whose files of persons were read."""
        if self.people is None:
            raise InternalError(
                Problem("people", "nothing", "needs the rows of the files of persons", "build it")
            )
        return self.people

    @property
    def origin(self) -> Origin:
        """Where the scenario was read from."""
        return self._origin

    def plain(self) -> dict[str, Any]:
        """Return the study as plain data, as YAML would hold it."""
        return self.model_dump(mode="json", by_alias=True)

    def changed(self, **changes: Any) -> Scenario:
        """Return the study with other top-level values, checked anew; it keeps its origin.

        Raises:
            ScenarioError: a value is not possible.
        """
        wanted = {key: value for key, value in changes.items() if value is not None}
        if not wanted:
            return self
        return Scenario(**(self.plain() | wanted)).placed(self._origin)

    def placed(self, origin: Origin) -> Scenario:
        """Return the same study with another origin."""
        copy = self.model_copy()
        copy._origin = origin
        return copy

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Scenario) and self.plain() == other.plain()

    def __hash__(self) -> int:
        return hash((self.name, self.people, self.years, self.seed))


class Origin:
    """Where a scenario came from: its text with places, a former run to repeat, and the folder
    where the study's own data files lie (the working folder if it is in no file).
    """

    def __init__(
        self,
        document: Document | None = None,
        folder: Path | None = None,
        pinned: dict[str, Any] | None = None,
    ) -> None:
        self.document = document or Document("scenario", None)
        self.folder = Path() if folder is None else folder
        self.pinned = pinned

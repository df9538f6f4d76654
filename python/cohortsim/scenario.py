"""A study: who is followed, for how long, and what differs between the arms.

The classes are frozen. What they say in Python is what a scenario file says in YAML, key for key.
Cohorts answer *who the people are*; arms answer *what is done to the very same people*.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    PrivateAttr,
    Tag,
    ValidationError,
    model_validator,
)

from cohortsim.document import Document
from cohortsim.errors import ScenarioError

Sex = Literal["women", "men"]
SEXES: tuple[Sex, ...] = get_args(Sex)
DensitySite = Literal["lumbar_spine", "total_hip", "femoral_neck", "distal_radius"]
AS_MEASURED = "as_measured"


class Plain(BaseModel):
    """Base of all scenario classes: frozen, strict, and no key that is not known."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, validate_default=False
    )

    def __init__(self, **data: Any) -> None:
        try:
            super().__init__(**data)
        except ValidationError as error:
            from cohortsim.mistakes import of_validation

            document = Document(type(self).__name__, data)
            raise ScenarioError(of_validation(error, document, type(self))) from None

    # pydantic then validates nested data itself and keeps the path of each mistake
    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]


def _whole(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, bool | str):
        return value
    try:
        return operator.index(value)
    except TypeError:
        return value


def _number(value: Any) -> Any:
    if isinstance(value, bool | str | list | dict | tuple) or value is None:
        return value
    try:
        return float(value)
    except (TypeError, ValueError):
        return value


def _listed(value: Any) -> Any:
    if isinstance(value, str):
        return (value,)
    return tuple(value) if isinstance(value, list) else value


def _many(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _treatment(value: Any) -> Any:
    return {"medicine": value} if isinstance(value, str) else value


def _ages(value: Any) -> Any:
    if isinstance(value, list | tuple) and len(value) == 2:
        return {"from": value[0], "to": value[1]}
    return value


def _not_blank(value: str) -> str:
    if not value.strip():
        raise ValueError("an empty text")
    return value


Whole = Annotated[int, BeforeValidator(_whole)]
Number = Annotated[float, BeforeValidator(_number)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$", max_length=80)]
Text = Annotated[str, AfterValidator(_not_blank)]
# `json_schema_input_type` tells editors what may be written, beside what it becomes.
Ids = Annotated[
    Annotated[Sequence[Text], Field(min_length=1)],
    BeforeValidator(_listed, json_schema_input_type=Text | Sequence[Text]),
]
Sexes = Annotated[
    Annotated[Sequence[Sex], Field(min_length=1)],
    BeforeValidator(_listed, json_schema_input_type=Sex | Sequence[Sex]),
]


class Ages(Plain):
    """Completed years of age at index, both ends included; `to: 100` means 100 and over."""

    from_: Whole = Field(
        ge=0,
        le=100,
        validation_alias=AliasChoices("from", "from_"),
        serialization_alias="from",
        description="Youngest age at index, completed years.",
    )
    to: Whole = Field(
        ge=0, le=100, description="Oldest age at index, included; 100 means 100 and over."
    )


AgeRange = Annotated[
    Ages, BeforeValidator(_ages, json_schema_input_type=Ages | tuple[Whole, Whole])
]


class Who(Plain):
    """Who is eligible for a medicine, judged once, at index; what is not given excludes nobody."""

    site: DensitySite | None = Field(
        default=None,
        description="Density site of the T-score; the scenario's `classify_at` if not given.",
    )
    t_score_at_most: Number | None = Field(
        default=None, ge=-15, le=15, description="Highest T-score that is eligible, in SD."
    )
    sexes: Sexes = Field(default=("women", "men"), description="Sexes that are eligible.")
    ages: AgeRange | None = Field(
        default=None, description="Ages at index that are eligible, years."
    )


class MedianPersistence(Plain):
    """Persistence that halves every so many months."""

    months_median: Number = Field(
        gt=0, le=1200, description="Months after which half have stopped."
    )


def _kind_of_persistence(value: Any) -> str:
    return "median" if isinstance(value, dict | MedianPersistence) else "word"


Persistence = Annotated[
    Annotated[Literal["real_life", "full"], Tag("word")]
    | Annotated[MedianPersistence, Tag("median")],
    Discriminator(_kind_of_persistence),
]


class Treatment(Plain):
    """One medicine: when it starts, how long it is meant to last, who takes it, how long really."""

    medicine: Text = Field(description="Id of a medicine, or a file beside the scenario.")
    start_month: Whole = Field(
        default=0, ge=-600, le=1800, description="Month of the first dose, counted from index (0)."
    )
    months: Whole | None = Field(
        default=None, ge=1, le=1800, description="Planned length in months; null = to the end."
    )
    persistence: Persistence = Field(
        default="real_life",
        description="real_life (the medicine's own curve), full (nobody stops early) "
        "or {months_median: N}.",
    )
    uptake: Number = Field(
        default=1.0, ge=0, le=1, description="Share of the eligible who start, 0 to 1."
    )
    who: Who = Field(default_factory=lambda: Who(), description="Who is eligible, at index.")


OneTreatment = Annotated[
    Treatment, BeforeValidator(_treatment, json_schema_input_type=Text | Treatment)
]
Treatments = Annotated[
    Sequence[OneTreatment],
    BeforeValidator(_listed, json_schema_input_type=Text | Sequence[OneTreatment]),
]


class Cohort(Plain):
    """People of one kind: where they come from, their ages, and how they live."""

    name: Name = Field(description="Name of the cohort in the tables.")
    population: Text = Field(description="Id of the population the people are drawn from.")
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
    hormones: Ids = Field(default=(AS_MEASURED,), description="Hormone profile(s), or as_measured.")
    activity: Ids = Field(
        default=(AS_MEASURED,), description="Activity profile(s), or as_measured."
    )
    diet: Ids = Field(default=(AS_MEASURED,), description="Diet profile(s), or as_measured.")
    medicines: Treatments = Field(default=(), description="Medicines of this cohort, in every arm.")


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


def _default_arms() -> tuple[Arm, ...]:
    return (Arm(name="usual_care"),)


class Scenario(Plain):
    """A whole study: people, follow-up, cohorts, arms, and what is recorded."""

    cohortsim: Literal[1] = Field(default=1, description="Version of the scenario format.")
    name: Name = Field(description="Short name; becomes part of the results folder's name.")
    title: str = Field(default="", description="One line for tables and reports.")
    description: str = Field(default="", description="What the study asks.")
    people: Whole = Field(ge=1, le=10**12, description="How many people each arm holds.")
    years: Whole = Field(ge=1, le=200, description="Years of follow-up.")
    seed: Whole = Field(default=1, ge=0, lt=2**64, description="Seed of all chance in the study.")
    classify_at: DensitySite = Field(
        default="femoral_neck",
        description="Site whose T-score makes normal, osteopenia, osteoporosis.",
    )
    age_bands: Annotated[Sequence[Whole], BeforeValidator(_many), Field(min_length=1)] = Field(
        default=(50, 60, 70, 80, 90),
        description="Lower ends of the age bands of the tables, years.",
    )
    cohorts: Annotated[Sequence[Cohort], BeforeValidator(_many), Field(min_length=1)] = Field(
        description="Who the people are; at least one cohort."
    )
    arms: Annotated[Sequence[Arm], BeforeValidator(_many), Field(min_length=1)] = Field(
        default_factory=_default_arms,
        description="What is compared; the first arm is the one others are compared with.",
    )
    record: Record = Field(default_factory=lambda: Record(), description="What is kept.")
    overrides: Annotated[Sequence[Override], BeforeValidator(_many)] = Field(
        default=(), description="Parameter values that this study changes."
    )

    _origin: Origin = PrivateAttr(default_factory=lambda: Origin())

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        from cohortsim.mistakes import MistakesError, between_keys

        wrong = between_keys(self.plain())
        if wrong:
            raise MistakesError(wrong)
        return self

    @property
    def months(self) -> int:
        """Months of follow-up."""
        return self.years * 12

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

"""What is done to people: a medicine, its dose, who takes it, for how long, and what follows it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag

from cohortsim.fields import AgeRange, DensitySite, Number, Plain, Sexes, Text, Whole, listed


class Who(Plain):
    """Who is eligible for a medicine, judged once, at index; what is not given excludes nobody."""

    site: DensitySite | None = Field(
        default=None,
        description="Density site of the T-score; the scenario's `classify_at` if not given.",
    )
    t_score_at_most: Number | None = Field(
        default=None, ge=-15, le=15, description="Highest T-score that is eligible, in SD."
    )
    t_score_at_least: Number | None = Field(
        default=None, ge=-15, le=15, description="Lowest T-score that is eligible, in SD."
    )
    prior_fracture: bool | None = Field(
        default=None,
        description="true: only after a fragility fracture before index; false: only without one.",
    )
    sexes: Sexes = Field(default=("women", "men"), description="Sexes that are eligible.")
    ages: AgeRange | None = Field(
        default=None, description="Ages at index that are eligible, years."
    )


class Dose(Plain):
    """A dose, in the unit of the medicine's own file; how often it is taken stands there, too."""

    value: Number = Field(gt=0, description="How much is taken at a time.")
    unit: Text = Field(description="Unit in UCUM spelling; must be that of the medicine's file.")


class StopRule(Plain):
    """Treat to target: when the whole course stops for good; the course after it then begins."""

    t_score_at_least: Number | None = Field(
        default=None,
        ge=-15,
        le=15,
        description="Stop when the T-score at `site` has reached this, in SD.",
    )
    site: DensitySite | None = Field(
        default=None,
        description="Density site of the T-score; the scenario's `classify_at` if not given.",
    )
    every_months: Whole = Field(
        default=12,
        ge=1,
        le=1800,
        description="The T-score is judged at every so many months of the course.",
    )
    at_fracture: bool = Field(
        default=False, description="Stop at the end of the month of any fracture in the course."
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


class Course(Plain):
    """One course of one medicine: how much, how long it is meant to last, and how long really."""

    medicine: Text = Field(description="Id of a medicine, or a file beside the scenario.")
    dose: Dose | None = Field(
        default=None,
        description="Dose, within the medicine's `dose_range`; null = the dose of its file. "
        "Effects change in proportion.",
    )
    route: Text | None = Field(
        default=None, description="Route, as a check: it must be the medicine's own."
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
    stop: StopRule | None = Field(
        default=None, description="Rule that stops the course early; in arms only."
    )


class NextCourse(Course):
    """A course that follows another, for those who started that one, when it has ended for them."""

    wait_months: Whole = Field(
        default=0,
        ge=0,
        le=1800,
        description="Months without either between the former course and this one (a holiday).",
    )


def _course(value: Any) -> Any:
    return {"medicine": value} if isinstance(value, str) else value


OneNext = Annotated[NextCourse, BeforeValidator(_course, json_schema_input_type=Text | NextCourse)]
Nexts = Annotated[
    Sequence[OneNext], BeforeValidator(listed, json_schema_input_type=Text | Sequence[OneNext])
]


class Treatment(Course):
    """A course of a medicine: when it starts, who takes it; and the courses that follow it."""

    start_month: Whole = Field(
        default=0, ge=-600, le=1800, description="Month of the first dose, counted from index (0)."
    )
    end_month: Whole | None = Field(
        default=None,
        ge=-600,
        le=3600,
        description="Month from index in which it is no longer taken; instead of `months`.",
    )
    who: Who = Field(default_factory=lambda: Who(), description="Who is eligible, at index.")
    then: Nexts = Field(
        default=(),
        description="Courses that follow, each after the one before, for the same people.",
    )

    @property
    def planned_months(self) -> int | None:
        """Planned length in months, however it was given; None = to the end of follow-up."""
        return self.months if self.end_month is None else self.end_month - self.start_month


OneTreatment = Annotated[
    Treatment, BeforeValidator(_course, json_schema_input_type=Text | Treatment)
]
Treatments = Annotated[
    Sequence[OneTreatment],
    BeforeValidator(listed, json_schema_input_type=Text | Sequence[OneTreatment]),
]

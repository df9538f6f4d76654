"""Whom a cohort recruits: rules about T-scores, fractures, menopause and deformed vertebrae."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import AliasChoices, BeforeValidator, Field

from cohortsim.fields import DensitySite, Number, Plain, Whole, from_to, many

LEVELS = 13
"""Vertebrae that the model holds, T4 to L4."""


class TScoreRule(Plain):
    """Between which T-scores at a density site people are recruited."""

    site: DensitySite = Field(description="Density site of the T-score.")
    at_least: Number | None = Field(
        default=None, ge=-15, le=15, description="Lowest T-score that is recruited, in SD."
    )
    at_most: Number | None = Field(
        default=None, ge=-15, le=15, description="Highest T-score that is recruited, in SD."
    )


class YearsSinceMenopause(Plain):
    """Years since the final menstrual period at index, both ends included."""

    from_: Number | None = Field(
        default=None,
        ge=0,
        le=100,
        validation_alias=AliasChoices("from", "from_"),
        serialization_alias="from",
        description="Fewest years since menopause, at index.",
    )
    to: Number | None = Field(
        default=None, ge=0, le=100, description="Most years since menopause, at index."
    )


class DeformityRule(Plain):
    """How many deformed vertebrae people have who are recruited, T4 to L4."""

    at_least: Whole | None = Field(
        default=None, ge=0, le=LEVELS, description="Fewest deformed vertebrae that are recruited."
    )
    at_most: Whole | None = Field(
        default=None, ge=0, le=LEVELS, description="Most deformed vertebrae that are recruited."
    )
    grade_at_least: Whole | None = Field(
        default=None,
        ge=1,
        le=3,
        description="Genant grade from which on a vertebra counts: 1 mild, 2 moderate, 3 severe.",
    )


class EntryRules(Plain):
    """Who of the population is recruited, judged at index: all that is given must hold."""

    t_scores: Annotated[Sequence[TScoreRule], BeforeValidator(many)] = Field(
        default=(), description="Rules about T-scores."
    )
    t_score_rule: Literal["all", "any"] = Field(
        default="all", description="Must all rules about T-scores hold, or any one of them?"
    )
    prior_fracture: bool | None = Field(
        default=None,
        description="true: only after a fragility fracture before index; false: only without one.",
    )
    years_since_menopause: (
        Annotated[
            YearsSinceMenopause,
            BeforeValidator(
                from_to, json_schema_input_type=YearsSinceMenopause | tuple[Number, Number]
            ),
        ]
        | None
    ) = Field(default=None, description="Years since menopause; for cohorts of women only.")
    vertebral_deformities: DeformityRule | None = Field(
        default=None, description="Deformed vertebrae, whether anybody noticed them or not."
    )

    @property
    def is_a_rule(self) -> bool:
        """Is there any rule at all?"""
        given = (self.prior_fracture, self.years_since_menopause, self.vertebral_deformities)
        return bool(self.t_scores) or any(rule is not None for rule in given)

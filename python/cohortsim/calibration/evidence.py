"""The evidence as shipped: published numbers, typical persons, weights."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from cohortsim import document
from cohortsim.catalog import SHIPPED
from cohortsim.entries import Entry
from cohortsim.fields import Number, Text, Whole

FOLDER = SHIPPED / "evidence"
MEASURES = ("lumbar_spine", "total_hip", "femoral_neck", "distal_radius", "ctx", "p1np")
MARKERS = ("ctx", "p1np")


class Dose(Entry):
    """A dose other than the medicine's own."""

    value: Number
    unit: Text


class TypicalExposure(Entry):
    """A medicine, or a bare target, from a month to another; months count from index."""

    medicine: Text | None = None
    dose: Dose | None = None
    target: Text | None = None
    amount: Number | None = None
    start_month: Whole
    months: Whole


class TypicalArm(Entry):
    """The typical person of a trial arm."""

    id: Text
    trial: Text
    age: Whole
    sex: Text
    menopause_age: Number
    calcium_vitamin_d: bool
    exposures: list[TypicalExposure]
    against: Text | None = None

    @property
    def months_before_index(self) -> int:
        """Months that exposures reach back before index."""
        return max([0, *(-exposure.start_month for exposure in self.exposures)])


class MenopauseSpread(Entry):
    """Ages at menopause of the women of a survey, relative to the typical one, years."""

    trials: list[Text]
    years: list[Number]


class Weights(Entry):
    """How the fit weighs its targets."""

    scale: dict[str, Number]
    yearly_scale: Number
    trial_scale: dict[str, Number]
    pull_to_middle: Number
    menopause_spread: MenopauseSpread


@dataclass(frozen=True)
class Target:
    """One published number that a typical person can answer."""

    id: str
    layer: str
    trial: str
    arm: str
    against: str
    measure: str
    month: int
    value: float
    fitted: bool
    """Fitted to; else only compared with."""
    provenance: str
    source: str

    @property
    def since(self) -> int:
        """Month that the change counts from."""
        return int(self.against.partition(":")[2]) if self.is_yearly else 0

    @property
    def is_yearly(self) -> bool:
        """Is it a mean change per year?"""
        return self.against.startswith("yearly:")

    @property
    def is_against_peak(self) -> bool:
        """Is it measured against the young adult?"""
        return self.against == "peak"

    @property
    def other_arm(self) -> str | None:
        """The arm whose change is subtracted."""
        if not self.against or self.is_yearly or self.is_against_peak:
            return None
        return f"{self.trial}/{self.against.removeprefix('cohort:')}"


class Evidence:
    """Targets, typical arms and weights, read when first asked for."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self.folder = folder

    @cached_property
    def arms(self) -> dict[str, TypicalArm]:
        """Typical arms by id."""
        listed = self._yaml("arms.yaml")["arms"]
        return {arm.id: arm for arm in (TypicalArm.model_validate(one) for one in listed)}

    @cached_property
    def weights(self) -> Weights:
        """How the fit weighs its targets."""
        return Weights.model_validate(self._yaml("calibration.yaml"))

    @cached_property
    def rows(self) -> list[dict[str, str]]:
        """All rows of `targets.csv`, as texts."""
        with (self.folder / "targets.csv").open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    @cached_property
    def targets(self) -> list[Target]:
        """The rows that a typical person can answer, in the order of the file."""
        return [_target(row) for row in self.rows if row["typical"]]

    def scale(self, target: Target) -> float:
        """By how much a target may be missed at a cost of 1, in its own unit."""
        weights = self.weights
        usual = weights.yearly_scale if target.is_yearly else weights.scale[target.measure]
        return weights.trial_scale.get(target.trial, usual)

    def _yaml(self, name: str) -> Mapping[str, Any]:
        data = document.plain((self.folder / name).read_text(encoding="utf-8"))
        assert isinstance(data, dict)
        return data


def _target(row: Mapping[str, str]) -> Target:
    return Target(
        id=row["id"],
        layer=row["layer"],
        trial=row["trial"],
        arm=row["typical"],
        against=row["against"],
        measure=row["measure"],
        month=int(row["month"]),
        value=float(row["value"]),
        fitted=row["use"] == "calibrate",
        provenance=row["provenance"],
        source=row["source"],
    )

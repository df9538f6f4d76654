"""What a data file of the catalog may hold: numbers that know their unit, range and source."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import (
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)

from cohortsim.document import Trail
from cohortsim.fields import Number, Sex, Text, Whole, listed, many
from cohortsim.mistakes import Mistake, MistakesError

Status = Literal["read", "recalled", "derived", "calibrated", "assumption"]
Sources = Annotated[tuple[Text, ...], BeforeValidator(listed), Field(min_length=1)]
AppliesTo = Literal["women", "men", "all"]
ProfileKind = Literal["hormones", "activity", "diet"]
MEND = "correct one of them"


class Entry(BaseModel):
    """Base of everything in a data file."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Quantity(Entry):
    """A number with its unit (UCUM), plausible range, source (bib keys) and status."""

    value: Number
    unit: Text
    low: Number
    high: Number
    source: Sources
    status: Status
    note: str = ""

    @model_validator(mode="after")
    def _in_its_range(self) -> Self:
        if not self.low <= self.value <= self.high:
            found = f"{self.value:g} lies outside its plausible range"
            raise _wrong(("value",), found, f"needs {self.low:g} to {self.high:g}")
        return self


class Amount(Entry):
    """A plain amount with its unit."""

    value: Number = Field(gt=0)
    unit: Text


class Interval(Amount):
    """How often a dose is taken."""

    unit: Literal["d", "wk", "mo", "a"]

    @property
    def whole_months(self) -> int | None:
        """The interval in months, where that is a whole number."""
        months = self.value * {"mo": 1, "a": 12}.get(self.unit, 0)
        return int(months) if months >= 1 and months == int(months) else None


class DoseRange(Entry):
    """Between which doses effects are taken to be in proportion; unit as that of the dose."""

    low: Number = Field(gt=0)
    high: Number = Field(gt=0)


class Effect(Entry):
    """What an exposure does: where, in which shape, how much.

    `while_taken` is a level that holds while it lasts; `per_dose` is added at each dose. `amount` is
    that of the dose that the medicine's file names; at another dose it is the amount times
    (dose / that dose) ^ `dose_exponent`, or the same where it does not scale with the dose.
    """

    target: Text
    shape: Literal["while_taken", "per_dose"] = "while_taken"
    amount: Quantity
    scales_with_dose: bool = True
    dose_exponent: Number = Field(default=1.0, gt=0, le=2)

    def at(self, scale: float) -> float:
        """Return by how much the effect changes at a dose that is `scale` times that of the file."""
        return scale**self.dose_exponent if self.scales_with_dose else 1.0


class CurvePoint(Entry):
    """Share of those who started and still take the medicine at a month."""

    month: Number = Field(ge=0)
    share: Number = Field(gt=0, le=1)
    low: Number | None = Field(default=None, ge=0, le=1)
    high: Number | None = Field(default=None, ge=0, le=1)

    @model_validator(mode="after")
    def _in_its_range(self) -> Self:
        low = self.share if self.low is None else self.low
        high = self.share if self.high is None else self.high
        if not low <= self.share <= high:
            found = f"{self.share:g} lies outside its range"
            raise _wrong(("share",), found, f"needs {low:g} to {high:g}")
        return self


class PersistenceCurve(Entry):
    """How long people go on; log-linear between the points, the last slope goes on."""

    source: Sources
    status: Status
    note: str = ""
    curve: Annotated[tuple[CurvePoint, ...], BeforeValidator(many), Field(min_length=2)]

    @model_validator(mode="after")
    def _descends(self) -> Self:
        if self.curve[0].month != 0 or self.curve[0].share != 1.0:
            first = f"month {self.curve[0].month:g} with share {self.curve[0].share:g}"
            raise _wrong(("curve", 0), first, "the first point must be month 0 with share 1")
        for place, (before, after) in enumerate(pairwise(self.curve), start=1):
            if after.month <= before.month or after.share > before.share:
                found = f"month {after.month:g}, share {after.share:g}"
                needed = "months must ascend and shares must not rise"
                raise _wrong(("curve", place), found, needed)
        return self


class Medicine(Entry):
    """A medicine: dose, effects, persistence."""

    id: Text
    label: Text
    class_: str = Field(
        default="",
        validation_alias=AliasChoices("class", "class_"),
        serialization_alias="class",
    )
    describes: str = ""
    atc: str = ""
    applies_to: AppliesTo = "all"
    """Whom it may be given to in this model; others do not take it, whatever an arm says."""
    dose: Amount
    dose_range: DoseRange | None = None
    interval: Interval
    route: Text
    effects: Annotated[tuple[Effect, ...], BeforeValidator(many)]
    persistence: PersistenceCurve | None = None
    note: str = ""

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        wrong: list[Mistake] = []
        dose, span = self.dose.value, self.dose_range
        if span and not span.low <= dose <= span.high:
            needed = f"needs a range that holds the dose, {dose:g} {self.dose.unit}"
            wrong.append(Mistake(("dose_range",), f"{span.low:g} to {span.high:g}", needed, MEND))
        by_dose = [effect.target for effect in self.effects if effect.shape == "per_dose"]
        if by_dose and self.interval.whole_months is None:
            found = f"{self.interval.value:g} {self.interval.unit}, and {by_dose[0]} is per_dose"
            needed = "per_dose needs whole months, such as 6 mo or 1 a"
            advice = "mend the interval, or use while_taken"
            wrong.append(Mistake(("interval",), found, needed, advice))
        if wrong:
            raise MistakesError(wrong)
        return self

    @property
    def sexes(self) -> tuple[Sex, ...]:
        """The sexes that may take it."""
        return _sexes(self.applies_to)

    def scale(self, dose: float | None) -> float:
        """Return by how much effects change at a dose, in the dose's own unit; None = its own."""
        return 1.0 if dose is None else dose / self.dose.value

    def quantities(self) -> Iterator[tuple[str, Quantity]]:
        """Yield (full name, quantity) of each number that the model uses."""
        yield from _effects(f"medicines.{self.id}", self.effects)


class Course(Entry):
    """When the effects of a profile last, in months from the anchor."""

    anchor: Literal["index", "menopause"] = "index"
    start_month: Whole = 0
    months: Whole | None = Field(default=None, ge=1)


class Profile(Entry):
    """A named way of being: of hormones, activity or diet."""

    id: Text
    label: Text
    describes: str = ""
    applies_to: AppliesTo = "all"
    set: dict[str, Quantity] = Field(default_factory=dict)
    effects: Annotated[tuple[Effect, ...], BeforeValidator(many)] = ()
    course: Course = Field(default_factory=lambda: Course())
    explain: str = ""
    note: str = ""

    @model_validator(mode="after")
    def _without_doses(self) -> Self:
        _lasting(self.effects)
        return self

    @property
    def sexes(self) -> tuple[Sex, ...]:
        """The sexes that the profile applies to."""
        return _sexes(self.applies_to)

    def quantities(self) -> Iterator[tuple[str, Quantity]]:
        """Yield (full name, quantity) of each number that the model uses."""
        for characteristic, quantity in self.set.items():
            yield f"profiles.{self.id}.set.{characteristic}", quantity
        yield from _effects(f"profiles.{self.id}", self.effects)


class AdjustedRatio(Quantity):
    """A hazard ratio that says whether bone density was held equal when it was measured."""

    adjusted_for_bmd: bool


class Span(Entry):
    """Months from index between which a risk factor's effects last."""

    start_month: Whole = 0
    stop_month: Whole | None = None


class RiskFactor(Entry):
    """A risk factor: hazard ratios by site, and what else it does."""

    id: Text
    label: Text
    describes: str = ""
    hazard_ratios: dict[str, AdjustedRatio] = Field(default_factory=dict)
    falls_ratio: Quantity | None = None
    mortality_ratio: Quantity | None = None
    effects: Annotated[tuple[Effect, ...], BeforeValidator(many)] = ()
    exposure: Span = Field(default_factory=lambda: Span())
    note: str = ""

    @model_validator(mode="after")
    def _without_doses(self) -> Self:
        _lasting(self.effects)
        return self

    def quantities(self) -> Iterator[tuple[str, Quantity]]:
        """Yield (full name, quantity) of each number that the model uses."""
        base = f"risk_factors.{self.id}"
        for site, ratio in self.hazard_ratios.items():
            yield f"{base}.hazard_ratios.{site}", ratio
        if self.falls_ratio:
            yield f"{base}.falls_ratio", self.falls_ratio
        if self.mortality_ratio:
            yield f"{base}.mortality_ratio", self.mortality_ratio
        yield from _effects(base, self.effects)


class ParameterFile(Entry):
    """The parameters of one system of the model."""

    system: Text
    parameters: dict[str, Quantity]


def _lasting(effects: tuple[Effect, ...]) -> None:
    """Raise MistakesError where an effect of a profile or risk factor needs doses."""
    wrong = [
        Mistake(
            ("effects", index, "shape"),
            "per_dose, but nothing is dosed here",
            "needs while_taken",
            "put what is dosed into a medicine's file",
        )
        for index, effect in enumerate(effects)
        if effect.shape == "per_dose"
    ]
    if wrong:
        raise MistakesError(wrong)


def _sexes(applies_to: AppliesTo) -> tuple[Sex, ...]:
    return ("women", "men") if applies_to == "all" else (applies_to,)


def _wrong(path: Trail, found: str, needed: str) -> MistakesError:
    return MistakesError([Mistake(path, found, needed, MEND)])


def _effects(base: str, effects: tuple[Effect, ...]) -> Iterator[tuple[str, Quantity]]:
    for index, effect in enumerate(effects):
        yield f"{base}.effects[{index}].amount", effect.amount

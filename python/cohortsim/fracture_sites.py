"""A fracture site as its data file says it: what its hazard depends on, and what the fracture brings."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, model_validator

from cohortsim.entries import MEND, Entry, Quantity
from cohortsim.fields import DensitySite, Number, Text, Whole, many
from cohortsim.mistakes import Mistake, MistakesError

SPINE = "clinical_vertebral"
"""Id of the site that is simulated vertebra by vertebra."""


class MortalityStep(Entry):
    """Relative hazard of death from a month after a fracture on, until the next step."""

    from_month: Whole = Field(ge=0)
    women: Quantity
    men: Quantity


class ByAge(Entry):
    """A quantity by sex at ages, straight between them and held outside."""

    ages: Annotated[tuple[Number, ...], BeforeValidator(many), Field(min_length=1)]
    women: Annotated[tuple[Quantity, ...], BeforeValidator(many)]
    men: Annotated[tuple[Quantity, ...], BeforeValidator(many)]

    @model_validator(mode="after")
    def _fits(self) -> Self:
        wrong = [
            Mistake(
                (sex,),
                f"{len(getattr(self, sex))} values for {len(self.ages)} ages",
                "needs one for each age",
                "add or remove some",
            )
            for sex in ("women", "men")
            if len(getattr(self, sex)) != len(self.ages)
        ]
        for place, (before, after) in enumerate(pairwise(self.ages), start=1):
            if after <= before:
                found = f"{after:g} after {before:g}"
                wrong.append(Mistake(("ages", place), found, "ages must ascend", MEND))
        if wrong:
            raise MistakesError(wrong)
        return self

    def quantities(self, base: str) -> Iterator[tuple[str, Quantity]]:
        """Yield (full name, quantity) of each value."""
        for sex in ("women", "men"):
            for index, quantity in enumerate(getattr(self, sex)):
                yield f"{base}.{sex}[{index}]", quantity


class BySex(Entry):
    """A number for women and one for men."""

    women: Quantity
    men: Quantity

    def quantities(self, base: str) -> Iterator[tuple[str, Quantity]]:
        """Yield (full name, quantity) of each value."""
        yield f"{base}.women", self.women
        yield f"{base}.men", self.men


class FractureSite(Entry):
    """A fracture site: strength and load, falls, and what follows the fracture.

    Exponents, ratios and shares have the unit 1; `spread` is that of ln(load / strength), `instability`
    and `mobility_loss` are in standard deviations of frailty. `mortality_age_slope` is by how much ln of
    the excess of `mortality_after` over 1 rises per decade of age; the ratios are those at 80.
    """

    id: Text
    label: Text
    describes: str = ""
    decision: Whole = Field(ge=0, le=30)
    icd10: Annotated[tuple[str, ...], BeforeValidator(many)] = ()
    groups: Annotated[tuple[str, ...], BeforeValidator(many)] = ()
    of_the_spine: bool = False
    density_site: DensitySite
    strength_exponent: Quantity
    spread: Quantity
    turnover_exponent: Quantity
    microdamage_exponent: Quantity
    weight_exponent: Quantity
    height_exponent: Quantity
    frailty_exponent: Quantity
    share_from_falls: Quantity
    prior_fracture_ratio: Quantity
    healing_draw: Quantity
    instability: Quantity
    mobility_loss: Quantity
    mortality_after: Annotated[tuple[MortalityStep, ...], BeforeValidator(many)] = ()
    mortality_age_slope: BySex | None = None
    mortality_until_month: Whole | None = None
    nursing_home: ByAge | None = None
    note: str = ""

    @model_validator(mode="after")
    def _is_the_spine(self) -> Self:
        if self.of_the_spine != (self.id == SPINE):
            found = f"of_the_spine: {str(self.of_the_spine).lower()} at the site {self.id}"
            needed = f"the vertebrae belong to {SPINE}, and to it alone"
            raise MistakesError([Mistake(("of_the_spine",), found, needed, "correct it")])
        return self

    def quantities(self) -> Iterator[tuple[str, Quantity]]:
        """Yield (full name, quantity) of each number that the model uses."""
        base = f"fracture_sites.{self.id}"
        for name in FRACTURE_NUMBERS:
            yield f"{base}.{name}", getattr(self, name)
        for index, step in enumerate(self.mortality_after):
            yield f"{base}.mortality_after[{index}].women", step.women
            yield f"{base}.mortality_after[{index}].men", step.men
        if self.mortality_age_slope:
            yield from self.mortality_age_slope.quantities(f"{base}.mortality_age_slope")
        if self.nursing_home:
            yield from self.nursing_home.quantities(f"{base}.nursing_home")


FRACTURE_NUMBERS = (
    "strength_exponent",
    "spread",
    "turnover_exponent",
    "microdamage_exponent",
    "weight_exponent",
    "height_exponent",
    "frailty_exponent",
    "share_from_falls",
    "prior_fracture_ratio",
    "healing_draw",
    "instability",
    "mobility_loss",
)

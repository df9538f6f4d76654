"""A population as its data file says it: who it is, its tables, and which other it is like."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from cohortsim.entries import Entry, Quantity, Sources, Status
from cohortsim.errors import nearest, one_of
from cohortsim.fields import DensitySite, Text, Whole, many
from cohortsim.mistakes import Mistake, MistakesError

FIRST_YEAR, LAST_YEAR = 1900, 2150
"""Calendar years between which a study can be."""

CHARACTERISTICS = (
    "abmd_femoral_neck",
    "abmd_total_hip",
    "abmd_lumbar_spine",
    "abmd_distal_radius",
    "body_weight",
    "height",
    "calcium_intake",
    "serum_25ohd",
    "activity",
    "menopause_age",
    "frailty",
)
"""What every population describes by location, spread and quantiles, in the core's order."""

PRIOR_FRACTURE = "prior_fracture"

TABLES: dict[str, tuple[str, ...]] = {
    "age_structure": ("age", "women", "men"),
    "life_table": ("age", "women", "men"),
    "characteristics": ("characteristic", "sex", "age", "location", "spread"),
    "quantiles": ("characteristic", "sex", "z", "q"),
    "correlation": ("sex", "row", "column", "r"),
    "prevalence": ("characteristic", "sex", "age", "prevalence"),
    "fracture_incidence": ("site", "sex", "age", "rate"),
    "vertebral_deformity": ("sex", "age", "rate"),
    "falls": ("sex", "age", "rate"),
    "secular_trend": ("site", "women", "men"),
}
"""Tables of a population and the columns that each needs; a life table may have `year` too."""

OPTIONAL = ("secular_trend",)
UNITS = {"bmd_offset": "g/cm2", "scanned_mortality_ratio": "1"}
Year = Annotated[Whole, Field(ge=FIRST_YEAR, le=LAST_YEAR)]
Transform = Literal["identity", "log", "log1p", "signed"]


class TableFile(Entry):
    """One CSV table of a population: its file, unit, sources."""

    file: Text
    unit: str = ""
    source: Sources
    status: Status | None = None
    note: str = ""


class Population(Entry):
    """A population: who it is, and the tables that describe it.

    What it does not say itself (tables, transforms, order of correlations, ratio of the scanned) is
    taken from the population that it is `like`.
    """

    id: Text
    label: Text
    like: Text | None = None
    country: str = ""
    race_and_ethnicity: str = ""
    """A describing word of the people measured; nothing in the model depends on it."""
    calendar_year: Year
    incidence_year: Year | None = None
    """Calendar year of the fracture incidence; without it that of the population."""
    describes: Text
    bmd_offset: dict[DensitySite, Quantity] = Field(default_factory=dict)
    """g/cm2 added to bone density at every age, for women and men."""
    scanned_mortality_ratio: Quantity | None = None
    """Mortality of people with a DXA scan relative to the life table."""
    sites_not_given: Literal["as_there", "in_proportion_to_hip"] = "as_there"
    """Incidence at sites that the own table lacks: that of the population that this one is like, or
    that times the ratio of the two hip fracture rates at each age."""
    tables: dict[str, TableFile] = Field(default_factory=dict)
    transforms: dict[str, Transform] = Field(default_factory=dict)
    correlation_order: Annotated[tuple[Text, ...], BeforeValidator(many)] = ()
    note: str = ""

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        wrong = [*self._units(), *self._tables(), *self._whole()]
        if wrong:
            raise MistakesError(wrong)
        return self

    def _units(self) -> Iterator[Mistake]:
        named: list[tuple[tuple[str, ...], Quantity | None]] = [
            (("bmd_offset", site), amount) for site, amount in self.bmd_offset.items()
        ]
        for path, amount in [*named, (("scanned_mortality_ratio",), self.scanned_mortality_ratio)]:
            unit = UNITS[path[0]]
            if amount is not None and amount.unit != unit:
                found, needed = f'unit "{amount.unit}"', f'the model takes it in "{unit}"'
                yield Mistake((*path, "unit"), found, needed, "convert the value and its range")
        ratio = self.scanned_mortality_ratio
        if ratio is not None and ratio.low <= 0:
            found = f"{ratio.low:g} to {ratio.high:g}"
            yield Mistake(("scanned_mortality_ratio",), found, "needs more than 0", "correct it")

    def _tables(self) -> Iterator[Mistake]:
        for name in self.tables:
            if name not in TABLES:
                advice = nearest(name, TABLES) or "remove it"
                yield Mistake(("tables", name), f'no table "{name}"', one_of(TABLES), advice, True)

    def _whole(self) -> Iterator[Mistake]:
        """Without another population to take it from, everything must be here."""
        if self.like is not None:
            return
        missing = [name for name in TABLES if name not in self.tables and name not in OPTIONAL]
        if missing:
            found = f"no {', '.join(missing)}"
            needed = "a population needs them all, or `like: us` to take the others from there"
            yield Mistake(
                ("tables",), found, needed, "add them, or say which population it is like"
            )
        if self.sites_not_given != "as_there":
            found = f"{self.sites_not_given}, and it is like no other population"
            yield Mistake(("sites_not_given",), found, "needs `like`", "add it, or remove this")

    def after(self, other: Population) -> Population:
        """Return this population with what it does not say taken from the one that it is like."""
        of_own = self.incidence_year or (
            self.calendar_year if "fracture_incidence" in self.tables else None
        )
        taken: dict[str, Any] = {
            "tables": other.tables | self.tables,
            "transforms": other.transforms | self.transforms,
            "correlation_order": self.correlation_order or other.correlation_order,
            "scanned_mortality_ratio": self.scanned_mortality_ratio
            or other.scanned_mortality_ratio,
            "incidence_year": of_own or other.incidence_year or other.calendar_year,
        }
        return self.model_copy(update=taken)

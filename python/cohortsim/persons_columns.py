"""What a file of persons may hold: each column with unit, plausible range and meaning, in one place.

Ranges are wide: they stop wrong units and slips of the pen, not unusual people.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Kind = Literal["id", "sex", "age", "weight", "number", "yes_no"]


@dataclass(frozen=True, slots=True)
class Slip:
    """A wrong unit that is easily given: values in it become right when multiplied by `factor`."""

    factor: float
    words: str


@dataclass(frozen=True, slots=True)
class Column:
    """One column: what kind of cells, in which unit and range, and what it means."""

    name: str
    kind: Kind
    unit: str
    low: float
    high: float
    meaning: str
    slips: tuple[Slip, ...] = ()
    of_women: bool = False

    @property
    def required(self) -> bool:
        """Must a file have it?"""
        return self.kind in ("sex", "age")

    @property
    def needs(self) -> str:
        """What a cell must hold, for messages."""
        if self.kind == "sex":
            return "needs women, men, F or M"
        if self.kind == "yes_no":
            return "needs 0, 1, true or false"
        if self.kind == "weight":
            return "needs a number, 0 or more"
        number = "a number" if self.unit == "1" else self.unit
        return f"needs {number}, {self.low:g} to {self.high:g}"

    def said(self) -> str:
        """Return unit, range and meaning in one line."""
        span = f"{self.low:g} to {self.high:g}"
        if self.kind == "number":
            return f"{span if self.unit == '1' else f'{self.unit}, {span}'}: {self.meaning}"
        return self.meaning


_DENSITY = (Slip(0.001, "mg/cm2"),)
_FIXED = (
    Column("id", "id", "", 0, 0, "Name or number of the person; each once, for messages only."),
    Column(
        "weight",
        "weight",
        "",
        0,
        1e12,
        "Survey weight: how many people the row stands for.",
    ),
    Column("sex", "sex", "", 0, 0, "women or F, men or M; required."),
    Column(
        "age",
        "age",
        "years",
        0,
        120,
        "Age at index, years, within the life table; required. If all are whole years, the month "
        "is drawn.",
        (Slip(1 / 12, "months"),),
    ),
    Column(
        "body_weight",
        "number",
        "kg",
        20,
        450,
        "Body weight.",
        (Slip(0.001, "grams"), Slip(0.4536, "pounds")),
    ),
    Column(
        "height",
        "number",
        "cm",
        90,
        230,
        "Standing height.",
        (Slip(100, "metres"), Slip(0.1, "millimetres"), Slip(2.54, "inches")),
    ),
    *(
        Column(f"abmd_{id_}", "number", "g/cm2", 0.1, 2.5, f"Areal bone density, {site}.", _DENSITY)
        for id_, site in (
            ("femoral_neck", "femoral neck"),
            ("total_hip", "total hip"),
            ("lumbar_spine", "lumbar spine"),
            ("distal_radius", "one-third distal radius"),
        )
    ),
    Column(
        "calcium_intake",
        "number",
        "mg/d",
        1,
        10_000,
        "Usual intake of calcium with food.",
        (Slip(1000, "g/d"),),
    ),
    Column(
        "serum_25ohd",
        "number",
        "nmol/L",
        2,
        500,
        "Serum 25-hydroxyvitamin D (1 ng/mL = 2.5 nmol/L).",
    ),
    Column(
        "activity",
        "number",
        "MET.min/wk",
        0,
        1_000_000,
        "Leisure and work activity of at least moderate intensity; 0 = none.",
    ),
    Column(
        "menopause_age",
        "number",
        "a",
        15,
        75,
        "Age at the final menstrual period; women only.",
        of_women=True,
    ),
    Column(
        "frailty",
        "number",
        "1",
        -5,
        5,
        "Frailty, SD above the mean of the living of that age and sex.",
    ),
    Column("prior_fracture", "yes_no", "", 0, 1, "0/1: fragility fracture before index."),
)
COMMON_NAMES = {
    **dict.fromkeys(("gender", "sexe"), "sex"),
    **dict.fromkeys(("age_years", "years", "ridageyr"), "age"),
    **dict.fromkeys(("weight_kg", "mass", "bodyweight", "bmxwt"), "body_weight"),
    **dict.fromkeys(("height_cm", "stature", "bmxht"), "height"),
    **dict.fromkeys(("wt_mec", "survey_weight", "wtmec2yr", "sampling_weight"), "weight"),
    **dict.fromkeys(("fn_bmd", "bmd_fn", "femoral_neck", "bmd_femoral_neck"), "abmd_femoral_neck"),
    **dict.fromkeys(("th_bmd", "bmd_th", "total_hip", "bmd_total_hip"), "abmd_total_hip"),
    **dict.fromkeys(("ls_bmd", "bmd_ls", "lumbar_spine", "bmd_spine"), "abmd_lumbar_spine"),
    **dict.fromkeys(("radius_bmd", "bmd_radius", "distal_radius"), "abmd_distal_radius"),
    **dict.fromkeys(("calcium", "calcium_mg"), "calcium_intake"),
    **dict.fromkeys(("vitamin_d", "25ohd", "vitd25oh_nmol_l"), "serum_25ohd"),
    **dict.fromkeys(("met_min_week", "met_min"), "activity"),
    **dict.fromkeys(("age_last_period", "age_at_menopause", "menopause"), "menopause_age"),
    **dict.fromkeys(("fracture", "previous_fracture"), "prior_fracture"),
    **dict.fromkeys(("seqn", "person", "person_id", "pid"), "id"),
}
"""Names that such columns often have elsewhere, for hints."""


def columns(risk_factors: Iterable[str]) -> dict[str, Column]:
    """Return all columns by name; every risk factor is one."""
    fixed = {column.name: column for column in _FIXED}
    return fixed | {
        id_: Column(id_, "yes_no", "", 0, 1, f"0/1: {id_.replace('_', ' ')} (a risk factor).")
        for id_ in risk_factors
    }

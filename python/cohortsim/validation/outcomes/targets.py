"""outcomes.csv -> Outcomes: each published number, and what is measured in which study."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from cohortsim import document
from cohortsim.catalog import SHIPPED
from cohortsim.errors import CatalogError, Problem

PATH = SHIPPED / "evidence" / "outcomes.csv"
LAYERS = ("prevalence", "incidence", "risk", "trials", "spine", "mortality")
HEADER = (
    "id,layer,study,measure,cohort,arm,against,factor,sex,age_from,age_to,site,years,"
    "value,low,high,unit,use,provenance,source,note"
)
COLUMNS = HEADER.split(",")
SEXES = {"women": (0,), "men": (1,), "both": (0, 1)}
OLDEST = 120
RATIOS = ("RR", "HR", "OR", "SMR", "fold", "ratio")  # units compared on the scale of logarithms


@dataclass(frozen=True, slots=True)
class Outcome:
    """One published number.

    study: id of the scenario that is simulated; measure: what is computed (`measures.MEASURES`);
    cohort, arm, against: whose; factor: what a ratio is of, or what divides the people; sex, age_from,
    age_to (completed years, both included): strata; site: fracture site or density site; years: from
    index, or since the fracture. low, high: 95 % interval, where one was published.
    """

    id: str
    layer: str
    study: str
    measure: str
    published: float
    cohort: str = ""
    arm: str = ""
    against: str = ""
    factor: str = ""
    sex: str = "both"
    age_from: int = 0
    age_to: int = OLDEST
    site: str = ""
    years: float | None = None
    low: float | None = None
    high: float | None = None
    unit: str = "%"
    calibrated: bool = False
    recalled: bool = False
    source: str = ""
    note: str = ""

    @property
    def sexes(self) -> tuple[int, ...]:
        """Codes of the sexes: 0 women, 1 men."""
        return SEXES[self.sex]

    @property
    def is_ratio(self) -> bool:
        """Is it a ratio, to be compared on the scale of logarithms?"""
        return self.unit in RATIOS


def outcomes(layers: Iterable[str] = LAYERS, path: Path = PATH) -> list[Outcome]:
    """Return the published outcomes of these layers in the order of the file.

    Raises CatalogError: the file is wrong; every row that cannot be read is named.
    """
    wanted = set(layers)
    text, problem = document.read_text(path, path.name)
    if problem:
        raise CatalogError(problem)
    rows = csv.DictReader(text.splitlines())
    missing = [name for name in COLUMNS if name not in (rows.fieldnames or [])]
    if missing:
        needed = f"needs the columns {', '.join(COLUMNS)}"
        raise CatalogError(Problem(path.name, f"no column {missing[0]}", needed, "add it"))
    made: list[Outcome] = []
    problems: list[Problem] = []
    for row in rows:
        try:
            made.append(_outcome(row))
        except (ValueError, TypeError, KeyError) as error:
            place = f"{path.name}:{rows.line_num} {row.get('id') or ''}".strip()
            needed = "needs a row as the README beside it says"
            problems.append(Problem(place, f"cannot be read ({error})", needed, "correct it"))
    if problems:
        raise CatalogError(problems)
    return [outcome for outcome in made if outcome.layer in wanted]


def _outcome(row: Mapping[str, str]) -> Outcome:
    from cohortsim.validation.outcomes.measures import MEASURES

    _among(row["layer"], LAYERS)
    _among(row["measure"], MEASURES)
    _among(row["sex"], SEXES)
    _among(row["use"], ("calibrate", "compare"))
    _among(row["provenance"], ("read", "memory"))
    low, high = _number(row["low"]), _number(row["high"])
    return Outcome(
        id=row["id"],
        layer=row["layer"],
        study=row["study"],
        measure=row["measure"],
        published=float(row["value"]),
        cohort=row["cohort"],
        arm=row["arm"],
        against=row["against"],
        factor=row["factor"],
        sex=row["sex"],
        age_from=int(row["age_from"] or 0),
        age_to=int(row["age_to"] or OLDEST),
        site=row["site"],
        years=_number(row["years"]),
        low=low,
        high=high,
        unit=row["unit"],
        calibrated=row["use"] == "calibrate",
        recalled=row["provenance"] == "memory",
        source=row["source"],
        note=row["note"],
    )


def _number(text: str) -> float | None:
    return float(text) if text else None


def _among(value: str, options: Iterable[str]) -> None:
    if value not in options:
        raise ValueError(value)

"""targets.csv -> Targets: each published number, and what it is measured against."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from pydantic import ValidationError

from cohortsim import document
from cohortsim.catalog import SHIPPED
from cohortsim.columns import MARKERS
from cohortsim.entries import Quantity
from cohortsim.errors import CatalogError, Problem, ScenarioError, nearest, one_of
from cohortsim.fields import DensitySite

Kind = Literal["change", "peak", "arm", "yearly", "cohort", "sd", "tracking"]

EVIDENCE = SHIPPED / "evidence"
LAYERS = (
    "life_course",
    "hormones",
    "minerals",
    "loading",
    "medicines",
    "sequences",
    "markers",
    "steroids",
)
DENSITY = get_args(DensitySite)
BMD = "bmd"  # not a layer of the file: every number about density, of whatever layer
WITHOUT_A_NAME: dict[str, Kind] = {
    "": "change",
    "peak": "peak",
    "sd": "sd",
    "tracking": "tracking",
}
HEADER = (
    "id,layer,trial,cohort,arm,against,measure,month,value,low,high,unit,use,provenance,source,note"
)
COLUMNS = HEADER.split(",")


@dataclass(frozen=True, slots=True)
class Target:
    """One published number. `kind` and `other` say what it is measured against:

    change from index (%), from the young adult (`peak`, %), from what the `arm` or the `cohort`
    named `other` changes (percentage points), per year since month `from_month` (`yearly`, %/a),
    standard deviation of the change between people (`sd`), correlation between people of density
    at index and at `month` (`tracking`).
    """

    id: str
    layer: str
    trial: str
    cohort: str
    arm: str
    kind: Kind
    measure: str
    month: int
    published: float
    other: str = ""
    from_month: int = 0
    low: float | None = None
    high: float | None = None
    unit: str = "%"
    calibrated: bool = False
    recalled: bool = False
    source: str = ""
    note: str = ""

    @property
    def is_density(self) -> bool:
        """Is it about density, not about a marker of turnover?"""
        return self.measure in DENSITY

    @property
    def against(self) -> str:
        """What the number is measured against, as targets.csv spells it."""
        if self.kind == "yearly":
            return f"yearly:{self.from_month}"
        if self.kind == "cohort":
            return f"cohort:{self.other}"
        return {"change": "", "arm": self.other}.get(self.kind, self.kind)


def targets(layers: Iterable[str] = (), path: Path = EVIDENCE / "targets.csv") -> list[Target]:
    """Return the published numbers of these layers, or all of them, in the order of the file.

    Raises:
        ScenarioError: a layer that there is not.
        CatalogError: the file is wrong.
    """
    wanted = named(layers)
    text, problem = document.read_text(path, path.name)
    if problem:
        raise CatalogError(problem)
    rows = csv.DictReader(text.splitlines())
    missing = [name for name in COLUMNS if name not in (rows.fieldnames or [])]
    if missing:
        needed = f"needs the columns {', '.join(COLUMNS)}"
        raise CatalogError(Problem(path.name, f"no column {missing[0]}", needed, "add it"))
    made: list[Target] = []
    problems: list[Problem] = []
    for row in rows:
        try:
            made.append(_target(row))
        except (ValueError, TypeError, KeyError) as error:
            place = f"{path.name}:{rows.line_num} {row.get('id') or ''}".strip()
            needed = "needs a row as the README beside it says"
            problems.append(Problem(place, f"cannot be read ({error})", needed, "correct it"))
    if problems:
        raise CatalogError(problems)
    return [t for t in made if t.layer in wanted or (BMD in wanted and t.is_density)]


def precision(path: Path = EVIDENCE / "precision.yaml") -> dict[str, float]:
    """Return the error of one scan by density site, as a coefficient of variation in %.

    Raises CatalogError: the file is wrong. Sources and ranges stand in the file.
    """
    text, problem = document.read_text(path, path.name)
    if problem:
        raise CatalogError(problem)
    try:
        entries = {site: Quantity(**entry) for site, entry in document.plain(text).items()}
    except (ValidationError, TypeError, AttributeError) as error:
        found = f"cannot be read ({' '.join(str(error).split())[:80]})"
        needed = "needs value, unit, low, high, source and status by site"
        raise CatalogError(Problem(path.name, found, needed, "correct it")) from None
    return {site: quantity.value for site, quantity in entries.items()}


def named(layers: str | Iterable[str]) -> set[str]:
    """Return these layers, of density, turnover and outcomes; all if none is given.

    Raises ScenarioError: a layer that there is not.
    """
    from cohortsim.validation.outcomes.targets import LAYERS as OF_OUTCOMES

    named = [layers] if isinstance(layers, str) else list(layers)
    options = (BMD, *LAYERS, *OF_OUTCOMES)
    problems = [
        Problem(
            "layer",
            f'no layer "{name}"',
            one_of(options),
            nearest(str(name), options) or "choose one of them",
        )
        for name in named
        if name not in options
    ]
    if problems:
        raise ScenarioError(problems)
    return set(named or (*LAYERS, *OF_OUTCOMES))


def _target(row: Mapping[str, str]) -> Target:
    kind, other, from_month = _against(row["against"])
    layer, measure = row["layer"], row["measure"]
    _among(layer, LAYERS)
    _among(measure, (*DENSITY, *MARKERS))
    _among(row["use"], ("calibrate", "compare"))
    _among(row["provenance"], ("read", "memory"))
    return Target(
        id=row["id"],
        layer=layer,
        trial=row["trial"],
        cohort=row["cohort"],
        arm=row["arm"],
        kind=kind,
        measure=measure,
        month=int(row["month"]),
        published=float(row["value"]),
        other=other,
        from_month=from_month,
        low=float(row["low"]) if row["low"] else None,
        high=float(row["high"]) if row["high"] else None,
        unit=row["unit"],
        calibrated=row["use"] == "calibrate",
        recalled=row["provenance"] == "memory",
        source=row["source"],
        note=row["note"],
    )


def _against(text: str) -> tuple[Kind, str, int]:
    """Return kind, name and first month of what a number is measured against."""
    word, colon, rest = text.partition(":")
    if colon and word == "yearly":
        return "yearly", "", int(rest)
    if colon and word == "cohort":
        return "cohort", rest, 0
    if colon:
        raise ValueError(f"against {text}")
    if text in WITHOUT_A_NAME:
        return WITHOUT_A_NAME[text], "", 0
    return "arm", text, 0


def _among(value: str, options: Iterable[str]) -> None:
    if value not in options:
        raise ValueError(value)

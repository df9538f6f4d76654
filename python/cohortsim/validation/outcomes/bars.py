"""The bars of outcomes: met, not met, or not judged, each with what was found."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import polars as pl

from cohortsim.validation.bars import STATUS, Bar
from cohortsim.validation.outcomes.lives import NEW_DEFORMITY

HIP, HIP_YOUNGER, REGISTER, LIFE = 15.0, 25.0, 20.0, 20.0  # percent
PER_SD, PRIOR = 0.3, 0.15
RISE_BY_DENSITY = 2.0  # fold
INSIDE = 100 * 2 / 3  # percent of intervals
FILMS = 25.0
CM, DEGREES = (0.7, 1.3), (3.0, 5.0)  # about 1 cm, about 4 degrees
DEATHS = 20.0
OLD = 65  # years
CPRD = "2008-12"
HIP_ROWS = (pl.col("source") == "ettinger2010") & pl.col("note").str.contains("Inpatient Sample")
GRADIENTS = ("RGR-049", "RGR-046", "RGR-050", "RGR-051")  # at 50, 65, 80, 85


def bars(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the bars of the layers that the table holds; columns as `validation.bars.bars`."""
    from cohortsim.validation.bars import SCHEMA

    judges = {
        "incidence": _incidence,
        "risk": _risk,
        "trials": _trials,
        "spine": _spine,
        "mortality": _deaths,
    }
    there = set(rows["layer"])
    made = [bar for layer, judge in judges.items() if layer in there for bar in judge(rows)]
    return pl.DataFrame(made, schema=SCHEMA, orient="row")


def _incidence(rows: pl.DataFrame) -> Iterator[Bar]:
    hip = rows.filter(HIP_ROWS, pl.col("site") == "hip", pl.col("cohort") == "")
    older, younger = hip.filter(pl.col("age_from") >= OLD), hip.filter(pl.col("age_from") < OLD)
    yield _off("hip incidence, US, each band from 65", HIP, older)
    yield _off("hip incidence, US, each band of 50 to 64", HIP_YOUNGER, younger)
    cprd = rows.filter(study="uk_residents").filter(pl.col("note").str.contains(CPRD))
    yield _off("clinical fractures, UK (CPRD 2008-12)", REGISTER, cprd)
    malmo = rows.filter(study="sweden_lifelong", source="kanis2000")
    yield _off("remaining lifetime risks, Malmo (10-year risks are in no file)", LIFE, malmo)


def _risk(rows: pl.DataFrame) -> Iterator[Bar]:
    at_65 = _evaluated(rows).filter(pl.col("id").is_in(["RGR-045", "RGR-046"]))
    off = _largest((at_65["simulated"] - 2.9).to_list())
    yield _at_most("hip per SD of femoral neck at 65, from 2.9", PER_SD, off, "", at_65.height)
    found = {row["id"]: row["simulated"] for row in _evaluated(rows).iter_rows(named=True)}
    there = [found[id_] for id_ in GRADIENTS if id_ in found]
    falls = None
    if len(there) == len(GRADIENTS):
        falls = float(sum(a > b for a, b in pairwise(there)))
    steps = len(GRADIENTS) - 1
    name = "hip per SD falls from 50 to 65, 80 and 85: steps down"
    yield _at_least(name, steps, falls, "steps", len(there))
    prior = _evaluated(rows).filter(id="RGR-059")
    off = _largest(prior["difference"].to_list())
    yield _at_most("prior fracture, from 1.86", PRIOR, off, "", prior.height)
    rise = _evaluated(rows).filter(measure="rise_by_density")
    part = max(rise["simulated"].to_list(), default=None)
    name = "rise of hip risk from 60 to 80 by falling density"
    yield _at_most(name, RISE_BY_DENSITY, part, "fold", rise.height)


def _trials(rows: pl.DataFrame) -> Iterator[Bar]:
    ratios = rows.filter(pl.col("layer") == "trials", pl.col("measure") != "share")
    ratios = _evaluated(ratios).filter(pl.col("inside").is_not_null())
    share = None if ratios.is_empty() else 100 * float(ratios["inside"].mean())  # type: ignore[arg-type]
    name = "trials: published intervals that contain the simulated ratio"
    yield _at_least(name, INSIDE, share, "%", ratios.height)
    nulls = ratios.filter(pl.col("published_low") <= 1, pl.col("published_high") >= 1)
    share = None if nulls.is_empty() else 100 * float(nulls["inside"].mean())  # type: ignore[arg-type]
    yield _at_least("trials: nulls that come out null", 100.0, share, "%", nulls.height)


def _spine(rows: pl.DataFrame) -> Iterator[Bar]:
    of_films = (pl.col("measure") == "on_films") & (pl.col("site") == NEW_DEFORMITY)
    incidence = rows.filter(of_films, pl.col("source") == "felsenberg2002")
    yield _off("deformities on films, incidence (EPOS)", FILMS, incidence)
    yield _off("deformities, prevalence (EVOS)", FILMS, rows.filter(source="oneill1996"))
    for measure, ids, (low, high), unit, name in (
        ("height_lost_by", ("VCQ-016", "VCQ-017"), CM, "cm", "height lost for one deformity"),
        ("kyphosis_by", ("VCQ-002",), DEGREES, "deg", "kyphosis for one thoracic deformity"),
    ):
        mine = _evaluated(rows).filter(pl.col("measure") == measure, pl.col("id").is_in(ids))
        off = _largest([value - (low + high) / 2 for value in mine["simulated"].to_list()])
        middle, half = (low + high) / 2, (high - low) / 2
        yield _at_most(f"{name}, from {middle:g} {unit}", half, off, unit, mine.height)
    back = _evaluated(rows).filter(measure="back")
    share = None if back.is_empty() else 100 * float(back["inside"].mean())  # type: ignore[arg-type]
    yield _at_least("odds ratios of the back in their intervals", 100.0, share, "%", back.height)


def _deaths(rows: pl.DataFrame) -> Iterator[Bar]:
    mine = rows.filter(pl.col("measure") == "excess_deaths", pl.col("years") <= 5)
    yield _off("excess deaths after hip fracture at 1, 2 and 5 years", DEATHS, mine)


# --- forms ----------------------------------------------------------------------------------------


def _off(name: str, most: float, rows: pl.DataFrame) -> Bar:
    """Return the bar that no number may be further off than so many percent."""
    found = _evaluated(rows)["relative"].drop_nulls()
    largest = _largest([100 * value for value in found.to_list()])
    return _at_most(f"{name}: largest miss", most, largest, "%", len(found))


def _at_most(name: str, most: float, found: float | None, unit: str, points: int) -> Bar:
    met = None if found is None else found <= most
    return name, most, found, unit, points, STATUS[met], "at most"


def _at_least(name: str, least: float, found: float | None, unit: str, points: int) -> Bar:
    met = None if found is None else found >= least - 1e-9
    return name, least, found, unit, points, STATUS[met], "at least"


def _evaluated(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.filter(pl.col("difference").is_not_null())


def _largest(values: list[float]) -> float | None:
    return max(map(abs, values), default=None)

"""The bars that the model has set itself: met, not met, or not judged, each with what was found."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from cohortsim.columns import MARKERS
from cohortsim.validation.table import rmse
from cohortsim.validation.targets import DENSITY

MOST_RMSE = {  # of changes in the arms that the parameters were fitted to, pp
    "lumbar_spine": 1.0,
    "total_hip": 1.0,
    "femoral_neck": 0.6,
    "distal_radius": 0.6,
}
MOST_RMSE_OF_MARKERS = 15.0  # pp
MOST_OFF = 3.0  # any one change of density, pp
# Ages of the bar are 45 to 75; the decades before stand in the table.
NOT_AMONG_THE_AGES = ("decade_31",)
FROM_PEAK = (  # trial, word, source, most that any age may be off at the total hip, pp
    ("women_life_course", "women", "looker1998", 2.0),
    ("men_life_course", "men", "nhanes_quoted2026", 3.0),
)
OLD, YOUNGER, TIMES = "age_85_plus", "age_67_69", 3.0
STATUS = {True: "met", False: "not met", None: "not judged"}
SCHEMA = {
    "bar": pl.String,
    "needed": pl.Float64,
    "found": pl.Float64,
    "unit": pl.String,
    "points": pl.Int64,
    "status": pl.String,
    "sense": pl.String,
}
Bar = tuple[str, float, float | None, str, int, str, str]


def bars(rows: pl.DataFrame) -> pl.DataFrame:
    """Return each bar with what is needed, what was found, and whether it is met.

    Judged on calibrated rows: changes in arms (% and pp; not rates, which are % a year), and the
    life course. `not judged`: no row of it was evaluated; `sense`: `at most` or `at least`.
    """
    return pl.DataFrame([*_of_arms(rows), *_of_life(rows)], schema=SCHEMA, orient="row")


def _of_arms(rows: pl.DataFrame) -> Iterator[Bar]:
    changes = _evaluated(rows, pl.col("quantity") == "change", pl.col("use") == "calibrated")
    for site, most in MOST_RMSE.items():
        mine = changes.filter(pl.col("measure") == site)
        yield _at_most(f"RMSE of changes at the {site.replace('_', ' ')}", most, rmse(mine), mine)
    markers = changes.filter(pl.col("measure").is_in(MARKERS))
    most = MOST_RMSE_OF_MARKERS
    yield _at_most("RMSE of changes of CTX and P1NP", most, rmse(markers), markers)
    density = changes.filter(pl.col("measure").is_in(DENSITY))
    yield _at_most("largest miss of any change of density", MOST_OFF, _largest(density), density)


def _of_life(rows: pl.DataFrame) -> Iterator[Bar]:
    for trial, word, source, most in FROM_PEAK:
        mine = _evaluated(
            rows,
            pl.col("trial") == trial,
            pl.col("quantity") == "from_peak",
            pl.col("measure") == "total_hip",
            pl.col("source") == source,
            ~pl.col("cohort").is_in(NOT_AMONG_THE_AGES),
        )
        name = f"largest miss of {word}'s total hip at 45 to 75 ({source})"
        yield _at_most(name, most, _largest(mine), mine)
    yield _of_old_age(rows)


def _of_old_age(rows: pl.DataFrame) -> Bar:
    losses = _evaluated(rows, pl.col("quantity") == "rate", pl.col("measure") == "total_hip")
    by_cohort = {row["cohort"]: row["simulated"] for row in losses.iter_rows(named=True)}
    old, younger = by_cohort.get(OLD), by_cohort.get(YOUNGER)
    name = "loss at the total hip at 85 and over / at 67 to 69"
    if old is None or younger is None:
        return name, TIMES, None, "times", 0, STATUS[None], "at least"
    # where the younger do not lose at all there is no ratio, and the bar is met by any loss
    found = old / younger if younger < 0 else None
    met = old < 0 if found is None else found >= TIMES
    return name, TIMES, found, "times", 2, STATUS[met], "at least"


def _evaluated(rows: pl.DataFrame, *conditions: pl.Expr) -> pl.DataFrame:
    return rows.filter(*conditions, pl.col("difference").is_not_null())


def _largest(rows: pl.DataFrame) -> float | None:
    return max(map(abs, rows["difference"].to_list()), default=None)


def _at_most(name: str, most: float, found: float | None, rows: pl.DataFrame) -> Bar:
    met = None if found is None else found <= most
    return name, most, found, "pp", rows.height, STATUS[met], "at most"

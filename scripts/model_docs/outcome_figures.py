"""The figures of falls, fractures, the spine, death and populations: simulated, beside the tables."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import cohortsim as cs
import polars as pl
from cohortsim.catalog import Catalog
from cohortsim.fields import SEXES
from cohortsim.validation.figures import COLOURS, PANEL, needed, plain, titled

PEOPLE, YEARS = 300_000, 6
AGES = (50, 100)
BANDS = list(range(50, 95, 5))
BROKEN_AT = "80-84"  # age at the hip fracture after which deaths are shown
SITES = ("hip", "clinical_vertebral", "distal_forearm", "proximal_humerus")
DENSITY, DENSITY_STEP = [0.45, 0.55, 0.65, 0.75, 0.85, 0.95], 0.1  # g/cm2 between groups
FRAILTY, FRAILTY_STEP = [-1.5, -0.5, 0.5, 1.5], 1.0  # SD between groups
POPULATIONS = (
    *("us", "us_nonhispanic_white", "us_nonhispanic_black", "us_mexican_american"),
    *("uk", "sweden"),
)
PER_1000 = "per 1,000 person-years"
AGE = "age, years"
SIMULATED = "lines: simulated, band: 95 % Monte Carlo"
TABLES = "points: tables that the model is set to at the start"


def charts() -> dict[str, Any]:
    """Simulate, and return the figure of each page by its name."""
    everybody = cs.run(_study(["us"], PEOPLE))
    return {
        "falls": _falls(everybody),
        "fracture": _fracture(everybody),
        "spine": _spine(everybody),
        "mortality": _mortality(everybody),
        "populations": _populations(),
    }


def _study(populations: Sequence[str], people: int, **cohort: Any) -> dict[str, Any]:
    share = 1 / len(populations)
    ages = {"from": AGES[0], "to": AGES[1]}
    return {
        "cohortsim": 1,
        "name": "figures",
        "people": people,
        "years": YEARS,
        "age_bands": BANDS,
        "cohorts": [
            {"name": name, "population": name, "share": share, "ages": ages, **cohort}
            for name in populations
        ],
    }


# --- the figures --------------------------------------------------------------------------------


def _falls(results: cs.Results) -> Any:
    groups = cs.bands("frailty", FRAILTY)
    middles = _middles(groups.labels, FRAILTY[0], FRAILTY_STEP)
    hips = results.incidence(by=["sex", groups], sites="hip")
    deaths = results.mortality(by=["sex", groups])
    falls = _by_age(results.falls(by=["sex", "age_band"]))
    panels = [_panel("Months with a fall", falls, AGE, PER_1000, points=_table("us", "falls"))]
    for title, rows in (("Hip fractures, all ages", hips), ("Deaths, all ages", deaths)):
        placed = rows.with_columns(x=pl.col(groups.name).cast(pl.String).replace_strict(middles))
        lines = _lines(placed, "rate_per_1000", "sex")
        panels.append(_panel(title, lines, "frailty at the start, SD", PER_1000))
    return _board("Falls and frailty", panels, SIMULATED, TABLES)


def _fracture(results: cs.Results) -> Any:
    hips = _by_age(results.incidence(by=["sex", "age_band"], sites="hip"))
    table = _table("us", "fracture_incidence", "hip")
    women = _study(["us"], PEOPLE, sexes=["women"]) | {"name": "women"}
    women["cohorts"][0]["ages"] = {"from": 70, "to": 79}
    groups = cs.bands("abmd_femoral_neck", DENSITY)
    middles = _middles(groups.labels, DENSITY[0], DENSITY_STEP)
    rows = cs.run(women).incidence(by=["site", groups], sites=list(SITES))
    placed = rows.with_columns(
        x=pl.col(groups.name).cast(pl.String).replace_strict(middles, default=None),
        site=pl.col("site").cast(pl.String).str.replace_all("_", " "),
    ).filter(pl.col("x").is_not_null(), pl.col("events") >= 10)
    density = "density of the femoral neck at the start, g/cm2"
    panels = [
        _panel("Hip fractures", hips, AGE, PER_1000, points=table, log=True),
        _panel(
            "Women of 70 to 79, by density",
            _lines(placed, "rate_per_1000", "site"),
            density,
            PER_1000,
            log=True,
        ),
    ]
    return _board("Fractures", panels, SIMULATED, TABLES)


def _spine(results: cs.Results) -> Any:
    by_age = _placed(results.spine(by=["sex", "age_band"]))
    levels = results.vertebrae(by="sex").with_columns(x=pl.col("level").cast(pl.String))
    groups = cs.bands("deformities", [1])
    names = {"under 1": "no deformity", "1 and over": "deformed"}
    parted = _placed(results.spine(by=["sex", "age_band", groups])).filter(pl.col("people") >= 50)
    series = (
        pl.col("sex").cast(pl.String) + ", " + pl.col(groups.name).cast(pl.String).replace(names)
    )
    parted = parted.filter(pl.col(groups.name).cast(pl.String) != "missing")
    parted = parted.with_columns(series=series)
    panels = [
        _panel("Any deformity", _lines(by_age, "deformed_percent", "sex"), AGE, "% of the living"),
        _panel(
            "Deformed, by level (all ages from 50)",
            _lines(levels, "deformed_percent", "sex", low="deformed_low", high="deformed_high"),
            "vertebra",
            "% of people",
        ),
        _panel("Kyphosis", _lines(parted, "kyphosis_mean", "series"), AGE, "degrees (Cobb)"),
        _panel("Height lost", _lines(parted, "height_loss_mean", "series"), AGE, "cm since youth"),
    ]
    return _board("The spine, at the start", panels, SIMULATED)


def _mortality(results: cs.Results) -> Any:
    deaths = _by_age(results.mortality(by=["sex", "age_band"]))
    quarters = [k / 4 for k in range(4 * (YEARS - 1) + 1)]
    by = ["sex", "age_band"]
    after = results.refracture("hip", "death", years=quarters[1:], by=by)
    everybody = results.cumulative_incidence("death", quarters[1:], by=by)
    lines = []
    for rows, whose in ((after, "after hip fracture"), (everybody, "everybody")):
        mine = rows.filter(pl.col("age_band").cast(pl.String) == BROKEN_AT).with_columns(
            series=pl.col("sex").cast(pl.String) + f", {whose}", x=pl.col("years")
        )
        lines.append(_lines(mine, "percent", "series", low="low", high="high"))
    title = f"Dead, of those of {BROKEN_AT.replace('-', ' to ')} at the start of the curve"
    panels = [
        _panel("Deaths", deaths, AGE, PER_1000, points=_life_table("us"), log=True),
        _panel(title, pl.concat(lines), "years", "%"),
    ]
    return _board("Death", panels, SIMULATED, TABLES)


def _populations() -> Any:
    results = cs.run(_study(POPULATIONS, PEOPLE * len(POPULATIONS) // 2))
    rows = _placed(results.incidence(by=["cohort", "sex", "age_band"], sites="hip"))
    panels = []
    for sex in ("women", "men"):
        mine = rows.filter(pl.col("sex").cast(pl.String) == sex, pl.col("events") >= 10)
        tables = [
            _table(name, "fracture_incidence", "hip")
            .filter(series=sex)
            .with_columns(series=pl.lit(name))
            for name in POPULATIONS
        ]
        lines = _lines(mine, "rate_per_1000", "cohort")
        points = pl.concat(tables)
        panels.append(_panel(f"Hip, {sex}", lines, AGE, PER_1000, points=points, log=True))
    return _board("Hip fracture by population", panels, SIMULATED, TABLES)


# --- what is drawn ------------------------------------------------------------------------------


def _placed(rows: pl.DataFrame) -> pl.DataFrame:
    """Add `x`, the middle of the age band."""
    first = pl.col("age_band").cast(pl.String).str.extract(r"(\d+)").cast(pl.Float64)
    return rows.with_columns(x=first + 2.5)


def _by_age(rows: pl.DataFrame) -> pl.DataFrame:
    return _lines(_placed(rows), "rate_per_1000", "sex")


def _lines(
    rows: pl.DataFrame, y: str, series: str, low: str | None = None, high: str | None = None
) -> pl.DataFrame:
    """Return x, y, low, high, series; the interval of `<what>_mean` is `<what>_low` and so on."""
    base = y.rsplit("_", 1)[0]
    pair = ("low", "high") if "low" in rows.columns else (f"{base}_low", f"{base}_high")
    return rows.select(
        "x",
        pl.col(y).alias("y"),
        pl.col(low or pair[0]).alias("low"),
        pl.col(high or pair[1]).alias("high"),
        pl.col(series).cast(pl.String).alias("series"),
    ).drop_nulls()


def _middles(labels: Sequence[str], first: float, step: float) -> dict[str, float]:
    """Return where each group is drawn: half a step below the first limit, and so on."""
    return {label: first + (k - 0.5) * step for k, label in enumerate(labels)}


def _table(population: str, table: str, site: str | None = None) -> pl.DataFrame:
    """Return the points of a table of rates: x, y per 1,000, series (sex)."""
    curves = Catalog().population(population).plain[table]
    if site is not None:
        curves = next(entry for entry in curves if entry["site"] == site)
    return _points(
        (age, 1000 * rate, sex)
        for sex in SEXES
        for age, rate in zip(curves[sex]["ages"], curves[sex]["values"], strict=True)
    )


def _life_table(population: str) -> pl.DataFrame:
    """Return the points of the life table of the year of a population: deaths per 1,000."""
    data = Catalog().population(population)
    table = data.plain["life_table"]
    year = table["years"].index(data.entry.calendar_year)
    return _points(
        (age + 0.5, -1000 * math.log1p(-table[sex][year][age - table["first_age"]]), sex)
        for sex in SEXES
        for age in range(AGES[0] + 2, BANDS[-1], BANDS[1] - BANDS[0])
    )


def _points(rows: Iterable[tuple[float, float, str]]) -> pl.DataFrame:
    schema = {"x": pl.Float64, "y": pl.Float64, "series": pl.String}
    inside = [row for row in rows if AGES[0] <= row[0] <= BANDS[-1] + 5]
    return pl.DataFrame(inside, schema=schema, orient="row")


def _panel(
    title: str,
    lines: pl.DataFrame,
    x_title: str,
    y_title: str,
    *,
    points: pl.DataFrame | None = None,
    log: bool = False,
) -> Any:
    """Return one panel: lines with bands by series, or ticks where x is a name; points beside them."""
    alt = needed()
    names = lines["series"].unique(maintain_order=True).to_list()
    scale = alt.Scale(domain=names, range=COLOURS[: len(names)])
    colour = alt.Color("series:N", title=None, scale=scale)
    y_scale = alt.Scale(type="log") if log else alt.Scale()
    if lines["x"].dtype == pl.String:
        order = lines["x"].unique(maintain_order=True).to_list()
        x = alt.X("x:N", title=x_title, sort=order, axis=alt.Axis(labelAngle=0))
    else:
        x = alt.X("x:Q", title=x_title, scale=alt.Scale(zero=False))
    y = alt.Y("y:Q", title=y_title, scale=y_scale)
    base = alt.Chart(alt.Data(values=_whole(lines, log).to_dicts())).encode(x=x, color=colour)
    low = alt.Y("low:Q", title=y_title, scale=y_scale)
    layers = [
        base.mark_area(opacity=0.25).encode(y=low, y2="high:Q"),
        base.mark_line(strokeWidth=1.5).encode(y=y),
    ]
    if points is not None:
        data = alt.Chart(alt.Data(values=points.to_dicts()))
        layers.append(data.mark_point(size=25, filled=True).encode(x=x, y=y, color=colour))
    return alt.layer(*layers).properties(title=title, **PANEL)


def _whole(lines: pl.DataFrame, log: bool) -> pl.DataFrame:
    """Return lines that can be drawn: on a logarithmic axis nothing is 0."""
    return lines.filter((pl.col("y") > 0) & (pl.col("low") > 0)) if log else lines


def _board(title: str, panels: Sequence[Any], *said: str) -> Any:
    alt = needed()
    columns = 2 if len(panels) % 3 == 1 else 3
    chart = alt.concat(*panels, columns=columns, title=titled(title, *said))
    return plain(chart.resolve_scale(color="independent"), columns=2)

"""Figures: the courses of each trial with its published points, and all numbers on one page.

Drawn with altair, which is not needed for anything else: the optional extra `plots`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import polars as pl

from cohortsim.columns import MARKERS
from cohortsim.errors import Problem, ResultsError
from cohortsim.validation.courses import CHANGE
from cohortsim.validation.screen import against_in_words

COLUMNS = 3
PANEL = {"width": 250, "height": 180}
COLOURS = ["#1f6fb4", "#d1622b", "#3a8f4d", "#8a4fa3", "#8c6d31", "#4c4c4c", "#c2498a", "#2aa198"]
USES = ["calibrated", "compared"]
LOOKS: list[dict[str, Any]] = [{"filled": True}, {"filled": False, "fill": "white"}]
LEGEND = (  # short lines: a figure of one panel is narrow
    "lines and ticks: simulated, band: 95 % Monte Carlo",
    "points: published; filled: fitted, hollow: compared",
)
RATES = "rates: drawn at their end, from the simulated start"
OF_ALL = "filled: fitted, hollow: compared"
MEASURES = {
    "lumbar_spine": "lumbar spine",
    "total_hip": "total hip",
    "femoral_neck": "femoral neck",
    "distal_radius": "distal radius",
    "ctx": "CTX",
    "p1np": "P1NP",
}
POINT = ("measure", "month", "published", "published_low", "published_high", "use")
TICKS, MOST_TICKS = (1, 3, 6, 12, 24), 8  # months
LEVELS = {  # quantities that are drawn beside each other, not over time
    "from_peak": "from the young adult, %",
    "spread": "SD of change between people, pp",
    "correlation": "correlation with index",
}


def needed() -> Any:
    """Return altair. Raises ResultsError: it, or what writes its figures, is missing."""
    try:
        import_module("vl_convert")
        return import_module("altair")
    except ImportError as error:
        found = f"figures cannot be drawn ({error})"
        asked = "needs altair and vl-convert-python"
        advice = "pip install 'cohortsim[plots]'"
        raise ResultsError(Problem("--out", found, asked, advice)) from None


def trial(curves: pl.DataFrame, rows: pl.DataFrame, title: str) -> Any:
    """Return the figure of a trial: a panel for each measure and kind of number.

    curves: simulated courses of this trial (`Validation.curves`); rows: its published numbers
    (`Validation.table`). Filled points were fitted, hollow ones only compared.
    """
    alt = needed()
    panels = [*_over_time(curves, rows), *_beside_each_other(rows)]
    said = [*LEGEND, *([RATES] if (rows["quantity"] == "rate").any() else [])]
    return plain(alt.concat(*panels, columns=COLUMNS, title=titled(title, *said)))


def panel(curves: pl.DataFrame, rows: pl.DataFrame, title: str, axis: str, measure: str) -> Any:
    """Return one panel of a trial's figure with a legend of its own, for `board`.

    axis: what is drawn, as `curves` names it, such as "change from index, %".
    """
    mine = (pl.col("panel") == axis) & (pl.col("measure") == measure)
    lines = curves.filter(mine)
    colour = _colour("series", lines["series"].unique(maintain_order=True).to_list())
    return _courses(title, axis, lines, _points(curves, rows).filter(mine), colour)


def board(panels: Sequence[Any], title: str) -> Any:
    """Return a figure of panels that each have a legend of their own."""
    alt = needed()
    chart = alt.concat(*panels, columns=COLUMNS, title=titled(title, *LEGEND))
    return plain(chart.resolve_scale(color="independent"), columns=1)


def over_age(lines: pl.DataFrame, points: pl.DataFrame, sites: Mapping[str, str]) -> Any:
    """Return density against the young adult by age, a panel for each site.

    lines: `age`, `measure`, `series` and `from_peak_percent`; points: published numbers by `age`,
    `measure` and `series`; sites: their titles.
    """
    alt = needed()
    colour = _colour("series", lines["series"].unique(maintain_order=True).to_list())
    x = alt.X("age:Q", title="age, years", scale=alt.Scale(zero=False))
    y = alt.Y("from_peak_percent:Q", title=LEVELS["from_peak"])
    panels = []
    for site, title in sites.items():
        mine = pl.col("measure") == site
        base = alt.Chart(alt.Data(values=lines.filter(mine).to_dicts()))
        line = base.mark_line(strokeWidth=1.5).encode(x=x, y=y, color=colour)
        layers = [line, *published(points.filter(mine), x, colour)]
        panels.append(alt.layer(*layers).properties(title=title, width=320, height=240))
    return plain(alt.hconcat(*panels, title=titled("Density over life", *LEGEND)))


def scatter(rows: pl.DataFrame) -> Any:
    """Return all numbers on one page: published against simulated, density and markers."""
    alt = needed()
    kept = rows.filter(pl.col("difference").is_not_null(), pl.col("quantity") != "correlation")
    of_markers = pl.col("measure").is_in(MARKERS)
    groups = (
        ("bone density, % or percentage points", kept.filter(~of_markers)),
        ("CTX and P1NP, %", kept.filter(of_markers)),
    )
    panels = [_published_against_simulated(title, group) for title, group in groups]
    title = "Published and simulated; on the line they agree"
    return plain(alt.hconcat(*panels, title=titled(title, OF_ALL)))


def write(chart: Any, folder: Path, name: str) -> None:
    """Write a figure as SVG and PNG."""
    import vl_convert

    from cohortsim.store import write_text

    svg = vl_convert.vegalite_to_svg(chart.to_dict())
    write_text(folder / f"{name}.svg", svg)
    (folder / f"{name}.png").write_bytes(vl_convert.svg_to_png(svg, scale=2))


# --- panels -------------------------------------------------------------------------------------


def _over_time(curves: pl.DataFrame, rows: pl.DataFrame) -> Iterator[Any]:
    points = _points(curves, rows)
    colour = _colour("series", curves["series"].unique(maintain_order=True).to_list())
    for panel in curves["panel"].unique(maintain_order=True):
        for measure in MEASURES:
            mine = (pl.col("panel") == panel) & (pl.col("measure") == measure)
            lines = curves.filter(mine)
            if not lines.is_empty():
                title = MEASURES[measure]
                yield _courses(title, panel, lines, points.filter(mine), colour)


def _courses(
    title: str, y_title: str, lines: pl.DataFrame, points: pl.DataFrame, colour: Any
) -> Any:
    alt = needed()
    last = int(lines["month"].max())  # type: ignore[arg-type]
    step = next((s for s in TICKS if last // s <= MOST_TICKS), TICKS[-1])
    axis = alt.Axis(values=list(range(0, last + 1, step)))
    scale = alt.Scale(domain=[0, last], nice=False)
    x = alt.X("month:Q", title="months from index", axis=axis, scale=scale)
    base = alt.Chart(alt.Data(values=lines.to_dicts()))
    y = alt.Y("simulated:Q", title=y_title)
    band = base.mark_area(opacity=0.25).encode(x=x, y=alt.Y("low:Q", title=y_title), y2="high:Q")
    line = base.mark_line(strokeWidth=1.5).encode(x=x, y=y)
    layers = [band.encode(color=colour), line.encode(color=colour)]
    if not points.is_empty():
        layers += published(points, x, colour)
    return alt.layer(*layers).properties(title=title, **PANEL)


def published(points: pl.DataFrame, x: Any, colour: Any) -> list[Any]:
    """Return published points with their intervals; hollow where they were only compared."""
    alt = needed()
    base = alt.Chart(alt.Data(values=points.to_dicts()))
    ranges = base.transform_filter("datum.published_low != null").mark_rule()
    made = [ranges.encode(x=x, y="published_low:Q", y2="published_high:Q", color=colour)]
    for use, look in zip(USES, LOOKS, strict=True):
        chosen = base.transform_filter(f"datum.use == '{use}'")
        mark = chosen.mark_point(size=45, opacity=1, strokeWidth=1.5, **look)
        made.append(mark.encode(x=x, y="published:Q", color=colour))
    return made


def _beside_each_other(rows: pl.DataFrame) -> Iterator[Any]:
    for quantity, title in LEVELS.items():
        for measure, name in MEASURES.items():
            mine = rows.filter(pl.col("quantity") == quantity, pl.col("measure") == measure)
            if not mine.is_empty():
                yield _levels(name, title, mine, quantity)


def _levels(title: str, y_title: str, rows: pl.DataFrame, quantity: str) -> Any:
    alt = needed()
    by = "cohort" if quantity == "from_peak" else "arm"
    order = sorted(rows[by].unique()) if by == "arm" else rows[by].unique(maintain_order=True)
    x = alt.X(f"{by}:N", title=None, sort=list(order), axis=alt.Axis(labelAngle=-40))
    base = alt.Chart(alt.Data(values=rows.to_dicts()))
    ink = alt.value(COLOURS[0])
    layers = [
        base.mark_rule(strokeWidth=4, opacity=0.4).encode(
            x=x, y=alt.Y("simulated_low:Q", title=y_title), y2="simulated_high:Q", color=ink
        ),
        base.mark_tick(thickness=2, width=16).encode(x=x, y="simulated:Q", color=ink),
        *published(rows, x, alt.value(COLOURS[1])),
    ]
    return alt.layer(*layers).properties(title=title, **PANEL)


def _points(curves: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """Return published points with the panel and the line that they belong to.

    A rate has no place of its own on a course: it is drawn where the simulated course would be at
    its end, had it changed at the published rate since its first month.
    """
    starts = {
        (r["panel"], r["series"], r["measure"], r["month"]): r["simulated"]
        for r in curves.iter_rows(named=True)
    }
    names = curves["series"].unique().to_list()
    made = []
    for row in rows.iter_rows(named=True):
        kind, _, other = str(row["against"]).partition(":")
        if row["quantity"] not in ("change", "rate"):
            continue
        line = next(
            (
                s
                for s in (f"{row['cohort']}, {row['arm']}", row["arm"], row["cohort"])
                if s in names
            ),
            "",
        )
        versus = other if kind == "cohort" else "" if kind == "yearly" else kind
        panel = f"difference to {versus}, pp" if versus else CHANGE
        point = {"panel": panel, "series": line, **{k: row[k] for k in POINT}}
        if kind == "yearly":
            start = starts.get((panel, line, row["measure"], int(other)), 0.0)
            years = (row["month"] - int(other)) / 12
            for key in ("published", "published_low", "published_high"):
                point[key] = None if row[key] is None else start + row[key] * years
        made.append(point)
    schema = {**dict.fromkeys(("panel", "series"), pl.String()), **rows.select(POINT).schema}
    return pl.DataFrame(made, schema=schema, orient="row")


def _published_against_simulated(title: str, rows: pl.DataFrame) -> Any:
    alt = needed()
    named = [{**row, "what": against_in_words(row)} for row in rows.iter_rows(named=True)]
    ends = [*rows["published"].to_list(), *rows["simulated"].to_list(), 0.0]
    line = [{"x": min(ends), "y": min(ends)}, {"x": max(ends), "y": max(ends)}]
    layers = [alt.Chart(alt.Data(values=line)).mark_line(color="#bbbbbb").encode(x="x:Q", y="y:Q")]
    x, y = alt.X("published:Q", title="published"), alt.Y("simulated:Q", title="simulated")
    colour = _colour("layer", rows["layer"].unique(maintain_order=True).to_list())
    for use, look in zip(USES, LOOKS, strict=True):
        chosen = alt.Chart(alt.Data(values=named)).transform_filter(f"datum.use == '{use}'")
        mark = chosen.mark_point(size=30, opacity=0.8, **look)
        layers.append(mark.encode(x=x, y=y, color=colour))
    return alt.layer(*layers).properties(title=title, width=380, height=380)


def _colour(field: str, names: list[str]) -> Any:
    alt = needed()
    colours = [COLOURS[k % len(COLOURS)] for k in range(len(names))]
    scale = alt.Scale(domain=names, range=colours)
    return alt.Color(f"{field}:N", title=None, scale=scale)


def titled(title: str, *said: str) -> Any:
    """Return the title of a figure with lines below it."""
    return needed().TitleParams(title, subtitle=list(said), subtitleColor="#666666")


def plain(chart: Any, columns: int = COLUMNS) -> Any:
    """Return the figure without decoration, its legend below."""
    return (
        chart.configure_view(stroke=None)
        .configure_axis(gridColor="#eeeeee", domainColor="#888888", tickColor="#888888")
        .configure_title(anchor="start", fontSize=12)
        .configure_legend(orient="bottom", labelLimit=300, columns=columns, symbolOpacity=1)
    )

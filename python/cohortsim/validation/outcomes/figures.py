"""Figures of outcomes: one for each layer, published numbers and simulated ones side by side.

By age where at least three ages were published; the others as rows with their intervals. Drawn with
altair, the optional extra `plots`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl

from cohortsim.validation import figures
from cohortsim.validation.outcomes import words
from cohortsim.validation.outcomes.targets import OLDEST, RATIOS

COLUMNS = 3
WIDTH, HEIGHT, STEP = 250, 190, 13
FEWEST_AGES, WIDEST = 3, 12  # years of the widest band that has a place on an axis of ages
SEXES = ["women", "men", "both"]
SHADES = ["#d1622b", "#1f6fb4", "#4c4c4c"]
OPEN_END = 5  # where a band without an end is drawn, years above its beginning
MOST_ROWS = 40  # of one panel
SAID = (
    "points with intervals: published (filled: fitted, hollow: compared)",
    "ticks and bands: simulated, 95 % by chance of the simulation",
)


def layer(rows: pl.DataFrame, name: str) -> Any:
    """Return the figure of a layer; rows: those of the table that were evaluated."""
    alt = figures.needed()
    by_age, others = _split(rows)
    panels = [_over_age(title, mine) for title, mine in by_age]
    charts = []
    if panels:
        charts.append(alt.concat(*panels, columns=COLUMNS))
    beside = [_rows(title, mine) for title, mine in _kinds(others)]
    if beside:
        charts.append(alt.concat(*beside, columns=2).resolve_scale(x="independent"))
    title = figures.titled(words.LAYERS[name], *SAID)
    return figures.plain(alt.vconcat(*charts, title=title))


def drawn(rows: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame]]:
    """Yield each layer with the rows that were evaluated; layers without any are left out."""
    there = rows.filter(pl.col("difference").is_not_null())
    for (name,), mine in there.group_by(["layer"], maintain_order=True):
        yield str(name), mine


def _split(rows: pl.DataFrame) -> tuple[list[tuple[str, pl.DataFrame]], pl.DataFrame]:
    """Return panels over age, and the rows that have no place in one."""
    width = pl.col("age_to") - pl.col("age_from")
    has_age = (width <= WIDEST) | ((pl.col("age_to") >= OLDEST) & (pl.col("age_from") >= 75))
    aged = rows.filter(has_age & (pl.col("layer") != "trials"))
    made = []
    taken: list[str] = []
    keys = ["measure", "site", "factor", "years", "unit", "source"]
    for _, mine in aged.group_by(keys, maintain_order=True):
        if mine["age_from"].n_unique() >= FEWEST_AGES:
            first = mine.row(0, named=True)
            title = ", ".join(filter(None, (words.what(first), words.time(first))))
            made.append((title, mine))
            taken += mine["id"].to_list()
    return made, rows.filter(~pl.col("id").is_in(taken))


def _over_age(title: str, rows: pl.DataFrame) -> Any:
    alt = figures.needed()
    end = pl.when(pl.col("age_to") >= OLDEST).then(pl.col("age_from") + 2 * OPEN_END)
    middle = (pl.col("age_from") + end.otherwise(pl.col("age_to") + 1)) / 2
    rows = rows.with_columns(age=middle).sort("sex", "age")
    first = rows.row(0, named=True)
    colour = alt.Color("sex:N", title=None, scale=alt.Scale(domain=SEXES, range=SHADES))
    x = alt.X("age:Q", title="age, years", scale=alt.Scale(zero=False, padding=10))
    unit = str(first["unit"])
    y = alt.Y("simulated:Q", title=unit)
    base = alt.Chart(alt.Data(values=rows.to_dicts()))
    line = base.mark_line(strokeWidth=1.5, point={"size": 10}).encode(x=x, y=y, color=colour)
    band = base.transform_filter("datum.simulated_low != null").mark_area(opacity=0.2)
    band = band.encode(
        x=x, y=alt.Y("simulated_low:Q", title=unit), y2="simulated_high:Q", color=colour
    )
    points = figures.published(rows, x, colour)
    studies = ", ".join(rows["study"].unique(maintain_order=True)).replace("_", " ")
    note = f"{studies}; {first['source']}"
    head = alt.TitleParams(title, subtitle=note, fontSize=11, subtitleColor="#666666")
    return alt.layer(band, line, *points).properties(title=head, width=WIDTH, height=HEIGHT)


def _kinds(rows: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame]]:
    """Yield rows of like unit, no more in one panel than can be read."""
    kind = pl.when(pl.col("unit").is_in(RATIOS)).then(pl.lit("ratio")).otherwise(pl.col("unit"))
    for (unit,), mine in rows.with_columns(kind=kind).group_by(["kind"], maintain_order=True):
        for start in range(0, mine.height, MOST_ROWS):
            yield str(unit), mine.slice(start, MOST_ROWS)


def _rows(unit: str, rows: pl.DataFrame) -> Any:
    alt = figures.needed()
    labels = [_label(row) for row in rows.iter_rows(named=True)]
    rows = rows.with_columns(label=pl.Series(labels, dtype=pl.String))
    scale = (
        alt.Scale(type="log", nice=False, padding=8) if unit == "ratio" else alt.Scale(zero=False)
    )
    title = "ratio (logarithmic)" if unit == "ratio" else unit
    y = alt.Y("label:N", sort=labels, title=None, axis=alt.Axis(labelLimit=520, labelFontSize=9))
    base = alt.Chart(alt.Data(values=rows.to_dicts()))
    ink, other = alt.value(SHADES[1]), alt.value(SHADES[0])
    layers = [
        base.mark_rule(strokeWidth=4, opacity=0.35).encode(
            y=y,
            x=alt.X("simulated_low:Q", title=title, scale=scale),
            x2="simulated_high:Q",
            color=ink,
        ),
        base.mark_tick(thickness=2, size=10).encode(
            y=y, x=alt.X("simulated:Q", title=title, scale=scale), color=ink
        ),
        base.transform_filter("datum.published_low != null")
        .mark_rule()
        .encode(y=y, x="published_low:Q", x2="published_high:Q", color=other),
    ]
    for use, look in zip(figures.USES, figures.LOOKS, strict=True):
        mark = base.transform_filter(f"datum.use == '{use}'").mark_point(size=28, opacity=1, **look)
        layers.append(mark.encode(y=y, x="published:Q", color=other))
    return alt.layer(*layers).properties(width=WIDTH, height=alt.Step(STEP))


def _label(row: dict[str, Any]) -> str:
    parts = (row["study"].replace("_", " "), words.what(row), words.who(row))
    return f"{': '.join(filter(None, parts))} [{row['id']}]"

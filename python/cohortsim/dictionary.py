"""README.txt of a results folder: each file, each table, each column with type, unit and meaning."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import polars as pl

from cohortsim.core import core

if TYPE_CHECKING:
    from cohortsim.results import Results

WIDTH = 98
TABLES = {
    "prevalence": "The living by class of density at `classify_at`, at index and each anniversary.",
    "mean_abmd": "Mean areal bone mineral density of the living, at index and each anniversary.",
    "incidence": "Fractures by age band and fracture site.",
    "incidence_all_ages": "Fractures by fracture site, all ages together (crude, not standardized).",
    "incidence_any_site": "Fractures at any site by age band.",
    "incidence_by_class": "Fractures by class of density at the start of the month, and site.",
    "mortality": "Deaths by age band.",
    "falls": "Months with at least one fall by age band.",
    "visits": "Mean changes of density and turnover markers since index, at the study's visits.",
    "averted": "What each arm averts against the first, everybody together.",
    "averted_by_age": "What each arm averts against the first, by sex and age band at index.",
}
OF_AVERTED = "; in averted and averted_by_age"
LIMIT = (
    "/1000",
    "{} limit of the 95 % interval of the rate (exact Poisson, Garwood 1936)"
    + OF_AVERTED
    + " of averted_per_1000, from the differences of each person",
)
COLUMNS = {
    "versus": ("", "the arm that `arm` is compared with"),
    "age_band": ("a", f"band of age at the time{OF_AVERTED} at index"),
    "year": ("a", "years since index, 0 = index"),
    "site": ("", "fracture site; in mean_abmd density site"),
    "event": ("", "fracture site, any_fracture or death"),
    "people": ("1", f"living people{OF_AVERTED} people at index"),
    "events": ("1", f"fractures, also a person's second one{OF_AVERTED} events in `arm`"),
    "events_versus": ("1", "events in `versus`"),
    "deaths": ("1", "deaths"),
    "falls": ("1", "months with at least one fall"),
    "person_years": ("a", "time lived by everybody in the stratum, also after a fracture"),
    "rate_per_1000": ("/1000 a", "events (deaths, falls) per 1,000 person-years"),
    "low": (LIMIT[0], LIMIT[1].format("lower")),
    "high": (LIMIT[0], LIMIT[1].format("upper")),
    "averted": (
        "1",
        "events in `versus` minus events in `arm`: the same people with the same luck",
    ),
    "averted_per_1000": ("/1000", "averted events per 1,000 people at index"),
    "month": ("mo", "months since index"),
    "change_percent": ("%", "mean change of each person's value since index"),
    "sd_percent": ("%", "standard deviation of that change between people"),
    "se_percent": ("%", "standard error of the mean change"),
    "from_peak_percent": (
        "%",
        "mean distance from the young adult, for density from each person's own young adult",
    ),
    "abmd_g_per_cm2": ("g/cm2", "mean areal bone mineral density"),
}
OF_CLASS = {
    "": ("1", "living people in the class {}"),
    "percent": ("%", "{}, percent of the living"),
    "low": ("%", "lower limit of the 95 % interval of {}_percent (Wilson)"),
    "high": ("%", "upper limit of the 95 % interval of {}_percent (Wilson)"),
}
CODED = {
    "arm": "arm",
    "cohort": "cohort",
    "sex": "sex",
    "class": "class of density at the start of the month",
    "event": "death, or the site of a fracture",
    "site": "density site",
    "measure": "density site or turnover marker",
}
HEAD = """\
scenario.yaml     the study with every value resolved; the study's own data files lie beside it
provenance.json   versions, every value with unit, range, source and status, the request,
                  fingerprints; `cohortsim run provenance.json` repeats the run exactly
run.json          marks whose run this folder holds

Intervals tell the chance of the simulation (Monte Carlo) alone, with all parameters held at their
values: more people make them narrower. What is not known about the parameters is not in them.
A month has 43 830 minutes, a year 525 960. What does not apply is missing (null; NA in R)."""


def dictionary(results: Results, tables: Mapping[str, pl.DataFrame]) -> str:
    """Return the data dictionary of a results folder."""
    s = results.scenario
    lines = [
        f"Results of {s.name}" + (f": {s.title}" if s.title else ""),
        "",
        f"{s.headcount} people, {s.years} years by the month, seed {s.seed}.",
        f"Arms: {', '.join(results.arms)}. Classes of density at: {s.classify_at}.",
        "",
        HEAD,
        "",
        "",
        "SUMMARY TABLES: tables/*.csv (comma, decimal point, UTF-8) and the same as *.parquet",
    ]
    columns: dict[str, pl.DataType] = {}
    for name, frame in tables.items():
        lines += _wrapped(f"  {name:<20} ", TABLES[name])
        lines += _wrapped(" " * 25, f"Columns: {', '.join(frame.columns)}.")
        columns |= frame.schema
    lines += ["", "  Their columns:"]
    for column, dtype in columns.items():
        lines += _row(column, dtype, *_summary_column(column))
    lines += [
        "",
        "",
        "ROWS OF PEOPLE AND STRATA: one folder each; read all Parquet files of a folder",
    ]
    specs = core().column_specs()
    for name in results.kept:
        known = {spec["name"]: spec for spec in specs[name]}
        lines += ["", f"{name}/"]
        for column, dtype in results.rows(name).collect_schema().items():
            lines += _row(column, dtype, *_core_column(known.get(column), column, dtype))
    return "\n".join(lines) + "\n"


def _summary_column(column: str) -> tuple[str, str]:
    if column in COLUMNS:
        return COLUMNS[column]
    if column in CODED:
        return "", CODED[column]
    class_, _, what = column.partition("_")
    unit, meaning = OF_CLASS[what]
    return unit, meaning.format(class_)


def _core_column(
    spec: Mapping[str, Any] | None, column: str, dtype: pl.DataType
) -> tuple[str, str]:
    if spec is None:
        return "", f"true if the person has the risk factor {column}"
    if isinstance(dtype, pl.Enum):
        return "", f"{CODED[column]}: {', '.join(dtype.categories)}"
    unit = "" if dtype == pl.Boolean else str(spec["unit"])
    said = str(spec["meaning"]).replace("1 if ", "true if ").replace("NaN for", "missing for")
    return unit, said


def _row(column: str, dtype: pl.DataType, unit: str, meaning: str) -> Iterator[str]:
    if isinstance(dtype, pl.Enum):
        kind = "text"
    elif dtype == pl.Boolean:
        kind = "true/false"
    else:
        kind = "number" if dtype.is_float() else "integer"
    yield from _wrapped(f"  {column:<21} {kind:<11} {unit:<11} ", meaning)


def _wrapped(head: str, text: str) -> list[str]:
    return textwrap.wrap(
        text, WIDTH, initial_indent=head, subsequent_indent=" " * len(head), break_on_hyphens=False
    )

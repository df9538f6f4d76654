"""README.txt of a results folder: each file, each table, each column with type, unit and meaning."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import polars as pl

from cohortsim.columns import BACK, CLASSES
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
    "incidence_recorded": "As incidence, without clinical vertebral fractures that registers miss.",
    "deformities": "New or worse deformities of vertebrae by age band, noticed or not.",
    "spine": "Deformities, height loss, kyphosis and back of the living, at index and anniversaries.",
    "mortality": "Deaths by age band.",
    "nursing_home": "People who enter a nursing home after a fracture, by age band.",
    "falls": "Months with at least one fall by age band.",
    "deaths_attributable": "Deaths that fractures cause, and the excess of deaths after a fracture.",
    "risks": "Risk of a first event over the whole study, death competing, by age band at index.",
    "refracture": "Risk of a further fracture by years since the first one in follow-up.",
    "kyphosis": "How many people have which kyphosis at index.",
    "height_loss": "How many people have lost how much height at index.",
    "visits": "Mean changes of density and turnover markers since index, at the study's visits.",
    "averted": "What each arm averts against the first, everybody together.",
    "averted_by_age": "What each arm averts against the first, by sex and age band at index.",
}
OF_AVERTED = "; in averted and averted_by_age"
LIMIT = (
    "",
    "{} limit of the 95 % interval: of a rate exact Poisson (Garwood 1936); of a risk Aalen-Johansen"
    " with Wilson's limits; of a share of people Wilson; of deaths caused scaled Poisson"
    + OF_AVERTED
    + " of averted_per_1000, from the differences of each person",
)
AT_RISK_OF = "; in refracture since the first fracture"
COLUMNS = {
    "versus": ("", "the arm that `arm` is compared with"),
    "age_band": (
        "a",
        "band of age at the time; in averted_by_age, risks and distributions at index",
    ),
    "year": ("a", "years since index, 0 = index"),
    "years": ("a", f"years since index{AT_RISK_OF}"),
    "site": ("", "fracture site or vertebral_deformity; in mean_abmd density site"),
    "outcome": ("", "group of fracture sites, fracture site or death"),
    "event": ("", "fracture site, group of sites, any_fracture or another event"),
    "people": (
        "1",
        "living people; in risks people at index, in refracture people with a fracture"
        + OF_AVERTED
        + " people at index",
    ),
    "at_risk": ("1", "people alive, observed and without the event at that time"),
    "events": ("1", f"fractures, also a person's second one; in risks people{OF_AVERTED} in `arm`"),
    "events_versus": ("1", "events in `versus`"),
    "deaths": ("1", "deaths; in risks and refracture those before the event"),
    "entries": ("1", "people who enter a nursing home"),
    "falls": ("1", "months with at least one fall"),
    "person_years": ("a", "time lived by everybody in the stratum, also after a fracture"),
    "rate_per_1000": ("/1000 a", "events (deaths, entries, falls) per 1,000 person-years"),
    "percent": ("%", "risk of the event until then, death competing; in distributions of people"),
    "without_percent": ("%", "share alive without the event"),
    "low": (LIMIT[0], LIMIT[1].format("lower")),
    "high": (LIMIT[0], LIMIT[1].format("upper")),
    "from": ("cm or deg", "lower end of an interval, which belongs to it"),
    "to": ("cm or deg", "upper end of an interval"),
    "averted": (
        "1",
        "events in `versus` minus events in `arm`: the same people with the same luck",
    ),
    "averted_per_1000": ("/1000", "averted events per 1,000 people at index"),
    "caused": ("1", "deaths that fractures cause: sum of the part of each death's hazard"),
    "caused_percent": ("%", "deaths that fractures cause, percent of all deaths"),
    "caused_per_1000": ("/1000 a", "deaths that fractures cause per 1,000 person-years"),
    "deaths_after": ("1", "deaths of people who had a fracture in follow-up"),
    "person_years_after": ("a", "time lived after the first fracture in follow-up"),
    "expected_after": (
        "1",
        "deaths expected in that time at the rates of the same sex, age and stratum without fracture",
    ),
    "excess_after": ("1", "deaths_after less expected_after, at ages that have both"),
    "excess_low": ("1", "lower limit of the 95 % interval of excess_after (normal)"),
    "excess_high": ("1", "upper limit of the 95 % interval of excess_after (normal)"),
    "caused_after": ("1", "deaths that fractures cause, from the first one in follow-up on"),
    "caused_of_excess_percent": ("%", "caused_after, percent of excess_after"),
    "deformities": ("1", "deformed vertebrae, T4 to L4, of all people together"),
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
SHARES = {
    **{name: f"in the class {name}" for name in CLASSES},
    "deformed": "with a deformed vertebra",
    "mild": "whose worst vertebra has grade 1",
    "moderate": "whose worst vertebra has grade 2",
    "severe": "whose worst vertebra has grade 3",
    "hyperkyphotic": "with a kyphosis of at least spine.hyperkyphosis_from",
    "back_pain": "with back pain",
    "back_disability": "disabled by their back",
    "limited_activity": "whose back limits them on 7 days a year or more",
    "bed_rest": "whose back keeps them in bed on a day a year or more",
}
OF_SHARE = {
    "": ("1", "living people {}"),
    "percent": ("%", "people {}, percent of the living"),
    "low": ("%", "lower limit of the 95 % interval of that percent (Wilson)"),
    "high": ("%", "upper limit of the 95 % interval of that percent (Wilson)"),
}
MEANS = {
    "height_loss": ("cm", "height lost since youth"),
    "kyphosis": ("deg", "kyphosis (Cobb angle T4 to T12)"),
}
OF_MEAN = {
    "mean": "mean {}",
    "sd": "standard deviation between people of {}",
    "low": "lower limit of the 95 % interval of the mean {} (normal)",
    "high": "upper limit of the 95 % interval of the mean {} (normal)",
}
CODED = {
    "arm": "arm",
    "cohort": "cohort",
    "sex": "sex",
    "class": "class of density at the start of the month",
    "event": "death, the site of a fracture, vertebral deformity or nursing home entry",
    "level": "level of the vertebra",
    "shape": "shape of the deformity",
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
    name, _, part = (column, "", "") if column in SHARES else column.rpartition("_")
    if name in SHARES:
        unit, meaning = OF_SHARE[part]
        return unit, meaning.format(SHARES[name])
    unit, what = MEANS[name]
    return unit, OF_MEAN[part].format(what)


def _core_column(
    spec: Mapping[str, Any] | None, column: str, dtype: pl.DataType
) -> tuple[str, str]:
    if spec is None and column in BACK:
        return "", f"true for people {SHARES[column]}"
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

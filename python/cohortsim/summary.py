"""The summary tables of a run, and the files that stand beside its parts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from cohortsim import document, store
from cohortsim.core import core

if TYPE_CHECKING:
    from cohortsim.results import Results


def tables(results: Results) -> dict[str, pl.DataFrame]:
    """Return the summary tables by name."""
    who = ["arm", "sex", "age_band"]
    if len(results.scenario.cohorts) > 1:
        who.insert(1, "cohort")
    made = {
        "prevalence": results.prevalence(by=[*who, "year"]),
        "mean_abmd": results.mean_abmd(by=[*who[:-1], "site", "year"]),
        "incidence": results.incidence(by=[*who, "site"]),
        "incidence_all_ages": results.incidence(by=[*who[:-1], "site"]),
        "incidence_any_site": results.incidence(by=who),
        "mortality": results.mortality(by=who),
        "falls": results.falls(by=who),
    }
    if len(results.arms) > 1:
        compared = [results.averted(arm) for arm in results.arms[1:]]
        made["averted"] = pl.concat(compared)
        strata = ["cohort", "sex"] if "cohort" in who else ["sex"]
        split = [results.averted(arm, by=[*strata, "age_band"]) for arm in results.arms[1:]]
        made["averted_by_age"] = pl.concat(split)
    return made


def write(results: Results, folder: Path) -> None:
    """Write the summary tables, the resolved scenario and the data dictionary."""
    (folder / "tables").mkdir(exist_ok=True)
    for name, frame in tables(results).items():
        store.write_parquet(frame, folder / "tables" / f"{name}.parquet")
        store.write_text(folder / "tables" / f"{name}.csv", frame.write_csv(float_precision=6))
    header = (
        "# The study with every value that it did not say itself. Data files of one's own are\n"
        "# not copied here; provenance.json holds their values and repeats the run without them.\n"
    )
    store.write_text(folder / "scenario.yaml", header + document.dump(results.scenario.plain()))
    store.write_text(folder / "README.txt", dictionary(results))


def records(results: Results) -> dict[str, list[dict[str, Any]]]:
    """Return the summary tables as plain data."""
    return {name: frame.to_dicts() for name, frame in tables(results).items()}


MEASURES = """\
tables/ (each as CSV, for R and Excel, and as Parquet)
  events           fractures (or deaths, falls); every fracture counts, also a person's second
  person_years     time of everybody alive, years
  rate_per_1000    events per 1,000 person-years; low, high: exact 95 % Poisson interval (Garwood)
  people           people alive at the anniversary `year` (0 = index), or at index
  normal, osteopenia, osteoporosis   people in each class of the T-score at the scenario's site;
                   *_percent of the living; *_low, *_high: 95 % interval (Wilson), percent
  abmd_g_per_cm2   mean areal bone mineral density, g/cm2
  averted          events in `versus` minus events in `arm`, the same people in both;
                   averted_per_1000 people at index; low, high: 95 % interval from the
                   differences of each person
  falls            months with at least one fall
"""


def dictionary(results: Results) -> str:
    """Return the data dictionary: each table, each column, its unit and meaning."""
    scenario = results.scenario
    lines = [
        f"Results of {scenario.name}" + (f": {scenario.title}" if scenario.title else ""),
        "",
        f"{scenario.people} people, {scenario.years} years by the month, seed {scenario.seed}.",
        f"Arms: {', '.join(results.arms)}.",
        "",
        "scenario.yaml     the study with every value resolved",
        "provenance.json   versions, every value with unit and source, the request, fingerprints;",
        "                  `cohortsim run provenance.json` repeats the run exactly",
        "run.json          marks whose run this folder holds",
        "",
        MEASURES,
        "Rows of single people and strata (folders of Parquet files; read all files of a folder).",
        "Codes are stored as names; a month is 43 830 minutes, a year 525 960.",
    ]
    schemas = {name: getattr(results, name).collect_schema() for name in results.kept}
    for table, specs in core().column_specs().items():
        if table not in schemas:
            continue
        lines += ["", f"{table}/"]
        for spec in specs:
            lines.append(f"  {spec['name']:<20} {spec['unit']:<11} {spec['meaning']}")
        extra = [name for name in schemas[table] if name not in {s["name"] for s in specs}]
        if extra:
            lines.append(
                f"  (risk_factors is stored as one yes/no column each: {', '.join(extra)})"
            )
    return "\n".join(lines) + "\n"

"""The summary tables of a run, and the files that stand beside its parts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from cohortsim import document, store
from cohortsim.columns import DEATH, DEFORMITY
from cohortsim.dictionary import dictionary

if TYPE_CHECKING:
    from cohortsim.results import Results


def tables(results: Results) -> Iterator[tuple[str, pl.DataFrame]]:
    """Yield the summary tables with their names."""
    who = ["arm", "sex", "age_band"]
    if len(results.scenario.cohorts) > 1:
        who.insert(1, "cohort")
    yield "prevalence", results.prevalence(by=[*who, "year"])
    yield "mean_abmd", results.mean_abmd(by=[*who[:-1], "site", "year"])
    yield "incidence", results.incidence(by=[*who, "site"])
    yield "incidence_all_ages", results.incidence(by=[*who[:-1], "site"])
    yield "incidence_any_site", results.incidence(by=who)
    yield "incidence_by_class", results.incidence(by=[*who[:-1], "class", "site"])
    yield "incidence_recorded", results.incidence(by=[*who, "site"], recorded_only=True)
    yield "deformities", results.incidence(by=who, sites=DEFORMITY)
    yield "spine", results.spine(by=[*who, "year"])
    yield "mortality", results.mortality(by=who)
    yield "nursing_home", results.nursing_home(by=who)
    yield "falls", results.falls(by=who)
    if "persons" in results.kept:
        yield "deaths_attributable", results.deaths_attributable(by=who)
        yield "risks", _risks(results, who)
        yield "refracture", results.refracture("any", by=who[:-1])
        yield "kyphosis", results.distribution("kyphosis", by=who[1:])
        yield "height_loss", results.distribution("height_loss", by=who[1:])
    if "visits" in results.kept:
        yield "visits", results.visits()
    others = results.arms[1:]
    if others:
        strata = who[1:]
        yield "averted", pl.concat([results.averted(arm) for arm in others])
        split = [results.averted(arm, by=strata) for arm in others]
        yield "averted_by_age", pl.concat(split)


def _risks(results: Results, by: list[str]) -> pl.DataFrame:
    """Return the risks over the whole study of each group of sites, hip fracture and death."""
    outcomes = [*results.groups, *(site for site in results.sites if site == "hip"), DEATH]
    kind = pl.Enum(outcomes)
    return pl.concat(
        results.cumulative_incidence(outcome, results.scenario.years, by=by).select(
            pl.lit(outcome).cast(kind).alias("outcome"), pl.all()
        )
        for outcome in outcomes
    )


def write(
    results: Results, own_files: Mapping[str, str], folder: Path, pause: Callable[[], None]
) -> None:
    """Write the summary tables, the resolved scenario, its data files and the data dictionary."""
    (folder / "tables").mkdir(exist_ok=True)
    made = {}
    for name, frame in tables(results):
        pause()
        store.write_parquet(frame, folder / "tables" / f"{name}.parquet")
        store.write_text(folder / "tables" / f"{name}.csv", frame.write_csv(float_precision=6))
        made[name] = frame
    for name, text in own_files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        store.write_text(folder / name, text)
    header = (
        "# The study with every value that it did not say itself. The study's own data files lie\n"
        "# beside it; provenance.json repeats the run with the very same values.\n"
    )
    store.write_text(folder / "scenario.yaml", header + document.dump(results.scenario.plain()))
    store.write_text(folder / "README.txt", dictionary(results, made))


def records(results: Results) -> dict[str, list[dict[str, Any]]]:
    """Return the summary tables as plain data."""
    return {name: frame.to_dicts() for name, frame in tables(results)}

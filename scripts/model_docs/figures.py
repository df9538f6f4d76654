"""The figures of the pages: simulated courses with published points, and density over life."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cohortsim as cs
import polars as pl
from cohortsim.store import write_text
from cohortsim.validation import figures
from cohortsim.validation.courses import CHANGE
from cohortsim.validation.targets import LAYERS, Target, targets

from model_docs import outcome_figures

TRIALS = {  # figure: the trial that it shows
    "remodeling": "denosumab_off",
    "hormones": "menopause_transition",
    "minerals": "calcium_supplement",
    "loading": "bed_rest",
}
TO_PLACEBO = "difference to placebo, pp"
CLASSES = (  # what, trial, what is drawn, where
    ("bisphosphonate by mouth, hip", "flex_from_fit", CHANGE, "total_hip"),
    ("one infusion of a bisphosphonate, hip", "single_zoledronate", TO_PLACEBO, "total_hip"),
    ("RANKL antibody, hip", "denosumab_off", CHANGE, "total_hip"),
    ("sclerostin antibody, hip", "romosozumab_off", CHANGE, "total_hip"),
    ("PTH analogue and RANKL antibody, hip", "data_trial", CHANGE, "total_hip"),
    ("estrogen and progestin, spine", "pepi", CHANGE, "lumbar_spine"),
    ("receptor modulator, spine", "more", TO_PLACEBO, "lumbar_spine"),
    ("aromatase inhibitor, hip", "atac", CHANGE, "total_hip"),
    (
        "glucocorticoid, spine",
        "glucocorticoid_cohort",
        "difference to untreated, pp",
        "lumbar_spine",
    ),
)
AGES = range(30, 96, 5)
PEOPLE_AT_AN_AGE = 400
OLDEST = 90  # of the open age group of 80 and over, for the place of its point
SITES = {"lumbar_spine": "lumbar spine", "total_hip": "total hip"}


def draw(folder: Path) -> None:
    """Simulate, and write each figure as SVG."""
    import vl_convert

    folder.mkdir(parents=True, exist_ok=True)
    for name, chart in _charts().items():
        write_text(folder / f"{name}.svg", vl_convert.vegalite_to_svg(chart.to_dict()))


def _charts() -> dict[str, Any]:
    validation = cs.validate(LAYERS, progress=True)

    def of(trial: str) -> tuple[pl.DataFrame, pl.DataFrame]:
        mine = pl.col("trial") == trial
        return validation.curves.filter(mine), validation.table.filter(mine)

    charts = {
        name: figures.trial(*of(trial), validation.titles[trial]) for name, trial in TRIALS.items()
    }
    panels = [
        figures.panel(*of(trial), title, axis, measure) for title, trial, axis, measure in CLASSES
    ]
    charts["medicines"] = figures.board(panels, "Response to each class")
    charts["density"] = _life()
    return charts | outcome_figures.charts()


def _life() -> Any:
    """Return density over life: simulated by age, and the published points."""
    cohorts = [
        {
            "name": f"{sex}_{age}",
            "population": "us_nonhispanic_white",
            "share": 1 / (2 * len(AGES)),
            "sexes": [sex],
            "ages": {"from": age, "to": age},
        }
        for sex in ("women", "men")
        for age in AGES
    ]
    study = {
        "cohortsim": 1,
        "name": "density_over_life",
        "people": PEOPLE_AT_AN_AGE * len(cohorts),
        "years": 1,
        "cohorts": cohorts,
        "record": {"persons": False, "visits": [0]},
    }
    rows = cs.run(study).visits().with_columns(pl.col("cohort", "measure").cast(pl.String))
    sex, age = (pl.col("cohort").str.split("_").list.get(k) for k in (0, 1))
    lines = rows.with_columns(series=sex, age=age.cast(pl.Float64) + 0.5)
    points = [_point(t) for t in targets("life_course") if t.kind == "peak"]
    return figures.over_age(lines, pl.DataFrame(points), SITES)


def _point(target: Target) -> dict[str, Any]:
    scenario = cs.load(target.trial)
    cohort = next(c for c in scenario.cohorts if c.name == target.cohort)
    return {
        "series": cohort.sexes[0],
        "age": (cohort.ages.from_ + min(cohort.ages.to, OLDEST) + 1) / 2,
        "measure": target.measure,
        "published": target.published,
        "published_low": target.low,
        "published_high": target.high,
        "use": "calibrated" if target.calibrated else "compared",
    }

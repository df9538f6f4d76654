"""The file of published outcomes, and the tables, bars, screen and page made of it."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import cohortsim as cs
import polars as pl
import pytest
from cohortsim.validation import courses, page
from cohortsim.validation import table as tables
from cohortsim.validation.outcomes import bars, figures, screen, table, words
from cohortsim.validation.outcomes import targets as published
from cohortsim.validation.outcomes.measures import MEASURES
from cohortsim.validation.outcomes.sums import Compared
from cohortsim.validation.outcomes.targets import Outcome
from ruamel.yaml import YAML

DATA = Path(__file__).resolve().parents[2] / "python" / "cohortsim" / "data"
OUTCOMES = published.outcomes()
STUDIES = {
    path.stem: YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    for kind in ("trials", "studies")
    for path in sorted((DATA / kind).glob("*.yaml"))
}


def test_every_outcome_is_well_formed() -> None:
    assert len(OUTCOMES) > 400
    assert len({o.id for o in OUTCOMES}) == len(OUTCOMES)
    assert {o.layer for o in OUTCOMES} == set(published.LAYERS)
    sources = (DATA / "references.bib").read_text(encoding="utf-8")
    for o in OUTCOMES:
        assert (o.low or o.published) <= o.published <= (o.high or o.published), o.id
        assert o.age_from <= o.age_to, o.id
        assert o.study in STUDIES, o.id
        assert f"{{{o.source}," in sources, o.id


def test_arms_and_cohorts_are_in_their_study() -> None:
    for o in OUTCOMES:
        scenario = STUDIES[o.study]
        arms = {"", "controls", "intact", "deformed"}
        arms |= {arm["name"] for arm in scenario.get("arms", [])}
        assert {o.arm, o.against} <= arms, o.id
        assert o.cohort in {"", *(cohort["name"] for cohort in scenario["cohorts"])}, o.id
        is_lifelong = o.measure in ("excess_deaths", "death_ratio")
        assert is_lifelong or (o.years or 0) <= scenario["years"], o.id


def test_no_medicine_is_fitted_on_fractures() -> None:
    assert not [o.id for o in OUTCOMES if o.layer == "trials" and o.calibrated]


def test_every_study_is_named_by_an_outcome() -> None:
    studies = {path.stem for path in (DATA / "studies").glob("*.yaml")}
    assert studies == {o.study for o in OUTCOMES} & studies


def test_wrong_rows_are_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "outcomes.csv"
    with published.PATH.open(encoding="utf-8", newline="") as file:
        good = next(csv.DictReader(file))
    wrong = [good | {"measure": "guess"}, good | {"value": "much"}, good | {"layer": "luck"}]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, published.COLUMNS)
        writer.writeheader()
        writer.writerows([good, *wrong])
    with pytest.raises(cs.CatalogError) as caught:
        published.outcomes(path=path)
    assert [str(p).split()[0] for p in caught.value.problems] == [
        f"outcomes.csv:{line}" for line in (3, 4, 5)
    ]


def test_every_measure_is_described_and_used() -> None:
    assert all(measure.meaning for measure in MEASURES.values())
    assert {o.measure for o in OUTCOMES} == set(MEASURES)


# --- tables, bars, screen, page -------------------------------------------------------------------


def beside(outcome: Outcome, times: float) -> Compared:
    """A comparison that is off by so many times."""
    value = outcome.published * times
    return Compared(outcome, value, 0.9 * value, 1.1 * value, 0.05 * value, 1000)


def all_off(times: float) -> pl.DataFrame:
    """The table of all outcomes, all off by so many times."""
    return table.table([beside(o, times) for o in OUTCOMES])


def test_every_bar_is_met_where_all_numbers_agree() -> None:
    made = bars.bars(all_off(1.0))
    wrong = made.filter(pl.col("status") != "met")
    # published gradients are no more than three tenths from 2.9, and every null is in its interval
    assert wrong.is_empty(), wrong
    assert made["points"].min() > 0  # type: ignore[operator]


def test_bars_are_not_met_where_numbers_are_far_off() -> None:
    made = bars.bars(all_off(3.0))
    met = made.filter(status="met")["bar"].to_list()
    assert all("steps down" in bar for bar in met), met


def test_only_bars_of_the_layers_that_were_asked_for_are_judged() -> None:
    rows = all_off(1.0).filter(layer="mortality")
    assert bars.bars(rows)["bar"].to_list() == [
        "excess deaths after hip fracture at 1, 2 and 5 years: largest miss"
    ]


def test_agreement_by_layer_and_use() -> None:
    made = table.summary(all_off(1.1))
    assert set(made["layer"]) == set(published.LAYERS)
    assert made["median_off_percent"].to_list() == pytest.approx([10.0] * made.height)
    assert made["within_25_percent"].to_list() == pytest.approx([100.0] * made.height)
    assert made["not_evaluated"].sum() == 0


def validation(rows: pl.DataFrame) -> cs.Validation:
    """A validation of outcomes alone."""
    nothing = tables.table([])
    return cs.Validation(
        table=nothing,
        summary=tables.summary(nothing),
        bars=bars.bars(rows),
        curves=courses.none(),
        titles={},
        seconds=1.0,
        outcomes=rows,
    )


def test_the_screen_has_eighty_columns_and_tells_a_reason_once() -> None:
    none = [Compared(o, reason="nobody came") for o in OUTCOMES if o.layer == "mortality"]
    rows = pl.concat([all_off(1.2).filter(pl.col("layer") != "mortality"), table.table(none)])
    text = validation(rows).text()
    assert max(map(len, text.splitlines())) <= 80
    assert "fit1: risk ratio, deformity, RR; compared; black1996" in text
    assert "Agreement of outcomes" in text
    groups = rows.filter(layer="mortality").group_by(screen.KEYS).len().height
    assert text.count("nobody came") == groups


def test_every_row_has_words_of_its_own() -> None:
    assert set(words.TITLES) == set(MEASURES)
    assert set(words.LAYERS) == set(published.LAYERS)
    row = table.table([beside(next(o for o in OUTCOMES if o.id == "TRL-006"), 1.0)]).row(
        0, named=True
    )
    assert words.what(row) == "risk ratio, deformity"
    assert words.who(row) == "alendronate against placebo"


def test_the_page_has_a_figure_for_each_layer(tmp_path: Path) -> None:
    kept = [o for o in OUTCOMES if o.layer in ("mortality", "spine")]
    made = validation(table.table([beside(o, 1.1) for o in kept]))
    folder = page.claimed(tmp_path / "there")
    page.write(made, folder)
    assert pl.read_csv(folder / "outcomes.csv")["id"].to_list() == made.outcomes["id"].to_list()
    text = (folder / "index.html").read_text(encoding="utf-8")
    for layer in ("mortality", "spine"):
        assert (folder / "figures" / f"{layer}.svg").read_text().startswith("<svg")
        assert f'src="figures/{layer}.svg"' in text
    assert "Density and turnover" not in text


def test_numbers_by_age_are_drawn_over_age() -> None:
    drawn = dict(figures.drawn(all_off(1.1)))
    panels = figures.layer(drawn["mortality"], "mortality").to_dict()["vconcat"]
    titles = [panel["title"]["text"] for panel in panels[0]["concat"]]
    assert titles[0] == "excess deaths after fracture, hip, 1 a"
    assert len(titles) == 4
    nothing = replace(OUTCOMES[0], layer="risk")
    assert not dict(figures.drawn(table.table([Compared(nothing, reason="no")])))

"""Means at visits against a slow twin over people, and what is kept and told of the table."""

from __future__ import annotations

import math
import re
import statistics
from typing import Any

import cohortsim as cs
import numpy as np
import polars as pl
import pytest
from cohortsim import columns, dictionary, provenance, summary, visits
from cohortsim.fields import DensitySite
from cohortsim.results import Results
from hypothesis import given
from hypothesis import strategies as st

SITES = ["lumbar_spine", "total_hip", "femoral_neck", "distal_radius"]
REQUEST = {
    "risk_factors": [],
    "arms": [{"name": "treated"}, {"name": "usual"}],
    "cohorts": [{"name": "women"}],
    "fracture_sites": [],
}
NAMES = columns.Names(REQUEST, SITES)


def part(rows: list[tuple[int, int, int, list[int], list[int]]]) -> pl.LazyFrame:
    """Return a part of the table from (arm, month, measure, changes, distances) of people."""
    raw = {
        "arm": np.array([r[0] for r in rows], dtype=np.uint8),
        "cohort": np.zeros(len(rows), dtype=np.uint8),
        "month": np.array([r[1] for r in rows], dtype=np.uint16),
        "measure": np.array([r[2] for r in rows], dtype=np.uint8),
        "people": np.array([len(r[3]) for r in rows], dtype=np.uint64),
        "change_sum": np.array([sum(r[3]) for r in rows], dtype=np.int64),
        "change_square_sum": np.array([sum(x * x for x in r[3]) for r in rows], dtype=np.int64),
        "peak_sum": np.array([sum(r[4]) for r in rows], dtype=np.int64),
    }
    return columns.frame(raw, NAMES).lazy()


people = st.lists(st.integers(-100_000, 300_000), min_size=1, max_size=9)


@given(st.lists(people, min_size=1, max_size=4))
def test_means_and_spread_are_those_of_all_people_together(batches: list[list[int]]) -> None:
    parts = [part([(1, 12, 4, changes, [2 * x for x in changes])]) for changes in batches]
    (row,) = visits.changes(pl.concat(parts)).to_dicts()
    everybody = [x / 1000 for changes in batches for x in changes]  # 1e-5 is a thousandth of a %
    assert (row["arm"], row["cohort"], row["month"], row["measure"]) == (
        "usual",
        "women",
        12,
        "ctx",
    )
    assert row["people"] == len(everybody)
    assert row["change_percent"] == pytest.approx(statistics.fmean(everybody), abs=1e-9)
    assert row["from_peak_percent"] == pytest.approx(2 * statistics.fmean(everybody), abs=1e-9)
    if len(everybody) == 1:
        assert row["sd_percent"] is row["se_percent"] is None
    else:
        assert row["sd_percent"] == pytest.approx(statistics.stdev(everybody), abs=1e-9)
        error = row["sd_percent"] / math.sqrt(len(everybody))
        assert row["se_percent"] == pytest.approx(error, abs=1e-12)
    together = [x for changes in batches for x in changes]
    whole = part([(1, 12, 4, together, [2 * x for x in together])])
    assert visits.changes(whole).to_dicts() == [row]  # to the last bit, in any batches


def test_nothing_is_lost_in_large_sums() -> None:
    n, mean = 10**8, 10**5  # as many people as anybody simulates, all near +100 %
    row = part([(0, 0, 0, [mean], [0])]).collect()
    square = n * mean * mean + n
    sums = {"people": n, "change_sum": n * mean, "change_square_sum": square, "peak_sum": -n}
    found = visits.changes(row.with_columns(*(pl.lit(v).alias(k) for k, v in sums.items())).lazy())
    assert found["sd_percent"].to_list() == pytest.approx([0.001], rel=1e-6)
    assert found["change_percent"].to_list() == [100.0]
    assert found["from_peak_percent"].to_list() == [-0.001]


def test_rows_are_sorted_and_measures_have_names() -> None:
    rows = [(arm, month, m, [5], [1]) for m in (5, 0) for month in (12, 0) for arm in (1, 0)]
    found = visits.changes(part(rows))
    assert found.columns == [
        *("arm", "cohort", "month", "measure", "people"),
        *("change_percent", "sd_percent", "se_percent", "from_peak_percent"),
    ]
    keys = found.select("arm", "month", "measure").rows()
    assert keys == [
        (arm, month, measure)
        for arm in ("treated", "usual")
        for month in (0, 12)
        for measure in ("lumbar_spine", "p1np")
    ]
    assert visits.changes(part([])).schema == found.schema


def test_visits_are_kept_only_where_they_are_asked_for() -> None:
    assert "visits" not in columns.kept(True)
    assert columns.kept(False, visits=True) == [
        *("events", "person_time", "states", "spine", "visits")
    ]
    assert set(provenance.SUMMED["visits"]) == set(visits.KEYS)


def results_of(study: cs.Scenario, parts: dict[str, list[pl.LazyFrame]]) -> cs.Results:
    return Results(parts, {"scenario": study.plain(), "fracture_sites": []})


def test_results_hand_out_visits_or_say_how_to_get_them(study: cs.Scenario) -> None:
    with pytest.raises(
        cs.ResultsError, match=r"no table visits; .*set `record: {visits: \[0, 12\]}"
    ):
        results_of(study, {}).visits()
    with pytest.raises(cs.ResultsError, match=r"no table persons; .*set `record: {persons: true}"):
        _ = results_of(study, {}).persons
    with pytest.raises(cs.ResultsError, match='did you mean "visits"'):
        results_of(study, {}).rows("visit")
    rows = [(0, 0, 2, [0, 0], [-5, -7])]
    results = results_of(study, {"visits": [part(rows), part(rows)]})
    assert results.visits()["people"].to_list() == [4]
    assert results.rows("visits").collect().height == 2
    assert results.visits(arm="usual_care").height + results.visits(arm="treated").height == 1
    assert results.visits(measure="femoral_neck").height == 1
    assert results.visits(measure=["ctx", "total_hip"]).is_empty()
    with pytest.raises(cs.ResultsError, match=r'no measure "hips"; .*ctx, p1np'):
        results.visits(measure="hips")


def test_the_dictionary_tells_each_column_of_the_summary() -> None:
    assert "visits" in dictionary.TABLES
    known = dictionary.COLUMNS.keys() | dictionary.CODED.keys()
    assert set(visits.changes(part([])).columns) <= known


def test_the_summary_holds_visits_only_where_they_are_kept(
    study: cs.Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    rates = ("incidence", "mortality", "falls", "nursing_home", "averted")
    for name in ("prevalence", "mean_abmd", "spine", *rates):
        monkeypatch.setattr(Results, name, lambda *_, **__: pl.DataFrame())
    with_visits = results_of(study, {"visits": [part([(0, 0, 0, [1], [1])])]})
    assert "visits" in dict(summary.tables(with_visits))
    assert "visits" not in dict(summary.tables(results_of(study, {})))


def test_measures_are_named_as_the_density_sites() -> None:
    from typing import get_args

    assert [*get_args(DensitySite), *columns.MARKERS] == NAMES.categories["measure"]


def test_a_run_keeps_visits(study: cs.Scenario, tmp_path: Any) -> None:
    record = {"persons": False, "visits": [0, 12, 36]}
    results = cs.run(study.changed(record=record), out=tmp_path / "out")
    found = results.visits()
    assert found["month"].unique().sort().to_list() == [0, 12, 36]
    at_index = found.filter(pl.col("month") == 0)
    assert at_index["change_percent"].to_list() == [0.0] * at_index.height
    csv = pl.read_csv(tmp_path / "out" / "tables" / "visits.csv")
    assert csv.height == found.height
    assert re.search("^  measure +text ", (tmp_path / "out" / "README.txt").read_text(), re.M)
    assert not (cs.run(study, out=tmp_path / "none").folder / "tables" / "visits.csv").exists()  # type: ignore[operator]

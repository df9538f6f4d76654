"""Calibration: what is free, how it is weighed, what is written; a fit finds what was put in."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from cohortsim.calibration import courses, evidence, fit, report, write
from cohortsim.calibration.free import Free
from cohortsim.calibration.trials import Refitted
from cohortsim.catalog import SHIPPED, Catalog
from cohortsim.document import trail

CATALOG = Catalog()
EVIDENCE = evidence.Evidence()
FREE = Free.of(CATALOG)


def few(*names: str) -> Free:
    """Only some of the free numbers."""
    return Free({name: FREE.quantities[name] for name in names})


class TestEvidence:
    def test_every_target_of_a_typical_person_has_its_arms_and_a_scale(self) -> None:
        assert len(EVIDENCE.targets) > 200
        for target in EVIDENCE.targets:
            assert target.arm in EVIDENCE.arms
            assert target.other_arm is None or target.other_arm in EVIDENCE.arms
            assert EVIDENCE.scale(target) > 0

    def test_only_rows_that_may_be_fitted_are_fitted(self) -> None:
        use = {row["id"]: row["use"] for row in EVIDENCE.rows}
        assert {use[target.id] for target in EVIDENCE.targets if target.fitted} == {"calibrate"}
        assert {use[target.id] for target in EVIDENCE.targets if not target.fitted} == {"compare"}

    def test_every_row_that_says_it_is_fitted_is(self) -> None:
        said = {row["id"] for row in EVIDENCE.rows if row["use"] == "calibrate"}
        assert said == {target.id for target in EVIDENCE.targets if target.fitted}

    def test_no_target_is_a_fracture(self) -> None:
        assert {target.measure for target in EVIDENCE.targets} <= set(evidence.MEASURES)

    def test_weights_name_trials_that_there_are(self) -> None:
        trials = {target.trial for target in EVIDENCE.targets}
        assert set(EVIDENCE.weights.trial_scale) <= trials
        assert set(EVIDENCE.weights.menopause_spread.trials) <= trials
        assert set(EVIDENCE.weights.scale) == set(evidence.MEASURES)


class TestFree:
    def test_what_is_marked_calibrated_is_free_and_nothing_else(self) -> None:
        assert "remodeling.coupling_rate" in FREE.names
        assert "medicines.alendronate.effects[0].amount" in FREE.names
        assert all(quantity.status == "calibrated" for quantity in FREE.quantities.values())

    def test_the_scale_is_inverted_and_stays_within_the_plausible_range(self) -> None:
        values = FREE.values(FREE.scaled(FREE.shipped))
        edge = 1e-4 * (FREE.high - FREE.low)
        inside = np.clip(FREE.shipped, FREE.low + edge, FREE.high - edge)
        np.testing.assert_allclose(values, inside, rtol=1e-9, atol=1e-12)
        for far in (-40.0, 40.0):
            extreme = FREE.values(np.full(len(FREE.names), far))
            slack = 1e-12 * (FREE.high - FREE.low)
            assert np.all((extreme >= FREE.low - slack) & (extreme <= FREE.high + slack))


class TestCourses:
    def test_sets_of_values_do_not_see_each_other(self) -> None:
        made = courses.Courses(EVIDENCE, CATALOG, FREE)
        other = FREE.values(FREE.scaled(FREE.shipped) + 0.1)
        both = made.simulated(np.vstack([FREE.shipped, other]))
        np.testing.assert_array_equal(both[0], made.simulated(FREE.shipped)[0])
        np.testing.assert_array_equal(both[1], made.simulated(other)[0])
        assert np.all(np.isfinite(both))

    def test_people_in_lanes_are_people_one_by_one(self) -> None:
        made = courses.Courses(EVIDENCE, CATALOG, FREE, people=8)
        one_by_one = []
        for normals in made.normals:
            alone = courses.Courses(EVIDENCE, CATALOG, FREE)
            alone.normals = [normals]
            one_by_one.append(alone.simulated(FREE.shipped)[0])
        mean = np.mean(one_by_one, axis=0)
        plain = [not target.is_yearly and not target.other_arm for target in made.targets]
        np.testing.assert_allclose(made.simulated(FREE.shipped)[0][plain], mean[plain], rtol=1e-9)

    def test_treatment_before_index_ends_at_index(self) -> None:
        arm = EVIDENCE.arms["flex/placebo"]
        assert arm.months_before_index == 60
        made = courses.Courses(EVIDENCE, CATALOG, FREE)
        effects = made._course(arm, [{}])["effects"][0]
        treated = [e for e in effects if e["target"] == "bisphosphonate_uptake"]
        assert [(e["start_month"], e["stop_month"]) for e in treated] == [(0, 60)]


class TestFit:
    def test_a_fit_finds_the_values_that_made_its_targets(self) -> None:
        names = ("medicines.antibody_half_effect", "remodeling.turnover_rate.hip_trabecular")
        free = few(*names)
        made = courses.Courses(EVIDENCE, CATALOG, free)
        truth = free.shipped * np.array([1.6, 1.15])
        seen = made.simulated(truth)[0]
        made.targets = [
            dataclasses.replace(target, value=float(value), fitted=True)
            for target, value in zip(made.targets, seen, strict=True)
        ]
        problem = fit._Problem(made)
        found = problem.solved(free.scaled(free.shipped), 30)
        # The pull to the middle of the range moves a well-known value by next to nothing.
        np.testing.assert_allclose(list(found.values.values()), truth, rtol=5e-3)
        assert np.all(found.told_by_data() > 0.9)
        assert found.unidentified() == []

    def test_what_nothing_depends_on_is_reported_as_unidentified(self) -> None:
        free = few("hormones.replacement_efficacy", "medicines.pth_formation_stimulus")
        made = courses.Courses(EVIDENCE, CATALOG, free)
        made.targets = [
            dataclasses.replace(t, fitted=t.arm == "pepi/estrogen_progestin") for t in made.targets
        ]
        found = fit._Problem(made).at(free.scaled(free.shipped), 0.0)
        (ratio, named), *others = found.unidentified()
        assert ratio < 1e-9 and not others
        assert named[0][0] == "medicines.pth_formation_stimulus"

    def test_the_report_shows_every_target_and_every_value(self) -> None:
        made = courses.Courses(EVIDENCE, CATALOG, FREE)
        found = fit._Problem(made).at(FREE.scaled(FREE.shipped), 0.0)
        text = report.text(found)
        assert all(target.id[:26] in text for target in EVIDENCE.targets)
        assert all(name in text for name in FREE.names)
        assert "Directions that the data do not identify" in text

    def test_no_start_is_an_error(self) -> None:
        with pytest.raises(ValueError, match="no start"):
            fit.calibrate(starts=0, from_shipped=False)


class TestRefitted:
    def test_replaced_numbers_reach_parameters_and_medicines_and_nothing_else(self) -> None:
        values = {"remodeling.coupling_rate": 4.0, "medicines.alendronate.effects[0].amount": 50.0}
        changed = Refitted(CATALOG, values)
        assert changed.parameters["remodeling.coupling_rate"].value == 4.0
        assert changed.medicine("alendronate").effects[0].amount.value == 50.0
        same = "remodeling.modelling_rate"
        assert changed.parameters[same] == CATALOG.parameters[same]
        assert changed.medicine("denosumab") == CATALOG.medicine("denosumab")


class TestWriting:
    def test_only_the_numbers_change(self) -> None:
        text = "# head\na:\n  value: 1.5   # why\n  list: [{value: 2, unit: x}]\n"
        places = {trail("a.value"): 0.25, trail("a.list[0].value"): 3e-7}
        expected = "# head\na:\n  value: 0.25   # why\n  list: [{value: 3e-07, unit: x}]\n"
        assert write.replaced(text, places) == expected

    def test_files_hold_what_was_fitted(self, tmp_path: Path) -> None:
        for kind in ("parameters", "medicines", "evidence"):
            (tmp_path / kind).mkdir()
            for path in (SHIPPED / kind).iterdir():
                (tmp_path / kind / path.name).write_bytes(path.read_bytes())
        made = courses.Courses(EVIDENCE, CATALOG, FREE)
        found = fit._Problem(made).at(FREE.scaled(FREE.shipped) + 0.05, 0.0)
        written = write.write(found, tmp_path)
        again = Free.of(Catalog(shipped=tmp_path))
        assert again.names == FREE.names
        np.testing.assert_allclose(again.shipped, list(found.values.values()), rtol=1e-5)
        assert tmp_path / "evidence" / "fit.csv" in written

    def test_the_shipped_table_of_the_fit_is_of_the_shipped_values(self) -> None:
        import csv

        with (SHIPPED / "evidence" / "fit.csv").open(encoding="utf-8") as file:
            rows = {row["name"]: float(row["value"]) for row in csv.DictReader(file)}
        assert list(rows) == FREE.names
        np.testing.assert_allclose(list(rows.values()), FREE.shipped, rtol=1e-5)

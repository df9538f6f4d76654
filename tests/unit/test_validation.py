"""Published numbers beside simulated ones: every form of `against`, and what cannot be evaluated."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cohortsim as cs
import polars as pl
import pytest
from cohortsim.running import Step
from cohortsim.validation import bars as judged
from cohortsim.validation import compare, courses, figures, page, screen, trials
from cohortsim.validation import table as tables
from cohortsim.validation import targets as published
from cohortsim.validation.compare import Comparison, Tallies, evaluated
from cohortsim.validation.targets import Target
from cohortsim.validation.trials import Observed
from scipy.stats import t as student

PEOPLE = 10  # in each group
MEANS = {  # change from index, %, of the four groups
    ("placebo", "women", 12): (-1.0, -2.0, -3.0, -2.0),
    ("placebo", "women", 24): (-4.0, -5.0, -6.0, -5.0),
    ("treated", "women", 12): (2.0, 1.0, 0.0, 1.0),
    ("treated", "women", 24): (3.0, 3.0, 3.0, 3.0),
    ("placebo", "men", 12): (-1.0, -1.0, -1.0, -1.0),
}
GROUPS = 4
SPREAD = 2.0  # standard deviation of the change within each group, %
T = float(student.ppf(0.975, GROUPS - 1))
SCENARIO = cs.Scenario(
    name="made_up",
    title="A trial that nobody held",
    people=80,
    years=2,
    cohorts=[
        cs.Cohort(name="women", population="us", share=0.5, sexes=["women"]),
        cs.Cohort(name="men", population="us", share=0.5, sexes=["men"]),
    ],
    arms=[cs.Arm(name="placebo"), cs.Arm(name="treated")],
    record=cs.Record(persons=True, visits=[0, 12, 24]),
)
TARGET = Target(
    id="A",
    layer="medicines",
    trial="made_up",
    cohort="women",
    arm="placebo",
    kind="change",
    measure="total_hip",
    month=12,
    published=-1.5,
    source="nobody2000",
)


def row(arm: str, cohort: str, month: int, group: int, mean: float) -> dict[str, object]:
    """Sums of ten people: five above the mean, five below, so that their spread is `SPREAD`."""
    step = SPREAD * math.sqrt((PEOPLE - 1) / PEOPLE)
    each = [round((mean + sign * step) * 1000) for sign in (1, -1) for _ in range(PEOPLE // 2)]
    return {
        "group": group,
        "arm": arm,
        "cohort": cohort,
        "month": month,
        "measure": "total_hip",
        "people": PEOPLE,
        "change_sum": sum(each),
        "change_square_sum": sum(value * value for value in each),
        "peak_sum": sum(each) - 10_000 * PEOPLE,
    }


def pairs() -> pl.DataFrame:
    """Density at index and at the end of four people in each of two groups, placebo, women."""
    people = {0: [(1, 1), (2, 2), (3, 3), (4, 5)], 1: [(1, 2), (2, 1), (3, 4), (4, 3)]}
    rows = [
        {
            "group": group,
            "arm": "placebo",
            "cohort": "women",
            "measure": "total_hip",
            "people": len(both),
            "x": sum(x for x, _ in both),
            "y": sum(y for _, y in both),
            "xx": sum(x * x for x, _ in both),
            "yy": sum(y * y for _, y in both),
            "xy": sum(x * y for x, y in both),
        }
        for group, both in people.items()
    ]
    return pl.DataFrame(rows)


@pytest.fixture
def tallies() -> Tallies:
    """A trial by hand: two arms, two cohorts, four groups of ten people each."""
    rows = [
        row(*key, group, mean) for key, means in MEANS.items() for group, mean in enumerate(means)
    ]
    return Tallies(Observed("made_up", SCENARIO, pl.DataFrame(rows), pairs()))


def test_change_from_index_with_the_interval_of_the_mean_of_groups(tallies: Tallies) -> None:
    found = evaluated(TARGET, tallies)
    assert found.simulated == pytest.approx(-2.0)
    assert found.difference == pytest.approx(-0.5)
    assert found.people == GROUPS * PEOPLE
    error = math.sqrt(2 / 3 / GROUPS)  # the variance of the groups' means is 2/3
    assert found.low == pytest.approx(-2.0 - T * error)
    assert found.high == pytest.approx(-2.0 + T * error)


def test_groups_of_unequal_size_weigh_by_their_people() -> None:
    rows = pl.DataFrame([row("placebo", "women", 12, g, m) for g, m in ((0, 1.0), (1, 4.0))])
    twice = pl.col("people", "change_sum", "change_square_sum", "peak_sum") * 2
    uneven = pl.concat(
        [rows.filter(pl.col("group") == 0), rows.filter(group=1).with_columns(twice)]
    )
    found = evaluated(TARGET, Tallies(Observed("made_up", SCENARIO, uneven)))
    assert found.simulated == pytest.approx(3.0)
    assert found.low is not None
    assert found.low < 3.0


def test_distance_from_the_young_adult(tallies: Tallies) -> None:
    found = evaluated(replace(TARGET, kind="peak"), tallies)
    assert found.simulated == pytest.approx(-12.0)
    assert found.low is not None


def test_difference_of_arms_that_share_people_and_luck(tallies: Tallies) -> None:
    target = replace(TARGET, kind="arm", arm="treated", other="placebo")
    found = evaluated(target, tallies)
    assert (found.simulated, found.low, found.high) == pytest.approx((3.0, 3.0, 3.0))
    later = evaluated(replace(target, month=24), tallies)
    assert later.simulated == pytest.approx(8.0)
    assert later.high is not None
    assert later.high > 8.5


def test_difference_of_cohorts(tallies: Tallies) -> None:
    found = evaluated(replace(TARGET, kind="cohort", other="men"), tallies)
    assert found.simulated == pytest.approx(-2.0 - -1.0)


def test_change_per_year_between_two_visits(tallies: Tallies) -> None:
    found = evaluated(replace(TARGET, kind="yearly", from_month=12, month=24), tallies)
    assert (found.simulated, found.low, found.high) == pytest.approx((-3.0, -3.0, -3.0))


def test_spread_between_people_with_the_errors_of_two_scans(tallies: Tallies) -> None:
    men = replace(TARGET, kind="sd", cohort="men")
    found = evaluated(men, tallies, {"total_hip": 1.6})
    people = GROUPS * PEOPLE
    within = SPREAD**2 * (people - GROUPS) / (people - 1)
    assert found.simulated == pytest.approx(math.sqrt(within + 2 * 1.6**2), abs=1e-3)
    assert evaluated(men, tallies, {"total_hip": 0.0}).simulated == pytest.approx(
        math.sqrt(within), abs=1e-3
    )


def test_correlation_between_people_of_first_and_last_density(tallies: Tallies) -> None:
    found = evaluated(replace(TARGET, kind="tracking", month=24), tallies)
    x, y = [1, 2, 3, 4, 1, 2, 3, 4], [1, 2, 3, 5, 2, 1, 4, 3]
    assert found.simulated == pytest.approx(pl.DataFrame({"x": x, "y": y}).corr()["x"][1])
    assert found.people == 8


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"arm": "placebos"}, 'no arm "placebos" in the trial; did you mean "placebo"?'),
        ({"cohort": "woman"}, 'no cohort "woman" in the trial; did you mean "women"?'),
        ({"month": 18}, "no visit at month 18 in the trial"),
        ({"cohort": "men", "month": 24}, "nobody lives at month 24 (placebo, men, total_hip)"),
        ({"kind": "arm", "other": "nothing"}, 'no arm "nothing"'),
        ({"kind": "cohort", "other": "children"}, 'no cohort "children"'),
        ({"kind": "yearly", "from_month": 12}, "no time from month 12 to month 12"),
        ({"kind": "sd"}, "precision.yaml has no error of a scan for total_hip"),
        ({"kind": "tracking"}, "the trial ends at month 24"),
    ],
)
def test_what_cannot_be_evaluated_says_why(
    tallies: Tallies, changes: dict[str, object], reason: str
) -> None:
    found = evaluated(replace(TARGET, **changes), tallies)  # type: ignore[arg-type]
    assert found.simulated is None
    assert reason in found.reason


def test_a_trial_that_cannot_be_simulated_is_listed_with_its_reason() -> None:
    targets = [replace(TARGET, trial="no_such_trial"), TARGET]
    plan = trials.planned(targets[:1], 50, None)
    (observed,) = trials.observed(plan)
    found = evaluated(targets[0], Tallies(observed))
    assert "the trial cannot be simulated: no_such_trial: no such file" in found.reason
    assert courses.curves(targets, Tallies(observed)).is_empty()


def test_one_group_alone_has_no_interval() -> None:
    rows = pl.DataFrame([row("placebo", "women", 12, 0, -1.0)])
    found = evaluated(TARGET, Tallies(Observed("made_up", SCENARIO, rows)))
    assert found.simulated == pytest.approx(-1.0)
    assert found.low is None


# --- targets.csv and precision.yaml -------------------------------------------------------------


def test_layers_are_chosen_and_the_nearest_is_named() -> None:
    everything = published.targets()
    assert {t.layer for t in everything} == set(published.LAYERS)
    assert {t.layer for t in published.targets(["loading", "steroids"])} == {"loading", "steroids"}
    density = published.targets("bmd")
    assert len(density) == sum(t.is_density for t in everything)
    with pytest.raises(cs.ScenarioError, match=r'"medicine".*did you mean "medicines"'):
        published.targets(["medicine"])


def test_against_is_written_as_it_was_read() -> None:
    with (published.EVIDENCE / "targets.csv").open(encoding="utf-8") as file:
        spelled = pl.read_csv(file, infer_schema=False)["against"].fill_null("").to_list()
    assert [t.against for t in published.targets()] == spelled


def test_all_mistakes_of_the_file_are_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "targets.csv"
    good = "X,medicines,fit1,women,alendronate,,total_hip,12,1,,,%,calibrate,read,a2000,"
    wrong = [good.replace(",12,", ",soon,"), good.replace("read", "heard")]
    path.write_text("\n".join([published.HEADER, good, *wrong]), encoding="utf-8")
    with pytest.raises(cs.CatalogError) as caught:
        published.targets(path=path)
    assert [str(p).split()[0] for p in caught.value.problems] == ["targets.csv:3", "targets.csv:4"]
    path.write_text(published.HEADER.replace(",source", ""), encoding="utf-8")
    with pytest.raises(cs.CatalogError, match="no column source"):
        published.targets(path=path)


def test_every_spread_has_an_error_of_its_scans() -> None:
    known = published.precision()
    assert {t.measure for t in published.targets() if t.kind == "sd"} <= set(known)


# --- tables, bars, screen -----------------------------------------------------------------------


def compared(difference: float | None, **changes: object) -> Comparison:
    """A comparison that is off by so much."""
    target = replace(TARGET, calibrated=True, **changes)  # type: ignore[arg-type]
    if difference is None:
        return Comparison(target, reason="no such arm")
    value = target.published + difference
    return Comparison(target, value, value - 0.1, value + 0.1, 40)


def test_the_summary_holds_kinds_and_uses_apart() -> None:
    rows = tables.table(
        [
            compared(3.0),
            compared(-4.0),
            compared(None),
            compared(1.0, kind="yearly"),
            replace(compared(2.0), target=replace(TARGET, published=0.0)),
        ]
    )
    mine = tables.summary(rows).filter(layer="medicines", quantity="change", use="calibrated")
    (found,) = mine.iter_rows(named=True)
    assert (found["points"], found["not_evaluated"], found["largest"]) == (2, 1, -4.0)
    assert found["rmse"] == pytest.approx(math.sqrt(12.5))
    assert found["mean"] == pytest.approx(-0.5)
    assert tables.worst(rows)["difference"].to_list()[:2] == [-4.0, 3.0]


@pytest.mark.parametrize(("off", "status"), [(0.9, "met"), (1.1, "not met")])
def test_bars_are_met_or_not(off: float, status: str) -> None:
    found = judged.bars(tables.table([compared(off)]))
    by_name = dict(zip(found["bar"], found["status"], strict=True))
    assert by_name["RMSE of changes at the total hip"] == status
    assert by_name["largest miss of any change of density"] == "met"
    assert by_name["RMSE of changes at the lumbar spine"] == "not judged"


@pytest.mark.parametrize(("old", "status"), [(-1.3, "met"), (-0.8, "not met")])
def test_loss_in_old_age_is_held_against_that_of_the_younger(old: float, status: str) -> None:
    losses = {"age_85_plus": old, "age_67_69": -0.4}
    rows = tables.table(
        [compared(loss, kind="yearly", cohort=c, published=0.0) for c, loss in losses.items()]
    )
    (found,) = judged.bars(rows).filter(pl.col("unit") == "times").iter_rows(named=True)
    assert (found["status"], found["found"]) == (status, pytest.approx(old / -0.4))


@pytest.fixture
def validation(tallies: Tallies) -> cs.Validation:
    """A validation by hand."""
    targets = [
        replace(TARGET, low=-2.0, high=-1.0, calibrated=True),
        replace(TARGET, id="B", kind="arm", arm="treated", other="placebo", recalled=True),
        replace(TARGET, id="C", kind="yearly", from_month=12, month=24),
        replace(TARGET, id="D", kind="peak"),
        replace(TARGET, id="E", arm="nothing"),
    ]
    rows = tables.table([evaluated(target, tallies) for target in targets])
    return cs.Validation(
        table=rows,
        summary=tables.summary(rows),
        bars=judged.bars(rows),
        curves=courses.curves(targets, tallies),
        titles={"made_up": SCENARIO.title},
        seconds=1.0,
    )


def test_the_screen_has_eighty_columns_and_every_number(validation: cs.Validation) -> None:
    text = screen.text(validation)
    assert max(map(len, text.splitlines())) <= 80
    for words in (
        "made_up, women: treated against placebo; compared; nobody2000, recalled",
        "made_up, women: placebo; calibrated; nobody2000",
        "-1.50 (-2 to -1)",
        'not evaluated: no arm "nothing"',
        "Furthest off, density",
        "not judged",
    ):
        assert words in text
    assert "treated against placebo; compared" not in screen.text(validation, rows=False)


# --- figures and page ---------------------------------------------------------------------------


def test_the_folder_holds_table_figures_and_page(validation: cs.Validation, tmp_path: Path) -> None:
    folder = page.claimed(tmp_path / "there")
    page.write(validation, folder)
    assert pl.read_csv(folder / "validation.csv")["id"].to_list() == list("ABCDE")
    for name in ("all", "made_up"):
        assert (folder / "figures" / f"{name}.svg").read_text().startswith("<svg")
        assert (folder / "figures" / f"{name}.png").read_bytes().startswith(b"\x89PNG")
    text = (folder / "index.html").read_text(encoding="utf-8")
    assert 'src="figures/made_up.svg"' in text
    assert SCENARIO.title in text
    assert page.claimed(folder) == folder  # a former validation makes way
    assert not list((folder / "figures").glob("*.svg"))


def test_trials_that_cannot_be_simulated_have_no_figure(
    validation: cs.Validation, tmp_path: Path
) -> None:
    table = validation.table.with_columns(difference=pl.lit(None, dtype=pl.Float64))
    folder = page.claimed(tmp_path / "there")
    page.write(replace(validation, table=table, curves=validation.curves.clear()), folder)
    assert not list((folder / "figures").iterdir())
    assert "<img" not in (folder / "index.html").read_text(encoding="utf-8")


def test_a_figure_draws_each_course_and_point(validation: cs.Validation) -> None:
    drawn = figures.trial(validation.curves, validation.table, "A title").to_dict()
    titles = [panel["title"] for panel in drawn["concat"]]
    assert titles == ["total hip"] * 3  # changes, differences, from the young adult
    assert set(validation.curves["panel"]) == {"change from index, %", "difference to placebo, pp"}


def test_a_folder_with_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("x", encoding="utf-8")
    with pytest.raises(cs.ResultsError, match="already holds other files"):
        page.claimed(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_without_altair_the_extra_is_named_before_anything_is_simulated(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "altair", None)
    monkeypatch.setattr(trials, "observed", _never)
    with pytest.raises(cs.ResultsError, match=r"pip install 'cohortsim\[plots\]'"):
        cs.validate("minerals", out=tmp_path / "there")
    assert not (tmp_path / "there").exists()


def _never(*_: object) -> None:
    raise AssertionError("simulated")


# --- the whole line -----------------------------------------------------------------------------


def test_the_trials_of_a_layer_are_simulated_and_compared() -> None:
    told: list[int] = []
    first = _validated(lambda step: told.append(step.done))
    wanted = published.targets("loading")
    assert sorted(first.table["id"]) == sorted(target.id for target in wanted)
    assert first.table["not_evaluated"].to_list() == [""] * len(wanted)
    assert first.table["simulated_low"].null_count() == 0
    assert told[-1] == first.trials * 120
    assert told == sorted(told)
    again = cs.validate("loading", people=120, seed=5, threads=1)
    assert again.table.equals(first.table)


def _validated(report: Callable[[Step], None]) -> cs.Validation:
    from cohortsim.validation import carry_out

    return carry_out("loading", people=120, seed=5, report=report)


def test_people_or_seed_that_cannot_be_are_refused() -> None:
    with pytest.raises(cs.ScenarioError, match="people"):
        cs.validate("loading", people=0)
    assert compare.CONFIDENCE == 0.95

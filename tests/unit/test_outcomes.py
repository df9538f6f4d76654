"""Measures of outcomes, each on people made by hand."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import cohortsim as cs
import numpy as np
import polars as pl
import pytest
from cohortsim.validation.compare import NotThereError
from cohortsim.validation.outcomes import evaluated
from cohortsim.validation.outcomes.observed import Observed
from cohortsim.validation.outcomes.regression import odds_ratio, poisson
from cohortsim.validation.outcomes.sums import Compared, Sums, compared
from cohortsim.validation.outcomes.targets import Outcome

SITES = ("hip", "clinical_vertebral", "distal_forearm", "proximal_humerus", "pelvis", "other")
EVENTS = ["death", *SITES, "vertebral_deformity", "nursing_home_entry"]
MONTH = 43_830
OUTCOME = Outcome("X", "incidence", "made_up", "rate", 1.0, site="hip", unit="per 1000 py")
SCENARIO = cs.Scenario(
    name="made_up",
    people=100,
    years=4,
    cohorts=[cs.Cohort(name="people", population="us")],
    arms=[cs.Arm(name="placebo"), cs.Arm(name="treated")],
)
Row = tuple[object, ...]  # person, arm, years from index, event


def people(n: int, **columns: Any) -> pl.DataFrame:
    """Women of 70, half of them in each of two groups, unless told otherwise."""
    made = pl.DataFrame({"person": range(n)}).with_columns(
        group=pl.col("person") % 2,
        cohort=pl.lit("people", dtype=pl.Enum(["people"])),
        sex=pl.lit("women", dtype=pl.Enum(["women", "men"])),
        age_months=pl.lit(840),
    )
    return made.with_columns(**{k: pl.Series(k, v) for k, v in columns.items()})


def study(
    rows: Sequence[Row], persons: pl.DataFrame, at_exit: pl.DataFrame | None = None
) -> Observed:
    """What a study of four years would hold: every event, and all that follows from it."""
    extra = {"level": pl.String, "shape": pl.String, "grade_before": pl.Int64, "recorded": pl.Int64}
    events = [(*row, *(None,) * 3, 1)[:8] if len(row) == 4 else row for row in rows]
    schema = {"person": pl.Int64, "arm": pl.String, "time": pl.Float64, "event": pl.String, **extra}
    frame = pl.DataFrame(events, schema=schema, orient="row")
    frame = frame.join(
        persons.select("person", "group", "cohort", "sex", "age_months"), on="person"
    )
    minutes = (pl.col("time") * 12 * MONTH).round().cast(pl.Int64)
    frame = frame.with_columns(
        pl.col("event").cast(pl.Enum(EVENTS)),
        month=minutes // MONTH,
        minute=minutes % MONTH,
        age_months=pl.col("age_months") + minutes // MONTH,
    )
    arms = pl.DataFrame({"arm": ["placebo", "treated"]})
    deaths = frame.filter(pl.col("event").cast(pl.String) == "death")
    lived = persons.join(arms, how="cross").join(
        deaths.select("person", "arm", died_at="time"), on=["person", "arm"], how="left"
    )
    lived = lived.with_columns(time=pl.col("died_at").fill_null(4.0)).with_columns(
        minutes=(pl.col("time") * 12 * MONTH).cast(pl.Int64),
        died=pl.col("died_at").is_not_null(),
        age=pl.col("age_months") // 12,
    )
    follow_up = lived.select("person", "group", "arm", "minutes", "died")
    if at_exit is not None:
        follow_up = follow_up.join(at_exit, on="person")
    keys = ["group", "arm", "cohort", "sex", "age"]
    time = lived.group_by(keys).agg(pl.col("minutes").sum(), falls=pl.len())
    states = (
        lived.group_by(keys)
        .agg(normal=pl.len())
        .with_columns(year=0, site=pl.lit("femoral_neck"), osteopenia=0, osteoporosis=0)
    )
    tables = {
        "events": frame.sort("person", "arm", "month", "minute"),
        "person_time": time,
        "states": states,
        "persons": persons,
        "follow_up": follow_up,
    }
    reference = dict.fromkeys(("femoral_neck", "lumbar_spine"), (1.0, 0.1))
    return Observed("made_up", SCENARIO, tables, SITES, reference, groups=2)


def found(outcome: Outcome, seen: Observed) -> float:
    """Return the simulated number."""
    made = evaluated(outcome, seen)
    assert made.simulated is not None, made.reason
    return made.simulated


def of(measure: str, **changes: Any) -> Outcome:
    """A published number of a measure."""
    return replace(OUTCOME, measure=measure, unit="%", **changes)


# --- sums and regressions -------------------------------------------------------------------------


def test_ratios_have_positive_intervals_and_z_on_the_scale_of_logarithms() -> None:
    by_group = np.array([[2.0, 10.0], [4.0, 10.0], [3.0, 10.0]])
    outcome = replace(OUTCOME, unit="RR", published=0.5, low=0.25, high=1.0)
    made = compared(outcome, Sums(by_group, np.full(3, 10.0), lambda t: float(t[0] / t[1])))
    assert made.simulated == pytest.approx(0.3)
    assert made.low is not None and made.error is not None and made.low > 0
    error = math.log(4) / (2 * 1.959964)
    z = (math.log(0.3) - math.log(0.5)) / math.hypot(error, made.error)
    assert made.z == pytest.approx(z)
    assert made.inside is True
    assert Compared(outcome).z is None


def test_poisson_regression_gives_the_rates_it_was_made_of() -> None:
    x = np.array([[1.0, a, b] for a in (0, 1) for b in (0, 1, 2)])
    time = np.array([10.0, 20.0, 30.0, 40.0, 50.0, 60.0])
    b = np.array([-1.0, 0.7, -0.3])
    assert poisson(x, time * np.exp(x @ b), time) == pytest.approx(b)
    with pytest.raises(NotThereError, match="only 1 events"):
        poisson(x, np.array([1.0, 0, 0, 0, 0, 0]), time)


def test_odds_ratio_of_mantel_and_haenszel() -> None:
    table = np.array([[[80.0, 20.0], [10.0, 10.0]], [[30.0, 30.0], [5.0, 20.0]]])
    above = 10 * 80 / 120 + 20 * 30 / 85
    below = 10 * 20 / 120 + 5 * 30 / 85
    assert odds_ratio(table) == pytest.approx(above / below)


# --- incidence and risk ---------------------------------------------------------------------------


def test_rate_counts_every_event_and_risk_only_the_first() -> None:
    seen = study([(0, "placebo", 1.0, "hip"), (0, "placebo", 2.0, "hip")], people(10))
    assert found(OUTCOME, seen) == pytest.approx(1000 * 2 / 40)
    assert found(of("risk"), seen) == pytest.approx(10.0)
    assert found(of("risk", years=0.5), seen) == 0
    assert "the study lasts 4 years" in evaluated(of("risk", years=9.0), seen).reason
    assert found(of("per_fall"), seen) == pytest.approx(100 * 2 / 10)


def test_registers_miss_clinical_vertebral_fractures() -> None:
    rows: list[Row] = [
        (0, "placebo", 1.0, "clinical_vertebral", None, None, None, 0),
        (1, "placebo", 1.0, "clinical_vertebral", None, None, None, 1),
    ]
    seen = study(rows, people(10))
    assert found(of("risk", site="clinical_vertebral"), seen) == pytest.approx(10.0)
    assert found(of("share", site="clinical_vertebral"), seen) == pytest.approx(20.0)


def test_rates_are_standardised_to_the_ages_at_index() -> None:
    persons = people(10, age_months=[600] * 2 + [900] * 8)
    seen = study([(0, "placebo", 1.0, "hip"), (2, "placebo", 1.0, "hip")], persons)
    rates = 0.2 * 1 / (2 * 4) + 0.8 * 1 / (8 * 4)
    assert found(OUTCOME, seen) == pytest.approx(1000 * rates)


# --- trials ---------------------------------------------------------------------------------------


def test_deformities_count_when_a_film_shows_them() -> None:
    deformity = ("vertebral_deformity", "T8", "wedge", 0, 1)
    rows: list[Row] = [
        (0, "placebo", 0.5, *deformity),
        (1, "placebo", 1.2, *deformity),
        (1, "placebo", 1.5, "death"),  # dies before the film that would have shown it
        (2, "placebo", 3.9, *deformity),
        (3, "placebo", 0.5, "death"),  # has no film at all
        (4, "placebo", 0.5, "vertebral_deformity", "T8", "wedge", 1, 1),  # an old one got worse
        (2, "treated", 3.9, *deformity),
    ]
    seen = study(rows, people(10))
    new = of("share", site="new_vertebral_deformity")
    assert found(new, seen) == pytest.approx(100 * 2 / 9)
    assert found(replace(new, years=2.0), seen) == pytest.approx(100 / 9)
    assert found(replace(new, site="vertebral_deformity"), seen) == pytest.approx(100 * 3 / 9)
    both = replace(new, measure="risk_ratio", arm="treated", against="placebo", unit="RR")
    assert found(both, seen) == pytest.approx((1 / 10) / (2 / 9))


def test_hazard_and_odds_ratios_of_clinical_fractures() -> None:
    rows: list[Row] = [
        (0, "placebo", 1.0, "hip"),
        (1, "placebo", 2.0, "hip"),
        (2, "placebo", 1.0, "death"),
        (0, "treated", 2.0, "hip"),
        (2, "treated", 1.0, "death"),
    ]
    seen = study(rows, people(10))
    hazard = of("hazard_ratio", arm="treated", against="placebo")
    assert found(hazard, seen) == pytest.approx((1 / 35) / (2 / 32))
    assert found(replace(hazard, measure="odds_ratio"), seen) == pytest.approx((1 / 9) / (2 / 8))
    assert 'no arm "aspirin"' in evaluated(replace(hazard, arm="aspirin"), seen).reason


# --- gradients and repeats ------------------------------------------------------------------------


def cohort(n: int = 60_000) -> Observed:
    """People whose hazard doubles with a factor and rises 2.5 times per SD of density lost."""
    luck = np.random.default_rng(1)
    age = luck.integers(60 * 12, 80 * 12, n)
    z = luck.standard_normal(n)
    prior = luck.random(n) < 0.3
    hazard = 0.01 * 2.0**prior * 2.5**-z * 1.08 ** (age / 12 - 70)
    when = luck.exponential(1 / hazard)
    persons = people(
        n,
        age_months=age,
        abmd_femoral_neck=1 - 0.005 * (age / 12 - 70) + 0.1 * z,
        prior_fracture=prior,
    )
    rows = [(int(k), "placebo", float(when[k]), "hip") for k in np.flatnonzero(when < 4)]
    return study(rows, persons)


def test_gradients_are_those_that_people_were_made_with() -> None:
    seen = cohort()
    gradient = of("per_sd", factor="abmd_femoral_neck", published=2.5)
    assert found(gradient, seen) == pytest.approx(2.5, rel=0.06)
    prior = of("ratio", factor="prior_fracture", published=2.0)
    assert found(prior, seen) == pytest.approx(2.0, rel=0.08)
    adjusted = replace(prior, measure="ratio_at_same_density")
    assert found(adjusted, seen) == pytest.approx(2.0, rel=0.08)
    rise = of("rise", age_from=62, age_to=78)
    by_density = replace(rise, measure="rise_by_density")
    assert found(by_density, seen) == pytest.approx(
        2.5 ** (0.05 * 16 / math.hypot(1, 0.29)), rel=0.1
    )
    assert found(rise, seen) > found(by_density, seen) > 1
    assert "no column smoking" in evaluated(of("ratio", factor="smoking"), seen).reason
    assert "nobody" in evaluated(replace(gradient, age_from=90), seen).reason


def test_fractures_after_a_first_one() -> None:
    rows: list[Row] = [(k, "placebo", 1.0, "hip") for k in range(20)]
    rows += [(k, "placebo", 1.9, "hip") for k in range(5)]
    seen = study(rows, people(100))
    within = of("next_within", years=1.0)
    assert found(within, seen) == pytest.approx(25.0)
    again = of("after_first", years=1.0, published=1.0)  # half a year to one and a half after it
    assert found(again, seen) == pytest.approx((5 / 20) / (25 / 400))


# --- spine ----------------------------------------------------------------------------------------


def test_height_and_kyphosis_for_one_deformity() -> None:
    n = 200
    persons = people(n, height_loss=np.zeros(n), kyphosis=np.full(n, 40.0))
    persons = persons.with_columns(
        age_months=pl.Series([780 + (k % 7) * 24 for k in range(n)]),
        deformities=pl.Series([k % 3 for k in range(n)]),
    )
    rows: list[Row] = []
    lost, bent = 0.02 * (persons["age_months"].to_numpy() / 12), np.full(n, 42.0)
    for k in range(0, n, 4):
        shape, cost = (("wedge", 0.9), ("crush", 1.2))[k % 8 // 4]
        level = "L2" if k % 12 == 0 else "T8"
        rows.append((k, "placebo", 1.0, "vertebral_deformity", level, shape, 0, 1))
        lost[k] += cost
        bent[k] += 0 if level == "L2" else 3.8
    back = pl.DataFrame(
        {
            "person": range(n),
            "height_loss": lost,
            "kyphosis": bent,
            "back_pain": [k % 8 == 0 or k % 5 == 0 for k in range(n)],
        }
    )
    seen = study(rows, persons, back)
    assert found(of("height_lost_by", factor="wedge"), seen) == pytest.approx(0.9)
    assert found(of("height_lost_by", factor="crush"), seen) == pytest.approx(1.2)
    assert found(of("kyphosis_by"), seen) == pytest.approx(3.8)
    assert found(of("kyphosis"), seen) == pytest.approx(40.0)
    assert found(of("kyphosis_spread"), seen) == pytest.approx(0.0, abs=1e-6)
    assert found(of("deformed"), seen) == pytest.approx(100 * 133 / 200)
    on_films = of("on_films", published=1.0, site="vertebral_deformity")
    assert found(on_films, seen) == pytest.approx(1000 * 50 / (200 * 4))
    odds = of("back", factor="back_pain", against="deformed")
    assert found(odds, seen) > 2
    assert found(of("new_within", site="vertebral_deformity", factor="deformities:2+"), seen) > 0


def test_prevalence_at_the_lower_of_two_sites() -> None:
    neck, spine = [0.7, 0.95, 0.85, 1.0], [1.0, 0.75, 0.95, 1.0]
    seen = study([], people(4, abmd_femoral_neck=neck, abmd_lumbar_spine=spine))
    either = of("class_share", site="femoral_neck_or_lumbar_spine", factor="osteoporosis")
    assert found(either, seen) == pytest.approx(50.0)
    assert found(replace(either, factor="low_bone_mass"), seen) == pytest.approx(25.0)
    assert found(replace(either, site="femoral_neck"), seen) == pytest.approx(25.0)


# --- deaths ---------------------------------------------------------------------------------------


def test_excess_deaths_are_against_people_of_the_same_age_without_a_fracture() -> None:
    rows: list[Row] = [(k, "placebo", 0.25, "hip") for k in range(20)]
    rows += [(k, "placebo", 0.75, "death") for k in range(10)]
    rows += [(k, "placebo", 0.8, "death") for k in range(20, 40)]
    seen = study(rows, people(120))
    excess = of("excess_deaths", age_from=70, age_to=70, years=1.0)
    assert found(excess, seen) == pytest.approx(100 * (10 / 20 - 30 / 120))
    assert found(replace(excess, measure="death_ratio"), seen) == pytest.approx(0.5 / 0.25)
    smr = replace(excess, measure="mortality_ratio", years=1.0)
    assert found(smr, seen) > 1
    hazard = replace(excess, measure="death_hazard_ratio", years=0.25)
    assert "nothing" in evaluated(hazard, seen).reason or found(hazard, seen) >= 0


def test_a_study_that_cannot_be_simulated_is_told() -> None:
    made = evaluated(OUTCOME, Observed("made_up", failure="no such file"))
    assert made.reason == "the study cannot be simulated: no such file"

"""Fit the relative hazard of death after a hip fracture, by time since the fracture.

The first three months are taken over from the meta-analysis (Haentjens 2010: relative hazard 5.75
in women, 7.95 in men). The three later intervals (3-12, 12-24 and 24-60 months) are fitted, for each
sex, to the excess risk of death at 1, 2 and 5 years at ages 70, 80 and 90 that the same article
reports against the US white life table of 2004. The life table used here is that of all races, 2004,
which is slightly heavier.

    S0(t) = exp(-sum of life-table hazards)          survival without the fracture, from exact age
    S1(t) = exp(-sum of ratio x life-table hazards)  survival after the fracture
    excess risk at t = S0(t) - S1(t)

Constraints: every ratio is at least 1 and none is above the one before it. The loss is the sum of
squared (model - target) / SE, where SE = width of the 95 % interval / 3.92. One-year excess risks are
printed without an interval: they get the relative SE of the two-year figure of the same sex and age.

The ranges printed with the ratios are 95 % ranges of refits to targets drawn anew from their standard
errors (fixed seed). Targets of one sex share cohorts and a model, so these ranges are too narrow.

Usage: fit_mortality_after_hip.py --data DIR --targets CSV
    DIR holds lifetable_us_1970_2020.csv (year, sex, age, qx); CSV is the table of published targets,
    of which only rows with use=calibrate are read. Needs numpy and scipy.
"""

from __future__ import annotations

import argparse
import csv
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

Floats = NDArray[np.float64]

LIFE_TABLE_YEAR = 2004
MONTHS_PER_YEAR = 12
FOLLOW_UP_MONTHS = 60
INTERVAL_STARTS_MONTHS = (0, 3, 12, 24)
WIDTH_OF_95_PERCENT_INTERVAL_IN_SE = 3.92
SEXES = {"F": "women", "M": "men"}
REFITS = 400
SEED = 1


@dataclass(frozen=True)
class Target:
    """One published excess risk of death after hip fracture."""

    id: str
    sex: str
    age_years: int
    at_months: int
    excess_risk: float
    standard_error: float


def calibration_rows(path: Path) -> list[dict[str, str]]:
    """Rows on mortality after hip fracture that may be fitted."""
    with path.open(newline="", encoding="utf-8") as file:
        return [
            row
            for row in csv.DictReader(file)
            if row["use"] == "calibrate" and row["topic"] == "mortality" and row["site"] == "hip"
        ]


def early_ratios(rows: list[dict[str, str]]) -> dict[str, float]:
    """Relative hazard of death in the first three months, by sex."""
    return {
        row["sex"]: float(row["value"])
        for row in rows
        if row["quantity"].startswith("relative hazard of death")
    }


def excess_targets(rows: list[dict[str, str]]) -> list[Target]:
    """Excess risks with their standard errors, as proportions."""
    relative_se: dict[tuple[str, str, int], float] = {}
    parsed: list[tuple[str, str, int, int, float]] = []
    for row in rows:
        if not row["quantity"].startswith("excess risk of death at"):
            continue
        years = int(row["quantity"].removeprefix("excess risk of death at ").removesuffix(" y"))
        value = float(row["value"])
        parsed.append((row["id"], row["sex"], int(row["age_min"]), years, value))
        if row["low"] and row["high"]:
            width = float(row["high"]) - float(row["low"])
            relative_se[row["sex"], row["age_min"], years] = (
                width / WIDTH_OF_95_PERCENT_INTERVAL_IN_SE / value
            )
    return [
        Target(
            id=id_,
            sex=sex,
            age_years=age,
            at_months=years * MONTHS_PER_YEAR,
            excess_risk=value / 100,
            standard_error=relative_se.get((sex, str(age), years), relative_se[sex, str(age), 2])
            * value
            / 100,
        )
        for id_, sex, age, years, value in parsed
    ]


def yearly_hazards(path: Path, sex: str) -> dict[int, float]:
    """Hazard of death per year by age, constant within a year of age."""
    with path.open(newline="", encoding="utf-8") as file:
        return {
            int(row["age"]): float(-np.log1p(-float(row["qx"])))
            for row in csv.DictReader(file)
            if int(row["year"]) == LIFE_TABLE_YEAR and row["sex"] == sex
        }


def monthly_hazards(hazards: dict[int, float], age_years: int) -> Floats:
    """Life-table hazard of each follow-up month, from an exact age on."""
    return np.array(
        [
            hazards[age_years + month // MONTHS_PER_YEAR] / MONTHS_PER_YEAR
            for month in range(FOLLOW_UP_MONTHS)
        ]
    )


def monthly_ratios(ratios: Floats) -> Floats:
    """Relative hazard of each follow-up month, from the ratio of each interval."""
    interval = (
        np.searchsorted(INTERVAL_STARTS_MONTHS, np.arange(FOLLOW_UP_MONTHS), side="right") - 1
    )
    return ratios[interval]


def excess_risk(background: Floats, ratios: Floats, at_months: int) -> float:
    """Difference in cumulative mortality with and without the fracture."""
    without = np.exp(-background[:at_months].sum())
    with_fracture = np.exp(-(background * monthly_ratios(ratios))[:at_months].sum())
    return float(without - with_fracture)


def ordered_ratios(shares: Floats, early: float) -> Floats:
    """Ratios >= 1 that never rise: each keeps a share (0 to 1) of the previous one's excess."""
    return np.concatenate([[early], 1 + (early - 1) * np.cumprod(shares)])


def fitted_ratios(targets: list[Target], hazards: dict[int, float], early: float) -> Floats:
    """Least-squares ratios of all four intervals; the first is given."""

    def residuals(shares: Floats) -> Floats:
        ratios = ordered_ratios(shares, early)
        return np.array([standardised_residual(target, hazards, ratios) for target in targets])

    start = np.full(len(INTERVAL_STARTS_MONTHS) - 1, 0.5)
    solution = least_squares(residuals, start, bounds=(0.0, 1.0), xtol=1e-12, ftol=1e-12)
    return ordered_ratios(solution.x, early)


def standardised_residual(target: Target, hazards: dict[int, float], ratios: Floats) -> float:
    """(Model - target) in standard errors of the target."""
    model = excess_risk(monthly_hazards(hazards, target.age_years), ratios, target.at_months)
    return (model - target.excess_risk) / target.standard_error


def refit_ranges(targets: list[Target], hazards: dict[int, float], early: float) -> Floats:
    """2.5th and 97.5th percentile of the ratios, refitted to targets drawn anew."""
    generator = np.random.default_rng(SEED)
    refits = [
        fitted_ratios(
            [
                replace(t, excess_risk=generator.normal(t.excess_risk, t.standard_error))
                for t in targets
            ],
            hazards,
            early,
        )
        for _ in range(REFITS)
    ]
    return np.percentile(np.array(refits), [2.5, 97.5], axis=0)


def report(
    targets: list[Target], hazards: dict[int, float], ratios: Floats, ranges: Floats
) -> None:
    """Print the ratios, then target, fitted value and residual of every row."""
    for start, ratio, low, high in zip(INTERVAL_STARTS_MONTHS, ratios, *ranges, strict=True):
        print(f"  from month {start:2d}: relative hazard {ratio:.2f} ({low:.2f} to {high:.2f})")
    print("  row      age  years  target %  fitted %  residual (points)  residual / SE")
    for target in targets:
        fitted = excess_risk(monthly_hazards(hazards, target.age_years), ratios, target.at_months)
        points = 100 * (fitted - target.excess_risk)
        in_se = standardised_residual(target, hazards, ratios)
        print(
            f"  {target.id}  {target.age_years:3d}  {target.at_months // MONTHS_PER_YEAR:5d}"
            f"  {100 * target.excess_risk:8.1f}  {100 * fitted:8.1f}"
            f"  {points:17.1f}  {in_se:13.2f}"
        )


def main() -> None:
    """Fit both sexes and print what came out."""
    parser = argparse.ArgumentParser(
        description="Fit the relative hazard of death after hip fracture."
    )
    parser.add_argument(
        "--data", type=Path, default=Path("../shared/data"), help="folder with the life table"
    )
    parser.add_argument(
        "--targets",
        type=Path,
        default=Path("../shared/targets/calibration.csv"),
        help="published targets",
    )
    arguments = parser.parse_args()
    rows = calibration_rows(arguments.targets)
    early = early_ratios(rows)
    for sex, label in SEXES.items():
        targets = [target for target in excess_targets(rows) if target.sex == sex]
        hazards = yearly_hazards(arguments.data / "lifetable_us_1970_2020.csv", sex)
        ratios = fitted_ratios(targets, hazards, early[sex])
        print(f"{label}:")
        report(targets, hazards, ratios, refit_ranges(targets, hazards, early[sex]))


if __name__ == "__main__":
    main()

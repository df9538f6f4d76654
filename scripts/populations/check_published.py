"""Compare the written tables with the published totals that they are laid out from, in print."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from populations import deformity, europe
from populations.definitions import OLDER_FROM, OPEN_AGE, SEXES, YOUNGEST, Array
from populations.density_offset import MIDDLES, SWEDISH, shares, swedish_offset
from populations.lifetime import lifetime_risk
from populations.published_incidence import HIP_ALL_65, HIP_NHW
from populations.rates import BANDS, Rate, band_mean, log_linear
from populations.reading import column
from populations.simulated import Tables


def check_published(out: Path) -> None:
    """Print table values beside published ones for every population."""
    print(
        "\npublished -> table, per 1,000 person-years, with the ages of the population's own table"
    )
    for sex in SEXES:
        rate = incidence(out / "us_nonhispanic_white", "hip", sex)
        persons = ages(out / "us", sex)
        bands = zip(BANDS, HIP_NHW[sex], strict=True)
        pairs = [
            f"{seen:.2f} -> {1000 * band_mean(rate, persons, *band):.2f}" for band, seen in bands
        ]
        print(f"  us_nonhispanic_white hip {sex} 50-54 .. 85+: {', '.join(pairs)}")
        made = 1000 * band_mean(incidence(out / "us", "hip", sex), persons, 65, OPEN_AGE)
        print(f"  us hip {sex} 65+: {HIP_ALL_65[sex]:.2f} -> {made:.2f}")
        print_deformities(out, sex)
    for (site, sex), total in europe.CPRD.items():
        rate = incidence(out / "uk", site, sex)
        made = 1000 * band_mean(rate, ages(out / "uk", sex), OLDER_FROM, OPEN_AGE)
        print(f"  uk {site} {sex} 50+: {total:.2f} -> {made:.2f}")
    print("Sweden, remaining lifetime risk at 45, percent, by the formula")
    for (site, sex), risk in europe.MALMO.items():
        rate = incidence(out / "sweden", site, sex)
        table = pl.read_csv(out / "sweden" / "life_table.csv")
        here = (pl.col("year") == europe.LIFE_TABLE_YEAR) & (pl.col("age") >= europe.START)
        made = lifetime_risk(rate, column(table.filter(here).sort("age"), sex), europe.START)
        crude = 1000 * band_mean(rate, ages(out / "sweden", sex), OLDER_FROM, OPEN_AGE)
        print(f"  {site} {sex}: {100 * risk:.1f} -> {100 * made:.1f}; 50+ {crude:.2f} per 1,000")
    print_density(out)


def print_deformities(out: Path, sex: str) -> None:
    """Vertebral deformities at both published ages."""
    part = pl.read_csv(out / "us" / "vertebral_deformity.csv").filter(pl.col("sex") == sex)
    rate = log_linear(column(part, "age"), column(part, "rate"))
    made = 1000 * rate(deformity.MIDDLES[[0, -1]]) / deformity.PER_FILM[sex][[3, -2]]
    low, high, mean = deformity.EPOS[sex]
    text = f"{low} -> {made[0]:.1f}, {high} -> {made[1]:.1f} (and the mean {mean} by construction)"
    print(f"  vertebral deformity {sex}, 50-54 and 75-79: {text}")


def print_density(out: Path) -> None:
    """Osteoporosis at the femoral neck in Sweden with the least-squares offset."""
    tables = Tables.read(out / "us_nonhispanic_white", out / "us")
    offset = swedish_offset(tables)
    print(f"Sweden: femoral-neck offset {offset:+.3f} g/cm2; percent osteoporosis by age")
    for sex, published in SWEDISH.items():
        made = shares(tables, sex, offset)
        rows = zip(MIDDLES, published, made, strict=True)
        print(f"  {sex}: " + ", ".join(f"{age:.0f}: {a:.1f} -> {b:.1f}" for age, a, b in rows))


def incidence(folder: Path, site: str, sex: str) -> Rate:
    """Rate by age of a written table."""
    table = pl.read_csv(folder / "fracture_incidence.csv")
    part = table.filter((pl.col("site") == site) & (pl.col("sex") == sex))
    return log_linear(column(part, "age"), column(part, "rate"))


def ages(folder: Path, sex: str) -> Array:
    """Persons by completed age 0 .. 100 of a written table; none below 20."""
    written = column(pl.read_csv(folder / "age_structure.csv"), sex)
    return np.concatenate([np.zeros(YOUNGEST), written])

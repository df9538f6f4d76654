"""The shipped populations against what was measured in them; tolerances stand where used."""

from __future__ import annotations

import csv
from pathlib import Path

import cohortsim as cs
import numpy as np
import polars as pl
import pytest
from cohortsim.catalog import Catalog
from scipy.special import ndtri

HERE = Path(__file__).parent
MINUTES_PER_YEAR = 12 * 43_830


def rows(name: str) -> list[dict[str, str]]:
    """Rows of a table of published figures."""
    with (HERE / name).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(
    "figure", rows("nhanes_femoral_neck.csv"), ids=lambda f: "-".join(list(f.values())[:3])
)
def test_density_classes_at_index_agree_with_nhanes(
    figure: dict[str, str], request: pytest.FixtureRequest
) -> None:
    """Within 2 percentage points; chance adds at most 0.3 (binomial, 7,000 people in a stratum)."""
    results: cs.Results = request.getfixturevalue(figure["population"])
    decade = int(figure["decade"])
    oldest = 200 if decade == 80 else decade + 9
    found = (
        results.states.filter(
            (pl.col("site") == "femoral_neck")
            & (pl.col("year") == 0)
            & (pl.col("sex") == figure["sex"])
            & pl.col("age").is_between(decade, oldest)
        )
        .select(pl.col("normal", "osteopenia", "osteoporosis").sum())
        .collect()
        .row(0, named=True)
    )
    people = sum(found.values())
    for name in ("osteoporosis", "osteopenia"):
        percent = 100 * found[name] / people
        published = float(figure[f"{name}_percent"])
        assert abs(percent - published) < 2.0, f"{name}: {percent:.1f} %, NHANES {published} %"


@pytest.mark.parametrize(
    "figure", rows("ettinger2010_hip.csv"), ids=lambda f: "-".join(list(f.values())[:2])
)
def test_hip_fracture_incidence_agrees_with_the_united_states(
    figure: dict[str, str], us_nonhispanic_white: cs.Results
) -> None:
    """Within 25 % over ten years; both are of non-Hispanic white people.

    The simulated rates start from these very figures: the test is that ageing, loss of bone and
    survival keep them there, not an independent validation.
    """
    low, high = int(figure["age_from"]), int(figure["age_to"])
    of_sex = pl.col("sex") == figure["sex"]
    minutes = (
        us_nonhispanic_white.person_time.filter(of_sex & pl.col("age").is_between(low, high))
        .select(pl.col("minutes").sum())
        .collect()
        .item()
    )
    events = (
        us_nonhispanic_white.events.filter(
            of_sex & (pl.col("event") == "hip") & (pl.col("age_months") // 12).is_between(low, high)
        )
        .select(pl.len())
        .collect()
        .item()
    )
    rate = 1000 * events / (minutes / MINUTES_PER_YEAR)
    published = float(figure["per_1000_person_years"])
    assert abs(rate / published - 1) < 0.25, f"{rate:.2f}, published {published}"


def test_the_share_of_older_people_who_fall_agrees_with_the_united_states(us: cs.Results) -> None:
    """28.7 % of people 65 and over fell in a year (Bergen 2016), which fixed the level of falls.

    The share follows from the simulated rate by age and sex and from the spread of proneness. 2
    points are for falls in a month of death and for vitamin D and activity, which spread rates.
    """
    proneness = Catalog().parameters["falls.proneness_sd"].value
    z = (np.arange(2000) + 0.5) / 2000
    spread = np.exp(proneness * ndtri(z) - proneness**2 / 2)
    strata = (
        us.person_time.filter(pl.col("age") >= 65)
        .group_by("sex", "age")
        .agg(pl.col("minutes", "falls").sum())
        .sort("sex", "age")
        .collect()
    )
    people = strata["minutes"].to_numpy().astype(float)
    rate = strata["falls"].to_numpy() / (people / MINUTES_PER_YEAR)
    fell = (1 - np.exp(-rate[:, None] * spread)).mean(axis=1)
    share = 100 * float((fell * people).sum() / people.sum())
    assert abs(share - 28.7) < 2.0

"""Lives without chance, month by month: every kind of exposure alone, in sequence and after it ends."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from cohortsim import _core

from . import arms
from .balance import SITES
from .pairs import shipped
from .populations import Plain
from .rounding import DENSITY_IN_SINGLE, RESORPTION_IN_SINGLE
from .systems import TARGETS

COLUMNS_IN_SINGLE = RESORPTION_IN_SINGLE
"""Densities, and what the cells and pools of medicines are."""


@pytest.fixture(scope="module")
def study() -> Plain:
    return arms.request_of(shipped(), {})


@pytest.fixture(scope="module")
def models(study: Plain) -> dict[str, Any]:
    return {
        precision: _core.compile(json.dumps(study | {"precision": precision}))
        for precision in ("f64", "f32")
    }


def test_the_targets_are_those_of_the_core_and_each_is_acted_on() -> None:
    assert [target["name"] for target in _core.exposure_targets()] == list(TARGETS)
    acted_on = {act.target for arm in arms.ARMS.values() for act in arm.acts}
    # What acts on strength and falls does not reach the balance: the trial has medicines that do.
    assert acted_on == set(TARGETS) - {"strength", "falls"}


@pytest.mark.parametrize("name", arms.ARMS)
def test_a_life_is_the_same_every_month(name: str, study: Plain, models: dict[str, Any]) -> None:
    number, arm = arms.person_of(study, name), list(arms.ARMS).index(name)
    own = arms.since_index(arms.life_of_twin(study, name))
    for precision, model in models.items():
        kernel = arms.life_of_kernel(_core.trace(model, arm, number), name)
        for key, values in own.items():
            in_single = DENSITY_IN_SINGLE if key in SITES else COLUMNS_IN_SINGLE
            limit = 1e-12 if precision == "f64" else in_single
            np.testing.assert_allclose(
                kernel[key], values, rtol=limit, atol=0.01 * limit, err_msg=f"{precision} {key}"
            )

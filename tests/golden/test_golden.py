"""Results are what they were, unless a change of results was made on purpose and named."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from cohortsim import _core

from . import regenerate

ADVICE = (
    'results changed. If that is meant: name the change in CHANGELOG.md under "Changes of results" '
    "and write the golden results anew with `python tests/golden/regenerate.py`"
)
TABLES = json.loads(regenerate.TABLES.read_text(encoding="utf-8"))
LIVES = json.loads(regenerate.LIVES.read_text(encoding="utf-8"))["lives"]


@pytest.fixture(scope="module")
def found() -> dict[str, list[dict[str, Any]]]:
    return regenerate.tables_now()


@pytest.mark.parametrize("table", [name for name in TABLES if name != "about"])
def test_tables_of_the_shipped_study(table: str, found: dict[str, list[dict[str, Any]]]) -> None:
    missing = [row for row in TABLES[table] if row not in found[table]]
    new = [row for row in found[table] if row not in TABLES[table]]
    assert not missing and not new, f"{table}: {ADVICE}\nwas {missing[:3]}\nis  {new[:3]}"


@pytest.mark.parametrize("name", LIVES)
def test_lives_of_the_twin_and_of_the_kernel(name: str) -> None:
    """Golden values have ten digits; the kernel is run in double precision."""
    arms = regenerate.lives()
    arm, golden = arms.ARMS[name], LIVES[name]
    request = arms.request_of(regenerate.shipped(), regenerate.parameters_of_lives(), arm)
    number = arms.person_in_her_birth_month(request)
    own = arms.life_of_twin(request, number, arm.years)
    traced = _core.trace(_core.compile(json.dumps(request | {"people": number + 1})), 0, number)
    kernel = arms.life_of_kernel(traced, arm.years)
    for key, values in golden.items():
        np.testing.assert_allclose(own[key], values, rtol=2e-9, err_msg=f"{key}: {ADVICE}")
        # The kernel's scale is the measured density: its densities are relative to index.
        first = values[0] if key in _core.density_sites() else 1.0
        expected = np.array(values) / first
        np.testing.assert_allclose(kernel[key], expected, rtol=2e-9, err_msg=f"{key}: {ADVICE}")

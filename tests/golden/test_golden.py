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


@pytest.fixture(scope="module")
def lived() -> tuple[dict[str, Any], dict[str, Any]]:
    """The golden lives of the twin and of the kernel, as they are now."""
    request = regenerate.request_of_lives()
    return regenerate.lives_of_twin(request), regenerate.lives_of_kernel(request)


def test_every_life_is_kept(lived: tuple[dict[str, Any], dict[str, Any]]) -> None:
    assert list(LIVES) == list(lived[0]), ADVICE


@pytest.mark.parametrize("name", LIVES)
def test_lives_of_the_twin_and_of_the_kernel(
    name: str, lived: tuple[dict[str, Any], dict[str, Any]]
) -> None:
    """Golden values have ten digits; the kernel is run in double precision."""
    own, kernel = lived[0][name], lived[1][name]
    for key, values in LIVES[name].items():
        np.testing.assert_allclose(own[key], values, rtol=2e-9, err_msg=f"{key}: {ADVICE}")
        # The kernel's scale is the measured density: its densities are relative to index.
        first = values[0] if key in _core.density_sites() else 1.0
        expected = np.array(values) / first
        np.testing.assert_allclose(kernel[key], expected, rtol=2e-9, err_msg=f"{key}: {ADVICE}")

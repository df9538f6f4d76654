"""Two published models of bone cells, solved by SciPy and by the integrator of the kernel in NumPy.

Lemaire et al. 2004 (J Theor Biol 229:293, BIOMD0000000278): responding osteoblasts, active
osteoblasts and active osteoclasts in pM, with PTH given at 1000 pM/d from day 20 to day 80.
Komarova et al. 2003 (Bone 33:206, BIOMD0000000148): osteoclasts and osteoblasts in cells.
Time in days. `tests/rust/published_models.rs` has the equations with their parameters and units;
they are written a second time here. What SciPy finds at a few days is pinned in
`tests/fixtures/published_models.json`, which the Rust test reads.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

Array = NDArray[np.float64]
FIXTURE = Path(__file__).parents[1] / "fixtures" / "published_models.json"
PINNED: dict[str, Any] = json.loads(FIXTURE.read_text(encoding="utf-8"))


def lemaire(x: Array, given: float) -> tuple[Array, Array]:
    """Production (pM/d) and loss per cell (1/d); PTH given in pM/d."""
    responding, active, osteoclasts = x
    tgf = (osteoclasts + 0.05 * 0.005) / (osteoclasts + 0.005)
    pth = (given / 86 + 250 / 86) / (given / 86 + 3 / 0.02)
    opg = 2e5 * responding / pth / 0.35
    rankl = 3e6 * pth * active / (1 + 10 * 5.8e-4 / 0.017 + opg * 0.01 / 10)
    bound = rankl * 5.8e-4 / 0.017
    maturing = 0.05 * 0.7 / tgf
    production = np.array([7e-4 * tgf, maturing * responding, 2.1e-3 * bound])
    return production, np.array([maturing, 0.189, 0.7 * tgf])


def komarova(x: Array, given: float) -> tuple[Array, Array]:
    """Production (cells/d) and loss per cell (1/d)."""
    osteoclasts, osteoblasts = x
    production = np.array([3 * np.sqrt(osteoclasts / osteoblasts), 4 * osteoclasts])
    return production, np.array([0.2, 0.02])


@dataclass(frozen=True)
class Case:
    """A model, when PTH is given how much (from day, to day, pM/d), and what is pinned."""

    name: str
    model: Callable[[Array, float], tuple[Array, Array]]
    spells: tuple[tuple[int, int, float], ...]
    at_rest: tuple[float, ...]

    @property
    def days(self) -> list[int]:
        return list(PINNED[self.name]["days"])

    @property
    def start(self) -> Array:
        return np.array(PINNED[self.name]["start"])

    @property
    def states(self) -> Array:
        return np.array(PINNED[self.name]["states"])

    def slope(self, x: Array, given: float) -> Array:
        production, loss = self.model(x, given)
        return production - loss * x


CASES = [
    Case(
        "lemaire",
        lemaire,
        ((0, 20, 0.0), (20, 80, 1000.0), (80, 140, 0.0)),
        (7.73438e-4, 7.28340e-4, 9.12753e-4),
    ),
    Case("komarova", komarova, ((0, 200, 0.0),), (1.06066, 212.132)),
]
each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


def by_scipy(case: Case, method: str) -> Array:
    """The states at the pinned days; restarted where PTH changes, so that no step spans a jump."""
    x = case.start
    found: dict[int, Array] = {}
    for start, end, given in case.spells:
        days = sorted({day for day in case.days if start < day <= end} | {end})
        solution = solve_ivp(
            lambda _, state, given=given: case.slope(state, given),
            (start, end),
            x,
            method=method,
            t_eval=days,
            rtol=1e-12,
            atol=1e-18,
        )
        assert solution.success, solution.message
        found |= dict(zip(days, solution.y.T, strict=True))
        x = solution.y[:, -1]
    return np.array([found[day] for day in case.days])


def midpoint_step(case: Case, x: Array, given: float, step: float) -> Array:
    """One exponential midpoint step: to half-way states, and with their pulls all the way."""

    def relaxed(pulled_at: Array) -> Array:
        production, loss = case.model(pulled_at, given)
        closed: Array = -np.expm1(-loss * step)
        return x + (production / loss - x) * closed

    return relaxed((x + relaxed(x)) / 2)


def by_midpoint(case: Case, per_day: int) -> Array:
    """The states at the pinned days, with this many steps per day."""
    x, found = case.start, {0: case.start}
    for start, end, given in case.spells:
        for day in range(start + 1, end + 1):
            for _ in range(per_day):
                x = midpoint_step(case, x, given, 1 / per_day)
            found[day] = x
    return np.array([found[day] for day in case.days])


@each_case
@pytest.mark.parametrize("method", ["Radau", "LSODA"])
def test_scipy_finds_what_is_pinned(case: Case, method: str) -> None:
    np.testing.assert_allclose(by_scipy(case, method), case.states, rtol=1e-10)


@each_case
def test_the_midpoint_step_approaches_it_at_second_order(case: Case) -> None:
    coarse, fine = (np.abs(by_midpoint(case, n) / case.states - 1).max() for n in (16, 32))
    assert fine < 3e-5
    assert 3.8 < coarse / fine < 4.3


@each_case
def test_the_published_state_is_at_rest(case: Case) -> None:
    """Six digits: what is made and what is lost differ by less than their last digit allows."""
    production, loss = case.model(np.array(case.at_rest), 0.0)
    np.testing.assert_allclose(production / loss, case.at_rest, rtol=3e-6)

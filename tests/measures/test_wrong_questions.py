"""Questions that cannot be answered: told in words, quickly, and never with a table that misleads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cohortsim as cs
import pytest

from . import toy

Question = Callable[[cs.Results], Any]


@pytest.fixture(scope="module")
def made() -> cs.Results:
    return toy.results(toy.lives(3, people=200))


@pytest.mark.parametrize(
    ("question", "said"),
    [
        (lambda made: made.distribution("kyphosis", width=1e-9), "needs at most 10,000"),
        (lambda made: made.distribution("kyphosis", width=1e-300), "needs at most 10,000"),
        (lambda made: made.incidence(sites=[]), "needs one at least"),
        (
            lambda made: made.incidence(sites="vertebral_deformity", recorded_only=True),
            "needs what registers record",
        ),
        (
            lambda made: made.cumulative_incidence("vertebral_deformity", 1, recorded_only=True),
            "needs what registers record",
        ),
        (
            lambda made: made.refracture("vertebral_deformity", recorded_only=True),
            "needs what registers record",
        ),
        (lambda made: made.lifetime_risk("hip", at=119), "nobody is observed before"),
    ],
)
def test_it_is_refused(made: cs.Results, question: Question, said: str) -> None:
    with pytest.raises(cs.ResultsError, match=said):
        question(made)


@pytest.mark.parametrize("limits", ["x", "12", ["a"], 3, None, [], [2, 1], [1, 1], [float("inf")]])
def test_bands_need_ascending_numbers(limits: Any) -> None:
    with pytest.raises(cs.ResultsError, match="needs ascending numbers"):
        cs.bands("body_weight", limits)


def test_no_risk_is_above_one(made: cs.Results) -> None:
    risks = made.lifetime_risk("death", at=62)["percent"].drop_nulls()
    assert len(risks)
    assert risks.max() <= 100.0  # type: ignore[operator]

"""Texts that people read, held as snapshots (`pytest --snapshot-update` after a wanted change)."""

from __future__ import annotations

import re

import cohortsim as cs
from cohortsim import terminal
from cohortsim.explain import Explanation
from syrupy.assertion import SnapshotAssertion


def test_the_shipped_study_in_english(snapshot: SnapshotAssertion) -> None:
    assert Explanation(cs.load("us_adults_50plus")).text() == snapshot


def test_the_screen_after_a_run(snapshot: SnapshotAssertion) -> None:
    screen = terminal.screen(cs.run("us_adults_50plus", people=2000))
    assert re.sub(r"in [\d.]+ s: .*", "in ...", screen) == snapshot

"""The request that the Rust tests simulate is the one that the shipped scenario makes."""

from __future__ import annotations

import runpy
from pathlib import Path

FIXTURES = Path(__file__).parent.parent / "fixtures"


def test_the_fixture_is_the_shipped_scenarios_request() -> None:
    current = runpy.run_path(str(FIXTURES / "regenerate.py"))["current"]
    assert (FIXTURES / "request.json").read_text(encoding="utf-8") == current(), (
        "run `python tests/fixtures/regenerate.py`, and name the change of results in CHANGELOG.md"
    )

"""The command line as a user has it: a process of its own, in a folder of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Cli = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    """Run `cohortsim` with arguments in a fresh folder."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "cohortsim", *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    return run


@pytest.fixture
def study_folder(tmp_path: Path, cli: Cli) -> Path:
    """The example study, as `cohortsim new` writes it."""
    assert cli("new", "mine").returncode == 0
    return tmp_path / "mine"

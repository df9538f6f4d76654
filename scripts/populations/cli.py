"""The command: derive, write and, if asked, compare the populations."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from populations.check import check
from populations.check_published import check_published
from populations.definitions import GROUPS
from populations.population import Population, derive, read_inputs
from populations.reading import InputError
from populations.write import write_europe, write_population

ROOT = Path(__file__).resolve().parents[2]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return the exit code."""
    options = parser().parse_args(arguments)
    try:
        inputs = read_inputs(options.data)
        everybody: Population | None = None
        for group in GROUPS:
            population = derive(group, inputs, everybody)
            everybody = population if group.race is None else everybody
            write_population(population, inputs, options.out)
            if options.check:
                check(population, inputs, options.out)
        write_europe(inputs, options.out)
        if options.check:
            check_published(options.out)
    except InputError as problem:
        print(f"derive_populations: {problem}", file=sys.stderr)
        return 2
    return 0


def parser() -> argparse.ArgumentParser:
    """Arguments of the command."""
    found = argparse.ArgumentParser(
        description="Derive the shipped population tables from survey and census data."
    )
    found.add_argument(
        "--data",
        type=Path,
        default=ROOT / ".." / "shared" / "data",
        help="folder of the input data",
    )
    found.add_argument(
        "--out", type=Path, default=ROOT / "python" / "cohortsim" / "data" / "populations"
    )
    found.add_argument(
        "--check", action="store_true", help="simulate from the tables and compare with the survey"
    )
    return found

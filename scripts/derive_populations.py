#!/usr/bin/env python3
"""Derive the shipped population tables from survey, census and life-table data.

    python scripts/derive_populations.py [--data DIR] [--out DIR] [--check]

Reads public data (by default from ``../shared/data`` beside the repository) and writes, for each
population, the CSV tables that ``population.yaml`` describes: age structure, life table, knots and
quantile functions of the continuous characteristics, latent-normal correlation, prevalence of the
binary characteristics, fracture incidence and falls. Only aggregated figures are written, never a
record of a person. The same input gives the same bytes.

``--check`` simulates people from the written tables and compares them with the survey.

The package ``populations`` beside this file describes the methods and holds them, one duty a file.
"""

from __future__ import annotations

import sys

from populations.cli import main

if __name__ == "__main__":
    sys.exit(main())

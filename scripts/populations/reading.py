"""Read tables of input data and say what to do when they cannot be used."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from populations.definitions import Array


class InputError(Exception):
    """The input cannot be used; the message says what to do."""


def read_table(folder: Path, name: str, columns: Sequence[str]) -> pl.DataFrame:
    """Read the named columns of a CSV or Parquet file."""
    path = folder / name
    if not path.is_file():
        raise InputError(
            f"{path}: no such file; name the folder that holds {name} with --data DIR."
        )
    frame = pl.read_parquet(path) if path.suffix == ".parquet" else pl.read_csv(path)
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise InputError(
            f"{path}: column {', '.join(missing)} is missing; use the data that the notes describe."
        )
    return frame.select(columns)


def column(frame: pl.DataFrame, name: str) -> Array:
    """Return a column as floats, NaN where unknown."""
    return np.asarray(
        frame[name].cast(pl.Float64).fill_null(float("nan")).to_numpy(), dtype=np.float64
    )

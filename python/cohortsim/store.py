"""Where the parts of a run are kept: in memory, or as Parquet files written whole or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import polars as pl

from cohortsim.columns import TABLES
from cohortsim.errors import Problem, ResultsError

MARK = "run.json"
Frames = Mapping[str, pl.DataFrame]
Parts = dict[str, list[pl.LazyFrame]]


class Store(Protocol):
    """A place for the parts of a run."""

    def parts(self) -> Parts:
        """Return the parts of each table, in the order of the people."""

    def has(self, first_person: int, n_people: int) -> bool:
        """Is the part that begins with this person there, whole, and of this run?"""

    def put(self, first_person: int, n_people: int, frames: Frames) -> None:
        """Keep the tables of one batch."""


class MemoryStore:
    """Keeps the parts in memory."""

    def __init__(self) -> None:
        self._parts: dict[int, Frames] = {}

    def has(self, first_person: int, n_people: int) -> bool:
        """Is the part there?"""
        return first_person in self._parts

    def put(self, first_person: int, n_people: int, frames: Frames) -> None:
        """Keep the tables of one batch."""
        self._parts[first_person] = dict(frames)

    def parts(self) -> Parts:
        """Return the parts of each table, in the order of the people."""
        order = sorted(self._parts)
        return {
            table: [self._parts[first][table].lazy() for first in order]
            for table in TABLES
            if order and table in self._parts[order[0]]
        }


class FolderStore:
    """Keeps each part as one Parquet file per table in a results folder.

    Every file carries the fingerprint of its run; a file that is torn, or another run's, does not
    count as there.
    """

    def __init__(self, folder: Path, fingerprint: str, tables: Sequence[str]) -> None:
        self.folder = folder
        self.fingerprint = fingerprint
        self.tables = tables

    def has(self, first_person: int, n_people: int) -> bool:
        """Is the part there, whole, and of this run?"""
        mark = self._mark(n_people)
        return all(
            _metadata(self._path(table, first_person)).get("cohortsim") == mark
            for table in self.tables
        )

    def put(self, first_person: int, n_people: int, frames: Frames) -> None:
        """Keep the tables of one batch."""
        with writing(self.folder):
            for table, frame in frames.items():
                path = self._path(table, first_person)
                path.parent.mkdir(exist_ok=True)
                write_parquet(frame, path, {"cohortsim": self._mark(n_people)})

    def parts(self) -> Parts:
        """Return the parts of each table, in the order of the people."""
        return parts_of(self.folder)

    def _path(self, table: str, first_person: int) -> Path:
        return self.folder / table / f"{first_person:012d}.parquet"

    def _mark(self, n_people: int) -> str:
        return f"{self.fingerprint} {n_people}"


def claim(folder: Path, fingerprint: str, core_version: str, batch: int) -> int:
    """Make the folder this run's own and return the batch size, an unfinished run's if it is one.

    Raises:
        ResultsError: the folder cannot be written, or holds something else; it is left as it was.
    """
    mark = {"request": fingerprint, "core": core_version, "batch": batch}
    with writing(folder):
        if folder.exists() and not folder.is_dir():
            needed, advice = "needs a folder for the results", "choose another --out"
            raise ResultsError(Problem(str(folder), "is a file", needed, advice))
        folder.mkdir(parents=True, exist_ok=True)
        there = sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
    if not there:
        with writing(folder):
            write_text(folder / MARK, json.dumps(mark, indent=1) + "\n")
        return batch
    before = read_json(folder / MARK)
    if before.get("request") != fingerprint or before.get("core") != core_version:
        raise ResultsError(_occupied(folder, before, fingerprint, core_version, there))
    _sweep(folder)
    return int(before.get("batch", batch))


def parts_of(folder: Path) -> Parts:
    """Return the parts of each table of a results folder. Raises ResultsError: there is none."""
    found = {}
    for table in TABLES:
        files = sorted((folder / table).glob("*.parquet"))
        if files:
            found[table] = [pl.scan_parquet(file) for file in files]
    if not found:
        raise ResultsError(
            Problem(str(folder), "holds no tables", "needs the folder of a run", "check the path")
        )
    return found


def write_parquet(frame: pl.DataFrame, path: Path, metadata: dict[str, str] | None = None) -> None:
    """Write a Parquet file whole or not at all."""
    with _replacing(path) as temporary:
        frame.write_parquet(temporary, compression="zstd", metadata=metadata)


def write_text(path: Path, text: str) -> None:
    """Write a text file whole or not at all."""
    with _replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def read_json(path: Path) -> dict[str, Any]:
    """Return a JSON file's object, or an empty one where it cannot be read."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Turn the system's refusal to write into a message."""
    try:
        yield
    except (OSError, pl.exceptions.PolarsError) as error:
        said = " ".join(str(getattr(error, "strerror", None) or error).split())
        found = f"cannot be written ({said})"
        needed = "needs a folder that can be written, with room"
        full = "No space left" in said
        advice = "make room and give the same command again" if full else "choose another folder"
        raise ResultsError(Problem(str(folder), found, needed, advice)) from None


@contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _sweep(folder: Path) -> None:
    """Remove what a killed run left half written."""
    for path in folder.glob("**/.*.part"):
        path.unlink(missing_ok=True)


def _metadata(path: Path) -> Mapping[str, str]:
    try:
        return pl.read_parquet_metadata(path)
    except (OSError, pl.exceptions.PolarsError):
        return {}


def _occupied(
    folder: Path, before: Mapping[str, Any], fingerprint: str, version: str, there: list[str]
) -> Problem:
    if before.get("request") == fingerprint:
        found = f"holds this run as core {before.get('core')} made it; this is core {version}"
    elif before:
        found = f"already holds another run (request {str(before.get('request'))[:8]})"
    else:
        found = f"already holds other files ({', '.join(there[:3])} ...)"
    needed = f"needs an empty folder, or this very run (request {fingerprint[:8]})"
    return Problem(str(folder), found, needed, "choose another --out, or move that folder away")

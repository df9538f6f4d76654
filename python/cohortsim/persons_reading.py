"""CSV or Parquet bytes -> a frame of raw cells whose rows can be named; what is torn is told.

Cells of a CSV stay text here, so that each wrong one can be named by its line.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import polars as pl

from cohortsim.errors import Problem, brief, nearest_name

FORMATS = "needs a CSV file (.csv) or a Parquet file (.parquet)"
BESIDE = "put it beside the scenario, or in the working folder if a former run is repeated"
OTHER_KINDS = (
    (b"\x1f\x8b", "compressed (gzip)"),
    (b"PK\x03\x04", "a zip archive or a spreadsheet"),
    (b"PAR1", "Parquet, named .csv"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)
"""How files that are no CSV begin, and what they are."""
MOST_LINES = 10
"""Most torn lines of a CSV that are told one by one."""
BROKEN = (
    pl.exceptions.PolarsError,
    pl.exceptions.PanicException,
    OSError,
    ValueError,
    RuntimeError,
)


@dataclass(frozen=True)
class Raw:
    """Raw cells of persons, row by row, and how messages name the rows."""

    shown: str
    frame: pl.DataFrame
    sha256: str | None = None
    lines: np.ndarray | None = None
    """Line of each row in its text file, from 1; None: rows are counted from 0."""
    problems: tuple[Problem, ...] = field(default=())

    @property
    def is_text(self) -> bool:
        """Are all cells text, as in a CSV?"""
        return self.lines is not None

    def place(self, row: int, column: str) -> str:
        """Return `file:line column`, or `file[row] column` where there are no lines."""
        if self.lines is None:
            return f"{self.shown}[{row}] {column}"
        return f"{self.shown}:{self.lines[row]} {column}"

    def name(self, row: int) -> str:
        """Return how a sentence names a row."""
        return f"row {row}" if self.lines is None else f"line {self.lines[row]}"


def of_frame(frame: object, shown: str) -> Raw:
    """Return persons given in Python."""
    if isinstance(frame, pl.DataFrame):
        return Raw(shown, frame)
    advice = "convert it with polars.DataFrame(...) or polars.from_pandas(...)"
    problem = Problem(shown, f"a {type(frame).__name__}", "needs a Polars DataFrame", advice)
    return Raw(shown, pl.DataFrame(), problems=(problem,))


def read(folder: Path, file: str) -> Raw:
    """Return the persons of a file; `problems` says what kept it from being read, or is torn."""
    path = folder / file
    suffix = path.suffix.lower()
    problem = _not_a_file(path, file)
    if problem is None and suffix not in (".csv", ".parquet"):
        problem = Problem(file, f'ends in "{suffix}"', FORMATS, "export it as one of them")
    if problem is None:
        try:
            data = path.read_bytes()
        except OSError as error:
            found = f"cannot be read ({error.strerror or error})"
            problem = Problem(file, found, "needs a readable file", "check path and permissions")
        else:
            if not data:
                problem = Problem(file, "is empty", "needs a row for each person", "fill it")
    if problem is not None:
        problem = replace(problem, place=brief(file))
        return Raw(file, pl.DataFrame(), problems=(problem,))
    made = _csv(data, file) if suffix == ".csv" else _parquet(data, file)
    digest = hashlib.sha256(data).hexdigest()
    return Raw(file, made.frame, digest, made.lines, made.problems)


def _not_a_file(path: Path, file: str) -> Problem | None:
    try:
        if path.is_file():
            return None
        is_folder, there = path.is_dir(), sorted(p.name for p in path.parent.glob("*.*"))
    except (OSError, ValueError) as error:
        found = f"cannot be opened ({getattr(error, 'strerror', None) or error})"
        return Problem(file, found, FORMATS, "check the path")
    if is_folder:
        return Problem(file, "is a folder", FORMATS, "name the file in it")
    near = nearest_name(path.name, [name for name in there if name.endswith((".csv", ".parquet"))])
    advice = f'did you mean "{near}"?' if near else BESIDE
    return Problem(file, "no such file", FORMATS, advice)


def _parquet(data: bytes, file: str) -> Raw:
    try:
        return Raw(file, pl.read_parquet(io.BytesIO(data)))
    except BROKEN as error:
        said = " ".join(str(error).split())[:120]
        found = "is not Parquet, or torn" if data[:4] == b"PAR1" else "is not Parquet"
        needed = "needs a whole Parquet file"
        return Raw(
            file,
            pl.DataFrame(),
            problems=(Problem(file, f"{found} ({said})", needed, "save it again"),),
        )


def _csv(data: bytes, file: str) -> Raw:
    kind = next((name for first, name in OTHER_KINDS if data.startswith(first)), None)
    if kind is not None:
        problem = Problem(file, f"is {kind}", "needs a CSV in UTF-8", "save it as plain CSV")
        return Raw(file, pl.DataFrame(), problems=(problem,))
    try:
        text = data.decode("utf-8-sig")
        if "\n" not in text:  # lines of old computers end in a carriage return alone
            text = text.replace("\r", "\n")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        problem = Problem(
            f"{file}:{line}",
            f"byte {error.start} is not UTF-8 text",
            "needs a CSV in UTF-8",
            "save it so",
        )
        return Raw(file, pl.DataFrame(), problems=(problem,))
    try:
        header, width, sizes, lines = _structure(text)
    except csv.Error as error:
        needed = "needs each quote closed" if "unexpected end" in str(error) else "needs a CSV"
        problem = Problem(file, f"is not CSV ({error})", needed, "look there")
        return Raw(file, pl.DataFrame(), problems=(problem,))
    if not header:
        problem = Problem(file, "its first line is empty", "needs the names of columns", "add them")
        return Raw(file, pl.DataFrame(), problems=(problem,))
    separated = _separated_otherwise(header, file)
    if separated is not None:  # what else is wrong follows from that
        return Raw(file, pl.DataFrame(), problems=(separated,))
    problems = [*_header(header, file), *_torn(sizes, lines, width, file)]
    try:
        frame = pl.read_csv(
            text.encode(), infer_schema=False, truncate_ragged_lines=True, raise_if_empty=False
        )
    except BROKEN as error:
        said = " ".join(str(error).split())[:120]
        problems.append(Problem(file, f"is not CSV ({said})", "needs a plain CSV", "save it again"))
        return Raw(file, pl.DataFrame(), problems=tuple(problems))
    if frame.height != len(sizes):
        found = f"quotes do not match: {len(sizes)} or {frame.height} rows"
        problems.append(Problem(file, found, "needs each quote closed", "look for a lone quote"))
        return Raw(file, pl.DataFrame(), problems=tuple(problems))
    whole = sizes == width
    names = {name.strip(): place for place, name in reversed(list(enumerate(header)))}
    kept = [frame.to_series(place).alias(name) for name, place in names.items() if name]
    rows = pl.DataFrame(kept[::-1]).filter(pl.Series(whole, dtype=pl.Boolean))
    return Raw(file, rows, None, lines[whole], tuple(problems))


def _structure(text: str) -> tuple[list[str], int, np.ndarray, np.ndarray]:
    """Return the header, and of each record after it how many cells it has and where it begins."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header = next(reader, [])
    sizes, lines, before = [], [], reader.line_num
    try:
        for cells in reader:
            sizes.append(len(cells))
            lines.append(before + 1)
            before = reader.line_num
    except csv.Error as error:
        raise csv.Error(f"from line {before + 1} on: {error}") from None
    return header, len(header), np.array(sizes, dtype=np.int64), np.array(lines, dtype=np.int64)


def _separated_otherwise(header: list[str], file: str) -> Problem | None:
    for sign, name in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
        if len(header) == 1 and sign in header[0]:
            advice = "separate cells with commas, and write decimals with a point"
            return Problem(f"{file}:1", f"cells are separated by {name}", "needs commas", advice)
    return None


def _header(header: list[str], file: str) -> Iterator[Problem]:
    for name, times in Counter(cell.strip() for cell in header).items():
        if times > 1:
            said = (
                f'column "{brief(name)}" is there {times} times'
                if name
                else f"{times} nameless columns"
            )
            yield Problem(f"{file}:1", said, "needs each column once", "rename or remove one")
        elif not name and header:
            yield Problem(f"{file}:1", "a nameless column", "needs a name for each", "name it")


def _torn(sizes: np.ndarray, lines: np.ndarray, width: int, file: str) -> Iterator[Problem]:
    """Empty lines are passed over; a line with other than the header's number of cells is wrong."""
    torn = np.flatnonzero((sizes != width) & (sizes != 0))
    for row in torn[:MOST_LINES]:
        cells = "1 cell" if sizes[row] == 1 else f"{sizes[row]} cells"
        needed = f"needs {width}, as the header has"
        yield Problem(f"{file}:{lines[row]}", cells, needed, "add or remove commas")
    if len(torn) > MOST_LINES:
        yield Problem(
            file, f"{len(torn) - MOST_LINES} more such lines", f"needs {width} cells each"
        )

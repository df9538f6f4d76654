"""`cohortsim new`: an example study with comments, as a folder to start from."""

from __future__ import annotations

from pathlib import Path

from cohortsim.catalog import SHIPPED
from cohortsim.errors import Problem, ResultsError
from cohortsim.store import write_text, writing

EXAMPLE = SHIPPED / "examples" / "first_study"


def write_example(folder: Path) -> list[Path]:
    """Write the example study and return its files.

    Raises:
        ResultsError: the folder holds something, or cannot be written.
    """
    written = []
    with writing(folder):
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            needed, advice = "needs a new or empty folder", "choose another name"
            raise ResultsError(Problem(str(folder), "is not empty", needed, advice))
        for source in sorted(EXAMPLE.rglob("*")):
            if source.is_file():
                path = folder / source.relative_to(EXAMPLE)
                path.parent.mkdir(parents=True, exist_ok=True)
                write_text(path, source.read_text(encoding="utf-8"))
                written.append(path)
    return written

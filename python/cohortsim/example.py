"""`cohortsim new`: example studies with comments, as folders to start from."""

from __future__ import annotations

from pathlib import Path

from cohortsim.catalog import SHIPPED
from cohortsim.errors import Problem, ResultsError, ScenarioError, nearest, one_of
from cohortsim.store import write_text, writing

EXAMPLES = SHIPPED / "examples"
EXAMPLE = EXAMPLES / "first_study"


def write_example(folder: Path, name: str = EXAMPLE.name) -> list[Path]:
    """Write an example study and return its files.

    Raises:
        ScenarioError: there is no example of this name.
        ResultsError: the folder holds something, or cannot be written.
    """
    names = sorted(path.parent.name for path in EXAMPLES.glob("*/study.yaml"))
    if name not in names:
        found, advice = f'no example "{name}"', nearest(name, names) or "choose one of them"
        raise ScenarioError(Problem("--example", found, one_of(names), advice))
    written = []
    with writing(folder):
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            needed, advice = "needs a new or empty folder", "choose another name"
            raise ResultsError(Problem(str(folder), "is not empty", needed, advice))
        for source in sorted((EXAMPLES / name).rglob("*")):
            if source.is_file():
                path = folder / source.relative_to(EXAMPLES / name)
                path.parent.mkdir(parents=True, exist_ok=True)
                write_text(path, source.read_text(encoding="utf-8"))
                written.append(path)
    return written

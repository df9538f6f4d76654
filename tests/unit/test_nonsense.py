"""Scenario files with mistakes that nobody would think of: always words, never a traceback."""

from __future__ import annotations

import copy
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cohortsim as cs
import pytest
from cohortsim import document, request
from cohortsim.example import EXAMPLE, write_example

JUNK = [
    *[
        "-",
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        '"',
        "'",
        "&",
        "*",
        "!",
        "|",
        ">",
        "%",
        "@",
        "`",
        "#",
        "?",
        "null",
        "~",
        "true",
        ".nan",
        "-.inf",
        "1e400",
        "-1",
        "0",
        "1_000",
        "{}",
        "[]",
    ],
    *[
        "---",
        "us/../us",
        "../us",
        ".",
        "..",
        "/",
        "study.yaml",
        "12:30",
        "2020-01-01",
        "0x10",
        "1e3",
        "é",
        "😀",
        "us",
        "women",
    ],
    *("!!bool maybe", "!!binary x", "!!set {a}", "<<: *x", "{a: 1}", "[1, 2]", "9" * 25),
]
VALUES = [
    *(None, True, -1, 1.5, float("nan"), float("inf"), 10**30, "", "x", "women", [], {}, [[]]),
    *([None], {"a": 1}, {1: 2}, (1, 2), {1}, b"x", object(), 1e300, ["women", "women"]),
    *({"from": 60}, {"medicine": None}, {"months_median": "x"}, ["a", ["b"]]),
]


def torn(text: str, chance: random.Random) -> str:
    """Return the text with one thing inserted, lost, replaced, doubled or shifted."""
    junk, at = chance.choice(JUNK), chance.randrange(len(text))
    lines = text.split("\n")
    here = chance.randrange(len(lines))
    kind = chance.randrange(5)
    if kind == 0:
        return text[:at] + junk + text[at:]
    if kind == 1:
        return text[:at] + text[at + chance.randrange(1, 12) :]
    if kind == 2:
        lines[here] = lines[here].split(":")[0] + ": " + junk
    elif kind == 3:
        lines.insert(chance.randrange(len(lines)), lines[here])
    else:
        lines[here] = chance.choice(["  ", " ", "- "]) + lines[here]
    return "\n".join(lines)


def groups(data: Any) -> Iterator[Any]:
    if isinstance(data, dict | list):
        yield data
        for item in data.values() if isinstance(data, dict) else data:
            yield from groups(item)


def tried(source: Path | dict[str, Any]) -> None:
    """Every problem has a place, what was found, what is needed, and what to do."""
    try:
        request.build(cs.load(source))
    except cs.InternalError:
        raise
    except cs.CohortsimError as error:
        for problem in error.problems:
            assert all((problem.place, problem.found, problem.needed, problem.advice)), problem


@pytest.mark.parametrize("seed", range(4))
def test_nonsense_is_told_in_words(seed: int, tmp_path: Path) -> None:
    shutil.copytree(EXAMPLE, tmp_path / "study")
    torn_and_tried(tmp_path / "study" / "study.yaml", seed)


@pytest.mark.parametrize("seed", range(4))
def test_nonsense_in_courses_is_told_in_words(seed: int, rich_file: Path) -> None:
    torn_and_tried(rich_file, seed)


@pytest.mark.parametrize("seed", range(4))
def test_nonsense_in_a_population_is_told_in_words(seed: int, tmp_path: Path) -> None:
    write_example(tmp_path / "study", "own_country")
    folder = tmp_path / "study" / "populations" / "norway"
    chance = random.Random(seed)
    names = sorted(path.name for path in folder.iterdir())
    for _ in range(12):
        path = folder / chance.choice([*names, "population.yaml"])
        text = path.read_text(encoding="utf-8")
        wrong = text
        for _ in range(chance.choice([1, 2, 5])):
            wrong = torn(wrong, chance)
        path.write_text(wrong, encoding="utf-8")
        tried(tmp_path / "study" / "study.yaml")
        path.write_text(text, encoding="utf-8")


def torn_and_tried(path: Path, seed: int) -> None:
    chance = random.Random(seed)
    text = path.read_text(encoding="utf-8")
    plain = document.plain(text)
    for _ in range(12):
        wrong = text
        for _ in range(chance.choice([1, 2, 5])):
            wrong = torn(wrong, chance)
        path.write_text(wrong, encoding="utf-8")
        tried(path)
        data = copy.deepcopy(plain)
        for _ in range(chance.choice([1, 3])):
            group = chance.choice(list(groups(data)))
            keys = list(group) if isinstance(group, dict) else list(range(len(group)))
            if keys:
                group[chance.choice(keys)] = chance.choice(VALUES)
        tried(data)

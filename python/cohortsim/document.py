"""YAML (and JSON) text -> plain data, with the place of everything in it.

Paths are tuples of keys and indices, `("cohorts", 0, "ages", "from")`; places are 1-based lines and
columns. Nothing here knows what the text is about.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from cohortsim.errors import Problem

Trail = tuple[str | int, ...]


def spelled(path: Trail) -> str:
    """Return a path as a person writes it: `cohorts[0].ages.from`."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else (f".{step}" if text else str(step))
    return text


def trail(text: str) -> Trail:
    """Return the path that a person wrote."""
    steps: list[str | int] = []
    for part in text.replace("[", ".[").split("."):
        if part.startswith("[") and part.endswith("]") and part[1:-1].isdecimal():
            steps.append(int(part[1:-1]))
        elif part:
            steps.append(part)
    return tuple(steps)


@dataclass(frozen=True, slots=True)
class Document:
    """Plain data with line and column of each key and value, and what is wrong with the text."""

    name: str
    data: Any
    places: dict[Trail, tuple[int, int]] = field(default_factory=dict)
    key_places: dict[Trail, tuple[int, int]] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()

    def place(self, path: Trail, *, key: bool = False) -> str:
        """Return `file:line:column path`; of the nearest parent if the path is not there."""
        table = self.key_places if key else self.places
        known = path
        while known and known not in table:
            known, table = known[:-1], self.places
        where = table.get(known)
        at = f"{self.name}:{where[0]}:{where[1]}" if where else self.name
        return f"{at} {spelled(path)}".strip()


def parse(text: str, name: str) -> Document:
    """Read YAML or JSON text; each syntax error and doubled key becomes a problem."""
    try:
        node = YAML(typ="rt", pure=True).compose(text)
    except YAMLError as error:
        return Document(name, None, problems=(_syntax(error, name),))
    places: dict[Trail, tuple[int, int]] = {}
    keys: dict[Trail, tuple[int, int]] = {}
    problems: list[Problem] = []
    if node is not None:
        _walk(node, (), places, keys, problems, name)
    try:
        data = plain(text)
    except Exception as error:  # a tag such as !!bool may raise anything on a wrong value
        problems.append(_syntax(error, name))
        data = None
    return Document(name, data, places, keys, tuple(problems))


def plain(text: str) -> Any:
    """Return the plain data of YAML text, without places; ruamel's errors pass through."""
    loader = YAML(typ="safe")
    loader.allow_duplicate_keys = True
    return loader.load(text)


def read_text(path: Path, shown: str) -> tuple[str, Problem | None]:
    """Return the text of a file, or the problem that kept it from being read."""
    try:
        return path.read_text(encoding="utf-8"), None
    except UnicodeDecodeError as error:
        found = f"byte {error.start} is not UTF-8 text"
        return "", Problem(shown, found, "needs a text file in UTF-8", "save it again as UTF-8")
    except OSError as error:
        found = f"cannot be read ({error.strerror or error})"
        return "", Problem(shown, found, "needs a readable file", "check the path and permissions")


def dump(data: Any) -> str:
    """Return plain data as YAML text, keys in the order given."""
    writer = YAML(typ="safe", pure=True)
    writer.default_flow_style = False
    writer.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    writer.width = 96
    stream = io.StringIO()
    writer.dump(data, stream)
    return stream.getvalue()


def _walk(
    node: Node,
    path: Trail,
    places: dict[Trail, tuple[int, int]],
    keys: dict[Trail, tuple[int, int]],
    problems: list[Problem],
    name: str,
) -> None:
    places[path] = (node.start_mark.line + 1, node.start_mark.column + 1)
    if isinstance(node, SequenceNode):
        for index, item in enumerate(node.value):
            _walk(item, (*path, index), places, keys, problems, name)
    elif isinstance(node, MappingNode):
        for key_node, value_node in node.value:
            key = str(key_node.value) if isinstance(key_node, ScalarNode) else "?"
            here = (*path, key)
            line, column = key_node.start_mark.line + 1, key_node.start_mark.column + 1
            if here in keys:
                problems.append(
                    Problem(
                        f"{name}:{line}:{column} {spelled(here)}",
                        f"the key is here a second time (first in line {keys[here][0]})",
                        "needs each key once",
                        "remove one of them",
                    )
                )
                continue
            keys[here] = (line, column)
            _walk(value_node, here, places, keys, problems, name)


def _syntax(error: Exception, name: str) -> Problem:
    if isinstance(error, MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        where = f"{name}:{mark.line + 1}:{mark.column + 1}" if mark else name
        found = " ".join(str(error.problem or error.context or "not readable").split())
    else:
        where, found = name, " ".join(str(error).split())
    return Problem(
        where,
        f"not YAML: {found}",
        "needs `key: value` lines, indented with spaces",
        "look at this line and the one before it",
    )

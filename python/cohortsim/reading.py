"""Text -> Scenario: from a file, a shipped id, a mapping, or a former run's provenance.

Every mistake is found before any is told, each with file, line and column.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from cohortsim.catalog import SHIPPED, Catalog
from cohortsim.contradictions import between_keys
from cohortsim.document import Document, Trail, parse, plain, read_text, trail
from cohortsim.errors import Problem, ScenarioError, nearest, nearest_name, one_of
from cohortsim.mistakes import Mistake, keys_of, model_at, of_validation, shown
from cohortsim.references import against_catalog
from cohortsim.scenario import Origin, Scenario

NEEDED = "needs a file that can be read, or the id of a shipped scenario or trial"
ADVICE = "see `cohortsim list scenarios` and `cohortsim list trials`"
Source = Scenario | Mapping[str, Any] | str | Path


def load(source: Source) -> Scenario:
    """Return the study that `source` describes.

    Args:
        source: a path to a scenario file (YAML or JSON), the id of a shipped scenario or trial,
            a mapping with the same keys, a Scenario, or a `provenance.json` (or its folder), which
            is then repeated with its exact values.

    Data files of one's own (`medicines/my_medicine.yaml`, ...) are found beside the scenario file;
    for a shipped scenario, a mapping or a Scenario in the working folder.

    Raises:
        ScenarioError: with all mistakes, each at its line and column.
    """
    if isinstance(source, Scenario):
        return check(source)
    if isinstance(source, Mapping):
        return _checked(Document("scenario", _untupled(source)), Path())
    if not isinstance(source, str | Path):
        needed = "needs a path, the id of a shipped study, a mapping or a Scenario"
        raise ScenarioError(Problem("load()", shown(source), needed, "give one of them"))
    path = _path(source)
    text, problem = read_text(path, str(source))
    if problem:
        raise ScenarioError(problem)
    if path.suffix == ".json":
        pinned = _provenance(text, path.name)
        if pinned is not None:
            return pinned
    folder = Path() if path.is_relative_to(SHIPPED) else path.parent
    return _checked(parse(text, path.name), folder)


def check(scenario: Scenario) -> Scenario:
    """Return the scenario if the catalog knows all that it names. Raises ScenarioError."""
    if scenario.origin.pinned is None:
        mistakes, broken = against_catalog(scenario.plain(), Catalog(scenario.origin.folder))
        _raise([m.placed(scenario.origin.document) for m in mistakes], broken)
    return scenario


def with_settings(scenario: Scenario, settings: Sequence[str]) -> Scenario:
    """Return the scenario with `PATH=VALUE` settings applied, each value read as YAML.

    Raises:
        ScenarioError: a path that is not there, or a value that is not possible.
    """
    if not settings:
        return scenario
    data = scenario.plain()
    problems: list[Problem] = []
    for setting in settings:
        mistake = _set(data, setting)
        problems += [mistake] if mistake else []
    document = Document("command line", data, problems=tuple(problems))
    return _checked(document, scenario.origin.folder, scenario.origin)


def is_study(source: str) -> bool:
    """Is there a file, a folder of results or a shipped study of this name?"""
    try:
        path = Path(source)
        there = path.is_file() or (path / "provenance.json").is_file()
    except (OSError, ValueError):
        return False
    return there or Catalog().scenario_path(source) is not None


def _path(source: str | Path) -> Path:
    path = Path(source)
    try:
        if path.is_dir() and (path / "provenance.json").is_file():
            return path / "provenance.json"
        if path.is_file():
            return path
    except (OSError, ValueError) as error:
        found = f"cannot be opened ({getattr(error, 'strerror', None) or error})"
        raise ScenarioError(Problem(shown(str(source)), found, NEEDED, ADVICE)) from None
    catalog = Catalog()
    shipped = catalog.scenario_path(str(source))
    if shipped is not None:
        return shipped
    folder = path.parent if path.parent.is_dir() else Path()
    files = [str(p) for p in folder.glob("*.y*ml")] if path.suffix else []
    options = [*catalog.scenario_ids(), *files]
    stems = {Path(option).stem: option for option in reversed(options)}
    near = stems.get(nearest_name(path.stem, stems))
    found = "is a folder without provenance.json" if path.is_dir() else "no such file or scenario"
    advice = f'did you mean "{near}"?' if near else ADVICE
    raise ScenarioError(Problem(str(source) or '""', found, one_of(options), advice))


def _checked(document: Document, folder: Path | None, origin: Origin | None = None) -> Scenario:
    problems = list(document.problems)
    data = document.data
    if data is None and problems:
        raise ScenarioError(problems)
    if not isinstance(data, Mapping):
        found = "is empty" if data is None else "holds no keys"
        needed = "needs keys: name, people, years, cohorts ..."
        raise ScenarioError(
            Problem(document.place(()), found, needed, "start from `cohortsim new`")
        )
    scenario: Scenario | None = None
    try:
        scenario = Scenario.model_validate(data)
    except ValidationError as error:
        problems += of_validation(error, document, Scenario)
    broken: list[Problem] = []
    if origin is None or origin.pinned is None:
        mistakes, broken = against_catalog(data, Catalog(folder))
        problems += [mistake.placed(document) for mistake in mistakes]
    problems += [mistake.placed(document) for mistake in between_keys(data)]
    _raise(problems, broken)
    assert scenario is not None
    return scenario.placed(origin or Origin(document, folder))


def _raise(problems: Sequence[Problem], broken: Sequence[Problem]) -> None:
    found = list(dict.fromkeys([*problems, *broken]))
    if found:
        raise ScenarioError(sorted(found, key=_line))


def _line(problem: Problem) -> tuple[int, int]:
    numbers = [int(part) for part in problem.place.split(" ")[0].split(":")[1:] if part.isdigit()]
    return (numbers[0], numbers[1]) if len(numbers) == 2 else (0, 0)


def _provenance(text: str, name: str) -> Scenario | None:
    try:
        data = json.loads(text)
    except ValueError:
        return None
    if not isinstance(data, dict) or "request" not in data or "scenario" not in data:
        return None
    try:
        scenario = Scenario.model_validate(data["scenario"])
    except ValidationError as error:
        raise ScenarioError(of_validation(error, Document(name, data), Scenario)) from None
    return scenario.placed(Origin(Document(name, data["scenario"]), None, data))


def _untupled(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _untupled(item) for key, item in value.items()}
    return [_untupled(item) for item in value] if isinstance(value, list | tuple) else value


# --- --set PATH=VALUE ---------------------------------------------------------------------------


def _set(data: dict[str, Any], setting: str) -> Problem | None:
    place = f"--set {setting}"
    name, equals, text = setting.partition("=")
    path = trail(name.strip())
    if not equals or not path:
        return Problem(place, "not PATH=VALUE", "needs for example people=20000", "correct it")
    try:
        value = plain(text)
    except Exception:
        return Problem(place, f"{text!r} is not YAML", "needs a value", "put it in quotes")
    here: Any = data
    for depth, step in enumerate(path):
        wrong = _step_is_wrong(here, step, path[:depth])
        if wrong:
            return Mistake((), *wrong).placed(Document(place, None))
        if depth == len(path) - 1:
            if isinstance(here, list) and step == len(here):
                here.append(value)
            else:
                here[step] = value
        else:
            if isinstance(here, list) and step == len(here):
                here.append(None)  # one more item, begun with this key
            if here[step] is None:
                here[step] = {} if isinstance(path[depth + 1], str) else []
            here = here[step]
    return None


def _step_is_wrong(here: Any, step: str | int, so_far: Trail) -> tuple[str, str, str] | None:
    if isinstance(here, list):
        if isinstance(step, int) and 0 <= step <= len(here):
            return None
        return f"no item [{step}]", f"needs [0] to [{len(here)}]", "count from 0"
    if isinstance(here, dict) and isinstance(step, str):
        keys = keys_of(model_at(Scenario, so_far)) or list(here)
        if step in keys:
            return None
        return f'no key "{step}"', one_of(keys), nearest(step, keys) or "correct the path"
    return f'nothing inside for "{step}"', "needs a path that is there", "shorten the path"

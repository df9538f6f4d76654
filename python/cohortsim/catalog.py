"""The catalog: populations, profiles, medicines, sites, risk factors, studies, parameters, by id.

What is shipped lies in the package's `data` folder; a file of the user's own, beside the scenario,
is found first. Files are read when they are first asked for, and checked as they are read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cached_property, reduce
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from cohortsim import document
from cohortsim.entries import (
    Entry,
    Medicine,
    ParameterFile,
    Profile,
    Quantity,
    RiskFactor,
)
from cohortsim.errors import CatalogError, Problem, nearest, one_of
from cohortsim.fracture_sites import FractureSite
from cohortsim.population import Population
from cohortsim.population_data import PopulationData, assembled

SHIPPED = Path(__file__).parent / "data"
PROFILE_KINDS = ("hormones", "activity", "diet")
STUDY_KINDS = ("scenarios", "trials", "studies")
STUDY_KEY = re.compile(rb"^[\"']?cohort(?:sim|s)[\"']?\s*:", re.MULTILINE)  # no data file has them
E = TypeVar("E", bound=Entry)


class Catalog:
    """Everything that can be asked for by id; `folder` is where the user's own files lie."""

    def __init__(self, folder: Path | None = None, shipped: Path = SHIPPED) -> None:
        self.folder = folder
        self.shipped = shipped
        self._entries: dict[tuple[str, str], Any] = {}
        self.own_files: dict[str, str] = {}
        """Texts of the user's own files that were read, by their names in `folder`."""

    # --- what there is --------------------------------------------------------------------------

    def ids(self, kind: str) -> list[str]:
        """Return the ids of a kind (`medicines`, `profiles/hormones`, ...), own files first."""
        own = _ids(self.folder / kind) if self.folder else []
        return [*own, *(id_ for id_ in _ids(self.shipped / kind) if id_ not in own)]

    def medicine(self, id_: str) -> Medicine:
        """Return a medicine. Raises CatalogError: there is none, or its file is wrong."""
        return self._entry("medicines", id_, Medicine)

    def profile(self, kind: str, id_: str) -> Profile:
        """Return a hormones, activity or diet profile. Raises CatalogError."""
        return self._entry(f"profiles/{kind}", id_, Profile)

    def risk_factor(self, id_: str) -> RiskFactor:
        """Return a risk factor. Raises CatalogError."""
        return self._entry("risk_factors", id_, RiskFactor)

    def fracture_site(self, id_: str) -> FractureSite:
        """Return a fracture site. Raises CatalogError."""
        return self._entry("fracture_sites", id_, FractureSite)

    @cached_property
    def fracture_sites(self) -> tuple[FractureSite, ...]:
        """All fracture sites, in the order of their permanent decision numbers."""
        sites = _each(self.ids("fracture_sites"), self.fracture_site)
        return tuple(sorted(sites, key=lambda site: site.decision))

    @cached_property
    def risk_factors(self) -> tuple[RiskFactor, ...]:
        """All risk factors, by id."""
        return tuple(_each(sorted(self.ids("risk_factors")), self.risk_factor))

    @cached_property
    def parameters(self) -> dict[str, Quantity]:
        """All parameters of the model by full name, `system.name`."""
        files = _each(sorted(_ids(self.shipped / "parameters")), self._parameter_file)
        return {
            f"{file.system}.{name}": quantity
            for file in files
            for name, quantity in file.parameters.items()
        }

    def population(self, id_: str) -> PopulationData:
        """Return a population with its tables. Raises CatalogError."""
        key = ("population data", id_)
        if key not in self._entries:
            made: PopulationData | None = None
            for folder, entry in reversed(self._lineage(id_)):
                made = assembled(entry, folder, self.shown(folder), made, self._text)
            self._entries[key] = made
        return self._entries[key]  # type: ignore[no-any-return]

    def population_entry(self, id_: str) -> Population:
        """Return a population's description, without its tables but with what it takes from others.

        Raises CatalogError.
        """
        line = [entry for _, entry in reversed(self._lineage(id_))]
        return reduce(lambda other, own: own.after(other), line)

    def _lineage(self, id_: str) -> list[tuple[Path, Population]]:
        """Return a population, the one that it is like, the one that this one is like, and so on."""
        line: list[tuple[Path, Population]] = []
        seen: list[Path] = []
        while True:
            path, entry = (
                self._path("populations", id_),
                self._entry("populations", id_, Population),
            )
            line.append((path.parent, entry))
            seen.append(path)
            if entry.like is None:
                return line
            place = self.place("populations", id_, ("like",))
            if not self.has("populations", entry.like):
                unknown = self.unknown("populations", entry.like, "population")
                raise CatalogError(Problem(place, *unknown))
            if self._path("populations", entry.like) in seen:
                round_ = " -> ".join([*(one.id for _, one in line), entry.like])
                needed = "the last must be described in full, without `like`"
                advice = "name another population, or call your own by another id"
                raise CatalogError(Problem(place, f"like in a circle: {round_}", needed, advice))
            id_ = entry.like

    def scenario_path(self, id_: str) -> Path | None:
        """Return the file of a shipped scenario or trial, or None."""
        paths = (self.shipped / kind / f"{id_}.yaml" for kind in STUDY_KINDS)
        return next((path for path in paths if path.is_file()), None)

    def scenario_ids(self, *kinds: str) -> list[str]:
        """Return the ids of shipped studies: `scenarios`, `trials`, or both."""
        return [id_ for kind in kinds or STUDY_KINDS for id_ in _ids(self.shipped / kind)]

    @cached_property
    def references(self) -> str:
        """The text of the bibliography."""
        return document.read_text(self.shipped / "references.bib", "references.bib")[0]

    # --- how it is found and read ---------------------------------------------------------------

    def has(self, kind: str, id_: str) -> bool:
        """Is there a file for this id?"""
        return self._find(kind, id_) is not None

    def unknown(self, kind: str, id_: str, what: str) -> tuple[str, str, str]:
        """Return found, needed, advice for an id that there is not."""
        options = self.ids(kind)
        file = f"{id_}/population.yaml" if kind == "populations" else f"{id_}.yaml"
        advice = nearest(id_, options) or f"put a file {kind}/{file} beside the study"
        return f'no {what} "{id_}"', one_of(options), advice

    def shown(self, path: Path) -> str:
        """Return a path as messages show it, without the folders of this machine."""
        for base in (self.folder, self.shipped):
            if base is not None and path.is_relative_to(base):
                return path.relative_to(base).as_posix()
        return path.name

    def place(self, kind: str, id_: str, path: document.Trail) -> str:
        """Return the file, line and column of a path in the file of an id."""
        file = self._path(kind, id_)
        shown = self.shown(file)
        return document.parse(document.read_text(file, shown)[0], shown).place(path)

    def origin(self, kind: str, id_: str) -> str:
        """Return "shipped" or the name of the user's own file."""
        path = self._path(kind, id_)
        return "shipped" if path.is_relative_to(self.shipped) else self.shown(path)

    def _find(self, kind: str, id_: str) -> Path | None:
        tail = Path(id_) / "population.yaml" if kind == "populations" else Path(f"{id_}.yaml")
        candidates: list[Path] = []
        if self.folder is not None:
            if id_.endswith((".yaml", ".yml")):
                candidates.append(self.folder / id_)
            elif kind == "populations" and "/" in id_:
                candidates.append(self.folder / tail)
            candidates += [self.folder / kind / tail, self.folder / tail]
        if _is_id(id_):
            candidates.append(self.shipped / kind / tail)
        return next((path for path in candidates if path.is_file() and not _is_study(path)), None)

    def _path(self, kind: str, id_: str) -> Path:
        path = self._find(kind, id_)
        if path is None:
            raise CatalogError(Problem(kind, *self.unknown(kind, id_, kind.rstrip("s"))))
        return path

    def _entry(self, kind: str, id_: str, model: type[E]) -> E:
        key = (kind, id_)
        if key not in self._entries:
            self._entries[key] = self._read(self._path(kind, id_), model)
        return self._entries[key]  # type: ignore[no-any-return]

    def _parameter_file(self, id_: str) -> ParameterFile:
        return self._entry("parameters", id_, ParameterFile)

    def _read(self, path: Path, model: type[E]) -> E:
        from cohortsim.mistakes import of_validation

        shown = self.shown(path)
        text, problem = self._text(path, shown)
        if problem:
            raise CatalogError(problem)
        try:
            made = model.model_validate(document.plain(text))
        except ValidationError as error:
            placed = document.parse(text, shown)
            raise CatalogError([*placed.problems, *of_validation(error, placed, model)]) from None
        except Exception:
            problems = document.parse(text, shown).problems
            if problems:
                raise CatalogError(problems) from None
            raise
        self._named_as_its_file(path, getattr(made, "id", None))
        return made

    def _named_as_its_file(self, path: Path, id_: object) -> None:
        """Tables and provenance name an entry by its `id`, studies by its file: they must agree."""
        name = path.parent.name if path.name == "population.yaml" else path.stem
        if id_ is not None and id_ != name:
            shown = self.shown(path)
            place = document.parse(document.read_text(path, shown)[0], shown).place(("id",))
            needed = f'its file is called "{name}"'
            raise CatalogError(
                Problem(place, f'"{id_}"', needed, f"write `id: {name}`, or rename the file")
            )

    def _text(self, path: Path, shown: str) -> tuple[str, Problem | None]:
        text, problem = document.read_text(path, shown)
        if self.folder is not None and path.is_relative_to(self.folder):
            inside = path.relative_to(self.folder)
            if ".." not in inside.parts and not path.is_relative_to(self.shipped):
                self.own_files[inside.as_posix()] = text
        return text, problem


def _is_id(text: str) -> bool:
    return text.replace("_", "").replace("-", "").isalnum()


def _is_study(path: Path) -> bool:
    """Is this a scenario file, which beside a profile or medicine may well have the same name?"""
    if path.is_relative_to(SHIPPED):
        return False
    try:
        return bool(STUDY_KEY.search(path.read_bytes()))
    except OSError:
        return False


def _ids(folder: Path) -> list[str]:
    if not folder.is_dir():
        return []
    files = [path.stem for path in folder.glob("*.yaml")]
    folders = [path.parent.name for path in folder.glob("*/population.yaml")]
    return sorted([*files, *folders])


def _each(ids: Iterable[str], read: Callable[[str], E]) -> list[E]:
    """Read all; problems of all files are told together."""
    made: list[E] = []
    problems: list[Problem] = []
    for id_ in ids:
        try:
            made.append(read(id_))
        except CatalogError as error:
            problems += error.problems
    if problems:
        raise CatalogError(problems)
    return made

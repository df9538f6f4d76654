"""What can go wrong, as data.

Every message has the form *where: what was found; what is needed; what to do*. A `Problem` is one
such sentence; an error carries all problems that were found, so that a study is mended in one go.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: where it stands, what was found, what is needed, what to do."""

    place: str
    found: str
    needed: str = ""
    advice: str = ""

    def __str__(self) -> str:
        said = "; ".join(part for part in (self.found, self.needed, self.advice) if part)
        return f"{self.place}: {said}" if self.place else said


class CohortsimError(Exception):
    """Anything that cohortsim can say in words; `problems` holds all that was found."""

    exit_code = 1

    def __init__(self, problems: Problem | str | Iterable[Problem]) -> None:
        if isinstance(problems, str):
            problems = [Problem("", problems)]
        elif isinstance(problems, Problem):
            problems = [problems]
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)


class ScenarioError(CohortsimError, ValueError):
    """The study asks for something that is not possible, or is written wrongly."""

    exit_code = 2


class CatalogError(CohortsimError, LookupError):
    """A data file (population, medicine, profile, parameter ...) is missing or wrong."""

    exit_code = 2


class ParameterError(CohortsimError, ValueError):
    """A value does not fit the model: its unit, its range, or its name."""

    exit_code = 2


class NumericalError(CohortsimError, ArithmeticError):
    """The simulation made a number that cannot be (not a number, or out of range)."""


class ResultsError(CohortsimError):
    """A folder of results cannot be read or written, or a table cannot be made from it."""

    exit_code = 2


class InternalError(CohortsimError):
    """The program is not whole, or did what it should never do."""


class Interrupted(KeyboardInterrupt):
    """The run was stopped by the user between two batches; what was finished is kept."""


def nearest(word: str, options: Iterable[str]) -> str:
    """Return 'did you mean "..."?' for the option most like `word`, or an empty text."""
    name = nearest_name(word, options)
    return f'did you mean "{name}"?' if name else ""


def nearest_name(word: str, options: Iterable[str]) -> str:
    """Return the option most like `word`, or an empty text."""
    names = sorted({str(option) for option in options})
    close = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    if not close:
        folded = {name.casefold(): name for name in names}
        close = [
            folded[name]
            for name in difflib.get_close_matches(word.casefold(), list(folded), n=1, cutoff=0.6)
        ]
    return close[0] if close else ""


def brief(text: object, most: int = 60) -> str:
    """Return a text as a message shows it: not too long, and without signs that nobody sees."""
    shown = "".join(sign if sign.isprintable() else "?" for sign in str(text)[: most + 1])
    return shown if len(shown) <= most else f"{shown[: most - 3]}..."


def one_of(options: Iterable[str], limit: int = 12) -> str:
    """Return 'one of a, b, c' for a message; long lists are cut and say so."""
    names = list(dict.fromkeys(str(option) for option in options))
    shown = ", ".join(names[:limit])
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return f"needs one of {shown}{more}" if names else "there is none to choose from"

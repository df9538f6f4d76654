"""The compiled core, imported when it is first needed, and its refusals in our words."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from cohortsim.document import trail
from cohortsim.errors import InternalError, ParameterError, Problem

if TYPE_CHECKING:
    from cohortsim.request import Request


@cache
def core() -> Any:
    """Return the extension module `cohortsim._core`. Raises InternalError: it is not built."""
    try:
        return import_module("cohortsim._core")
    except ImportError as error:
        raise InternalError(
            Problem(
                "cohortsim._core",
                f"the compiled core cannot be loaded ({error})",
                "needs the extension for this Python",
                "build it with `make build`",
            )
        ) from None


def is_built() -> bool:
    """Can the compiled core be loaded?"""
    try:
        core()
    except InternalError:
        return False
    return True


def compiled(request: Request, like: Any = None) -> Any:
    """Return the model that the core makes of a request.

    `like` is a model made before: what makes a population come out at its own rates, which takes a
    second to find, is taken over where it rests on the same numbers. The model is the same with it.

    Raises:
        ParameterError: values that the core refuses, all of them, each at its place in the study.
    """
    module = core()
    document = request.scenario.origin.document
    try:
        people = {name: found.arrays() for name, found in request.persons.items()}
        return module.compile(request.text, like, people or None)
    except module.RequestError as error:
        problems = [
            Problem(document.place(trail(place)), found, f"needs {needed}", _advice(place))
            for place, found, needed in error.problems
        ]
        raise ParameterError(problems) from None


def _advice(place: str) -> str:
    if place.endswith(".entry"):
        return "loosen a rule, or recruit other `sexes` and `ages`"
    return "correct it or its file"

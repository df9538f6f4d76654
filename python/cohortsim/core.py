"""The compiled core, imported when it is first needed, and its refusals in our words."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any

from cohortsim.errors import InternalError, ParameterError, Problem


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


def compiled(request: str) -> Any:
    """Return the model that the core makes of a request.

    Raises:
        ParameterError: values that the core refuses, all of them.
    """
    module = core()
    try:
        return module.compile(request)
    except module.RequestError as error:
        found = [Problem(str(p), str(f), str(n)) for p, f, n in getattr(error, "problems", ())]
        raise ParameterError(found or str(error)) from None

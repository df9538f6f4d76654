"""Mistakes: what is wrong at which path of plain data, and pydantic's findings in our words.

Plain data may hold any nonsense; what looks at it tolerates that, so that all mistakes of a file can
be told at once: `contradictions.py` and `courses.py` what a scenario says against itself,
`references.py` and `prescriptions.py` what the catalog has to say.
"""

from __future__ import annotations

import math
import sys
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeGuard

from pydantic import BaseModel, ValidationError

from cohortsim.document import Document, Trail
from cohortsim.errors import Problem, nearest, one_of
from cohortsim.fields import SEXES

TAGS = {"word", "median", "population_id", "own_people"}
KEY = "[key]"  # how pydantic marks that a key is wrong, not what stands under it
A_GROUP, A_LIST = "needs a group of keys", "needs a list"
LONGEST_WHOLE = 128  # bits of a whole number that messages still show in full


@dataclass(frozen=True, slots=True)
class Mistake:
    """A problem whose place is still a path."""

    path: Trail
    found: str
    needed: str
    advice: str = ""
    at_key: bool = False

    def placed(self, document: Document) -> Problem:
        """Return the problem with file, line and column."""
        place = document.place(self.path, key=self.at_key)
        return Problem(place, self.found, self.needed, self.advice)


class MistakesError(ValueError):
    """Carries mistakes through a pydantic validator."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("; ".join(mistake.found for mistake in mistakes))


def of_validation(
    error: ValidationError, document: Document, model: type[BaseModel]
) -> tuple[Problem, ...]:
    """Return what pydantic found, in words and with places."""
    found: dict[tuple[Trail, str], Mistake] = {}
    for detail in error.errors(include_url=False):
        for mistake in _translated(dict(detail), model):
            found.setdefault((mistake.path, mistake.found), mistake)
    return tuple(mistake.placed(document) for mistake in found.values())


def items(data: Any, key: str) -> list[tuple[int, Mapping[str, Any]]]:
    """Return (index, group of keys) of each group in the list under a key."""
    listed = data.get(key) if isinstance(data, Mapping) else None
    if not isinstance(listed, list | tuple):
        return []
    return [(i, item) for i, item in enumerate(listed) if isinstance(item, Mapping)]


def is_number(value: Any) -> TypeGuard[int | float]:
    """Is this a finite number (and not a yes or no)?"""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) <= sys.float_info.max  # whole numbers beyond that cannot be calculated with


def sexes_of(group: Mapping[str, Any]) -> list[str]:
    """Return the sexes that a group of keys names, or none where it names something else."""
    named = group.get("sexes", SEXES)
    listed = [named] if isinstance(named, str) else named
    if not isinstance(listed, list | tuple) or not all(sex in SEXES for sex in listed):
        return []
    return [str(sex) for sex in listed]


def ages_of(group: Mapping[str, Any], key: str = "ages") -> tuple[float, float] | None:
    """Return the two ends of a range under a key, or nothing where they are not two numbers."""
    ages = group.get(key)
    if isinstance(ages, list | tuple) and len(ages) == 2:
        ages = {"from": ages[0], "to": ages[1]}
    if not isinstance(ages, Mapping):
        return None
    low, high = ages.get("from"), ages.get("to")
    return (low, high) if is_number(low) and is_number(high) else None


# --- pydantic's findings in our words -----------------------------------------------------------


def _translated(detail: Mapping[str, Any], model: type[BaseModel]) -> list[Mistake]:
    path = tuple(step for step in detail["loc"] if step not in TAGS | {KEY})
    kind, context = str(detail["type"]), detail.get("ctx", {})
    carried = context.get("error")
    if isinstance(carried, MistakesError):
        return [
            Mistake((*path, *m.path), m.found, m.needed, m.advice, m.at_key)
            for m in carried.mistakes
        ]
    if kind == "extra_forbidden":
        keys = keys_of(model_at(model, path[:-1]))
        advice = nearest(str(path[-1]), keys) or "remove it"
        return [Mistake(path, f'no key "{path[-1]}" here', one_of(keys), advice, at_key=True)]
    if kind == "missing":
        return [Mistake(path, f'the key "{path[-1]}" is missing', "needs it", "add it")]
    value = detail.get("input")
    found = shown(value)
    if path and path[-1] == "persistence":
        return [Mistake(path, found, WORDS_OF_PERSISTENCE, _advice(detail))]
    words = needed(kind, context, str(detail["msg"]))
    if words == A_GROUP:
        return [Mistake(path, found, *_group_of(model_at(model, path)))]
    if words == A_LIST:
        return [Mistake(path, found, words, _listed_advice(value))]
    return [Mistake(path, found, words, _advice(detail))]


def shown(value: Any) -> str:
    """Return a value as a message shows it: short, and texts in quotes."""
    if value is None:
        return "nothing"
    if isinstance(value, str):
        return f'"{value}"' if len(value) <= 60 else f'"{value[:57]}..."'
    if isinstance(value, Mapping):
        return "a group of keys" if value else "an empty group of keys"
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}"
    if isinstance(value, float):
        return f"{value:g}"
    if not isinstance(value, int | complex | date):  # an object of Python: its name is enough
        return f"a {type(value).__name__}"
    if isinstance(value, int) and value.bit_length() > LONGEST_WHOLE:
        return f"a whole number of about {round(value.bit_length() * math.log10(2))} digits"
    return "true" if value is True else "false" if value is False else str(value)


def needed(kind: str, context: Mapping[str, Any], message: str) -> str:
    """Return what pydantic's type of error asks for, in plain words."""
    limits = {
        "greater_than_equal": f"needs {_bound(context, 'ge')} or more",
        "less_than_equal": f"needs at most {_bound(context, 'le')}",
        "greater_than": f"needs more than {_bound(context, 'gt')}",
        "less_than": f"needs less than {_bound(context, 'lt')}",
        "finite_number": "needs a finite number",
        "string_pattern_mismatch": "needs letters, digits, _ and - only",
        "too_short": "needs at least one",
        "string_too_long": f"needs at most {context.get('max_length')} characters",
        "literal_error": f"needs one of {context.get('expected')}".replace("'", ""),
        "value_error": "needs a text that is not empty",
        "is_instance_of": A_LIST,
        "sequence_str": A_LIST,
        "list_type": A_LIST,
        "tuple_type": A_LIST,
        "bool_type": "needs true or false",
        "string_type": "needs a text",
        "model_type": A_GROUP,
        "dict_type": A_GROUP,
    }
    if kind in limits:
        return limits[kind]
    if kind.startswith("int_"):
        return "needs a whole number"
    if kind.startswith("float_"):
        return "needs a number"
    return message[:1].lower() + message[1:]


def _bound(context: Mapping[str, Any], key: str) -> str:
    limit = context.get(key)
    return f"{limit:g}" if isinstance(limit, float) else str(limit)


def _group_of(model: type[BaseModel] | None) -> tuple[str, str]:
    """Return what is needed and what to do where one value stands for a group of keys."""
    if model is None:
        return A_GROUP, "correct it"
    fields = model.model_fields.items()
    must = [f.serialization_alias or name for name, f in fields if f.is_required()]
    keys = must or keys_of(model)[:3]
    example = ", ".join(f"{key}: ..." for key in keys)
    return f"{A_GROUP}: {', '.join(keys)}", f"write it as {{{example}}}"


def _listed_advice(value: Any) -> str:
    """Return what to do where one value, or a text of several, stands for a list."""
    if isinstance(value, Mapping):
        return "begin it with `- `, or put it in [ ]"
    simple = isinstance(value, int | float) or (isinstance(value, str) and "," in value)
    return f"write [{value}]" if simple and len(str(value)) <= 60 else "put what it holds in [ ]"


WORDS_OF_PERSISTENCE = "needs real_life, full or {months_median: N}"


def _advice(detail: Mapping[str, Any]) -> str:
    value = detail.get("input")
    if detail["type"] == "literal_error" and isinstance(value, str):
        options = str(detail["ctx"]["expected"]).replace("'", "").replace(" or ", ", ").split(", ")
        return nearest(value, options) or "choose one of them"
    if isinstance(value, str) and str(detail["type"]).startswith(("int_", "float_")):
        return "write it without quotes and without words"
    return "correct it"


def keys_of(model: type[BaseModel] | None) -> list[str]:
    """Return the keys that a class accepts, as YAML spells them."""
    if model is None:
        return []
    return [field.serialization_alias or name for name, field in model.model_fields.items()]


def model_at(model: type[BaseModel], path: Trail) -> type[BaseModel] | None:
    """Return the class that describes the group of keys at a path."""
    here: type[BaseModel] | None = model
    for step in path:
        if here is None or isinstance(step, int):
            continue
        fields = {f.serialization_alias or n: f for n, f in here.model_fields.items()}
        here = _first_model(fields[step].annotation) if step in fields else None
    return here


def _first_model(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if isinstance(annotation, types.UnionType) or typing.get_origin(annotation) is not None:
        for part in typing.get_args(annotation):
            found = _first_model(part)
            if found is not None:
                return found
    return None

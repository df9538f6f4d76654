"""What the classes of a scenario are made of: their base, and the kinds of values they hold."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Annotated, Any, Literal, get_args

from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
)

from cohortsim.document import Document
from cohortsim.errors import ScenarioError

Sex = Literal["women", "men"]
SEXES: tuple[Sex, ...] = get_args(Sex)
DensitySite = Literal["lumbar_spine", "total_hip", "femoral_neck", "distal_radius"]
AS_MEASURED = "as_measured"


class Plain(BaseModel):
    """Base of all scenario classes: frozen, strict, and no key that is not known."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, validate_default=False
    )

    def __init__(self, **data: Any) -> None:
        try:
            super().__init__(**data)
        except ValidationError as error:
            from cohortsim.mistakes import of_validation

            document = Document(type(self).__name__, data)
            raise ScenarioError(of_validation(error, document, type(self))) from None

    # pydantic then validates nested data itself and keeps the path of each mistake
    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]


def _whole(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, bool | str):
        return value
    try:
        return operator.index(value)
    except TypeError:
        return value


def _number(value: Any) -> Any:
    if isinstance(value, bool | str | list | dict | tuple) or value is None:
        return value
    try:
        return float(value)
    except (TypeError, ValueError):
        return value


def listed(value: Any) -> Any:
    """Return a list as a tuple, and one text as a tuple that holds it."""
    if isinstance(value, str):
        return (value,)
    return tuple(value) if isinstance(value, list) else value


def many(value: Any) -> Any:
    """Return a list, or a range of Python, as a tuple."""
    return tuple(value) if isinstance(value, list | range) else value


def from_to(value: Any) -> Any:
    """Return `[low, high]` as the keys that it stands for."""
    if isinstance(value, list | tuple) and len(value) == 2:
        return {"from": value[0], "to": value[1]}
    return value


def _not_blank(value: str) -> str:
    if not value.strip():
        raise ValueError("an empty text")
    return value


Whole = Annotated[int, BeforeValidator(_whole)]
Number = Annotated[float, BeforeValidator(_number)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$", max_length=80)]
Text = Annotated[str, AfterValidator(_not_blank)]
# `json_schema_input_type` tells editors what may be written, beside what it becomes.
Ids = Annotated[
    Annotated[Sequence[Text], Field(min_length=1)],
    BeforeValidator(listed, json_schema_input_type=Text | Sequence[Text]),
]
Sexes = Annotated[
    Annotated[Sequence[Sex], Field(min_length=1)],
    BeforeValidator(listed, json_schema_input_type=Sex | Sequence[Sex]),
]


class Ages(Plain):
    """Completed years of age at index, both ends included; `to: 100` means 100 and over."""

    from_: Whole = Field(
        ge=0,
        le=100,
        validation_alias=AliasChoices("from", "from_"),
        serialization_alias="from",
        description="Youngest age at index, completed years.",
    )
    to: Whole = Field(
        ge=0, le=100, description="Oldest age at index, included; 100 means 100 and over."
    )


AgeRange = Annotated[
    Ages, BeforeValidator(from_to, json_schema_input_type=Ages | tuple[Whole, Whole])
]

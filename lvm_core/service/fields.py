"""Settings dataclasses as request shapes: the same names, defaults, limits and words as flags and forms have."""

import typing
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, create_model

from lvm_core.config import fields_of


def shape_of(cls: type[Any], skip: Iterable[str] = ()) -> type[BaseModel]:
    """Return a shape with one field for each setting of the dataclass `cls`, but for those of `skip`.

    `given` says which of them a request holds.
    """
    hints = typing.get_type_hints(cls)
    left_out = frozenset(skip)
    fields: dict[str, Any] = {}
    for f in fields_of(cls):
        if f.name in left_out:
            continue
        kind = typing.Literal[f.choices] if f.choices else hints[f.name]
        fields[f.name] = (kind, Field(f.default, description=f.about, ge=f.low, le=f.high, allow_inf_nan=None))
    return create_model(cls.__name__, __config__=ConfigDict(extra="forbid"), __doc__=cls.__doc__, **fields)


def given(shape: BaseModel, of: type[BaseModel]) -> dict[str, Any]:
    """Return the fields of the shape `of` that a request holds, by name."""
    return {name: getattr(shape, name) for name in of.model_fields if name in shape.model_fields_set}

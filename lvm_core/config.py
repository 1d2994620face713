"""Settings as dataclasses: the CLI's flags, the app's forms and the checks are all made from the fields."""

import argparse
import dataclasses
import functools
import math
import types
import typing
from collections.abc import Hashable, Iterable
from typing import Any, ClassVar, Protocol, TypeVar

from lvm_core.errors import SettingsError


class Settings(Protocol):
    """Any dataclass instance."""

    __dataclass_fields__: ClassVar[dict[str, Any]]


S = TypeVar("S", bound=Settings)


def setting(
    default: Any,
    help: str,
    unit: str = "",
    low: float | None = None,
    high: float | None = None,
    choices: Iterable[Any] | None = None,
) -> Any:
    """Return a dataclass field that carries its help text, unit and limits (both inclusive)."""
    metadata = {"help": help, "unit": unit, "low": low, "high": high, "choices": tuple(choices) if choices else None}
    if isinstance(default, (list, dict)):
        return dataclasses.field(default_factory=lambda: type(default)(default), metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def value_type(cls: type[Any], name: str) -> tuple[type[Any], bool]:
    """Return the plain type of a field (int, float, str, bool, tuple) and whether it may be None."""
    hint = _hints(typing.cast(Hashable, cls))[name]
    optional = False
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        inner = [part for part in typing.get_args(hint) if part is not types.NoneType]
        optional, hint = len(inner) < len(typing.get_args(hint)), inner[0]
    return typing.get_origin(hint) or hint, optional


@functools.cache
def _hints(cls: Any) -> dict[str, Any]:
    return typing.get_type_hints(cls)


def problems(config: Settings) -> list[str]:
    """Return every setting that is of a wrong type or out of its limits, one sentence each."""
    found: list[str] = []
    for f in dataclasses.fields(config):
        found.extend(_field_problems(type(config), f, getattr(config, f.name)))
    return found


def _field_problems(cls: type[Any], f: dataclasses.Field[Any], value: Any) -> list[str]:
    kind, optional = value_type(cls, f.name)
    if value is None and optional:
        return []
    accepted = (int, float) if kind is float else kind
    if not isinstance(value, accepted) or (isinstance(value, bool) and kind is not bool):
        return [f"{f.name} is {value!r}; expected {kind.__name__}: {f.metadata.get('help', '')}."]
    choices = f.metadata.get("choices")
    if choices and value not in choices:
        return [f"{f.name} is {value!r}; expected one of {', '.join(map(str, choices))}."]
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return _limit_problems(f, value)
    return []


def _limit_problems(f: dataclasses.Field[Any], value: float) -> list[str]:
    low, high = f.metadata.get("low"), f.metadata.get("high")
    too_low = low is not None and value < low
    too_high = high is not None and value > high
    if not math.isfinite(value) or too_low or too_high:
        bounds = f"at least {low}" if high is None else f"at most {high}" if low is None else f"{low} to {high}"
        unit = f" {f.metadata['unit']}" if f.metadata.get("unit") else ""
        return [f"{f.name} is {value}; expected {bounds}{unit}."]
    return []


def check(config: S) -> S:
    """Return `config` unchanged.

    Raises:
        SettingsError: with all problems at once.
    """
    found = problems(config)
    if found:
        raise SettingsError(found)
    return config


def add_arguments(parser: argparse.ArgumentParser, cls: type[Any], skip: Iterable[str] = ()) -> None:
    """Add one `--flag` a field of `cls`; flags not given are absent from the namespace."""
    for f in dataclasses.fields(cls):
        if f.name in skip:
            continue
        kind, _ = value_type(cls, f.name)
        flag = "--" + f.name.replace("_", "-")
        default = f.default if f.default is not dataclasses.MISSING else None
        text = f"{f.metadata.get('help', '')} [{f.metadata.get('unit') or kind.__name__}; default {default}]"
        text = text.replace("%", "%%")
        options: dict[str, Any] = {"dest": f.name, "help": text, "default": argparse.SUPPRESS}
        if kind is bool:
            parser.add_argument(flag, action=argparse.BooleanOptionalAction, **options)
        else:
            parser.add_argument(flag, type=kind, choices=f.metadata.get("choices"), metavar=f.name.upper(), **options)


def from_namespace(cls: type[S], namespace: argparse.Namespace, **given: Any) -> S:
    """Return a checked `cls` of the flags that were given, `given` on top."""
    names = {f.name for f in dataclasses.fields(cls)}
    values = {name: value for name, value in vars(namespace).items() if name in names}
    return check(cls(**{**values, **given}))


def from_dict(cls: type[S], values: dict[str, Any]) -> S:
    """Return a checked `cls` of stored values.

    Raises:
        SettingsError: naming keys that `cls` does not have.
    """
    names = {f.name for f in dataclasses.fields(cls)}
    unknown = sorted(set(values) - names)
    if unknown:
        raise SettingsError(
            [f"Unknown setting {key!r}; expected one of {', '.join(sorted(names))}." for key in unknown]
        )
    return check(cls(**values))

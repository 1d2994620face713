"""JSON from outside: bounded in size and depth, and turned into dataclasses by the types of their fields."""

import dataclasses
import functools
import json
import math
import types
import typing
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

from lvm_core.boundary.files import cut, read_bytes
from lvm_core.errors import LvmError, SourceError

MOST_BYTES = 64_000_000
MOST_DEPTH = 64
REMEDY = "Delete it, or restore it from a copy."

T = TypeVar("T")


def read_json_file(
    path: Path, what: str = "The file", most_bytes: int = MOST_BYTES, error: type[LvmError] = SourceError
) -> Any:
    """Return the JSON in a regular file of UTF-8, with or without a byte order mark.

    Raises:
        LvmError: `error` if it cannot be read, is too large, no JSON, or nested deeper than `MOST_DEPTH`.
    """
    return parse_json(read_bytes(path, what, most_bytes, error), f"{what} {path}", error=error)


def parse_json(
    text: str | bytes, what: str, most_bytes: int = MOST_BYTES, remedy: str = REMEDY,
    error: type[LvmError] = SourceError,
) -> Any:  # fmt: skip
    """Return the value of a JSON text.

    Args:
        text: the text, or its bytes in UTF-8.
        what: how the message calls it.
        most_bytes: the longest text that is read.
        remedy: what the user can do.
        error: whose mistake it is.

    Raises:
        LvmError: `error` if it is too long, no JSON, or nested deeper than `MOST_DEPTH`.
    """
    if len(text) > most_bytes:
        raise error(f"{what} has {len(text) / 1e6:,.1f} MB", f"JSON of at most {most_bytes / 1e6:,.1f}", remedy)
    try:
        words = text.decode("utf-8-sig") if isinstance(text, bytes) else text.removeprefix("\ufeff")
        value = json.loads(words)
    except RecursionError:
        raise error(f"{what} is nested too deeply", f"at most {MOST_DEPTH} levels", remedy) from None
    except ValueError as problem:
        raise error(f"{what} cannot be read as JSON: {problem}", "JSON in UTF-8", remedy) from problem
    if words.count("[") + words.count("{") > MOST_DEPTH and _is_deeper(value, MOST_DEPTH):
        raise error(f"{what} is nested too deeply", f"at most {MOST_DEPTH} levels", remedy)
    return value


def _is_deeper(value: Any, levels: int) -> bool:
    layer = [value]
    for _ in range(levels):
        layer = [inner for outer in layer for inner in _children(outer)]
        if not layer:
            return False
    return True


def _children(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return [inner for inner in value.values() if isinstance(inner, (dict, list))]
    return [inner for inner in value if isinstance(inner, (dict, list))] if isinstance(value, list) else ()


def from_json(
    cls: type[T], value: Any, what: str, remedy: str = REMEDY, extra: bool = False, error: type[LvmError] = SourceError
) -> T:
    """Return the dataclass `cls` of a JSON object, its fields checked by their types and nested ones made as well.

    Args:
        cls: a dataclass; lists become tuples where its field is one.
        value: what `parse_json` gave.
        what: how the message calls it.
        remedy: what the user can do.
        extra: whether keys that `cls` does not have are passed over.
        error: whose mistake it is.

    Raises:
        LvmError: `error`, naming the first field that is missing, unknown or of a wrong type.
    """
    try:
        made: T = _object(cls, value, "", extra)
    except _Misfit as misfit:
        given, expected = misfit.args
        raise error(f"{what}: {given}", expected, remedy) from None
    return made


class _Misfit(Exception):
    """What does not fit: what is given, and what was expected."""


def _misfit(where: str, value: Any, expected: str) -> _Misfit:
    return _Misfit(f"{where.rstrip('.') or 'the whole'} is {cut(repr(value))}", expected)


def _object(cls: Any, value: Any, where: str, extra: bool) -> Any:
    if not isinstance(value, dict):
        raise _misfit(where, value, "an object")
    fields = {f.name: f for f in dataclasses.fields(cls) if f.init}
    unknown = sorted(set(value) - set(fields))
    if unknown and not extra:
        raise _misfit(f"{where}{unknown[0]}", value[unknown[0]], f"one of the keys {', '.join(fields)}")
    made: dict[str, Any] = {}
    for name, field in fields.items():
        if name in value:
            made[name] = _fitted(_hints(cls)[name], value[name], f"{where}{name}", extra)
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise _Misfit(f"{where}{name} is missing", "a value for it")
    return cls(**made)


@functools.cache
def _hints(cls: Any) -> dict[str, Any]:
    return typing.get_type_hints(cls)


def _fitted(hint: Any, value: Any, where: str, extra: bool) -> Any:
    """Return `value` as `hint` wants it."""
    if hint is Any:
        return value
    origin = typing.get_origin(hint)
    if origin in (types.UnionType, typing.Union):
        return _one_of(typing.get_args(hint), value, where, extra)
    if origin is typing.Literal:
        if value not in typing.get_args(hint):
            raise _misfit(where, value, f"one of {', '.join(map(str, typing.get_args(hint)))}")
        return value
    if dataclasses.is_dataclass(hint):
        return _object(hint, value, f"{where}.", extra)
    if getattr(origin or hint, "__name__", "") == "ndarray":
        return _array(value, where)
    if (origin or hint) in (list, tuple, dict):
        return _container(origin or hint, typing.get_args(hint), value, where, extra)
    return _plain(hint, value, where)


def _array(value: Any, where: str) -> Any:
    from lvm_core.boundary.plain import array_of

    try:
        return array_of(value)
    except (ValueError, TypeError, MemoryError):
        raise _misfit(where, value, "an array with its dtype, shape and base64") from None


def _one_of(hints: tuple[Any, ...], value: Any, where: str, extra: bool) -> Any:
    misfits = []
    for hint in hints:
        try:
            return _fitted(hint, value, where, extra)
        except _Misfit as misfit:
            misfits.append(misfit)
    inner = [m for m in misfits if m.args[0] != misfits[-1].args[0]]  # within the value: it is of that kind
    raise inner[0] if inner else _misfit(where, value, " or ".join(dict.fromkeys(m.args[1] for m in misfits)))


def _container(kind: type[Any], hints: tuple[Any, ...], value: Any, where: str, extra: bool) -> Any:
    if kind is dict:
        if not isinstance(value, dict):
            raise _misfit(where, value, "an object")
        inner = hints[1] if hints else Any
        return {key: _fitted(inner, item, f"{where}.{key}", extra) for key, item in value.items()}
    if not isinstance(value, list):
        raise _misfit(where, value, "a list")
    fixed = kind is tuple and len(hints) > 0 and hints[-1] is not Ellipsis
    if fixed and len(hints) != len(value):
        raise _misfit(where, value, f"a list of {len(hints)}")
    each = hints if fixed else [hints[0] if hints else Any] * len(value)
    return kind(
        _fitted(hint, item, f"{where}[{i}]", extra) for i, (hint, item) in enumerate(zip(each, value, strict=True))
    )


def _plain(hint: Any, value: Any, where: str) -> Any:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if hint is float and is_number:
        # json reads 1e999 as infinity, and whole numbers of any length
        return value if isinstance(value, float) or math.isfinite(_as_float(value)) else math.inf
    if hint in (None, type(None)):
        if value is not None:
            raise _misfit(where, value, "null")
        return None
    if not isinstance(value, hint) or (isinstance(value, bool) and hint is not bool):
        names = {int: "a whole number", float: "a number", str: "text", bool: "true or false"}
        raise _misfit(where, value, names.get(hint, str(hint)))
    return value


def _as_float(value: int) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf

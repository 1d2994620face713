"""Settings as dataclasses: flags, the command line that says them, forms and checks are all made from the fields."""

import argparse
import ast
import dataclasses
import functools
import math
import shlex
import types
import typing
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, Protocol, TypeVar

from lvm_core.errors import SettingsError
from lvm_core.json_shapes import Value, Values


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
    *,
    label: str = "",
    flag: str = "",
    always: bool = False,
) -> Any:
    """Return a dataclass field that carries what flags, forms and checks are made of.

    Args:
        default: its value where nobody says otherwise; a dict becomes the flag `--FLAG NAME=VALUE`, to be repeated.
        help: what it means, the beginning of a sentence.
        unit: of a number.
        low: least value, inclusive.
        high: greatest value, inclusive.
        choices: the values there are.
        label: its name for people, where that of the field is bare code.
        flag: its name on the command line, where it is not that of the field.
        always: spelled out in a command line even where it is the default.
    """
    metadata = {"help": help, "unit": unit, "low": low, "high": high, "choices": tuple(choices) if choices else None}
    metadata |= {"label": label, "flag": flag, "always": always}
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


@dataclasses.dataclass(frozen=True, slots=True)
class Field:
    """One setting as a flag, a widget and a check see it. `kind` is its plain type; `default` may be None."""

    name: str
    kind: type[Any]
    optional: bool
    default: Any
    help: str = ""
    unit: str = ""
    low: float | None = None
    high: float | None = None
    choices: tuple[Any, ...] = ()
    label: str = ""
    flag: str = ""
    always: bool = False

    @property
    def dest(self) -> str:
        """Its name in an argparse namespace."""
        return self.flag or self.name

    @property
    def option(self) -> str:
        """Its flag, such as --batch-size."""
        return "--" + self.dest.replace("_", "-")

    @property
    def title(self) -> str:
        """Its name for people, with the unit."""
        return (self.label or self.name.replace("_", " ")) + (f" [{self.unit}]" if self.unit else "")

    @property
    def about(self) -> str:
        """What it means, its limits and its default, in sentences."""
        limits = ""
        if self.low is not None:
            limits = f" At least {self.low:g}." if self.high is None else f" From {self.low:g} to {self.high:g}."
        default = "" if self.default in (None, "", {}) else f" Default: {self.default}."
        return f"{self.help[:1].upper()}{self.help[1:]}.{limits}{default}"

    def problems(self, value: Any) -> list[str]:
        """Return what is wrong with `value`, one sentence each."""
        if value is None and self.optional:
            return []
        accepted = (int, float) if self.kind is float else self.kind
        if not isinstance(value, accepted) or (isinstance(value, bool) and self.kind is not bool):
            return [f"{self.name} is {value!r}; expected {self.kind.__name__}: {self.help}."]
        if self.choices and value not in self.choices:
            return [f"{self.name} is {value!r}; expected one of {', '.join(map(str, self.choices))}."]
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return self._limit_problems(value)
        return []

    def _limit_problems(self, value: float) -> list[str]:
        too_low = self.low is not None and value < self.low
        too_high = self.high is not None and value > self.high
        finite = isinstance(value, int) or math.isfinite(value)  # a whole number may be too long for a float
        if finite and not too_low and not too_high:
            return []
        bounds = f"at most {self.high}" if self.low is None else f"at least {self.low}"
        bounds = f"{self.low} to {self.high}" if self.low is not None and self.high is not None else bounds
        return [f"{self.name} is {value}; expected {bounds}{f' {self.unit}' if self.unit else ''}."]


def fields_of(cls: type[Any]) -> tuple[Field, ...]:
    """Return the settings of a dataclass in their order."""
    return _fields_of(typing.cast(Hashable, cls))


@functools.cache
def _fields_of(cls: Any) -> tuple[Field, ...]:
    return tuple(_described(cls, f) for f in dataclasses.fields(cls))


def _described(cls: type[Any], f: dataclasses.Field[Any]) -> Field:
    kind, optional = value_type(cls, f.name)
    default = f.default if f.default_factory is dataclasses.MISSING else f.default_factory()
    given = {name: value for name, value in f.metadata.items() if value is not None}
    return Field(f.name, kind, optional, None if default is dataclasses.MISSING else default, **given)


def field_of(cls: type[Any], name: str) -> Field:
    """Return the setting `name` of a dataclass."""
    return next(f for f in fields_of(cls) if f.name == name)


def problems(config: Settings) -> list[str]:
    """Return every setting that is of a wrong type or out of its limits, one sentence each."""
    return [sentence for f in fields_of(type(config)) for sentence in f.problems(getattr(config, f.name))]


def check(config: S) -> S:
    """Return `config` unchanged.

    Raises:
        SettingsError: with all problems at once.
    """
    sentences = problems(config)
    if sentences:
        raise SettingsError(sentences)
    return config


def add_arguments(parser: argparse.ArgumentParser, cls: type[Any], skip: Iterable[str] = ()) -> None:
    """Add one flag a field of `cls`; flags not given are absent from the namespace."""
    for f in fields_of(cls):
        if f.name in skip:
            continue
        text = f"{f.help} [{f.unit or f.kind.__name__}; default {f.default}]".replace("%", "%%")
        options: dict[str, Any] = {"dest": f.dest, "help": text, "default": argparse.SUPPRESS}
        if f.kind is bool:
            parser.add_argument(f.option, action=argparse.BooleanOptionalAction, **options)
        elif f.kind is dict:
            parser.add_argument(f.option, action="append", metavar="NAME=VALUE", **{**options, "help": f.help})
        else:
            choices = f.choices or None
            parser.add_argument(f.option, type=f.kind, choices=choices, metavar=f.name.upper(), **options)


def from_namespace(cls: type[S], namespace: argparse.Namespace, **given: Any) -> S:
    """Return a checked `cls` of the flags that were given, `given` on top."""
    return check(cls(**{**given_values(cls, namespace), **given}))


def given_values(cls: type[Any], namespace: argparse.Namespace) -> Values:
    """Return the settings of `cls` whose flags were given, unchecked.

    Raises:
        SettingsError: for a NAME=VALUE of another form.
    """
    values = {f.name: getattr(namespace, f.dest) for f in fields_of(cls) if hasattr(namespace, f.dest)}
    dicts = [f for f in fields_of(cls) if f.kind is dict and isinstance(values.get(f.name), list)]
    return values | {f.name: named_values(values[f.name], f.option) for f in dicts}


def named_values(words: Iterable[str], option: str = "--option") -> Values:
    """Return the values in words such as d_model=256, numbers and yes or no as such.

    Raises:
        SettingsError: for words of another form.
    """
    values: Values = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals or not name:
            raise SettingsError([f"{option} is {word!r}; expected NAME=VALUE, such as d_model=256."])
        values[name.replace("-", "_")] = _literal(text)
    return values


def _literal(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return {"true": True, "false": False}.get(text.lower(), text)


# ---------------------------------------------------------------- the way back: settings to words


def command_line(settings: Settings, skip: Iterable[str] = ()) -> list[str]:
    """Return the flags that make `settings`: what differs from the defaults, and what is always spelled out."""
    words: list[str] = []
    for f in fields_of(type(settings)):
        value = getattr(settings, f.name)
        if f.name not in skip and value is not None and (f.always or value != f.default):
            words += _words(f, value)
    return words


def _words(f: Field, value: Any) -> list[str]:
    if f.kind is bool:
        return [f.option if value else "--no-" + f.option[2:]]
    if f.kind is dict:
        return [word for named in named_words(value) for word in (f.option, named)]
    text = str(value)
    return [f"{f.option}={text}"] if text.startswith("-") else [f.option, text]


def named_words(values: Mapping[str, Value]) -> list[str]:
    """Return values as the words that `named_values` reads, such as d_model=256."""
    return [f"{name}={_written(values[name])}" for name in sorted(values)]


def _written(value: Any) -> str:
    """Return a value as `named_values` reads it back: text that looks like a number stands in quotes."""
    same = _literal(str(value))
    return str(value) if type(same) is type(value) and same == value else repr(value)


def typed(argv: Sequence[str]) -> str:
    """Return the command that a person would type, ready to copy. For showing only: nothing reads it back."""
    return shlex.join(["python", "-m", "lvm_core", *argv])


# ---------------------------------------------------------------- stored values


def from_dict(cls: type[S], values: Mapping[str, Value]) -> S:
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

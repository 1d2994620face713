"""The one renderer of settings: a widget a field, of the kind that its type, limits and choices ask for."""

import dataclasses
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypedDict, TypeVar

import streamlit as st

from lvm_core.config import Field, Settings, field_of, fields_of
from lvm_core.errors import SettingsError
from lvm_core.json_shapes import Values
from pages.shared.address import Address

S = TypeVar("S", bound=Settings)


@dataclass(frozen=True, slots=True)
class Look:
    """How one setting is shown, where its field does not say it.

    `widget` is one of WIDGETS, "" for what suits the type; `among` are the values there are now; `start` what it is
    set to at first; `names` makes a value readable; `low` and `high` are limits that hold just now.
    """

    widget: str = ""
    among: Sequence[Any] = ()
    start: Any = None
    names: Callable[[Any], str] | None = None
    label: str = ""
    help: str = ""
    low: float | None = None
    high: float | None = None
    step: float | None = None
    disabled: bool = False


def fields(
    cls: type[S],
    at: Address,
    names: Sequence[str] | None = None,
    looks: Mapping[str, Look] | None = None,
    columns: int | Sequence[float] = 2,
    **given: Any,
) -> S:
    """Show the settings `names` of `cls` (default: all) in rows of `columns`; return all of `cls` as they stand.

    What is returned may be impossible: a form says all problems at once. `given` are fields that it does not choose.
    """
    shown = [f.name for f in fields_of(cls) if f.name not in given] if names is None else list(names)
    widgets([field_of(cls, name) for name in shown], at, looks, columns)
    return at.settings(cls, **given)


class Options(TypedDict, total=False):
    """What every widget of Streamlit takes besides its label."""

    key: str
    help: str
    disabled: bool
    value: None


def widgets(
    shown: Sequence[Field],
    at: Address,
    looks: Mapping[str, Look] | None = None,
    columns: int | Sequence[float] = 2,
) -> Values:
    """Show settings in rows of `columns` and return what each is set to, by name."""
    n = columns if isinstance(columns, int) else len(columns)
    values: Values = {}
    for i in range(0, len(shown), n):
        slots = st.columns(columns, vertical_alignment="bottom")
        for slot, field in zip(slots, shown[i : i + n], strict=False):
            with slot:
                values[field.name] = widget(field, at, (looks or {}).get(field.name))
    return values


def widget(field: Field, at: Address, look: Look | None = None, linked: bool = True) -> Any:
    """Show one setting and return what it is set to."""
    look = look or Look()
    field = dataclasses.replace(
        field,
        choices=tuple(look.among) or field.choices,
        low=field.low if look.low is None else look.low,
        high=field.high if look.high is None else look.high,
    )
    kind = look.widget or _usual(field)
    start = field.default if look.start is None else look.start
    if kind == "multiselect":
        start = [name for name in (start.split(",") if isinstance(start, str) else start) if name in field.choices]
    key = at.key_of(field, start, linked, clamp=kind == "slider")
    return WIDGETS[kind](label_of(field, look), field, look, {"key": key, "help": look.help or field.about})


def _usual(field: Field) -> str:
    """Return the widget that suits a setting."""
    if field.choices or (field.kind is bool and field.optional):
        return "select"
    return {bool: "toggle", int: "number", float: "number"}.get(field.kind, "text")


def label_of(field: Field, look: Look = Look()) -> str:
    """Return what a widget is called that shows `field`."""
    title = look.label or field.title
    return title[:1].upper() + title[1:]


def limits(cls: type[Any], name: str) -> tuple[float, float]:
    """Return the least and the greatest value of a number that has both."""
    field = field_of(cls, name)
    return float(field.low or 0.0), float(1.0 if field.high is None else field.high)


def words(cls: type[Any], labels: Mapping[str, str] = MappingProxyType({})) -> dict[str, str]:
    """Return what a form calls each flag of `cls`: its label in `labels`, by name of the setting, or its usual one."""
    return {f.option: label_of(f, Look(label=labels.get(f.name, ""))) for f in fields_of(cls)}


def in_words(sentence: str, shown: Sequence[Field], labels: Mapping[str, str] = MappingProxyType({})) -> str:
    """Return what is wrong with a setting in the form's words: the settings `shown` called what their widgets are.

    The name that a sentence begins with is one, and any other that no English word looks like: lr, d_model.
    """
    called = {f.name: f"'{label_of(f, Look(label=labels.get(f.name, '')))}'" for f in shown}
    first, space, rest = sentence.partition(" ")
    names = "|".join(re.escape(name) for name in called if "_" in name)
    rest = re.sub(rf"\b(?:{names})\b", lambda found: called[found[0]], rest) if names else rest
    return called.get(first, first) + space + rest


def checked(settings: S, labels: Mapping[str, str] = MappingProxyType({})) -> S:
    """Return `settings` unchanged.

    Raises:
        SettingsError: with all problems at once, each setting called what the form calls it; see `words`.
    """
    called = words(type(settings), labels)
    problems = [
        problem
        for f in fields_of(type(settings))
        for problem in dataclasses.replace(f, name=f"'{called[f.option]}'").problems(getattr(settings, f.name))
    ]
    if problems:
        raise SettingsError(problems)
    return settings


def more() -> Any:
    """Return the fold that holds the settings which are changed less often."""
    return st.expander("More", icon=":material/tune:")


# ---------------------------------------------------------------- widgets: label, field, look, key and help


def _select(label: str, field: Field, look: Look, options: Options) -> Any:
    choices = field.choices or (True, False)
    values = [None, *choices] if field.optional and None not in choices else list(choices)
    return st.selectbox(label, values, format_func=look.names or _named, disabled=look.disabled, **options)


def _named(value: Any) -> str:
    return {None: "default", True: "yes", False: "no"}.get(value, str(value)) if value in (None, True, False) else value


def _segmented(label: str, field: Field, look: Look, options: Options) -> Any:
    names = look.names or str
    return st.segmented_control(label, field.choices, format_func=names, required=True, **options)


def _multiselect(label: str, field: Field, look: Look, options: Options) -> Any:
    return st.multiselect(label, field.choices, format_func=look.names or str, disabled=look.disabled, **options)


def _toggle(label: str, _: Field, look: Look, options: Options) -> Any:
    return st.toggle(label, disabled=look.disabled, **options)


def _number(label: str, field: Field, look: Look, options: Options) -> Any:
    options["disabled"] = look.disabled
    if field.optional:
        options["value"] = None
    if field.kind is int:
        return st.number_input(label, step=int(look.step or 1), **options)
    step = look.step or _step(st.session_state[options["key"]])
    return st.number_input(label, step=step, format="%g", **options)


def _step(value: float | None) -> float:
    """Return a step that suits the size of a number: a tenth of it, or a unit of its first digit."""
    return 10.0 ** (math.floor(math.log10(abs(value))) - 1) if value else 0.01


def _slider(label: str, field: Field, look: Look, options: Options) -> Any:
    low, high = field.kind(field.low or 0), field.kind(1 if field.high is None else field.high)
    step = field.kind(look.step or (0.05 if field.kind is float else 1))
    return st.slider(label, low, high, step=step, disabled=look.disabled, **options)


def _text(label: str, _: Field, look: Look, options: Options) -> Any:
    return st.text_input(label, disabled=look.disabled, **options)


def _area(label: str, _: Field, look: Look, options: Options) -> Any:
    return st.text_area(label, height=96, disabled=look.disabled, **options)


WIDGETS: dict[str, Callable[[str, Field, Look, Options], Any]] = {
    "select": _select,
    "segmented": _segmented,
    "multiselect": _multiselect,
    "toggle": _toggle,
    "number": _number,
    "slider": _slider,
    "text": _text,
    "area": _area,
}

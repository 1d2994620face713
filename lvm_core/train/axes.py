"""The settings in which runs differ, as axes that can stand side by side: numbers in their order, names numbered."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lvm_core.json_shapes import Value

MOST_TICKS = 8
"""A number with more values than this has ticks at round places instead of at its values."""
LOG_FROM = 10
"""A positive number whose greatest value is this many times its least is laid out by its logarithm."""


@dataclass(frozen=True, slots=True)
class Axis:
    """One setting of N runs: where each run lies on it, and which places are named; no ticks: any number may stand."""

    name: str
    places: list[float]
    ticks: dict[float, str]


def axes(settings: Sequence[Mapping[str, Value]]) -> list[Axis]:
    """Return an axis for each setting of a training, or option of a net, that is not the same in all N runs.

    Args:
        settings: of each run what it was trained with, options of its net under "options".
    """
    flat = [_with_options(one) for one in settings]
    names = dict.fromkeys(name for one in flat for name in one)
    columns = {name: [one.get(name) for one in flat] for name in names}
    return [_axis(name, values) for name, values in columns.items() if len({str(value) for value in values}) > 1]


def _with_options(settings: Mapping[str, Value]) -> dict[str, Value]:
    options = settings.get("options")
    plain = {name: value for name, value in settings.items() if name != "options"}
    return plain | (options if isinstance(options, dict) else {})


def _axis(name: str, values: Sequence[Value]) -> Axis:
    numbers = [float(value) for value in values if isinstance(value, (int, float)) and not isinstance(value, bool)]
    if len(numbers) == len(values):
        return _of_numbers(name, numbers)
    words = [_word(value) for value in values]
    place = {word: float(i) for i, word in enumerate(sorted(set(words)), 1)}
    return Axis(name, [place[word] for word in words], {number: word for word, number in place.items()})


def _of_numbers(name: str, values: Sequence[float]) -> Axis:
    low, high = min(values), max(values)
    by_log = low > 0 and high >= LOG_FROM * low
    places = [math.log10(value) if by_log else value for value in values]
    named = by_log or len(set(values)) <= MOST_TICKS
    every = sorted(set(zip(places, values, strict=True))) if named else []
    step = -(-len(every) // MOST_TICKS) or 1
    return Axis(name, places, {place: f"{value:g}" for place, value in every[::step]})


def _word(value: Value) -> str:
    return {"None": "default", "True": "yes", "False": "no"}.get(str(value), str(value))

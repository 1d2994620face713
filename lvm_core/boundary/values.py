"""Numbers, environment variables and text from outside."""

import math
import os
import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from lvm_core.boundary.files import cut, quoted
from lvm_core.errors import SettingsError

_SURROGATES = re.compile("[\ud800-\udfff]")
_BREAKS = re.compile("[\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029]+")


def whole_number(given: Any, what: str, low: int, high: int) -> int:
    """Return a whole number of `low` to `high`, given as one or as text.

    Raises:
        SettingsError: if it is anything else.
    """
    expected = f"expected a whole number, {low:,} to {high:,}"
    if isinstance(given, bool) or not isinstance(given, (int, str)):
        raise SettingsError([f"{what} is {cut(repr(given))}; {expected}."])
    try:
        number = int(given)
    except ValueError:
        raise SettingsError([f"{what} is {quoted(str(given))}; {expected}."]) from None
    if not low <= number <= high:
        raise SettingsError([f"{what} is {_short_number(number)}; {expected}."])
    return number


def number(given: Any, what: str, low: float = -math.inf, high: float = math.inf) -> float:
    """Return a finite number of `low` to `high`, given as one or as text.

    Raises:
        SettingsError: if it is anything else.
    """
    bounds = "" if (low, high) == (-math.inf, math.inf) else f", {low:g} to {high:g}"
    expected = f"expected a finite number{bounds}"
    if isinstance(given, bool) or not isinstance(given, (int, float, str)):
        raise SettingsError([f"{what} is {cut(repr(given))}; {expected}."])
    try:
        value = float(given)
    except (ValueError, OverflowError):
        raise SettingsError([f"{what} is {quoted(str(given))}; {expected}."]) from None
    if not math.isfinite(value) or not low <= value <= high:
        raise SettingsError([f"{what} is {value:g}; {expected}."])
    return value


def _short_number(value: int) -> str:
    return str(value) if abs(value) < 10**18 else "a number of more than 18 digits"


def bits16(given: float) -> int | None:
    """Return 16 bits, such as a TMD code, of a number that may be signed; None for what holds no 16 bits.

    A signed column keeps the upper half of the codes as negative numbers; -1 stands for none.
    """
    if not math.isfinite(given) or given != int(given) or given == -1 or not -(1 << 15) <= given < 1 << 16:
        return None
    return int(given) & 0xFFFF


def from_environment(name: str, default: str = "", environment: Mapping[str, str] | None = None) -> str:
    """Return an environment variable without blanks at its ends; `default` where it is unset or empty.

    Raises:
        SettingsError: if it is not valid UTF-8 or holds a control character.
    """
    value = (os.environ if environment is None else environment).get(name, "").strip()
    if _SURROGATES.search(value) or any(unicodedata.category(c) == "Cc" for c in value):
        raise SettingsError([f"{name} is {quoted(shown(value))}; expected UTF-8 text on one line. Set it anew."])
    return value or default


def whole_characters(text: str) -> str:
    """Return `text` with each half surrogate pair, which is no character, as U+FFFD."""
    return _SURROGATES.sub("\ufffd", text) if _SURROGATES.search(text) else text


def one_line(text: str) -> str:
    """Return `text` on one line: separators of lines become blanks, other control characters and half pairs go."""
    flat = _BREAKS.sub(" ", whole_characters(text))
    return "".join(c for c in flat if c == "\t" or unicodedata.category(c) != "Cc").strip()


def shown(text: str) -> str:
    r"""Return `text` as a terminal may have it: escape and control characters as `\x1b`, newlines and tabs stay."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in "\n\t " else _escaped(c) for c in text)


def _escaped(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Cs":
        return "\ufffd"
    # joiners and marks of direction belong to letters; what turns the rest of a line round does not
    harmless = category in ("Cf", "Zl", "Zp", "Zs", "Co", "Cn") and character not in "\u202d\u202e"
    return character if harmless else f"\\x{ord(character):02x}"

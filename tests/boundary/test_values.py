"""Numbers are finite and in range, variables are one line of text, and no escape reaches a terminal."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lvm_core.boundary.values import from_environment, number, one_line, shown, whole_characters, whole_number
from lvm_core.errors import LvmError, SettingsError


@pytest.mark.parametrize(("given_value", "value"), [("5", 5), (7, 7), (" 12 ", 12)])
def test_whole_numbers_pass(given_value: object, value: int) -> None:
    assert whole_number(given_value, "windows", 1, 100) == value


@pytest.mark.parametrize(
    "given_value", ["abc", "", "1.5", 1.0, True, None, [], "10" * 3_000, 10**400, "0", "-3", math.nan, "Infinity"]
)
def test_other_numbers_are_refused_with_the_bounds(given_value: object) -> None:
    with pytest.raises(SettingsError, match=r"windows is .*; expected a whole number, 1 to 100"):
        whole_number(given_value, "windows", 1, 100)


@pytest.mark.parametrize("given_value", ["nan", "inf", "1e999", 10**400, "x", None, True, "3"])
def test_a_number_is_finite_and_in_range(given_value: object) -> None:
    assert number("0.25", "strength", 0, 1) == 0.25
    with pytest.raises(SettingsError, match=r"strength is .*; expected a finite number, 0 to 1"):
        number(given_value, "strength", 0, 1)


@given(st.text(max_size=50) | st.integers() | st.floats() | st.none() | st.booleans())
def test_any_value_is_a_number_or_a_refusal(given_value: object) -> None:
    for read in (lambda: whole_number(given_value, "x", -5, 5), lambda: number(given_value, "x", -5, 5)):
        try:
            assert -5 <= read() <= 5
        except LvmError as error:
            assert "expected" in str(error)  # noqa: PT017


def test_a_variable_is_one_line_of_text() -> None:
    assert from_environment("A", "none", {"A": " x "}) == "x"
    assert from_environment("A", "none", {"A": ""}) == from_environment("B", "none", {}) == "none"
    for value in ("a\nb", "\udcff", "\x1b[31m"):
        with pytest.raises(SettingsError, match="expected UTF-8 text on one line"):
            from_environment("A", "", {"A": f"x{value}y"})


def test_half_characters_are_replaced_and_titles_stand_on_one_line() -> None:
    assert whole_characters("a\ud800b") == "a\ufffdb"
    assert one_line("A\u2028B\x85C\nD\x1bE\x00 \ud83d") == "A B C DE \ufffd"
    assert one_line("می\u200cخواهم") == "می\u200cخواهم"


@given(st.text())
def test_a_terminal_gets_no_control_character(text: str) -> None:
    safe = shown(text)
    assert not any((ord(c) < 32 and c not in "\n\t ") or 127 <= ord(c) < 160 for c in safe)
    assert "\u202e" not in safe
    safe.encode("utf-8")


def test_what_is_printable_stays() -> None:
    for text in ("Zürich – 東京 🙂", "می\u200cخواهم", "a\tb\nc"):
        assert shown(text) == text
    assert shown("\x1b]0;PWNED\x07") == "\\x1b]0;PWNED\\x07"

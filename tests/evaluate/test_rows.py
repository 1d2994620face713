"""Rows keep the shape of their JSON, whoever wrote it."""

import json

import pytest

from lvm_core.evaluate.rows import ArticleSums, Example, Row
from lvm_core.evaluate.settings import Split
from lvm_core.workspace import SHIPPED_BOARD

SHIPPED = json.loads(SHIPPED_BOARD.read_text())


@pytest.mark.parametrize("stored", SHIPPED["rows"], ids=lambda row: f"{row['model']} on {row['corpus']}")
def test_a_row_is_written_as_it_was_read(stored: dict[str, object]) -> None:
    row = {name: value for name, value in stored.items() if name not in ("articles", "examples")}
    assert Row.read(row).to_json() == row


def test_windows_and_sums_are_written_as_they_were_read() -> None:
    shown = next(example for row in SHIPPED["rows"] for example in row["examples"])
    assert Example.read(shown).to_json() == shown
    first = SHIPPED["rows"][0]
    sums = {"titles": SHIPPED["titles"][first["comparable"]], **first["articles"]}
    assert ArticleSums.read(sums).to_json() == sums


def test_fields_of_a_newer_studio_are_carried_along() -> None:
    stored = {**SHIPPED["rows"][0], "mood": "good", "charm": 0.5, "charm_ci": [0.4, 0.6]}
    written = Row.read(stored).to_json()
    assert (written["mood"], written["charm"], written["charm_ci"]) == ("good", 0.5, [0.4, 0.6])


@pytest.mark.parametrize("split", [Split("test"), Split("all", unseen=True), Split("validation")])
def test_a_split_is_read_back_from_its_text(split: Split) -> None:
    assert Split.read(str(split)) == split


@pytest.mark.parametrize("damaged", [{}, {"model": "amn"}, {**SHIPPED["rows"][0], "context": "five"}])
def test_what_is_no_row_says_what_is_missing(damaged: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"a row of the board needs .*context"):
        Row.read(damaged)


@pytest.mark.parametrize("damaged", [{}, {"titles": ["A"], "n": [1], "cosine": [1, 2]}, {"titles": 3}])
def test_what_are_no_sums_are_refused(damaged: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="no sums by article"):
        ArticleSums.read(damaged)

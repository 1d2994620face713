"""Rows keep the shape of their JSON, whoever wrote it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lvm_core.errors import ModelError
from lvm_core.evaluate.measures import MEASURES
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
    with pytest.raises(ModelError, match=r"A row of the board: .*(missing|a whole number).* Evaluate"):
        Row.read(damaged)


@pytest.mark.parametrize("damaged", [{}, {"titles": ["A"], "n": [1], "cosine": [1, 2]}, {"titles": 3}])
def test_what_are_no_sums_are_refused(damaged: dict[str, object]) -> None:
    with pytest.raises(ModelError, match="no sums by article"):
        ArticleSums.read(damaged)


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(name=st.sampled_from(sorted(SHIPPED["rows"][0])), junk=JUNK)
def test_a_row_with_junk_in_any_field_is_refused_or_can_be_shown(name: str, junk: Any) -> None:
    try:
        row = Row.read({**SHIPPED["rows"][0], name: junk})
    except ModelError:
        return
    assert row.to_json()["model"] == row.model
    assert all(isinstance(measure.written(row), str) for measure in MEASURES.values())
    assert all(isinstance(twin.test, str) for twin in row.near_duplicates)
    assert f"{row.n_windows:,} {row.n_articles:,} {row.coherence.test or 0:.3f}"


@given(name=st.sampled_from(["titles", "n", "cosine", "mrr", "counts"]), junk=JUNK)
def test_sums_with_junk_are_refused_or_fit_together(name: str, junk: Any) -> None:
    first = SHIPPED["rows"][0]
    try:
        read = ArticleSums.read({"titles": SHIPPED["titles"][first["comparable"]], **first["articles"], name: junk})
    except ModelError:
        return
    assert {len(one.total) for one in read.sums.values()} == {len(read.titles)}


@given(junk=JUNK)
def test_what_is_no_window_is_refused(junk: Any) -> None:
    shown = next(example for row in SHIPPED["rows"] for example in row["examples"])
    for name in shown:
        try:
            example = Example.read({**shown, name: junk})
        except ModelError:
            continue
        assert f"{example.cosine:.3f} {example.position}"

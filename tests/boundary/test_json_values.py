"""JSON is bounded, and its objects become dataclasses or a refusal that names the field."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lvm_core.boundary.json_values import from_json, parse_json, read_json_file
from lvm_core.errors import LvmError, ModelError, SourceError


@dataclasses.dataclass(frozen=True)
class Inner:
    name: str
    share: float = 0.5


@dataclasses.dataclass(frozen=True)
class Outer:
    n: int
    inner: Inner
    words: tuple[str, ...] = ()
    pair: tuple[int, int] | None = None
    options: dict[str, float] = dataclasses.field(default_factory=dict)
    on: bool = False
    anything: Any = None


GOOD: dict[str, Any] = {
    "n": 3, "inner": {"name": "a", "share": 1}, "words": ["x", "y"], "pair": [1, 2], "options": {"lr": 0.1}, "on": True,
}  # fmt: skip


def test_an_object_becomes_its_dataclass() -> None:
    assert from_json(Outer, GOOD, "config") == Outer(3, Inner("a", 1.0), ("x", "y"), (1, 2), {"lr": 0.1}, True)
    assert from_json(Inner, {"name": "a", "new": 1}, "config", extra=True) == Inner("a")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n": "3"}, r"config: n is '3'; expected a whole number. Delete it"),
        ({"n": True}, "n is True; expected a whole number"),
        ({"n": 3.0}, "n is 3.0; expected a whole number"),
        ({"inner": {}}, "inner.name is missing"),
        ({"inner": [1]}, "inner is .*expected an object"),
        ({"words": [1]}, r"words\[0\] is 1; expected text"),
        ({"pair": [1]}, "pair is"),
        ({"options": {"lr": "x"}}, "options.lr is .*expected a number"),
        ({"colour": 1}, "colour is 1; expected one of the keys n, inner"),
    ],
)
def test_what_does_not_fit_is_named(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        from_json(Outer, {**GOOD, **change}, "config", error=ModelError)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[" * 100_000, "nested too deeply; expected at most 64 levels"),
        ("[" * 80 + "]" * 80, "nested too deeply"),
        ('{"a": ' * 5_000 + "1" + "}" * 5_000, "nested too deeply"),
        ("", "cannot be read as JSON"),
        ("1" * 5_000, "cannot be read as JSON"),
        (b"\xff\xfe", "cannot be read as JSON"),
        (" " * 2_000, "expected JSON of at most"),
    ],
)
def test_what_is_no_json_or_too_much_is_refused(text: str | bytes, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        parse_json(text, "The line", 1_000 if text == " " * 2_000 else 1_000_000)


def test_a_file_is_read_with_and_without_a_byte_order_mark(tmp_path: Path) -> None:
    for start in (b"", b"\xef\xbb\xbf"):
        (tmp_path / "a.json").write_bytes(start + b'{"a": [1]}')
        assert read_json_file(tmp_path / "a.json") == {"a": [1]}
    assert parse_json("[" * 60 + "]" * 60, "deep enough")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*GOOD, "name", "x"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(JSON, st.sampled_from([Outer, Inner]))
@settings(max_examples=1_000, deadline=None)
def test_any_json_is_an_object_or_a_refusal(value: Any, cls: type) -> None:
    try:
        made = from_json(cls, parse_json(json.dumps(value), "x"), "x")
    except LvmError as error:
        assert "expected" in str(error) or "missing" in str(error)  # noqa: PT017
    else:
        assert isinstance(made, cls)


@given(st.binary(max_size=200) | st.text(max_size=200))
@settings(max_examples=500, deadline=None)
def test_any_bytes_are_json_or_a_refusal(text: bytes | str) -> None:
    try:
        parse_json(text, "x")
    except LvmError as error:
        assert "as JSON" in str(error) or "deeply" in str(error)  # noqa: PT017

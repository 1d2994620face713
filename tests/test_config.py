"""Settings to words, through the real parser, and back: nothing is lost on the way, in any settings of the project."""

import argparse
import dataclasses
import importlib
import pkgutil
from typing import Any

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lvm_core
from lvm_core.config import (
    Field,
    add_arguments,
    check,
    command_line,
    field_of,
    fields_of,
    from_namespace,
    named_values,
    problems,
    setting,
    typed,
)
from lvm_core.errors import SettingsError


def settings_classes() -> list[type[Any]]:
    """Return every dataclass of the engine whose fields are settings, flags made of them or not."""
    for module in pkgutil.walk_packages(lvm_core.__path__, "lvm_core."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    classes: set[type[Any]] = set()
    waiting = [
        member
        for name, module in list(importlib.sys.modules.items())  # type: ignore[attr-defined]
        if name.startswith("lvm_core")
        for member in vars(module).values()
        if isinstance(member, type)
    ]
    for cls in waiting:
        nested = [member for member in vars(cls).values() if isinstance(member, type)]
        classes |= {c for c in (cls, *nested) if dataclasses.is_dataclass(c) and _is_settings(c)}
    return sorted(classes, key=lambda c: (c.__module__, c.__qualname__))


def _is_settings(cls: type[Any]) -> bool:
    fields = dataclasses.fields(cls)
    return bool(fields) and any("always" in f.metadata for f in fields)


CLASSES = settings_classes()
WORDS = st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=12)
OPTIONS = st.one_of(
    st.integers(), st.booleans(), st.floats(allow_nan=False, allow_infinity=False), WORDS, st.just("1,1,0.5")
)


def values(f: Field) -> st.SearchStrategy[Any]:
    """Return every value that a setting may have."""
    if f.choices:
        kinds: st.SearchStrategy[Any] = st.sampled_from(f.choices)
    elif f.kind is bool:
        kinds = st.booleans()
    elif f.kind is int:
        kinds = st.integers(int(f.low) if f.low is not None else -(10**9), int(f.high) if f.high is not None else 10**9)
    elif f.kind is float:
        low, high = (f.low if f.low is not None else -1e9), (f.high if f.high is not None else 1e9)
        kinds = st.floats(low, high, allow_nan=False)
    elif f.kind is dict:
        kinds = st.dictionaries(st.from_regex(r"[a-z][a-z_]{0,8}", fullmatch=True), OPTIONS, max_size=3)
    else:
        kinds = WORDS
    return st.one_of(st.none(), kinds) if f.optional and f.default is None else kinds


def parts(cls: type[Any]) -> list[str]:
    """Return the fields that are no flag: settings within settings, and the ladder of steps."""
    return [f.name for f in fields_of(cls) if dataclasses.is_dataclass(f.kind) or f.kind is tuple]


def through_the_parser(cls: type[Any], words: list[str]) -> Any:
    parser = argparse.ArgumentParser(exit_on_error=False)
    add_arguments(parser, cls, skip=parts(cls))
    return from_namespace(cls, parser.parse_args(words))


def test_the_settings_of_the_project_are_many() -> None:
    names = {cls.__qualname__ for cls in CLASSES}
    assert {
        "TrainConfig",
        "MapSettings",
        "DriftSettings",
        "SnapSettings",
        "PredictSettings",
        "EvaluateSettings",
    } <= names
    assert len(CLASSES) >= 15


@pytest.mark.parametrize("cls", CLASSES, ids=lambda c: f"{c.__module__.split('.')[-1]}.{c.__qualname__}")
@hypothesis.settings(deadline=None, max_examples=50)
@given(data=st.data())
def test_settings_survive_the_way_over_the_command_line(cls: type[Any], data: st.DataObject) -> None:
    drawn = {f.name: data.draw(values(f), label=f.name) for f in fields_of(cls) if f.name not in parts(cls)}
    settings = check(cls(**drawn))
    assert through_the_parser(cls, command_line(settings, skip=parts(cls))) == settings


@pytest.mark.parametrize("cls", CLASSES, ids=lambda c: f"{c.__module__.split('.')[-1]}.{c.__qualname__}")
def test_a_form_finds_words_for_every_setting(cls: type[Any]) -> None:
    for f in fields_of(cls):
        if f.name not in parts(cls):
            assert f.help, f.name
            assert len(f.title) > 1, f.name
            assert f.about.startswith(f.help[0].upper())


def test_only_what_differs_and_what_is_asked_for_is_spelled_out() -> None:
    @dataclasses.dataclass
    class Toy:
        name: str = setting("a", "a name", always=True)
        size: int = setting(3, "a size", "chunks", low=1, high=9, label="how large")
        fast: bool = setting(True, "whether")

    assert command_line(Toy()) == ["--name", "a"]
    assert command_line(Toy(size=4, fast=False), skip=["name"]) == ["--size", "4", "--no-fast"]
    assert typed(["train", *command_line(Toy("a b"))]) == "python -m lvm_core train --name 'a b'"
    assert field_of(Toy, "size").title == "how large [chunks]"
    assert field_of(Toy, "size").about == "A size. From 1 to 9. Default: 3."
    assert problems(Toy(size=0, fast=1)) == ["size is 0; expected 1 to 9 chunks.", "fast is 1; expected bool: whether."]  # type: ignore[arg-type]


def test_named_values_say_what_they_expect() -> None:
    assert named_values(["a=1", "b-c=true", "d=x,y"]) == {"a": 1, "b_c": True, "d": "x,y"}
    with pytest.raises(SettingsError, match="--option is 'd_model'; expected NAME=VALUE"):
        named_values(["d_model"])

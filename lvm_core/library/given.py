"""What a person gives a verb, checked before anything is asked: every mistake says what was expected."""

import dataclasses
import functools
import inspect
import numbers
from collections.abc import Callable, Iterable, Mapping, Sequence
from os import PathLike
from types import UnionType
from typing import Any, TypeGuard, TypeVar, get_args, get_origin

import numpy as np
from numpy.typing import ArrayLike

from lvm_core.errors import EncoderError, SettingsError
from lvm_core.json_shapes import Value
from lvm_core.library.backend import Ask
from lvm_core.predict.settings import PredictSettings
from lvm_core.types import Vectors

NEVER_SHOWN = ("key",)
"""Arguments that no message repeats."""

KINDS: dict[type, tuple[type, str]] = {
    str: (str, "text"),
    int: (numbers.Integral, "a whole number"),
    float: (numbers.Real, "a number"),
    bool: (bool, "True or False"),
    PathLike: (PathLike, "a path"),
    PredictSettings: (PredictSettings, "PredictSettings"),
    type(None): (type(None), "None"),
}
"""What an argument of each plain kind may be, and what it is called."""

C = TypeVar("C", bound=type)
R = TypeVar("R")


def checked(verbs: C) -> C:
    """Have the plain arguments of a class and of each of its verbs checked against their annotations."""
    for name, verb in [*vars(verbs).items()]:
        if inspect.isfunction(verb) and (name == "__init__" or not name.startswith("_")):
            setattr(verbs, name, _checked(verb, verbs.__name__ if name == "__init__" else name))
    return verbs


def _checked(verb: Callable[..., R], called: str) -> Callable[..., R]:
    signature = inspect.signature(verb)
    plain = {p.name: kinds for p in signature.parameters.values() if (kinds := _kinds(p))}

    @functools.wraps(verb)
    def with_plain_arguments(*args: Any, **given: Any) -> R:
        for name, value in signature.bind(*args, **given).arguments.items():
            if name in plain and not isinstance(value, tuple(kind for kind, _ in plain[name])):
                wanted = " or ".join(word for _, word in plain[name])
                shown = f"a {type(value).__name__}" if name in NEVER_SHOWN else repr(value)
                raise SettingsError([f"{called}: {name} is {shown}; expected {wanted}."])
        return verb(*args, **given)

    return with_plain_arguments


def _kinds(parameter: inspect.Parameter) -> list[tuple[type, str]]:
    """Return what a parameter may be, nothing where that is more than plain kinds."""
    annotation = parameter.annotation
    some = get_args(annotation) if isinstance(annotation, UnionType) else (annotation,)
    parts = [get_origin(part) or part for part in some]
    plain = parameter.kind != parameter.VAR_KEYWORD and all(part in KINDS for part in parts)
    return [KINDS[part] for part in parts] if plain else []


def ask_of(
    chunks: Sequence[str], models: Sequence[str], target: str, rows: Sequence[int] | None, corpus: str | None,
    encoder: str | None, settings: PredictSettings | None, given: Mapping[str, Value],
) -> Ask:  # fmt: skip
    """Return the question that the arguments of `Studio.predict` put."""
    base = settings or PredictSettings()
    names = {f.name for f in dataclasses.fields(PredictSettings)}
    unknown = sorted(set(given) - names)
    if unknown:
        raise SettingsError([f"There is no setting {unknown[0]!r}; expected one of {', '.join(sorted(names))}."])
    chosen = dataclasses.replace(base, **given).checked()  # type: ignore[arg-type]
    if rows is not None and not corpus:
        raise SettingsError(["rows are given without their corpus; expected its name as corpus=NAME."])
    asked = tuple(dict.fromkeys(names_of(models, "models")))
    texts = tuple(texts_of(chunks, "chunks")) if rows is None else ()
    return Ask(texts, None if rows is None else _rows_of(rows), target, asked, corpus, encoder, chosen)


def texts_of(texts: Sequence[str], what: str) -> list[str]:
    """Return `texts`, which must be a list of texts and no single one."""
    listed = _listed(texts)
    if not _all(listed, str):
        raise EncoderError(f"{what} is {_kind(listed)}", "a list of texts", 'Give one, such as ["First."].')
    return listed


def contexts_of(contexts: Sequence[Sequence[str]]) -> list[Sequence[str]]:
    """Return `contexts`, each a list of chunks, as a list."""
    listed = _listed(contexts)
    if not _all(listed, object):
        raise EncoderError(f"contexts is {listed!r}", "a list of contexts, each a list of texts", "Give one of each.")
    return listed


def truths_of(targets: Sequence[str], n_contexts: int) -> list[str]:
    """Return the true next chunk of each context, "" for each where none is given."""
    listed = _listed(targets)
    if not _all(listed, str):
        raise SettingsError([f"targets is {_kind(listed)}; expected a list of texts, or () where none is known."])
    truths = listed or [""] * n_contexts
    if len(truths) != n_contexts:
        given = f"There are {len(truths)} targets for {n_contexts} contexts"
        raise SettingsError([f"{given}; expected one for each, or none at all."])
    return truths


def names_of(names: Sequence[str] | str, what: str) -> list[str]:
    """Return one name, or several, as a list."""
    listed = [names] if isinstance(names, str) else _listed(names)
    if not _all(listed, str):
        raise SettingsError([f"{what} is {_kind(listed)}; expected a name, or a list of names such as ['mlp']."])
    return listed


def _rows_of(rows: Sequence[int]) -> tuple[int, ...]:
    listed = _listed(rows)
    if not _all(listed, numbers.Integral):
        raise SettingsError([f"rows is {_kind(listed)}; expected whole numbers, such as range(0, 5)."])
    return tuple(int(row) for row in listed)


def _listed(values: object) -> Any:
    """Return several `values` as a list, for what makes them as it is asked gives them once; a text stays as it is."""
    return list(values) if isinstance(values, Iterable) and not isinstance(values, str) else values


def _all(values: object, kind: type) -> TypeGuard[list[Any]]:
    return isinstance(values, list) and all(isinstance(value, kind) for value in values)


def _kind(values: object) -> str:
    """Return what `values` are, in words."""
    if not isinstance(values, list):
        return repr(values)
    return f"list of {', '.join(sorted({type(value).__name__ for value in values}))}"


def vectors_of(values: ArrayLike) -> Vectors:
    """Return numbers as float32; their shape is the engine's to check."""
    try:
        return np.asarray(values, dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise EncoderError(
            f"The vectors are no array of numbers ({error})", "rows of one length", "Give what `encode` gave."
        ) from error

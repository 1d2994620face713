"""What a person gives a verb, checked before anything is asked: every mistake says what was expected."""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from lvm_core.errors import EncoderError, SettingsError
from lvm_core.json_shapes import Value
from lvm_core.library.backend import Ask
from lvm_core.predict.settings import PredictSettings
from lvm_core.types import Vectors


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
    asked = [models] if isinstance(models, str) else models
    texts = tuple(texts_of(chunks, "chunks")) if rows is None else ()
    numbers = None if rows is None else tuple(int(row) for row in rows)
    return Ask(texts, numbers, target, tuple(dict.fromkeys(asked)), corpus, encoder, chosen)


def texts_of(texts: Sequence[str], what: str) -> Sequence[str]:
    """Return `texts`, which must be a list of texts and no single one."""
    if isinstance(texts, str) or not all(isinstance(text, str) for text in texts):
        raise EncoderError(f"{what} is {type(texts).__name__}", "a list of texts", 'Give one, such as ["First."].')
    return texts


def vectors_of(values: ArrayLike) -> Vectors:
    """Return numbers as float32; their shape is the engine's to check."""
    try:
        return np.asarray(values, dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise EncoderError(
            f"The vectors are no array of numbers ({error})", "rows of one length", "Give what `encode` gave."
        ) from error

"""What every decoder, snap and search demands of a vector and of a number of steps, said once."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from lvm_core.errors import CorpusError, DecoderError, EncoderError, SettingsError
from lvm_core.types import Rows, Vectors

MAX_STEPS = 50
MAX_BUDGET_MS = 600_000
"""More corrections than the published vec2text runs ever took."""


def check_vectors(vectors: Any, dim: int, what: str = "The vectors") -> Vectors:
    """Return `vectors` as (N, D) float32.

    Args:
        vectors: array-like (N, D), or (D,) for one.
        dim: D that the decoder, index or net expects.
        what: how the message calls them.

    Raises:
        DecoderError: for a wrong shape or dimension, NaN, infinity, or a vector of zeros.
    """
    array = np.asarray(vectors, dtype=np.float32)
    array = array[None, :] if array.ndim == 1 else array
    if array.ndim != 2 or array.shape[1] != dim:
        raise DecoderError(
            f"{what} have the shape {np.shape(vectors)}",
            f"(N, {dim}): one vector of dimension {dim} a row",
            "Use vectors of the encoder that this belongs to.",
        )
    bad = np.flatnonzero(~np.isfinite(array).all(axis=1))
    if bad.size:
        raise DecoderError(
            f"{what} hold NaN or infinite numbers (row {bad[0]}, {bad.size} of {len(array)} rows)",
            "finite numbers",
            "Check the model or the file that they come from.",
        )
    zero = np.flatnonzero(np.linalg.norm(array, axis=1) < 1e-12)
    if zero.size:
        raise DecoderError(
            f"{what} hold nothing but zeros (row {zero[0]}, {zero.size} of {len(array)} rows)",
            "vectors that point somewhere, since others have no text",
            "Check the model or the file that they come from.",
        )
    return array


def check_steps(steps: int) -> int:
    """Return `steps`; 0 is the first hypothesis.

    Raises:
        SettingsError: if it is not a whole number of 0 to 50.
    """
    if isinstance(steps, bool) or not isinstance(steps, (int, np.integer)) or not 0 <= steps <= MAX_STEPS:
        raise SettingsError(
            [f"steps is {steps!r}; expected 0 (the first hypothesis) to {MAX_STEPS} corrections; 1, 3 and 5 are usual."]
        )
    return int(steps)


def check_budget(steps: int | None, budget_ms: int | None) -> None:
    """Refuse steps and a budget together: each says when a text is done.

    Raises:
        SettingsError: if both are given, or the budget is out of bounds.
    """
    if budget_ms is not None and not 1 <= budget_ms <= MAX_BUDGET_MS:
        raise SettingsError([f"budget_ms is {budget_ms!r}; expected 1 to {MAX_BUDGET_MS:,} ms, or none."])
    if steps is not None and budget_ms is not None:
        raise SettingsError(
            [f"steps is {steps} and budget_ms is {budget_ms}; expected one of them. Leave the other out."]
        )


class Searched(Protocol):
    """What an index says of itself."""

    @property
    def encoder_id(self) -> str: ...

    @property
    def dim(self) -> int: ...

    @property
    def n_rows(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Search:
    """A search that an index can answer: queries (Q, D), `k` of the rows that are left, sorted rows to leave out."""

    queries: Vectors
    k: int
    exclude: Rows


def check_search(queries: Any, k: int, exclude: Rows | None, index: Searched) -> Search:
    """Return the search, with k at most the rows that `exclude` leaves (0 where it leaves none).

    Raises:
        EncoderError: if the queries are not of the index's dimension.
        CorpusError: if k is below 1.
    """
    vectors = np.atleast_2d(np.asarray(queries, dtype=np.float32))
    if not vectors.size:
        vectors = vectors.reshape(0, index.dim)
    if vectors.shape[1] != index.dim:
        raise EncoderError(
            f"The queries have {vectors.shape[1]} dimensions",
            f"{index.dim}, as the index of '{index.encoder_id}' has",
            "Encode them with the same encoder.",
        )
    if k < 1:
        raise CorpusError(f"k is {k}", "at least 1 neighbour", "Ask for one or more.")
    rows = np.unique(np.asarray([] if exclude is None else exclude, dtype=np.int64))
    rows = rows[(rows >= 0) & (rows < index.n_rows)]
    return Search(vectors, min(int(k), index.n_rows - len(rows)), rows)

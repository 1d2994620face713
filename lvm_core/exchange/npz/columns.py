"""Columns of an NPZ by the names that people give them: checked by their headers, read a value at a time."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lvm_core.boundary.values import bits16, whole_characters
from lvm_core.errors import SourceError
from lvm_core.exchange.npz.archive import Archive
from lvm_core.types import Vectors

TEXTS = ("concept_texts", "texts", "chunk_texts", "chunks", "concept_text")
IDS = ("cpe_ids", "chunk_ids", "ids", "cpe_id")
CODES = ("tmd_codes", "tmd_bits", "tmd_code")
ARTICLES = ("article_indices", "article_ids", "document_ids", "doc_ids", "batch_ids", "article_index", "document_id")
TITLES = ("article_titles", "titles", "doc_titles", "article_title")
POSITIONS = ("chunk_indices", "positions", "seq_in_article", "sequence_indices", "chunk_index", "sequence_index",
             "position")  # fmt: skip

MOST_DIM = 65_536


def named(arrays: Archive, names: Sequence[str]) -> str:
    """Return the first of the names that the file has, "" where it has none."""
    return next((name for name in names if name in arrays.headers), "")


def as_float32(vectors: NDArray[Any]) -> Vectors:
    """Return `vectors` in float32; what is too large becomes infinite, and is left out and counted as such later."""
    with np.errstate(over="ignore", invalid="ignore"):
        return vectors.astype(np.float32)


def numbers(arrays: Archive, key: str, *expected: str) -> NDArray[Any]:
    """Return an array of vectors.

    Args:
        arrays: the file.
        key: its name.
        expected: what its axes are, such as "N", "D"; the last one is the dimension.

    Raises:
        SourceError: if it does not hold numbers of that many axes, or cannot be read.
    """
    header = arrays.headers[key]
    if header.dtype is not None and not header.pickled and not header.problem:
        fits = header.dtype.kind in "fiu" and len(header.shape) == len(expected)
        if not fits or not 1 <= header.shape[-1] <= MOST_DIM:
            raise SourceError(
                f"'{key}' of {arrays.path} is {header}",
                f"numbers of shape ({', '.join(expected)})",
                "Save it again as np.float32.",
            )
    return arrays[key]


def column(arrays: Archive, names: Sequence[str], shape: tuple[int, ...]) -> NDArray[Any] | None:
    """Return the first array of one of these names, None where the file has none.

    Raises:
        SourceError: if it is of another shape, or holds neither texts nor numbers.
    """
    key = named(arrays, names)
    if not key:
        return None
    values = arrays[key]
    if values.shape != shape:
        n_there = len(values) if values.ndim else 1
        raise SourceError(
            f"'{key}' of {arrays.path} has {n_there:,} entries, but there are {shape[0]:,} vectors: its shape is"
            f" {values.shape}",
            f"the shape {shape}",
            "The file's arrays are not aligned: write it again.",
        )
    if values.dtype.kind not in "USiufb":
        raise SourceError(f"'{key}' of {arrays.path} is {values.dtype}", "texts or numbers", "Leave it out.")
    return values


def text_at(values: NDArray[Any], place: int | tuple[int, int]) -> str:
    """Return one value as text; bytes are UTF-8, what is no character becomes U+FFFD."""
    try:
        value = values[place]
    except ValueError:  # a number beyond Unicode, which numpy stores without asking
        return "\ufffd"
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, np.floating) and float(value).is_integer():
        return str(int(value))
    return whole_characters(str(value)).replace("\0", "")


def whole_numbers(values: NDArray[Any]) -> NDArray[np.float64]:
    """Return whole numbers (N,), given as numbers or as text; NaN where one is neither."""
    if values.dtype.kind in "iu":
        return values.astype(np.float64)
    numbers = np.full(len(values), np.nan)
    for i in range(len(values)):
        text = text_at(values, i).strip()
        try:
            number = float(text) if len(text) <= 30 else np.nan
        except ValueError:
            continue
        numbers[i] = number if np.isfinite(number) else np.nan
    return numbers


def article_numbers(values: NDArray[Any]) -> tuple[NDArray[np.int64], bool]:
    """Return a number for the article of each row (N,), and whether the rows of each lie together.

    Articles that lie together keep the file's order, others come in that of their ids.
    """
    names = [text_at(values, row).strip() for row in range(len(values))]
    number_of = {name: number for number, name in enumerate(dict.fromkeys(names))}
    articles = np.array([number_of[name] for name in names], dtype=np.int64)
    if 1 + int((np.diff(articles) != 0).sum()) == len(number_of):
        return articles, True
    ids = whole_numbers(values)
    ranks = np.unique(ids if np.isfinite(ids).all() else np.array(names), return_inverse=True)[1]
    return ranks.astype(np.int64), len(names) < 2


def codes(arrays: Archive, names: Sequence[str], n: int) -> list[int | None]:
    """Return TMD codes (N,), None where a chunk has none."""
    values = column(arrays, names, (n,))
    if values is None:
        return [None] * n
    return [bits16(number) for number in whole_numbers(values).tolist()]

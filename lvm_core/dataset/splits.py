"""Splits by article, and evaluation windows as index arrays."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lvm_core.types import DocumentInfo, Rows

SPLITS = ("train", "validation", "test")
HELD_OUT = 0.1
"""Share of the articles in the validation split, and again in the test split, unless told otherwise."""


def title_key(title: str) -> str:
    """Return what two spellings of an article's title have in common; splits and guards compare this."""
    return " ".join(title.casefold().split())


def split_documents(
    documents: Sequence[DocumentInfo], seed: int = 0, held_out: float = HELD_OUT
) -> dict[str, list[DocumentInfo]]:
    """Return the articles of each split, 80/10/10 unless `held_out` says otherwise, in their order in the corpus.

    Articles are ranked by a hash of the seed and the title, so neither their order nor a growing corpus moves more
    than a few across; articles of one title stay together. From three titles on each split has at least one.
    """
    keys = {title_key(d.title) for d in documents}
    ranked = sorted(keys, key=lambda key: _lot(seed, key))
    n_held = max(1, round(held_out * len(ranked)))
    if len(ranked) < 3:
        n_held = len(ranked) - 1 if len(ranked) == 2 else 0
    validation = set(ranked[:n_held])
    test = set(ranked[n_held : 2 * n_held]) if len(ranked) >= 3 else set()
    splits: dict[str, list[DocumentInfo]] = {name: [] for name in SPLITS}
    for document in documents:
        key = title_key(document.title)
        splits["validation" if key in validation else "test" if key in test else "train"].append(document)
    return splits


def _lot(seed: int, key: str) -> bytes:
    return hashlib.sha256(f"{seed}:{key}".encode()).digest()


def at_most_windows(documents: Sequence[DocumentInfo], most: int, seed: int = 0) -> list[DocumentInfo]:
    """Return articles with about `most` windows in all (each chunk but the first is one), in their order; 0: all.

    They are taken in the order of a hash of the seed and the title, so that a smaller choice is part of a larger one.
    """
    if not most:
        return list(documents)
    chosen, n = set(), 0
    for document in sorted(documents, key=lambda d: (_lot(seed, title_key(d.title)), d.ordinal)):
        if n >= most:
            break
        chosen.add(document.first_row)
        n += max(0, document.n_chunks - 1)
    return [d for d in documents if d.first_row in chosen]


@dataclass(frozen=True, slots=True)
class Windows:
    """Contexts and the chunk that follows each, as row numbers.

    `contexts` (N, T) is padded on the right with the last row of the context where `lengths` (N,) is below T;
    `targets` (N,); `article` (N,) counts the documents that were given, from 0.
    """

    contexts: Rows
    targets: Rows
    article: Rows
    lengths: Rows

    def __len__(self) -> int:
        return len(self.targets)

    def take(self, which: NDArray[np.int64]) -> "Windows":
        """Return the windows at places `which`."""
        return Windows(self.contexts[which], self.targets[which], self.article[which], self.lengths[which])


def evaluation_windows(documents: Sequence[DocumentInfo], context: int, minimum: int | None = None) -> Windows:
    """Return every window of `context` chunks and the next one, none across two articles.

    Args:
        documents: the articles of a split.
        context: T, the number of chunks before the target.
        minimum: where given, targets with at least this many chunks before them count too, with as many of
            them (up to `context`) as there are: the same targets can then be asked of every context length.
    """
    shortest = context if minimum is None else min(minimum, context)
    targets, articles, lengths = [], [], []
    for number, document in enumerate(documents):
        place = np.arange(shortest, max(shortest, document.n_chunks), dtype=np.int64)
        targets.append(document.first_row + place)
        articles.append(np.full(len(place), number, dtype=np.int64))
        lengths.append(np.minimum(place, context))
    if not targets:
        empty = np.zeros(0, dtype=np.int64)
        return Windows(np.zeros((0, context), dtype=np.int64), empty, empty, empty)
    target, length = np.concatenate(targets), np.concatenate(lengths)
    offsets = np.minimum(np.arange(context), length[:, None] - 1)
    return Windows((target - length)[:, None] + offsets, target, np.concatenate(articles), length)

"""Windows of an NPZ as passages: the text that they were cut from, each chunk once."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lvm_core.boundary.values import one_line
from lvm_core.errors import SourceError
from lvm_core.exchange.npz.archive import Archive
from lvm_core.exchange.npz.columns import (
    ARTICLES,
    POSITIONS,
    TITLES,
    article_numbers,
    as_float32,
    codes,
    column,
    numbers,
    text_at,
    whole_numbers,
)
from lvm_core.exchange.npz.layouts import Contents, Passage, WindowKeys, window_sets
from lvm_core.exchange.npz.windows import Assembly, Keys, Segment, chunk_keys, grown_chains
from lvm_core.types import Vectors

BLOCK = 4_096
WINDOW_POSITIONS = ("target_indices", "sequence_positions")
"""What else says where a window lies: the place of its target in all chunks, its own among all windows."""


@dataclass(frozen=True, slots=True)
class _Windows:
    """One set of windows. `mask` (N, T): which contexts are real; `with_targets`: whether the target comes next."""

    keys: WindowKeys
    contexts: NDArray[np.generic]
    targets: NDArray[np.generic]
    mask: NDArray[np.bool_] | None
    with_targets: bool

    @property
    def length(self) -> int:
        """Chunks of a window, its target among them."""
        return int(self.contexts.shape[1]) + self.with_targets

    def vectors(self, window: int, first: int = 0) -> Vectors:
        """Return the vectors (L - first, D) of a window from its chunk `first` on."""
        chunks = [self.contexts[window]]
        if self.with_targets:
            chunks.append(self.targets[window][None])
        whole = as_float32(np.concatenate(chunks))
        if self.mask is not None:
            whole = whole[np.append(self.mask[window], [True] * self.with_targets)]
        return whole[first:]


def from_windows(arrays: Archive, layout: str) -> Contents:
    """Return the passages that the windows of a file were cut from.

    Raises:
        SourceError: if contexts, targets and masks do not fit together.
    """
    sets = [_windows(arrays, keys) for keys in window_sets(arrays)]
    dims = {windows.contexts.shape[2] for windows in sets}
    if len(dims) > 1:
        raise SourceError(
            f"{arrays.path} holds vectors of {', '.join(map(str, sorted(dims)))} dimensions",
            "one dimension",
            "Write those of each encoder into a file of their own.",
        )
    notes = [] if all(windows.with_targets for windows in sets) else [
        "The targets lie further on than the next chunk (p6_offset), so they are left out: only the contexts are read."
    ]  # fmt: skip
    reader = _Reader(arrays, sets, notes)
    return Contents(layout, dims.pop(), True, reader.has_texts, reader.passages(), notes)


def _windows(arrays: Archive, keys: WindowKeys) -> _Windows:
    contexts, targets = numbers(arrays, keys.contexts, "N", "T", "D"), numbers(arrays, keys.targets, "N", "D")
    n, length, dim = contexts.shape
    if targets.shape != (n, dim) or not length:
        raise SourceError(
            f"{keys.contexts} {contexts.shape} and {keys.targets} {targets.shape} of {arrays.path} do not fit",
            "(N, T, D) and (N, D)",
            "Write the arrays again, one target a window.",
        )
    masks = column(arrays, [f"{keys.prefix}masks", f"{keys.prefix}mask"], (n, length))
    mask = None if masks is None else masks.astype(bool)
    offset = arrays.headers.get("p6_offset")
    beyond = offset is not None and offset.n_bytes and offset.shape == () and int(arrays["p6_offset"]) > 0
    return _Windows(keys, contexts, targets, mask if mask is not None and not mask.all() else None, not beyond)


class _Reader:
    """Puts the windows of all sets together, so that a text that was split by window is whole again."""

    def __init__(self, arrays: Archive, sets: list[_Windows], notes: list[str]) -> None:
        self._arrays, self._sets, self._notes = arrays, sets, notes
        self._first = np.cumsum([0, *(len(windows.contexts) for windows in sets)])
        self._main = sets[0]
        n = len(self._main.contexts)
        prefix = self._main.keys.prefix
        self._articles = column(arrays, [prefix + name for name in ARTICLES], (n,))
        self._titles = column(arrays, TITLES, (n,))
        self._positions = column(arrays, [prefix + name for name in (*POSITIONS, *WINDOW_POSITIONS)], (n,))
        shape = (n, self._main.contexts.shape[1])
        self._context_texts = column(arrays, [f"{prefix}context_texts"], shape)
        self._target_texts = column(arrays, [f"{prefix}target_texts"], (n,))
        self._codes = codes(arrays, [f"{prefix}target_tmds", f"{prefix}target_tmd_codes"], n)

    @property
    def has_texts(self) -> bool:
        """Whether the texts of contexts were kept, and so those of a passage's first chunks."""
        return self._context_texts is not None

    def passages(self) -> Iterator[Passage]:
        """Yield the passages, those of one article in its order."""
        if any(windows.mask is not None for windows in self._sets):
            yield from self._chains()
            return
        documents = self._documents()
        assembly = Assembly(self._keys(), documents, self._order(documents))
        seen: dict[int, int] = {}
        for run in assembly.runs():
            document = int(documents[run[0][0]])
            seen[document] = seen.get(document, 0) + 1
            yield self._passage(run, self._title(run, seen[document]))
        if assembly.n_repeated:
            self._notes.append(f"{assembly.n_repeated:,} windows repeat another and are left out.")

    def _keys(self) -> Keys:
        lengths = {windows.length for windows in self._sets}
        if len(lengths) > 1:
            raise SourceError(
                f"{self._arrays.path} holds windows of {sorted(lengths)} chunks",
                "one length",
                "Pad them, or write a file for each length.",
            )
        blocks = [np.empty((0, lengths.pop()), dtype=np.uint64)]
        for windows in self._sets:
            for start in range(0, len(windows.contexts), BLOCK):
                part = chunk_keys(windows.contexts[start : start + BLOCK])
                if windows.with_targets:
                    part = np.column_stack([part, chunk_keys(windows.targets[start : start + BLOCK])])
                blocks.append(part)
        return np.concatenate(blocks)

    def _documents(self) -> NDArray[np.int64]:
        """Return a number for the document of each window, 0 where the file tells none."""
        if self._articles is None:
            return np.zeros(self._first[-1], dtype=np.int64)
        article = article_numbers(self._articles)[0]
        rest = np.full(self._first[-1] - len(article), article.max(initial=0) + 1, dtype=np.int64)
        return np.concatenate([article, rest])

    def _order(self, documents: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the windows by document and position; where no position is told, as they lie in the file."""
        positions = np.arange(self._first[-1], dtype=np.float64)
        if self._positions is not None:
            told = whole_numbers(self._positions)
            if np.isnan(told).any():
                self._notes.append("Some positions are no numbers, so windows are joined by their vectors alone.")
            else:
                positions[: len(told)] = told
        return np.lexsort((positions, documents)).astype(np.int64)

    def _at(self, window: int) -> tuple[_Windows, int]:
        """Return the set that a window is of, and its place there."""
        number = int(np.searchsorted(self._first, window, side="right")) - 1
        return self._sets[number], window - int(self._first[number])

    def _title(self, run: list[Segment], part: int) -> str:
        windows, first = self._at(run[0][0])
        if self._articles is not None and windows is self._main:
            title = one_line(text_at(self._titles, first)) if self._titles is not None else ""
            title = title or one_line(f"article {text_at(self._articles, first).strip()}")
            return title if part == 1 else f"{title}, part {part}"
        numbers_in_file = [window for window, _ in run]
        if np.array_equal(numbers_in_file, range(numbers_in_file[0], numbers_in_file[0] + len(run))):
            name = f"{windows.keys.split} windows".strip()
            return f"{name} {first + 1} to {first + len(run)}"
        return f"passage {part}"

    def _passage(self, run: list[Segment], title: str) -> Passage:
        vectors, texts, tmd = [], [], []
        for window, first in run:
            windows, place = self._at(window)
            vectors.append(windows.vectors(place, first))
            texts += self._texts(windows, place)[first:]
            tmd += self._tmd(windows, place)[first:]
        named = [text if text.strip() else f"{title}, chunk {i + 1}" for i, text in enumerate(texts)]
        return Passage(title, named, np.concatenate(vectors), [None] * len(named), tmd)

    def _texts(self, windows: _Windows, place: int) -> list[str]:
        """Return the texts of a window's chunks, "" where they were not kept."""
        texts = [""] * windows.length
        if windows is not self._main:
            return texts
        if self._context_texts is not None:
            for i in range(self._context_texts.shape[1]):
                texts[i] = text_at(self._context_texts, (place, i))
        if self._target_texts is not None and windows.with_targets:
            texts[-1] = text_at(self._target_texts, place)
        return texts

    def _tmd(self, windows: _Windows, place: int) -> list[int | None]:
        tmd: list[int | None] = [None] * windows.length
        if windows is self._main and windows.with_targets:
            tmd[-1] = self._codes[place]
        return tmd

    def _chains(self) -> Iterator[Passage]:
        """Yield padded rows, each the longest of those that it grew from."""
        for windows in self._sets:
            n = len(windows.contexts)
            rows = [tuple(int(key) for key in chunk_keys(windows.vectors(i))) for i in range(n)]
            for number, i in enumerate(grown_chains(rows), start=1):
                vectors = windows.vectors(i)
                title = f"{windows.keys.split} chain {number}".strip()
                texts = [f"{title}, concept {k + 1}" for k in range(len(vectors))]
                yield Passage(title, texts, vectors, [None] * len(vectors), [None] * len(vectors))

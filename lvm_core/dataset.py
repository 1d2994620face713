"""Splits by article, and windows as index arrays over the vector matrices: nothing is ever materialised."""

import dataclasses
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lvm_core.errors import CorpusError, SpaceMismatch
from lvm_core.types import CorpusInfo, DocumentInfo, Rows, Vectors
from lvm_core.workspace import Workspace

SPLITS = ("train", "validation", "test")
HELD_OUT = 0.1
"""Share of the articles in the validation split, and again in the test split."""

BLOCK_ROWS = 8192
"""Rows gathered from the matrix at once: enough to make the call's own cost small, 12 MB at D = 384."""


class VectorSource(Protocol):
    """A vector matrix: rows by number or by stretch, float32."""

    def rows(self, idx: Rows) -> Vectors: ...

    def slice(self, start: int, stop: int) -> Vectors: ...


def title_key(title: str) -> str:
    """Return what two spellings of an article's title have in common; splits and guards compare this."""
    return " ".join(title.casefold().split())


def split_documents(documents: Sequence[DocumentInfo], seed: int = 0) -> dict[str, list[DocumentInfo]]:
    """Return the articles of each split, 80/10/10, in their order in the corpus.

    Articles are ranked by a hash of the seed and the title, so neither their order nor a growing corpus moves more
    than a few across; articles of one title stay together. From three titles on each split has at least one.
    """
    keys = {title_key(d.title) for d in documents}
    ranked = sorted(keys, key=lambda key: hashlib.sha256(f"{seed}:{key}".encode()).digest())
    n_held = max(1, round(HELD_OUT * len(ranked)))
    if len(ranked) < 3:
        n_held = len(ranked) - 1 if len(ranked) == 2 else 0
    validation = set(ranked[:n_held])
    test = set(ranked[n_held : 2 * n_held]) if len(ranked) >= 3 else set()
    found: dict[str, list[DocumentInfo]] = {name: [] for name in SPLITS}
    for document in documents:
        key = title_key(document.title)
        found["validation" if key in validation else "test" if key in test else "train"].append(document)
    return found


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


@dataclass(frozen=True, slots=True)
class Segments:
    """Stretches of consecutive chunks of one article: rows `start` .. `start + n_targets`."""

    start: Rows
    n_targets: Rows


def cut_segments(documents: Sequence[DocumentInfo], length: int, rng: np.random.Generator) -> Segments:
    """Return segments in which each chunk but an article's first is a target exactly once.

    The first segment of an article has 1 to `length` targets by chance, so that over the epochs a chunk is
    predicted from every number of chunks before it.
    """
    phases = rng.integers(1, length + 1, size=len(documents))
    starts, counts = [], []
    for document, phase in zip(documents, phases, strict=True):
        last = document.n_chunks - 1
        if last < 1:
            continue
        edges = np.concatenate([[0], np.arange(min(phase, last), last, length), [last]])
        edges = np.unique(edges)
        starts.append(document.first_row + edges[:-1])
        counts.append(np.diff(edges))
    if not starts:
        return Segments(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))
    return Segments(np.concatenate(starts).astype(np.int64), np.concatenate(counts).astype(np.int64))


@dataclass(frozen=True, slots=True)
class Batch:
    """`x` (B, T, D) vectors, `y` (B, T, D) the next one at each position, `mask` (B, T) True where y is real."""

    x: Tensor
    y: Tensor
    mask: Tensor


class TrainingSet:
    """Training batches gathered by index; the order of an epoch depends on the seed and the epoch alone."""

    def __init__(
        self,
        vectors: VectorSource,
        documents: Sequence[DocumentInfo],
        length: int,
        batch_size: int,
        seed: int,
        group: int = 1,
        normalise: bool = False,
    ) -> None:
        """Say what to draw from.

        Args:
            vectors: the matrix.
            documents: the training articles.
            length: targets in a segment.
            batch_size: segments in a batch.
            seed: of the order.
            group: so many neighbouring segments stay together in a batch (for same-article negatives).
            normalise: whether rows still have to be brought to unit norm.
        """
        self.vectors, self.length, self.batch_size = vectors, length, batch_size
        self.documents = [d for d in documents if d.n_chunks >= 2]
        self.seed, self.group, self.normalise = seed, group, normalise
        self.n_windows = sum(d.n_chunks - 1 for d in self.documents)

    def _order(self, epoch: int) -> Segments:
        rng = np.random.default_rng((self.seed, epoch))
        found = cut_segments(self.documents, self.length, rng)
        groups = rng.permutation(-(-len(found.start) // self.group))
        order = (groups[:, None] * self.group + np.arange(self.group)).ravel()
        order = order[order < len(found.start)]
        return Segments(found.start[order], found.n_targets[order])

    def n_batches(self, epoch: int) -> int:
        """Return the number of batches in an epoch (it varies a little with the random first segments)."""
        return -(-len(self._order(epoch).start) // self.batch_size)

    def mean_batches(self) -> float:
        """Return about how many batches an epoch has, without drawing one."""
        segments = sum((d.n_chunks - 1) / self.length + 0.5 for d in self.documents)
        return max(1.0, segments / self.batch_size)

    def batches(self, epoch: int, first: int = 0) -> Iterator[Batch]:
        """Yield the batches of `epoch` from number `first` on, on the CPU."""
        order = self._order(epoch)
        a_block = max(1, BLOCK_ROWS // (self.batch_size * (self.length + 1))) * self.batch_size
        for begin in range(first * self.batch_size, len(order.start), a_block):
            start, counts = order.start[begin : begin + a_block], order.n_targets[begin : begin + a_block]
            rows = start[:, None] + np.minimum(np.arange(self.length + 1), counts[:, None])
            block = self._gather(rows)
            mask = torch.from_numpy(np.arange(self.length) < counts[:, None])
            for k in range(0, len(start), self.batch_size):
                longest = int(counts[k : k + self.batch_size].max())
                part = block[k : k + self.batch_size, : longest + 1]
                yield Batch(part[:, :-1], part[:, 1:], mask[k : k + self.batch_size, :longest])

    def _gather(self, rows: Rows) -> Tensor:
        found = torch.from_numpy(self.vectors.rows(rows.ravel())).view(*rows.shape, -1)
        return torch.nn.functional.normalize(found, dim=-1) if self.normalise else found


class JointVectors:
    """Several matrices under one row numbering, in the order given."""

    def __init__(self, parts: Sequence[VectorSource], sizes: Sequence[int]) -> None:
        """Number the rows of `parts` through."""
        self.parts = list(parts)
        self.offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)

    def rows(self, idx: Rows) -> Vectors:
        """Return the rows (n, D) float32 in the order of `idx`."""
        if len(self.parts) == 1:
            return self.parts[0].rows(idx)
        part = np.searchsorted(self.offsets, idx, side="right") - 1
        out: Vectors | None = None
        for number in np.unique(part):
            chosen = np.flatnonzero(part == number)
            found = self.parts[number].rows(idx[chosen] - self.offsets[number])
            if out is None:
                out = np.empty((len(idx), found.shape[1]), dtype=np.float32)
            out[chosen] = found
        assert out is not None
        return out

    def slice(self, start: int, stop: int) -> Vectors:
        """Return rows start .. stop - 1, which must lie in one part."""
        number = int(np.searchsorted(self.offsets, start, side="right")) - 1
        offset = int(self.offsets[number])
        return self.parts[number].slice(start - offset, stop - offset)


@dataclass(frozen=True)
class Corpora:
    """Several encoded corpora as one: their vectors, and their articles by split, numbered through."""

    infos: list[CorpusInfo]
    vectors: JointVectors
    splits: dict[str, list[DocumentInfo]]
    encoder_id: str
    dim: int
    unit_norm: bool
    mean_norm: float
    n_rows: int
    n_left_out: int


def open_corpora(workspace: Workspace, names: Sequence[str], encoder_id: str, split_seed: int = 0) -> Corpora:
    """Return the corpora `names` in the space of `encoder_id`, split by article.

    An article that is held out in one corpus is held out in all of them: training articles whose title is in
    the validation or test split of another corpus are left out (and counted).

    Raises:
        CorpusError: if a corpus is missing or is not encoded.
        SpaceMismatch: if the matrices are not all of `encoder_id`.
    """
    from lvm_core.corpus.store import CorpusStore
    from lvm_core.vectors.matrix import open_matrix

    store = CorpusStore(workspace)
    infos = [store.corpus(name) for name in names]
    matrices = [open_matrix(workspace, name, encoder_id) for name in names]
    for name, matrix in zip(names, matrices, strict=True):
        if matrix.encoder_id != encoder_id:
            raise SpaceMismatch(f"corpus '{name}'", encoder_id, matrix.encoder_id, "encode it with one encoder.")
    splits: dict[str, list[DocumentInfo]] = {name: [] for name in SPLITS}
    offset = 0
    for name, matrix in zip(names, matrices, strict=True):
        for split, documents in split_documents(store.documents(name), split_seed).items():
            splits[split] += [dataclasses.replace(d, first_row=d.first_row + offset) for d in documents]
        offset += matrix.n_rows
    held = {title_key(d.title) for split in ("validation", "test") for d in splits[split]}
    kept = [d for d in splits["train"] if title_key(d.title) not in held]
    n_left_out = len(splits["train"]) - len(kept)
    splits["train"] = kept
    if not any(d.n_chunks >= 2 for d in kept):
        raise CorpusError(
            f"{', '.join(names)}: no training article has two chunks, so there is nothing to predict."
            " Ingest more or longer articles."
        )
    joint = JointVectors(matrices, [m.n_rows for m in matrices])
    norms = [m.mean_norm for m in matrices]
    first = matrices[0]
    return Corpora(
        infos, joint, splits, encoder_id, first.dim, all(m.unit_norm for m in matrices), float(np.mean(norms)),
        offset, n_left_out,
    )  # fmt: skip

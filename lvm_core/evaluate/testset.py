"""The test set: every window of the articles under test, made once and shared by every model."""

import dataclasses
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lvm_core.dataset import Windows, evaluation_windows
from lvm_core.errors import CorpusError
from lvm_core.metrics import similarity
from lvm_core.types import DocumentInfo, Rows, Vectors
from lvm_core.vectors.geometry import unit_rows

FIRST_POSITION = 5
"""Targets start at this position of an article: the seeds' window of five. A model with a longer memory is measured
on the same targets (it reads what there is), or models of different memory could not be compared."""

N_RIVALS = 4
MEANING = 1
"""Raised when the meaning of a measure changes, so that old rows are never ranked with new ones."""


@dataclass(frozen=True)
class TestSet:
    """M chunks of A articles and N windows over them; a `VectorSource` whose rows are the columns, numbered from 0.

    `excluded` (N, 5) are the columns that are no candidates in retrieval: the five chunks before the target.
    """

    __test__ = False  # no test case, whatever pytest makes of its name

    corpus: str
    corpus_digest: str
    encoder_id: str
    split: str
    split_seed: int
    documents: tuple[DocumentInfo, ...]
    vectors: Vectors
    starts: Rows
    targets: Rows
    article: Rows
    position: Rows

    def rows(self, idx: Rows) -> Vectors:
        """Return the vectors (n, D) in the columns `idx`."""
        return self.vectors[idx]

    def slice(self, start: int, stop: int) -> Vectors:
        """Return the vectors in the columns start .. stop - 1, (n, D)."""
        return self.vectors[start:stop]

    @property
    def n_windows(self) -> int:
        return len(self.targets)

    @property
    def n_articles(self) -> int:
        return len(np.unique(self.article))

    @cached_property
    def truths(self) -> Vectors:
        """The true next chunks (N, D)."""
        return self.vectors[self.targets]

    @cached_property
    def excluded(self) -> Rows:
        columns: Rows = self.targets[:, None] - np.arange(1, FIRST_POSITION + 1)
        return columns

    @cached_property
    def behind(self) -> tuple[Rows, NDArray[np.bool_]]:
        """The column of the chunk just before the five (N,), and whether the article has one."""
        measurable = self.position > FIRST_POSITION
        return np.where(measurable, self.targets - FIRST_POSITION - 1, 0), measurable

    @cached_property
    def rivals(self) -> Rows:
        """Chunks of the same article as far from the context as the next one (N, 4), -1 for none."""
        rivals = np.full((self.n_windows, N_RIVALS), -1, dtype=np.int64)
        for number in np.unique(self.article):
            lines = np.flatnonzero(self.article == number)
            start, size = int(self.starts[number]), self.documents[number].n_chunks
            article = self.vectors[start : start + size]
            excluded = np.zeros((len(lines), size), dtype=np.bool_)
            excluded[np.arange(len(lines))[:, None], self.excluded[lines] - start] = True
            mean = self.vectors[self.excluded[lines]].mean(axis=1)
            local = similarity.matched_rivals(mean, self.targets[lines] - start, article, excluded, N_RIVALS)
            rivals[lines] = np.where(local >= 0, local + start, -1)
        return rivals

    @cached_property
    def corpus_rows(self) -> Rows:
        """The corpus row of each column (M,)."""
        return np.concatenate([document.rows for document in self.documents])

    @cached_property
    def coherence(self) -> float:
        sizes = np.array([d.n_chunks for d in self.documents], dtype=np.int64)
        return similarity.coherence(self.vectors, self.starts, sizes)

    @cached_property
    def index_digest(self) -> str:
        """Digest of what is searched: which chunks of which corpus."""
        return _digest([self.corpus_digest, self.encoder_id, [[d.title, d.n_chunks] for d in self.documents]])

    @cached_property
    def key(self) -> dict[str, str | int]:
        """What rows must share to be ranked together."""
        return {
            "corpus": self.corpus,
            "corpus_digest": self.corpus_digest,
            "encoder": self.encoder_id,
            "split": self.split,
            "split_seed": self.split_seed,
            "first_position": FIRST_POSITION,
            "n_windows": self.n_windows,
            "index_digest": self.index_digest,
            "measures": MEANING,
        }

    @cached_property
    def comparable(self) -> str:
        # the corpus's name is left out: the same content under another name is the same test
        return _digest({name: value for name, value in self.key.items() if name != "corpus"})

    def windows(self, context: int) -> Windows:
        """Return the N windows as columns, each with its last `context` chunks or as many as there are."""
        starts = self.starts.tolist()
        local = [dataclasses.replace(d, first_row=start) for d, start in zip(self.documents, starts, strict=True)]
        return evaluation_windows(local, context, minimum=min(context, FIRST_POSITION)).take(self._kept(context))

    def _kept(self, context: int) -> Rows:
        """Places of the N targets among the windows of a context shorter than FIRST_POSITION, which has more."""
        extra = FIRST_POSITION - min(context, FIRST_POSITION)
        return np.arange(self.n_windows) + extra * (self.article + 1)


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, ensure_ascii=False).encode()).hexdigest()[:16]


def make_test_set(
    documents: Sequence[DocumentInfo],
    rows: Callable[[Rows], Vectors],
    corpus: str,
    corpus_digest: str,
    encoder_id: str,
    split: str,
    split_seed: int,
    max_chunks: int,
) -> TestSet:
    """Return the test set of `documents`, whose vectors are gathered once.

    Where they hold more than `max_chunks` chunks, articles spread evenly over them are taken, so that memory and
    time stay bounded; the same ones every time.

    Raises:
        CorpusError: if no article is long enough for one window.
    """
    usable = [d for d in documents if d.n_chunks > FIRST_POSITION]
    if not usable:
        raise CorpusError(
            f"The {split} split of corpus '{corpus}' has {len(documents)} articles, none with more than"
            f" {FIRST_POSITION} chunks",
            f"articles of more than {FIRST_POSITION} chunks: {FIRST_POSITION} of context and the one after",
            "Ingest longer articles, or use another corpus or split.",
        )
    documents = _bounded(usable, max_chunks)
    sizes = np.array([d.n_chunks for d in documents], dtype=np.int64)
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64)
    position = np.concatenate([np.arange(FIRST_POSITION, size) for size in sizes]).astype(np.int64)
    article = np.repeat(np.arange(len(documents)), sizes - FIRST_POSITION).astype(np.int64)
    vectors = np.empty((0, 0), dtype=np.float32)
    for number, document in enumerate(documents):
        part = rows(document.rows)
        if number == 0:
            vectors = np.empty((int(sizes.sum()), part.shape[1]), dtype=np.float32)
        vectors[starts[number] : starts[number] + sizes[number]] = unit_rows(part)
    return TestSet(
        corpus=corpus,
        corpus_digest=corpus_digest,
        encoder_id=encoder_id,
        split=split,
        split_seed=split_seed,
        documents=tuple(documents),
        vectors=vectors,
        starts=starts,
        targets=starts[article] + position,
        article=article,
        position=position,
    )


def _bounded(documents: list[DocumentInfo], max_chunks: int) -> list[DocumentInfo]:
    total = sum(d.n_chunks for d in documents)
    if total <= max_chunks:
        return documents
    share = max(1, int(len(documents) * max_chunks / total))
    places = np.unique(np.linspace(0, len(documents) - 1, share).astype(int))
    return [documents[place] for place in places]

"""Windows of a split, spread evenly, with what every look at them shares: predictions, contexts, neighbours."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lvm_core import opened
from lvm_core.evaluate.candidates import Candidate, EncodedCorpus, open_encoded
from lvm_core.evaluate.testset import TestSet, make_test_set
from lvm_core.forecast import Forecast, over_windows
from lvm_core.snap import search_excluding
from lvm_core.spaces import space_to_measure_in
from lvm_core.types import Hit, Index, Rows, Vectors
from lvm_core.vectors.flat import FlatIndex
from lvm_core.vectors.geometry import unit_rows
from lvm_core.workspace import Workspace

MAX_TEST_CHUNKS = 20_000
BLOCK = 512
"""Vectors compared with the corpus at once: bounds memory at BLOCK x chunks x 4 bytes."""


@dataclass(frozen=True)
class WindowSample:
    """W windows of a split; `chosen` (W,) are their places among all windows of the test set."""

    encoded: EncodedCorpus
    test: TestSet
    chosen: NDArray[np.int64]
    index: Index

    @property
    def workspace(self) -> Workspace:
        return self.encoded.workspace

    @property
    def rows(self) -> Rows:
        """The corpus rows of the targets (W,)."""
        rows: Rows = self.test.corpus_rows[self.test.targets[self.chosen]]
        return rows

    @cached_property
    def truths(self) -> Vectors:
        """The true next chunks (W, D)."""
        return self.test.vectors[self.test.targets[self.chosen]]

    @cached_property
    def contexts(self) -> Vectors:
        """The five chunks before each target (W, 5, D), oldest first."""
        return self.test.vectors[self.test.excluded[self.chosen][:, ::-1]]

    @property
    def article(self) -> Rows:
        """The article of each window (W,)."""
        return self.test.article[self.chosen]

    @cached_property
    def own_articles(self) -> list[Rows]:
        """The rows of each window's own article: no neighbours, or a look would read the answer."""
        spans = [document.rows for document in self.test.documents]
        return [spans[int(number)] for number in self.article]

    def neighbours(self, vectors: Vectors, k: int) -> list[list[Hit]]:
        """Return the k chunks of other articles nearest to each of the (W, D) vectors."""
        return search_excluding(self.index, vectors, k, self.own_articles)

    def nearest(self, vectors: Vectors) -> Vectors:
        """Return the cosine (W,) of each of the (W, D) vectors to the nearest chunk of another article.

        In a corpus that is searched exactly one product of matrices says it: which chunk it is need not be known.
        """
        if not isinstance(self.index, FlatIndex):
            return first_cosines(self.neighbours(vectors, 1))
        units, cosines = unit_rows(vectors), np.full(len(vectors), np.nan, dtype=np.float32)
        for start in range(0, len(units), BLOCK):
            scores = units[start : start + BLOCK] @ self.index.vectors.T
            for line, article in enumerate(self.own_articles[start : start + BLOCK]):
                scores[line, article] = -np.inf
            cosines[start : start + BLOCK] = scores.max(axis=1)
        return np.where(np.isfinite(cosines), cosines, np.float32(np.nan))

    def predict(self, ref: str) -> Forecast:
        """Return what a model says on the windows, (W, D).

        Raises:
            ModelError, SpaceMismatch: if the model is unknown or of another encoder.
        """
        loaded = opened.model(self.workspace, ref, self.test.encoder_id, self.encoded.matrix.dim)
        windows = self.test.windows(Candidate(loaded.info, None).context).take(self.chosen)
        return over_windows(loaded.model, self.test, windows, ref)


def first_cosines(hits: list[list[Hit]]) -> Vectors:
    """Return the cosine of each first hit (N,), NaN where nothing was found."""
    return np.array([near[0].cosine if near else np.nan for near in hits], dtype=np.float32)


def sample_windows(
    workspace: Workspace, refs: list[str], corpus: str, split: str, windows: int, split_seed: int = 0
) -> WindowSample:
    """Return at most `windows` windows of a split, spread evenly over its articles.

    Raises:
        CorpusError: if the corpus is missing, not encoded, or has no window in the split.
        ModelError: if one of `refs`, whose encoder is taken, is unknown.
    """
    encoder_id = space_to_measure_in(workspace, refs, corpus)
    encoded = open_encoded(workspace, corpus, encoder_id, split_seed)
    test = make_test_set(
        encoded.documents(split), encoded.matrix.rows, corpus, encoded.corpus.digest, encoder_id, split, split_seed,
        MAX_TEST_CHUNKS,
    )  # fmt: skip
    spread = np.linspace(0, test.n_windows - 1, min(windows, test.n_windows)).astype(np.int64)
    return WindowSample(encoded, test, np.unique(spread), opened.index(workspace, corpus, encoder_id))

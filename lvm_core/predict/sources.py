"""Where a prediction takes its models and its corpus from."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from lvm_core.errors import CorpusError, LvmError
from lvm_core.predict.settings import PASSTHROUGH
from lvm_core.types import Chunk, CorpusInfo, DocumentInfo, Index, Rows, Vectors
from lvm_core.workspace import Workspace

if TYPE_CHECKING:
    from lvm_core.nets.base import SequenceModel

NO_GROUND = (
    "No corpus is encoded with this encoder yet: nothing to snap onto, and no real chunks to answer with."
    " Read one in on the Corpus page, or with: python -m lvm_core ingest SOURCE, then encode."
)


@dataclass(slots=True)
class Forecaster:
    """One model, ready to predict. `max_context` is None where any length will do."""

    name: str
    kind: str
    model: "SequenceModel | None"
    max_context: int | None = None

    def predict(self, context: Vectors) -> tuple[Vectors, str]:
        """Return the prediction (D,) after the context (T, D), and a note where part of it was left out."""
        note = ""
        if self.max_context is not None and len(context) > self.max_context:
            note = (
                ""
                if self.max_context == 1
                else f"The context has {len(context)} chunks; {self.name} reads the last {self.max_context}."
            )
            context = context[-self.max_context :]
        if self.model is None:
            return context[-1], note
        from lvm_core import forecast

        return forecast.after(self.model, context, self.name).vectors, note


def load_forecaster(workspace: Workspace, ref: str, encoder_id: str, dim: int) -> Forecaster:
    """Return the model called `ref`: passthrough, a baseline that needs no fitting, a shipped model, or a run.

    Raises:
        ModelError: if there is no such model.
        SpaceMismatch: if it was trained with another encoder.
    """
    from lvm_core.checkpoint import load_model

    if ref == PASSTHROUGH:
        return Forecaster(ref, PASSTHROUGH, None)
    loaded = load_model(workspace, ref, encoder_id, dim)
    return Forecaster(ref, loaded.info.kind, loaded.model.eval(), loaded.info.context or None)


@dataclass(slots=True)
class Ground:
    """A corpus with its vectors and index: what the snap and real chunks stand on."""

    info: CorpusInfo
    store: Any
    matrix: Any
    index: Index
    _documents: list[DocumentInfo] = field(default_factory=list)

    def is_current(self) -> bool:
        """Return whether the corpus on disk is still the one that was opened."""
        try:
            return bool(self.store.corpus(self.info.name).digest == self.info.digest)
        except CorpusError:
            return False

    def chunks(self, rows: Sequence[int]) -> list[Chunk]:
        """Return the stored chunks at `rows`, in that order."""
        found: list[Chunk] = self.store.chunks(self.info.name, [int(row) for row in rows])
        return found

    def vectors(self, rows: Rows) -> Vectors:
        """Return the vectors (n, D) at `rows`."""
        found: Vectors = self.matrix.rows(np.asarray(rows, dtype=np.int64))
        return found

    def article_rows(self, row: int) -> Rows:
        """Return all rows of the article that `row` belongs to."""
        if not self._documents:
            self._documents = self.store.documents(self.info.name)
        first = [d.first_row for d in self._documents]
        return self._documents[int(np.searchsorted(first, row, side="right")) - 1].rows

    def check_rows(self, rows: Sequence[int]) -> list[int]:
        """Return `rows` as ints.

        Raises:
            CorpusError: if one of them is not in the corpus.
        """
        wrong = [int(row) for row in rows if not 0 <= int(row) < self.info.n_chunks]
        if wrong:
            raise CorpusError(
                f"Row {wrong[0]} is not in corpus '{self.info.name}'; its {self.info.n_chunks:,} chunks are rows 0"
                f" to {self.info.n_chunks - 1}."
            )
        return [int(row) for row in rows]


def open_ground(workspace: Workspace, encoder_id: str, corpus: str | None) -> tuple[Ground | None, str]:
    """Return the corpus to stand on, and a note where there is none.

    Args:
        workspace: where corpora lie.
        encoder_id: the space its vectors must be of.
        corpus: its name; None takes the largest that is encoded with this encoder.

    Raises:
        CorpusError: if the corpus named does not exist or is not encoded with this encoder.
    """
    from lvm_core.corpus.store import CorpusStore
    from lvm_core.vectors.matrix import encoded_with

    store = CorpusStore(workspace)
    if corpus is not None:
        return _open(workspace, store, store.corpus(corpus), encoder_id), ""
    ready = [c for c in store.corpora() if encoder_id in encoded_with(workspace, c.name)]
    trouble = ""
    for info in sorted(ready, key=lambda c: -c.n_chunks):
        try:
            return _open(workspace, store, info, encoder_id), ""
        except LvmError as error:
            trouble = f" ({error})"
    return None, NO_GROUND + trouble


def _open(workspace: Workspace, store: Any, info: CorpusInfo, encoder_id: str) -> Ground:
    from lvm_core.vectors.index import open_index
    from lvm_core.vectors.matrix import open_matrix

    matrix = open_matrix(workspace, info.name, encoder_id)
    return Ground(info, store, matrix, open_index(workspace, info.name, encoder_id))

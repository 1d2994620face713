"""The corpus that a prediction stands on: its chunks, their vectors, their index."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from lvm_core.decode.extractive import ExtractiveDecoder, same_text
from lvm_core.errors import CorpusError, LvmError
from lvm_core.predict.prediction import Context, Neighbour
from lvm_core.snap import SnapSettings, search_excluding, snap_onto
from lvm_core.types import Chunk, CorpusInfo, DocumentInfo, Hit, Index, Rows, SnapResult, Vectors
from lvm_core.vectors.geometry import unit_rows
from lvm_core.workspace import Workspace

NO_CORPUS = (
    "No corpus is encoded with this encoder yet: nothing to snap onto, and no real chunks to answer with."
    " Read one in on the Corpus page, or with: python -m lvm_core ingest SOURCE, then encode."
)


MOST_CHUNKS = 4_096
"""Chunks that are remembered, about 2 MB: the snap and the text of one prediction ask for nearly the same."""


class Store(Protocol):
    """What is asked of a `CorpusStore`."""

    def corpus(self, name: str) -> CorpusInfo: ...

    def chunks(self, name: str, rows: Sequence[int]) -> list[Chunk]: ...

    def documents(self, name: str) -> list[DocumentInfo]: ...


class Matrix(Protocol):
    """What is asked of a `VectorMatrix`."""

    def rows(self, idx: Rows) -> Vectors: ...


@dataclass(slots=True)
class OpenCorpus:
    """A corpus with its vectors and index: what the snap and real chunks stand on."""

    info: CorpusInfo
    store: Store
    matrix: Matrix
    index: Index
    _documents: list[DocumentInfo] = field(default_factory=list)
    _chunks: dict[int, Chunk] = field(default_factory=dict)

    def is_current(self) -> bool:
        """Return whether the corpus on disk is still the one that was opened."""
        try:
            return self.store.corpus(self.info.name).digest == self.info.digest
        except CorpusError:
            return False

    def chunks(self, rows: Sequence[int]) -> list[Chunk]:
        """Return the stored chunks at `rows`, in that order; those that were asked for last are remembered."""
        wanted = [int(row) for row in rows]
        known = {row: chunk for row in wanted if (chunk := self._chunks.get(row)) is not None}
        missing = [row for row in wanted if row not in known]
        if missing:
            known |= dict(zip(missing, self.store.chunks(self.info.name, missing), strict=True))
            if len(self._chunks) > MOST_CHUNKS:
                self._chunks.clear()
            self._chunks.update({row: known[row] for row in missing})
        return [known[row] for row in wanted]

    def vectors(self, rows: Rows) -> Vectors:
        """Return the vectors (n, D) at `rows`."""
        return self.matrix.rows(np.asarray(rows, dtype=np.int64))

    def article_rows(self, row: int) -> Rows:
        """Return all rows of the article that `row` belongs to."""
        if not self._documents:
            self._documents = self.store.documents(self.info.name)
        first = [document.first_row for document in self._documents]
        return self._documents[int(np.searchsorted(first, row, side="right")) - 1].rows

    def check_rows(self, rows: Sequence[int]) -> list[int]:
        """Return `rows` as ints.

        Raises:
            CorpusError: if one of them is not in the corpus.
        """
        wrong = [int(row) for row in rows if not 0 <= int(row) < self.info.n_chunks]
        if wrong:
            raise CorpusError(
                f"Row {wrong[0]} is not in corpus '{self.info.name}'",
                f"one of its {self.info.n_chunks:,} chunks, rows 0 to {self.info.n_chunks - 1}",
                "Give such a row.",
            )
        return [int(row) for row in rows]

    def snap(self, pulls: "Sequence[Pull]") -> "list[list[Snapped]]":
        """Return of each of `pulls` its predictions pulled onto the corpus, and what their queries find.

        One search serves all. Neighbours that read like a chunk of the context are dropped, wherever they stand.
        """
        wanted = np.concatenate([part for pull in pulls for part in (pull.raws, pull.queries[pull.searching])])
        exclude = [pull.exclude for pull in pulls for _ in range(pull.n_searches)]
        hits = search_excluding(self.index, wanted, max(pull.k for pull in pulls), exclude)
        rows = sorted({hit.row for near in hits for hit in near})
        chunks = dict(zip(rows, self.chunks(rows), strict=True))
        vectors = dict(zip(rows, self.vectors(np.array(rows, dtype=np.int64)), strict=True))
        ends = np.cumsum([pull.n_searches for pull in pulls])
        return [
            _snap(pull, [near[: pull.k] for near in hits[end - pull.n_searches : end]], chunks, vectors)
            for pull, end in zip(pulls, ends.tolist(), strict=True)
        ]

    def decoder(self, exclude: Rows, context: Iterable[str]) -> ExtractiveDecoder:
        """Return the decoder that answers with real chunks, none of them in `exclude` or like a text of `context`."""
        return ExtractiveDecoder(self.info.name, self.index, self.chunks, exclude, context)


@dataclass(frozen=True, slots=True)
class Pull:
    """What one question asks of the corpus.

    Attributes:
        raws: (N, D) the predictions, which are pulled.
        queries: (N, D) what each model searches with; its prediction where it has no query.
        context: what they all come after.
        exclude: rows that must not be neighbours.
        settings: every number of the snap.
    """

    raws: Vectors
    queries: Vectors
    context: Context
    exclude: Rows
    settings: SnapSettings

    @property
    def searching(self) -> list[int]:
        """The places of the predictions that search with a query of their own."""
        return [i for i, query in enumerate(self.queries) if not np.array_equal(query, self.raws[i])]

    @property
    def n_searches(self) -> int:
        """How many vectors are searched with."""
        return len(self.raws) + len(self.searching)

    @property
    def k(self) -> int:
        """How many neighbours are looked at, so that enough are left without those that are in the context."""
        return self.settings.k + 2 * len(self.context.texts)


@dataclass(frozen=True, slots=True)
class Snapped:
    """A prediction pulled onto the corpus, the neighbours that did it, and those that the model's query finds.

    Cosines are those to the prediction, whichever search put a chunk where it stands.
    """

    vector: Vectors
    drift_clamped: bool
    neighbours: tuple[Neighbour, ...]
    searched: tuple[Neighbour, ...]


def _snap(
    pull: Pull, hits: Sequence[Sequence[Hit]], chunks: dict[int, Chunk], vectors: dict[int, Vectors]
) -> list[Snapped]:
    """Return the predictions of `pull` snapped, by what its searches found."""
    raws, settings = pull.raws, pull.settings
    context_texts = {same_text(text) for text in pull.context.texts}
    near = [[h for h in own if same_text(chunks[h.row].text) not in context_texts][: settings.k] for own in hits]
    results = snap_onto(
        raws, [pull.context.vectors] * len(raws), near[: len(raws)],
        lambda wanted: np.stack([vectors[int(row)] for row in wanted]), settings,
    )  # fmt: skip
    searched = [[hit.row for hit in own] for own in near[: len(raws)]]
    for i, own in zip(pull.searching, near[len(raws) :], strict=True):
        searched[i] = [hit.row for hit in own]
    return [
        _snapped(result, raw, own, chunks, vectors) for result, raw, own in zip(results, raws, searched, strict=True)
    ]


def _snapped(
    result: SnapResult, raw: Vectors, searched: Sequence[int], chunks: dict[int, Chunk], vectors: dict[int, Vectors]
) -> Snapped:
    neighbours = tuple(
        Neighbour(chunks[hit.row], hit.cosine, weight, vectors[hit.row])
        for hit, weight in zip(result.neighbours, result.weights, strict=True)
    )
    cosines = unit_rows(np.stack([vectors[row] for row in searched])) @ raw if searched else ()
    by_query = tuple(
        Neighbour(chunks[row], float(cosine), 0.0, vectors[row]) for row, cosine in zip(searched, cosines, strict=True)
    )
    return Snapped(result.vector, result.drift_clamped, neighbours, by_query)


def open_corpus(workspace: Workspace, encoder_id: str, name: str | None) -> tuple[OpenCorpus | None, str]:
    """Return the corpus to stand on, and a note where there is none.

    Args:
        workspace: where corpora lie.
        encoder_id: the space its vectors must be of.
        name: its name; None takes the largest that is encoded with this encoder.

    Raises:
        CorpusError: if the corpus named does not exist or is not encoded with this encoder.
    """
    from lvm_core.corpus.store import CorpusStore
    from lvm_core.vectors.matrix import encoded_with

    store = CorpusStore(workspace)
    if name is not None:
        return _open(workspace, store, store.corpus(name), encoder_id), ""
    encoded = [info for info in store.corpora() if encoder_id in encoded_with(workspace, info.name)]
    trouble = ""
    for info in sorted(encoded, key=lambda info: -info.n_chunks):
        try:
            return _open(workspace, store, info, encoder_id), ""
        except LvmError as error:
            trouble = f" ({error})"
    return None, NO_CORPUS + trouble


def _open(workspace: Workspace, store: Store, info: CorpusInfo, encoder_id: str) -> OpenCorpus:
    from lvm_core import opened

    matrix = opened.matrix(workspace, info.name, encoder_id)
    return OpenCorpus(info, store, matrix, opened.index(workspace, info.name, encoder_id))

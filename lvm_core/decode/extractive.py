"""The text of the nearest real chunk: what can be said without a generative decoder, and the bar for one."""

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from lvm_core.decode.kind import DecoderKind, Opening
from lvm_core.errors import DecoderError
from lvm_core.snap import Exclude, search_excluding
from lvm_core.types import Chunk, Decoded, Hit, Index, Rows, Vectors
from lvm_core.vectors.checks import check_steps, check_vectors
from lvm_core.workspace import Workspace

FetchChunks = Callable[[Sequence[int]], Sequence[Chunk]]
"""Row numbers to stored chunks, in the order asked for."""

FIRST_LOOK = 8
METHOD = "extractive"


@dataclass(frozen=True, slots=True)
class Extract:
    """A real chunk and its cosine to the vector it stands for."""

    chunk: Chunk
    cosine: float


def same_text(text: str) -> str:
    """Return `text` so that two chunks that read alike compare equal: NFKC, case and white space folded."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def nearest_chunk(
    vector: Vectors,
    index: Index,
    chunks: FetchChunks,
    exclude: Rows | None = None,
    context: Iterable[str] = (),
) -> Extract | None:
    """Return the real chunk nearest to `vector` (D,) that is not in the context, or None if there is none.

    Args:
        vector: (D,) what is to be said.
        index: nearest-chunk search over the corpus.
        chunks: gives the stored chunks of row numbers.
        exclude: rows that must not be taken.
        context: texts that must not come back, whatever row they stand at.

    Raises:
        DecoderError: for a vector that is NaN, zero or of another dimension.
    """
    return nearest_chunks(np.asarray(vector)[None, :], index, chunks, exclude, context)[0]


def nearest_chunks(
    vectors: Vectors,
    index: Index,
    chunks: FetchChunks,
    exclude: Exclude = None,
    context: Iterable[str] = (),
) -> list[Extract | None]:
    """Return the nearest real chunk for each of the (N, D) vectors; see `nearest_chunk`."""
    queries = check_vectors(vectors, np.asarray(vectors).shape[-1])
    each = [exclude] * len(queries) if exclude is None or isinstance(exclude, np.ndarray) else list(exclude)
    context_texts = {same_text(text) for text in context}
    k = FIRST_LOOK + len(context_texts)
    answers: list[Extract | None] = [None] * len(queries)
    waiting = list(range(len(queries)))
    while waiting:
        hits = search_excluding(index, queries[waiting], k, [each[i] for i in waiting])
        still_waiting = []
        for i, near in zip(waiting, hits, strict=True):
            answers[i] = _first_new(near, chunks, context_texts)
            if answers[i] is None and len(near) >= k:
                still_waiting.append(i)
        waiting, k = still_waiting, 4 * k
    return answers


def _first_new(hits: Sequence[Hit], chunks: FetchChunks, context_texts: set[str]) -> Extract | None:
    for hit, chunk in zip(hits, chunks([hit.row for hit in hits]), strict=True):
        if same_text(chunk.text) not in context_texts:
            return Extract(chunk, hit.cosine)
    return None


class ExtractiveDecoder:
    """A `Decoder` that answers with real chunks; a correction changes nothing."""

    def __init__(
        self, corpus: str, index: Index, chunks: FetchChunks, exclude: Exclude = None, context: Iterable[str] = ()
    ) -> None:
        """Answer from `corpus`, with no row of `exclude` and none that reads like a text of `context`."""
        self._index, self._chunks, self._exclude, self._context = index, chunks, exclude, list(context)
        self.id = f"{METHOD}:{corpus}@{index.encoder_id}"
        self.encoder_id = index.encoder_id

    def decode_all(self, vectors: Vectors, steps: int) -> list[list[Decoded]]:
        """Return the nearest real chunk for each of the (N, D) vectors, the same after every step.

        Raises:
            DecoderError: if every chunk of the corpus is excluded.
            SettingsError: for steps out of bounds, as of every decoder.
        """
        check_steps(steps)
        runs = []
        for near in nearest_chunks(vectors, self._index, self._chunks, self._exclude, self._context):
            if near is None:
                raise DecoderError(
                    "The corpus has no chunk outside the context to answer with",
                    "at least one",
                    "Ingest a larger corpus, or exclude fewer chunks.",
                )
            runs.append([Decoded(near.chunk.text, METHOD, 0, near.cosine)] * (steps + 1))
        return runs


# ---------------------------------------------------------------- among the decoders


def _here(workspace: Workspace, encoder_id: str) -> bool:
    from lvm_core.corpus.store import CorpusStore
    from lvm_core.vectors.matrix import encoded_with

    return any(encoder_id in encoded_with(workspace, info.name) for info in CorpusStore(workspace).corpora())


def _open(opening: Opening) -> ExtractiveDecoder:
    from lvm_core.corpus.store import CorpusStore
    from lvm_core.vectors.index import open_index
    from lvm_core.vectors.matrix import encoded_with

    workspace, encoder_id = opening.workspace, opening.encoder.id
    store = CorpusStore(workspace)
    largest_first = [info.name for info in sorted(store.corpora(), key=lambda info: -info.n_chunks)]
    for name in [opening.corpus] if opening.corpus else largest_first:
        if opening.corpus or encoder_id in encoded_with(workspace, name):
            index = open_index(workspace, name, encoder_id)
            return ExtractiveDecoder(name, index, partial(store.chunks, name), opening.exclude)
    raise DecoderError(
        f"The extractive decoder answers with real chunks, but no corpus is encoded with '{encoder_id}' yet",
        "at least one",
        "Run `ingest` and `encode` first.",
    )


KIND = DecoderKind(
    "nearest real chunk",
    "the nearest real chunk of the corpus",
    METHOD,
    "Not written: the nearest real chunk of the corpus that is not in the context.",
    _here,
    lambda encoder: f"python -m lvm_core encode --corpus enwiki-sample --encoder {encoder}",
    _open,
    writes=False,
)

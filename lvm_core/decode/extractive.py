"""The text of the nearest real chunk: what can be said without a generative decoder, and the bar for one."""

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from lvm_core.errors import DecoderError
from lvm_core.types import Chunk, Decoded, Hit, Index, Rows, Vectors
from lvm_core.vectors.checks import check_steps, check_vectors

FetchChunks = Callable[[Sequence[int]], Sequence[Chunk]]
"""Row numbers to stored chunks, in the order asked for."""

FIRST_LOOK = 8


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
    exclude: Rows | None = None,
    context: Iterable[str] = (),
) -> list[Extract | None]:
    """Return the nearest real chunk for each of the (N, D) vectors; see `nearest_chunk`."""
    queries = check_vectors(vectors, np.asarray(vectors).shape[-1])
    known = {same_text(text) for text in context}
    k = FIRST_LOOK + len(known)
    found: list[Extract | None] = [None] * len(queries)
    open_places = list(range(len(queries)))
    while open_places:
        hits = index.search(queries[open_places], k, exclude=exclude)
        still_open = []
        for place, own in zip(open_places, hits, strict=True):
            found[place] = _first_new(own, chunks, known)
            if found[place] is None and len(own) >= k:
                still_open.append(place)
        open_places, k = still_open, 4 * k
    return found


def _first_new(hits: Sequence[Hit], chunks: FetchChunks, known: set[str]) -> Extract | None:
    for hit, chunk in zip(hits, chunks([hit.row for hit in hits]), strict=True):
        if same_text(chunk.text) not in known:
            return Extract(chunk, hit.cosine)
    return None


class ExtractiveDecoder:
    """A `Decoder` that answers with real chunks; `steps` changes nothing."""

    def __init__(self, corpus: str, index: Index, chunks: FetchChunks) -> None:
        self._index, self._chunks = index, chunks
        self.id = f"extractive:{corpus}@{index.encoder_id}"
        self.encoder_id = index.encoder_id

    def decode(
        self, vectors: Vectors, steps: int = 0, exclude: Rows | None = None, context: Iterable[str] = ()
    ) -> list[Decoded]:
        """Return the nearest real chunk for each of the (N, D) vectors.

        Raises:
            DecoderError: if every chunk of the corpus is excluded.
            SettingsError: for steps out of bounds, as of every decoder.
        """
        check_steps(steps)
        decoded = []
        for found in nearest_chunks(vectors, self._index, self._chunks, exclude, context):
            if found is None:
                raise DecoderError(
                    "The corpus has no chunk outside the context to answer with. Ingest a larger corpus,"
                    " or exclude fewer chunks."
                )
            decoded.append(Decoded(found.chunk.text, "extractive", 0, found.cosine))
        return decoded

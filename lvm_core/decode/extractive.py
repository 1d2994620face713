"""The text of the nearest real chunk: what can be said without a generative decoder, and the bar for one."""

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np

from lvm_core.decode.kind import DecoderKind, Opening
from lvm_core.errors import DecoderError
from lvm_core.snap import Exclude, search_excluding
from lvm_core.types import Chunk, Decoded, Decoder, Hit, Index, Rows, Vectors
from lvm_core.vectors.checks import check_steps, check_vectors
from lvm_core.workspace import Workspace

FetchChunks = Callable[[Sequence[int]], Sequence[Chunk]]
"""Row numbers to stored chunks, in the order asked for."""

FIRST_LOOK = 8
SHORT_CHARS = 1_000
METHOD = "extractive"


@dataclass(frozen=True, slots=True)
class Extract:
    """A real chunk and its cosine to the vector it stands for."""

    chunk: Chunk
    cosine: float


def same_text(text: str) -> str:
    """Return `text` so that two chunks that read alike compare equal: NFKC, case and white space folded."""
    return _same_short_text(text) if len(text) <= SHORT_CHARS else _same_text(text)


@lru_cache(maxsize=4096)
def _same_short_text(text: str) -> str:
    """What is near one prediction is asked for twice, by the snap and by the text, and is near the next one as well."""
    return _same_text(text)


def _same_text(text: str) -> str:
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
    texts = {same_text(text) for text in context}
    return _nearest(queries, index, chunks, each, [texts] * len(queries))


def _nearest(
    queries: Vectors, index: Index, chunks: FetchChunks, exclude: list[Rows | None], contexts: list[set[str]]
) -> list[Extract | None]:
    """Return the nearest real chunk of each of the (N, D) queries outside its rows and its context."""
    answers: list[Extract | None] = [None] * len(queries)
    waiting, k = list(range(len(queries))), FIRST_LOOK + max(map(len, contexts), default=0)
    while waiting:
        hits = search_excluding(index, queries[waiting], k, [exclude[i] for i in waiting])
        rows = sorted({hit.row for near in hits for hit in near})
        found = dict(zip(rows, chunks(rows), strict=True))
        still_waiting = []
        for i, near in zip(waiting, hits, strict=True):
            answers[i] = _first_new(near, found, contexts[i])
            if answers[i] is None and len(near) >= k:
                still_waiting.append(i)
        waiting, k = still_waiting, 4 * k
    return answers


def _first_new(hits: Sequence[Hit], chunks: dict[int, Chunk], context_texts: set[str]) -> Extract | None:
    fresh = (hit for hit in hits if same_text(chunks[hit.row].text) not in context_texts)
    return next((Extract(chunks[hit.row], hit.cosine) for hit in fresh), None)


class ExtractiveDecoder:
    """A `Decoder` that answers with real chunks; a correction changes nothing."""

    def __init__(
        self, corpus: str, index: Index, chunks: FetchChunks, exclude: Exclude = None, context: Iterable[str] = ()
    ) -> None:
        """Answer from `corpus`, with no row of `exclude` and none that reads like a text of `context`."""
        self.index, self._chunks, self._exclude = index, chunks, exclude
        self._context = {same_text(text) for text in context}
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
        for answer in self.together([self] * len(vectors), vectors):
            if answer is None:
                raise DecoderError(
                    "The corpus has no chunk outside the context to answer with",
                    "at least one",
                    "Ingest a larger corpus, or exclude fewer chunks.",
                )
            runs.append([answer] * (steps + 1))
        return runs

    @staticmethod
    def together(decoders: "Sequence[ExtractiveDecoder]", vectors: Vectors) -> list[Decoded | None]:
        """Return what each decoder answers to its own of the (N, D) vectors, None where no chunk is left.

        All of them search one index, and share the search.
        """
        queries = check_vectors(vectors, np.asarray(vectors).shape[-1])
        first = decoders[0]
        exclude = [rows for i, one in enumerate(decoders) for rows in [one.excluded(i)]]
        found = _nearest(queries, first.index, first._chunks, exclude, [one._context for one in decoders])
        return [None if near is None else Decoded(near.chunk.text, METHOD, 0, near.cosine) for near in found]

    def excluded(self, i: int) -> Rows | None:
        """Return the rows that must not be the answer to the i-th vector."""
        one_for_all = self._exclude is None or isinstance(self._exclude, np.ndarray)
        return self._exclude if one_for_all else self._exclude[i]  # type: ignore[return-value,index]


def real_chunks(decoders: Sequence[Decoder | None], vectors: Vectors) -> list[Decoded | None]:
    """Return the real chunk that each decoder answers to its own of the (N, D) vectors, None where there is none."""
    answers: list[Decoded | None] = [None] * len(decoders)
    groups: dict[int, list[int]] = {}
    for i, decoder in enumerate(decoders):
        if decoder is not None:
            groups.setdefault(id(decoder.index if isinstance(decoder, ExtractiveDecoder) else decoder), []).append(i)
    for members in groups.values():
        for i, answer in zip(members, _group([decoders[i] for i in members], vectors[members]), strict=True):
            answers[i] = answer
    return answers


def _group(decoders: Sequence[Decoder | None], vectors: Vectors) -> list[Decoded | None]:
    searching = [decoder for decoder in decoders if isinstance(decoder, ExtractiveDecoder)]
    try:
        if len(searching) == len(decoders):
            return ExtractiveDecoder.together(searching, vectors)
        return [run[-1] for decoder in decoders[:1] if decoder for run in decoder.decode_all(vectors, 0)]
    except DecoderError:  # no chunk is left outside the context
        return [None] * len(vectors)


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

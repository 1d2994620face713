"""What the parts of the studio hand to one another. This module imports nothing of the project.

Letters in shapes: N items, B batch, T positions, D embedding dimension, K neighbours, Q queries.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
"""(N, D) float32; rows are unit norm unless the encoder says otherwise."""

Rows = NDArray[np.int64]
"""(N,) row numbers in a corpus: row i is the i-th chunk and the i-th line of its vector matrix."""

Progress = Callable[[float, str], None]
"""Called with the share done, 0 to 1, and a message for people ("12,800 of 18,197 chunks, 410/s, 13 s left")."""


def no_progress(share: float, message: str) -> None:
    """Ignore progress; the default where nobody watches."""


# ---------------------------------------------------------------- text


@dataclass(frozen=True, slots=True)
class Section:
    """A titled stretch of an article; paragraphs are separated by one blank line."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Document:
    """An article as a source gives it: clean prose in reading order."""

    title: str
    sections: tuple[Section, ...]
    source: str = ""
    language: str = ""

    @property
    def text(self) -> str:
        """The whole article; chunk offsets count characters of this string."""
        return "\n\n".join(section.text for section in self.sections if section.text)


@dataclass(frozen=True, slots=True)
class Chunk:
    """One stored chunk. `row` is its place in the corpus and in every vector matrix of it."""

    chunk_id: int
    row: int
    document_id: int
    article: str
    position: int
    text: str
    section: str = ""
    start: int = 0
    end: int = 0
    coherence: float | None = None
    tmd: int | None = None
    external_id: str | None = None


@dataclass(frozen=True, slots=True)
class DocumentInfo:
    """One stored article: chunks lie at rows `first_row` .. `first_row + n_chunks - 1`."""

    document_id: int
    title: str
    ordinal: int
    first_row: int
    n_chunks: int
    digest: str
    coherence: float | None = None

    @property
    def rows(self) -> Rows:
        """The rows (n_chunks,) of its chunks, in reading order."""
        return np.arange(self.first_row, self.first_row + self.n_chunks, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class CorpusInfo:
    """One stored corpus. `digest` is the SHA-256 of its articles and chunks in order."""

    corpus_id: int
    name: str
    state: str
    source: str
    licence: str
    chunker: str
    ordered: bool
    n_documents: int
    n_chunks: int
    digest: str
    created: float


# ---------------------------------------------------------------- vectors


@runtime_checkable
class Encoder(Protocol):
    """Text to vectors. `id` names the model and a digest of its weights: vectors of two ids never meet."""

    @property
    def id(self) -> str: ...

    @property
    def dim(self) -> int: ...

    @property
    def unit_norm(self) -> bool: ...

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return the embeddings (N, D) float32 of `texts`, in their order."""
        ...


class VectorSource(Protocol):
    """A matrix of vectors, on disk or in memory: rows by number or by stretch, float32."""

    def rows(self, idx: Rows) -> Vectors:
        """Return the rows (n, D) of the numbers (n,), in their order."""
        ...

    def slice(self, start: int, stop: int) -> Vectors:
        """Return the rows start .. stop - 1, (n, D)."""
        ...


@dataclass(frozen=True, slots=True)
class Hit:
    """One neighbour: a row of the corpus and its cosine to the query."""

    row: int
    cosine: float


@runtime_checkable
class Index(Protocol):
    """Nearest-chunk search; scores are cosine in every implementation."""

    @property
    def encoder_id(self) -> str: ...

    def search(self, queries: Vectors, k: int, exclude: Rows | None = None) -> list[list[Hit]]:
        """Return for each of the (Q, D) queries at most k hits, best first, none of them in `exclude`."""
        ...


# ---------------------------------------------------------------- prediction to text


@dataclass(frozen=True, slots=True)
class SnapResult:
    """A prediction pulled onto the corpus. `weights` sum to 1 and stand beside `neighbours`."""

    vector: Vectors
    neighbours: list[Hit]
    weights: list[float]
    anchored: bool
    drift_clamped: bool


@dataclass(frozen=True, slots=True)
class Decoded:
    """A text made of a vector. `method` says how: inverter, vec2text, extractive ...

    `fluency` is the mean log-probability a token that a language model gives the text, in nats; None where none did.
    `others` are further texts that the decoder weighed, the best first: what they share with the text is certain.
    """

    text: str
    method: str
    steps: int
    round_trip_cosine: float
    fluency: float | None = None
    others: tuple[str, ...] = ()


@runtime_checkable
class Decoder(Protocol):
    """Vectors to text, for one space only."""

    @property
    def id(self) -> str: ...

    @property
    def encoder_id(self) -> str: ...

    def decode_all(self, vectors: Vectors, steps: int) -> list[list[Decoded]]:
        """Return for each of the (N, D) vectors its texts after 0, 1 .. `steps` corrections (0: first hypothesis)."""
        ...

"""Is a corpus a text that goes on, or a list or a tree? The check before training on anything.

A model that predicts the next chunk learns from order. Chains of a taxonomy (dog -> mammal -> animal) look
ordered too, but their next chunk is a class of the one before, and the same classes end every chain.
"""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from lvm_core.json_shapes import Json
from lvm_core.types import DocumentInfo, Vectors, VectorSource
from lvm_core.vectors.geometry import unit_rows

MAX_CHUNKS = 20_000
"""Chunks looked at; articles beyond are left out, drawn evenly."""

ORDER_SIGNAL = 0.03
"""Least mean gain in cosine of a neighbour over a random chunk of the same article in a sequential corpus."""

SHARED_TEXTS = 0.30
"""From this share of chunks on that occur word for word in other articles, a corpus is a tree, not a text."""

SHORT_CHUNK = 4.0
"""Words: a mean below this is a list of concepts, not of sentences."""


@dataclass(frozen=True, slots=True)
class OrderReport:
    """What was found. Cosines are means over chunks.

    `to_next`: each chunk to the next. `to_random`: to a random chunk of its article at least two away.
    `order_signal`: the difference, with its standard error over articles `order_error`.
    `to_second`: each chunk to the one after the next; in a text it lies between the two.
    `next_against_previous`: share of pairs of chunks whose mean is nearer to the chunk after them than to the one
    before them; about .5 in a text, away from it where every article drifts towards the same end.
    `converging`: how much nearer to the corpus mean the last chunk of an article is than the first.
    """

    verdict: str
    reasons: list[str]
    n_articles: int
    n_chunks: int
    chunks_per_article: float
    words_per_chunk: float
    to_next: float
    to_second: float
    to_random: float
    next_against_previous: float
    order_signal: float
    order_error: float
    converging: float
    shared_texts: float
    duplicates: int
    boundary_leaks: int

    def to_json(self) -> Json:
        """Return the fields as a dict."""
        return asdict(self)


def check_order(
    documents: Sequence[DocumentInfo], texts: Iterable[str], matrix: VectorSource, seed: int = 0
) -> OrderReport:
    """Return the report on a corpus.

    Args:
        documents: its articles in order.
        texts: every chunk's text, by row; gone through once, none is kept.
        matrix: its vectors.
        seed: of the random pairs.
    """
    chosen = _sample([d for d in documents if d.n_chunks >= 2])
    rng = np.random.default_rng(seed)
    per_article = np.array([_article(matrix, d, rng) for d in chosen], dtype=np.float64).reshape(-1, 4)
    n = np.array([d.n_chunks - 1 for d in chosen], dtype=np.float64)
    to_next, to_second, to_random, forward = (_mean(per_article[:, i], n) for i in range(4))
    gains = per_article[:, 0] - per_article[:, 2]
    gains = gains[np.isfinite(gains)]
    error = float(gains.std(ddof=1) / np.sqrt(len(gains))) if len(gains) > 1 else float("nan")
    read = _read(texts)
    n_chunks = len(read.marks)
    shared, duplicates = _repeats(documents, read.marks)
    words = read.n_words / max(n_chunks, 1)
    verdict, reasons = _judge(shared, words, to_next - to_random, error)
    return OrderReport(
        verdict=verdict,
        reasons=reasons,
        n_articles=len(documents),
        n_chunks=n_chunks,
        chunks_per_article=n_chunks / max(len(documents), 1),
        words_per_chunk=words,
        to_next=to_next,
        to_second=to_second,
        to_random=to_random,
        next_against_previous=forward,
        order_signal=to_next - to_random,
        order_error=error,
        converging=_converging(matrix, chosen),
        shared_texts=shared,
        duplicates=duplicates,
        boundary_leaks=_boundary_leaks(documents, read.marks),
    )


def _judge(shared_texts: float, words_per_chunk: float, signal: float, error: float) -> tuple[str, list[str]]:
    """Return the verdict and its reasons, of the figures that `OrderReport` describes."""
    taxonomic = []
    if shared_texts >= SHARED_TEXTS:
        taxonomic.append(f"{shared_texts:.0%} of the chunks occur word for word in other articles")
    if words_per_chunk < SHORT_CHUNK:
        taxonomic.append(f"chunks are of {words_per_chunk:.1f} words: concepts, not sentences")
    if taxonomic:
        return "taxonomic", taxonomic
    finding = f"a chunk is {signal:+.3f} nearer to the next one than to a random one of its article"
    if not np.isfinite(signal) or signal < ORDER_SIGNAL or signal < 2 * error:
        return "weak", [f"{finding}; a text has at least {ORDER_SIGNAL:+.2f}"]
    return "sequential", [finding]


def _sample(documents: list[DocumentInfo]) -> list[DocumentInfo]:
    total = sum(d.n_chunks for d in documents)
    step = max(1, -(-total // MAX_CHUNKS))
    return documents[::step]


def _article(
    matrix: VectorSource, document: DocumentInfo, rng: np.random.Generator
) -> tuple[float, float, float, float]:
    """Return the mean cosines to the next, to the second next and to a random chunk, and next against previous."""
    vectors = unit_rows(matrix.slice(document.first_row, document.first_row + document.n_chunks))
    n = len(vectors)
    to_next = float(_dots(vectors[:-1], vectors[1:]).mean())
    to_second = float(_dots(vectors[:-2], vectors[2:]).mean()) if n > 2 else float("nan")
    if n < 4:
        return to_next, to_second, float("nan"), float("nan")
    one = np.arange(n)
    other = rng.integers(0, n, size=n)
    far = np.abs(one - other) >= 2
    to_random = float(_dots(vectors[one[far]], vectors[other[far]]).mean()) if far.any() else float("nan")
    pair = vectors[1:-2] + vectors[2:-1]
    forward = float((_dots(pair, vectors[3:]) > _dots(pair, vectors[:-3])).mean())
    return to_next, to_second, to_random, forward


def _dots(a: Vectors, b: Vectors) -> Vectors:
    products: Vectors = np.einsum("nd,nd->n", a, b)
    return products


def _mean(values: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    finite = np.isfinite(values)
    return float(np.average(values[finite], weights=weights[finite])) if finite.any() else float("nan")


def _converging(matrix: VectorSource, documents: Sequence[DocumentInfo]) -> float:
    if not documents:
        return 0.0
    firsts = unit_rows(np.concatenate([matrix.slice(d.first_row, d.first_row + 1) for d in documents]))
    ends = [d.first_row + d.n_chunks - 1 for d in documents]
    lasts = unit_rows(np.concatenate([matrix.slice(end, end + 1) for end in ends]))
    centre = np.concatenate([firsts, lasts]).mean(axis=0)
    return float(((lasts - firsts) @ centre).mean() / max(float(np.linalg.norm(centre)), 1e-9))


@dataclass(frozen=True, slots=True)
class _Read:
    """What is kept of texts: a mark (N,) of 64 bits that two chunks share where their texts do, and words in all."""

    marks: NDArray[np.int64]
    n_words: int


def _read(texts: Iterable[str]) -> _Read:
    n_words = 0

    def marks() -> Iterator[int]:
        nonlocal n_words
        for text in texts:
            n_words += len(text.split())
            yield hash(text)

    return _Read(np.fromiter(marks(), dtype=np.int64), n_words)


def _repeats(documents: Sequence[DocumentInfo], marks: NDArray[np.int64]) -> tuple[float, int]:
    """Return the share of chunks whose text stands in another article too, and how many repeats there are in all."""
    if not len(marks):
        return 0.0, 0
    home = np.zeros(len(marks), dtype=np.int64)
    for document in documents:
        home[document.first_row : document.first_row + document.n_chunks] = document.document_id
    order = np.lexsort((home, marks))
    starts = np.flatnonzero(np.concatenate([[True], np.diff(marks[order]) != 0]))
    ends = np.append(starts[1:], len(marks))
    in_several = home[order][starts] != home[order][ends - 1]
    return float((ends - starts)[in_several].sum() / len(marks)), len(marks) - len(starts)


def _boundary_leaks(documents: Sequence[DocumentInfo], marks: NDArray[np.int64]) -> int:
    """Return how many articles begin with the text that the one before ends with: a sign of one cut in two."""
    return sum(
        bool(marks[b.first_row] == marks[a.first_row + a.n_chunks - 1])
        for a, b in itertools.pairwise(documents)
        if a.n_chunks and b.n_chunks
    )

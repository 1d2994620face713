"""The chunks that decoders are measured on: drawn from articles nobody trained on, the same each time."""

from dataclasses import dataclass

import numpy as np

from lvm_core.config import setting
from lvm_core.corpus.store import CorpusStore
from lvm_core.dataset import split_documents
from lvm_core.errors import CorpusError
from lvm_core.types import Chunk, DocumentInfo, Rows, Vectors
from lvm_core.vectors.geometry import unit_rows
from lvm_core.workspace import Workspace

CONTEXT = 5
"""Chunks before the one under test: the context of the quality checks."""


@dataclass(frozen=True)
class DecoderSettings:
    """What a decoder is measured on."""

    split: str = setting("test", "articles to take chunks of", choices=("test", "validation"))
    split_seed: int = setting(0, "of the split by article", low=0, high=2**31 - 1)
    n: int = setting(40, "chunks to decode", "chunks", low=1, high=100_000)
    min_chars: int = setting(40, "shortest chunk", "characters", low=1, high=10_000)
    max_chars: int = setting(160, "longest chunk", "characters", low=1, high=10_000)
    seed: int = setting(0, "of the choice of chunks", low=0, high=2**31 - 1)
    steps: tuple[int, ...] = setting((0, 1, 3, 5), "corrections to report", "steps")


@dataclass(frozen=True)
class Cases:
    """N chunks with their true vectors (N, D), the rows of their articles, and the chunks before each."""

    chunks: list[Chunk]
    vectors: Vectors
    articles: list[Rows]
    contexts: list[list[Chunk]]


def gather_cases(workspace: Workspace, encoder_id: str, corpus: str, settings: DecoderSettings) -> Cases:
    """Return the chunks under test: drawn at random from the articles of the split, the same each time."""
    from lvm_core.vectors.matrix import open_matrix

    store, matrix = CorpusStore(workspace), open_matrix(workspace, corpus, encoder_id)
    documents = split_documents(store.documents(corpus), settings.split_seed)[settings.split]
    by_row: dict[int, DocumentInfo] = {}
    rows = []
    for document in documents:
        article = document.rows.tolist()
        by_row.update(dict.fromkeys(article, document))
        rows += article[CONTEXT:]
    drawn = np.random.default_rng(settings.seed).permutation(np.array(rows, dtype=np.int64))
    fit = [c for c in store.chunks(corpus, drawn) if settings.min_chars <= len(c.text) <= settings.max_chars]
    fit = fit[: settings.n]
    if not fit:
        raise CorpusError(
            f"The {settings.split} articles of corpus '{corpus}' have no chunk of {settings.min_chars} to"
            f" {settings.max_chars} characters after their first {CONTEXT}",
            "at least one",
            "Ingest a larger corpus.",
        )
    before = store.chunks(corpus, np.array([chunk.row - k for chunk in fit for k in range(CONTEXT, 0, -1)]))
    articles = [by_row[chunk.row] for chunk in fit]
    return Cases(
        fit,
        unit_rows(matrix.rows(np.array([chunk.row for chunk in fit], dtype=np.int64))),
        [article.rows for article in articles],
        [before[i * CONTEXT : (i + 1) * CONTEXT] for i in range(len(fit))],
    )

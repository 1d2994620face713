"""TMD codes of a stored corpus: given, counted, corrected."""

import contextlib
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray

from lvm_core.corpus.queries import CHUNK, fts_query, rows_of
from lvm_core.corpus.store import CorpusStore
from lvm_core.corpus.timings import record
from lvm_core.corpus.tmd.codes import (
    MODIFIER_NAMES,
    TASK_NAMES,
    VECTOR_DIM,
    by_names,
    describe_labels,
    label_by_descriptions,
    label_by_endpoint,
    tmd_vectors,
    unpack,
)
from lvm_core.database import connect, database_errors
from lvm_core.endpoint import Endpoint, endpoint_from_environment
from lvm_core.errors import CorpusError
from lvm_core.types import Chunk, Progress, Vectors, no_progress
from lvm_core.workspace import Workspace

BLOCK = 4_096
ENDPOINT_TIMEOUT_S = 30.0


class Labelled(TypedDict):
    """How many chunks of a corpus have each domain, most frequent first, and what labelled them."""

    corpus: str
    n_chunks: int
    by: str
    domains: dict[str, int]


Labeller = Callable[[int, int], NDArray[np.int64]]
"""The codes of the rows `start` to before `stop`."""


def label_corpus(
    workspace: Workspace, corpus: str, encoder_id: str, progress: Progress = no_progress, endpoint: bool = False
) -> Labelled:
    """Give every chunk its code and return how many there are of each domain.

    Codes that were corrected by hand are overwritten: correct after labelling.

    Args:
        workspace: where the corpus is.
        corpus: its name.
        encoder_id: whose vectors are compared with the written descriptions.
        progress: told the chunks done.
        endpoint: ask the OpenAI-compatible endpoint at LVM_LLM_URL (model LVM_LLM_MODEL, key LVM_LLM_KEY) instead.

    Raises:
        CorpusError: if the corpus is not there or not encoded.
        SettingsError: if no endpoint was named.
        SourceError: if the endpoint fails; what was labelled before stays.
    """
    store = CorpusStore(workspace)
    n_chunks = store.corpus(corpus).n_chunks
    domains: Counter[str] = Counter()
    server = replace(endpoint_from_environment(), timeout_s=ENDPOINT_TIMEOUT_S) if endpoint else None
    label = _by_endpoint(store, corpus, server) if server else _by_encoder(workspace, corpus, encoder_id)
    step = 1 if server else BLOCK
    began = time.monotonic()
    for start in range(0, n_chunks, step):
        stop = min(start + step, n_chunks)
        codes = label(start, stop)
        set_codes(workspace, corpus, start, codes.tolist())
        domains.update(unpack(code).names[0] for code in codes.tolist())
        progress(stop / n_chunks, f"{stop:,} of {n_chunks:,} chunks labelled")
    by = f"{server.model} at {server.host}" if server else encoder_id
    record(workspace, corpus, "tmd", time.monotonic() - began, by)
    return {"corpus": corpus, "n_chunks": n_chunks, "by": by, "domains": dict(domains.most_common())}


def _by_encoder(workspace: Workspace, corpus: str, encoder_id: str) -> Labeller:
    from lvm_core.encoders import encoder_for
    from lvm_core.vectors.matrix import open_matrix

    matrix = open_matrix(workspace, corpus, encoder_id)
    described = describe_labels(encoder_for(encoder_id))
    return lambda start, stop: label_by_descriptions(matrix.slice(start, stop), described)


def _by_endpoint(store: CorpusStore, corpus: str, endpoint: Endpoint) -> Labeller:
    def label(start: int, stop: int) -> NDArray[np.int64]:
        return np.array([label_by_endpoint(text, endpoint) for text in store.texts(corpus, start, stop)])

    return label


def set_codes(workspace: Workspace, corpus: str, start: int, codes: list[int]) -> None:
    """Store codes for the rows from `start` on, in one transaction."""
    corpus_id = CorpusStore(workspace).corpus(corpus).corpus_id
    values = [(code, corpus_id, start + i) for i, code in enumerate(codes)]
    with database_errors(workspace), contextlib.closing(connect(workspace)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("UPDATE chunks SET tmd = ? WHERE corpus_id = ? AND row = ?", values)
        connection.execute("COMMIT")


def correct(workspace: Workspace, corpus: str, row: int, domain: str, task: str, modifier: str) -> int:
    """Give one chunk the code of three labels and return it.

    Raises:
        SettingsError: naming each label that does not exist.
        CorpusError: if the row is outside the corpus.
    """
    code = by_names(domain, task, modifier)
    n_chunks = CorpusStore(workspace).corpus(corpus).n_chunks
    if not 0 <= row < n_chunks:
        raise CorpusError(
            f"Row {row} is outside corpus '{corpus}'", f"0 to {n_chunks - 1}", "Give a row of the corpus."
        )
    set_codes(workspace, corpus, row, [code])
    return code


def labelled_chunks(
    workspace: Workspace, corpus: str, domain: str, words: str = "", offset: int = 0, limit: int = 50
) -> tuple[list[Chunk], int]:
    """Return a page of the chunks of one domain that hold all `words`, in their order, and how many there are.

    Raises:
        SettingsError: if there is no such domain.
        CorpusError: if there is no such corpus.
    """
    code = by_names(domain, TASK_NAMES[0], MODIFIER_NAMES[0]) >> 12
    condition = "c.corpus_id = ? AND tmd >> 12 = ? AND tmd IS NOT NULL"
    values: list[Any] = [CorpusStore(workspace).corpus(corpus).corpus_id, code]
    if query := fts_query(words):
        condition += " AND c.id IN (SELECT rowid FROM chunks_fts WHERE chunks_fts MATCH ?)"
        values.append(query)
    with contextlib.closing(connect(workspace, readonly=True)) as connection:
        total = connection.execute(f"SELECT count(*) FROM chunks AS c WHERE {condition}", values).fetchone()[0]
        rows = connection.execute(f"{CHUNK} WHERE {condition} ORDER BY row LIMIT ? OFFSET ?", [*values, limit, offset])
        return rows_of(Chunk, rows), total


def domain_counts(workspace: Workspace, corpus: str) -> dict[str, int]:
    """Return how many chunks of a corpus have each domain, most frequent first; empty where none is labelled."""
    corpus_id = CorpusStore(workspace).corpus(corpus).corpus_id
    sql = "SELECT tmd >> 12 AS domain, count(*) AS n FROM chunks WHERE corpus_id = ? AND tmd IS NOT NULL GROUP BY 1"
    with contextlib.closing(connect(workspace, readonly=True)) as connection:
        counts = connection.execute(sql, (corpus_id,)).fetchall()
    return {unpack(row["domain"] << 12).names[0]: row["n"] for row in sorted(counts, key=lambda row: -row["n"])}


def tmd_rows(workspace: Workspace, corpora: Sequence[str]) -> Vectors:
    """Return the TMD vector (n_rows, 16) of every chunk of `corpora`, numbered through; zero where one has no code.

    Raises:
        CorpusError: if no chunk of a corpus has a code.
    """
    parts = []
    for corpus in corpora:
        info = CorpusStore(workspace).corpus(corpus)
        with database_errors(workspace), contextlib.closing(connect(workspace, readonly=True)) as connection:
            found = connection.execute(
                "SELECT row, tmd FROM chunks WHERE corpus_id = ? AND tmd IS NOT NULL", (info.corpus_id,)
            ).fetchall()
        if not found:
            raise CorpusError(
                f"No chunk of corpus '{corpus}' has a TMD code, so no net can be told them",
                "a labelled corpus",
                f"Give each chunk its code with: python -m lvm_core tmd --corpus {corpus}",
            )
        part = np.zeros((info.n_chunks, VECTOR_DIM), dtype=np.float32)
        rows, codes = (np.array(column, dtype=np.int64) for column in zip(*map(tuple, found), strict=True))
        part[rows] = tmd_vectors(codes)
        parts.append(part)
    return np.concatenate(parts)

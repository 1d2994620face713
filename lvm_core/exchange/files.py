"""NPZ files and chains, in and out."""

import hashlib
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, TypedDict

import numpy as np

from lvm_core.boundary.values import whole_number
from lvm_core.corpus.chunks import NewChunk
from lvm_core.corpus.sources.base import Skipped
from lvm_core.corpus.store import CorpusStore
from lvm_core.corpus.timings import Stopwatch, record
from lvm_core.corpus.writing import CorpusWriter, check_name, refuse_existing
from lvm_core.errors import SettingsError, SourceError
from lvm_core.exchange.chains import read_chains
from lvm_core.exchange.incoming import Incoming, claim_encoder, half_done, paired, usable, write_incoming
from lvm_core.exchange.npz.archive import open_npz
from lvm_core.exchange.npz.layouts import Passage
from lvm_core.exchange.npz.reading import contents_of
from lvm_core.exchange.npz.write import only_over_npz, write_sequences, write_splits, write_vectors
from lvm_core.exchange.to_postgres import chunk_uuid
from lvm_core.types import Progress, no_progress
from lvm_core.vectors.matrix import open_matrix
from lvm_core.workspace import Workspace


class NpzImported(TypedDict):
    """What became of an NPZ file; `skipped` counts by reason what was left out."""

    corpus: str
    layout: str
    n_chunks: int
    n_articles: int
    dim: int
    encoder: str
    verified: bool
    about_encoder: str
    ordered: bool
    notes: Sequence[str]
    skipped: dict[str, int]


class NpzExported(TypedDict, total=False):
    """What was written: `n` rows in all, and of each of `splits` where the layout has them."""

    corpus: str
    encoder: str
    layout: str
    path: str
    n: int
    splits: dict[str, int]


class ChainsImported(TypedDict):
    """What became of a file of chains."""

    corpus: str
    n_chains: int
    n_concepts: int
    skipped: dict[str, int]


LAYOUTS = ("vectors", "sequences", "splits")
MOST_CONTEXT = 1_000
"""Chunks in a window."""


def import_npz(
    workspace: Workspace,
    path: Path,
    corpus: str,
    encoder: str = "",
    replace: bool = False,
    progress: Progress = no_progress,
) -> NpzImported:
    """Read an NPZ file of any known layout into an indexed corpus with its vectors and return a report.

    A file that does not tell the order of its chunks becomes a corpus that is marked as unordered.

    Raises:
        SourceError: if the file is damaged, pickled, or of no known layout.
        SpaceMismatch: if the vectors are not of the encoder named.
        CorpusError: if the corpus exists.
        WorkspaceError: if the disk is full or read-only.
    """
    check_name(corpus)
    replace = replace or half_done(workspace, corpus)
    refuse_existing(workspace, corpus, replace)
    skipped, stopwatch = Skipped(), Stopwatch()
    with open_npz(path, workspace.make(workspace.root)) as arrays:
        contents = contents_of(arrays)
        passages = stopwatch.each("reading", contents.passages)
        first = next(passages, None)
        if first is None:
            raise SourceError(f"{path} holds no windows or vectors", "at least one", "Write it again.")
        digest = hashlib.sha256(np.ascontiguousarray(first.vectors).tobytes()).hexdigest()
        space = claim_encoder(encoder, first.texts if contents.has_texts else [], first.vectors, digest)
        writer = CorpusWriter(workspace, corpus, source=path.name, chunker="as imported",
                              ordered=contents.ordered, replace=replace)  # fmt: skip
        articles = (_incoming(passage, contents.dim, skipped) for passage in chain([first], passages))
        stored = write_incoming(workspace, writer, articles, space.encoder_id, skipped, stopwatch, progress)
    return {
        "corpus": corpus, "layout": contents.layout, "n_chunks": stored.n_chunks, "n_articles": stored.n_documents,
        "dim": contents.dim, "encoder": space.encoder_id, "verified": space.verified, "about_encoder": space.about,
        "ordered": stored.ordered, "notes": contents.notes, "skipped": dict(skipped.counts),
    }  # fmt: skip


def _incoming(passage: Passage, dim: int, skipped: Skipped) -> Incoming:
    usable_rows = [i for i, vector in enumerate(passage.vectors) if usable(vector, dim, skipped)]
    rows = ((passage.texts[i], passage.tmd[i], passage.ids[i], passage.vectors[i]) for i in usable_rows)
    return Incoming(passage.title, paired(rows))


def export_npz(
    workspace: Workspace,
    path: Path,
    corpus: str,
    encoder_id: str,
    layout: str = "vectors",
    context: int = 5,
    split_seed: int = 0,
    force: bool = False,
) -> NpzExported:
    """Write a corpus with its vectors as NPZ and return a report.

    Args:
        workspace: where the corpus is.
        path: the file.
        corpus: its name.
        encoder_id: which of its vectors.
        layout: "vectors", "sequences" or "splits" (by article).
        context: chunks in a window.
        split_seed: of the split by article.
        force: overwrite what lies at `path`, even if it is no NPZ.

    Raises:
        SettingsError: for another layout, or a context out of bounds.
        CorpusError: if the corpus is not encoded, or no article is longer than the context.
        SourceError: if something that is no NPZ lies there and `force` is not given.
    """
    if layout not in LAYOUTS:
        raise SettingsError([f"layout is {layout!r}; expected one of {', '.join(LAYOUTS)}."])
    context = whole_number(context, "context", 1, MOST_CONTEXT)
    if not force:
        only_over_npz(path)
    store = CorpusStore(workspace)
    info = store.corpus(corpus)
    matrix = open_matrix(workspace, corpus, encoder_id)
    about: NpzExported = {"corpus": corpus, "encoder": encoder_id, "layout": layout, "path": str(path)}

    def chunks(rows: Any) -> Any:
        return store.chunks(corpus, rows)

    if layout == "vectors":
        write_vectors(path, info.n_chunks, matrix.rows, chunks, lambda chunk: chunk_uuid(chunk, info.digest))
        return {**about, "n": info.n_chunks}
    documents = store.documents(corpus)
    if layout == "sequences":
        return {**about, "n": write_sequences(path, documents, context, matrix.rows, chunks)}
    from lvm_core.dataset import split_documents

    counts = write_splits(path, split_documents(documents, split_seed), context, matrix.rows)
    return {**about, "n": sum(counts.values()), "splits": counts}


def import_chains(workspace: Workspace, path: Path, corpus: str, replace: bool = False) -> ChainsImported:
    """Read chains of concepts (JSONL) into a corpus, a chain an article, and return a report.

    Raises:
        SourceError: if the file holds no usable chain.
        CorpusError: if the corpus exists.
    """
    stopwatch = Stopwatch()
    with stopwatch.spent("reading"):
        read = read_chains(path)
    licence = "WordNet 3.0, Princeton University" if "wordnet" in path.name.lower() else ""
    writer = CorpusWriter(workspace, corpus, source=path.name, chunker="chain", licence=licence, replace=replace)
    with stopwatch.spent("storing"), writer:
        for number, concepts in enumerate(read.chains, start=1):
            writer.add(f"{concepts[0]} ({number})", list(_concept_chunks(concepts)))
        stored = writer.finish({"skipped": read.skipped})
    for stage, seconds in stopwatch.seconds.items():
        record(workspace, corpus, stage, seconds, path.name)
    return {"corpus": corpus, "n_chains": stored.n_documents, "n_concepts": stored.n_chunks, "skipped": read.skipped}


def _concept_chunks(concepts: list[str]) -> Iterator[NewChunk]:
    at = 0
    for concept in concepts:
        yield NewChunk(concept, "", at, at + len(concept))
        at += len(concept) + 1

"""Articles that bring their own vectors: written as a corpus and a matrix together, whole or not at all."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lvm_core.corpus.chunks import NewChunk
from lvm_core.corpus.sources.base import Skipped
from lvm_core.corpus.store import CorpusStore
from lvm_core.corpus.timings import Stopwatch, record
from lvm_core.corpus.writing import CorpusWriter
from lvm_core.errors import LvmError, SourceError, SpaceMismatch
from lvm_core.types import CorpusInfo, Progress, Vectors, no_progress
from lvm_core.vectors.geometry import cosine
from lvm_core.vectors.index import ensure_index
from lvm_core.vectors.matrix import encoded_with
from lvm_core.vectors.writer import MatrixWriter
from lvm_core.workspace import Workspace

N_PROBES = 16
"""Chunks encoded again to see whether vectors are of the encoder that is claimed."""

VECTORS_AT_ONCE = 1_000

MOST_FLOAT16 = float(np.finfo(np.float16).max)
SMALL, LARGE = 1e-6, MOST_FLOAT16**2
"""Squared norms between which no component is lost as float16."""

SAME_SPACE = 0.97
"""Least mean cosine of stored vectors to fresh ones; float16 and bfloat16 cost less than .005 of it."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """One article: its chunks, each with its vector (D,), as they come."""

    title: str
    rows: Iterable[tuple[NewChunk, NDArray[np.float32]]]


def usable(vector: NDArray[np.float32] | None, dim: int, skipped: Skipped) -> bool:
    """Return whether a vector can be stored (as float16), counting why not."""
    if vector is None:
        skipped.add("chunks without a vector (NULL)")
    elif len(vector) != dim:
        skipped.add(f"vectors of {len(vector)} dimensions instead of {dim}")
    elif SMALL < float(vector @ vector) < LARGE:  # one pass that tells for nearly all
        return True
    elif not np.isfinite(vector).all():
        skipped.add("vectors with NaN or infinite values")
    elif np.abs(vector).max() > MOST_FLOAT16:
        skipped.add(f"vectors with values beyond {MOST_FLOAT16:,.0f}, more than float16 holds")
    elif not vector.astype(np.float16).any():
        skipped.add("zero vectors")
    else:
        return True
    return False


@dataclass(frozen=True, slots=True)
class Space:
    """The encoder id that vectors are stored under, whether it was verified, and a sentence about it."""

    encoder_id: str
    verified: bool
    about: str


def claim_encoder(claim: str, texts: list[str], vectors: Vectors, digest: str) -> Space:
    """Return the space of vectors from outside, checked where that can be done.

    Args:
        claim: encoder name that the user gives, "" for none.
        texts: some chunks; [] where none were kept.
        vectors: (n, D), their vectors.
        digest: of the source; names a space of its own where nothing is claimed.

    Raises:
        SpaceMismatch: if the claimed encoder is here and gives other vectors.
    """
    if not claim:
        return Space(f"unknown@{digest[:12]}", False, (
            "The encoder of these vectors was not named: they form a space of their own, in which models can be trained"
            " but no text encoded. Give --encoder NAME where you know it."
        ))  # fmt: skip
    from lvm_core.encoders import load_encoder

    unverified = f"{claim.replace('/', '-')}@unverified"
    try:
        encoder = load_encoder(claim)
    except LvmError as error:
        return Space(unverified, False, (
            f"The vectors are said to be of '{claim}', which could not be loaded to check that: {error}"
        ))  # fmt: skip
    if encoder.dim != vectors.shape[1]:
        raise SpaceMismatch(f"The encoder '{claim}' ({encoder.dim}-D)", f"of {vectors.shape[1]} dimensions", encoder.id,
                            "name the encoder that made the vectors.")  # fmt: skip
    sound = np.isfinite(vectors).all(axis=1) & vectors.any(axis=1)
    probes = [i for i in np.flatnonzero(sound).tolist() if i < len(texts) and texts[i].strip()][:N_PROBES]
    if not probes:
        about = f"The vectors are said to be of '{claim}'; no text was kept with them, so that could not be checked."
        return Space(unverified, False, about)
    agreement = float(cosine(encoder.encode([texts[i] for i in probes]), vectors[probes]).mean())
    if agreement < SAME_SPACE:
        raise SpaceMismatch(
            f"The encoder '{claim}'", f"unknown: fresh vectors have cosine {agreement:.2f} to the stored",
            encoder.id, "name the encoder that made them, or leave --encoder out to keep them as a space of their own.",
        )  # fmt: skip
    checked = f"fresh vectors of {len(probes)} chunks have cosine {agreement:.3f} to the stored ones."
    return Space(encoder.id, True, f"Verified: {checked}")


def half_done(workspace: Workspace, corpus: str) -> bool:
    """Return whether the corpus is one that an import made visible, and was killed before its vectors were there."""
    store = CorpusStore(workspace)
    if not any(info.name == corpus for info in store.corpora()):
        return False
    return bool(store.details(corpus).get("encoder")) and not encoded_with(workspace, corpus)


def write_incoming(
    workspace: Workspace,
    writer: CorpusWriter,
    articles: Iterable[Incoming],
    encoder_id: str,
    skipped: Skipped,
    stopwatch: Stopwatch,
    progress: Progress = no_progress,
) -> CorpusInfo:
    """Store articles and vectors, index them, and return the corpus; on any failure none of it is there.

    Args:
        workspace: where it goes.
        writer: of the corpus.
        articles: in their order.
        encoder_id: whose vectors they bring.
        skipped: what was left out while they came.
        stopwatch: runs while they come ("reading"); "storing" and, where one is built, "index" are added.
        progress: told the chunks done; the share is a guess, since nobody knows how many come.

    Raises:
        SourceError: if no usable chunk came.
    """
    done = 0
    with stopwatch.spent("storing"), writer, MatrixWriter(workspace, writer.name, encoder_id) as matrix:
        for article in articles:
            chunks = _stored(article, matrix)
            if not chunks:
                continue
            writer.add(article.title, chunks)
            done += len(chunks)
            progress(done / (done + 1), f"{done:,} chunks")
        if not done:
            raise _nothing(writer.source, skipped)
        matrix.seal()
        corpus = writer.finish({"skipped": dict(skipped.counts), "encoder": encoder_id})
        matrix.finish(corpus)
    for stage, seconds in stopwatch.seconds.items():
        record(workspace, corpus.name, stage, seconds, corpus.source)
    seconds = ensure_index(workspace, corpus.name, encoder_id, progress)
    if seconds:
        stopwatch.seconds["index"] = seconds
    progress(1.0, f"{done:,} chunks")
    return corpus


def _nothing(source: str, skipped: Skipped) -> SourceError:
    reasons = ", ".join(f"{n:,} {reason}" for reason, n in skipped.counts.items()) or "the source is empty"
    return SourceError(
        f"Nothing usable came of {source}: {reasons}", "texts with vectors of one dimension", "Mend what was left out."
    )


def _stored(article: Incoming, matrix: MatrixWriter) -> list[NewChunk]:
    """Append the vectors of an article to the matrix as they come, and return its chunks."""
    chunks: list[NewChunk] = []
    waiting: list[NDArray[np.float32]] = []
    for chunk, vector in article.rows:
        chunks.append(chunk)
        waiting.append(vector)
        if len(waiting) == VECTORS_AT_ONCE:
            matrix.append(np.stack(waiting))
            waiting.clear()
    if waiting:
        matrix.append(np.stack(waiting))
    return chunks


def paired(
    rows: Iterable[tuple[str, int | None, str | None, NDArray[np.float32]]],
) -> Iterator[tuple[NewChunk, NDArray[np.float32]]]:
    """Yield chunk and vector of each (text, code, id, vector) of an article, as if one space stood between them."""
    at = 0
    for text, code, external_id, vector in rows:
        yield NewChunk(text, "", at, at + len(text), None, code, external_id), vector
        at += len(text) + 1

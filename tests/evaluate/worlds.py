"""Small worlds of articles whose next chunk can be predicted, for tests of evaluation."""

from collections.abc import Sequence

import numpy as np

from lvm_core.corpus.chunks import NewChunk
from lvm_core.corpus.writing import CorpusWriter
from lvm_core.evaluate.testset import TestSet, make_test_set
from lvm_core.types import DocumentInfo, Rows, Vectors
from lvm_core.vectors.encode import encode_corpus
from lvm_core.vectors.geometry import unit_rows
from lvm_core.workspace import Workspace

ENCODER = "toy@000000000000"
DIM = 16


def documents(sizes: list[int], titles: list[str] | None = None) -> list[DocumentInfo]:
    first = np.concatenate([[0], np.cumsum(sizes)]).tolist()
    names = titles or [f"Article {i}" for i in range(len(sizes))]
    return [DocumentInfo(i + 1, names[i], i, first[i], n, f"digest {i}") for i, n in enumerate(sizes)]


def walk(n_rows: int, seed: int = 0, step: float = 0.6, dim: int = DIM) -> Vectors:
    """Return vectors (n_rows, dim) of a wandering text: each chunk is near the one before."""
    rng = np.random.default_rng(seed)
    vectors = np.empty((n_rows, dim), dtype=np.float32)
    place = rng.standard_normal(dim)
    for row in range(n_rows):
        place = place / np.linalg.norm(place) + step * rng.standard_normal(dim) / np.sqrt(dim)
        vectors[row] = place
    return unit_rows(vectors)


def make_world(sizes: list[int], seed: int = 0, max_chunks: int = 10_000) -> tuple[TestSet, Vectors]:
    vectors = walk(sum(sizes), seed)

    def rows(idx: Rows) -> Vectors:
        return vectors[idx]

    test = make_test_set(documents(sizes), rows, "toy", "digest", ENCODER, "test", 0, max_chunks)
    return test, vectors


class ToyEncoder:
    """Reads the row out of a text such as "chunk 17 of ..." and returns that row of a walk."""

    def __init__(self, vectors: Vectors, id: str = ENCODER) -> None:
        self.id, self.dim, self.unit_norm = id, vectors.shape[1], True
        self._vectors = vectors

    def encode(self, texts: Sequence[str]) -> Vectors:
        rows = [int(text.split()[1]) for text in texts]
        return self._vectors[rows]


def make_corpus(
    workspace: Workspace, name: str, sizes: list[int], titles: list[str] | None = None, seed: int = 0, id: str = ENCODER
) -> None:
    """Write an encoded corpus of articles whose texts are words drawn at random."""
    rng = np.random.default_rng(seed + 100)
    encoder = ToyEncoder(walk(sum(sizes), seed), id)
    with CorpusWriter(workspace, name, "made up", "sentence") as writer:
        for document in documents(sizes, titles):
            texts = [
                f"chunk {row} of " + " ".join(f"word{i}" for i in rng.integers(0, 2000, 12))
                for row in range(document.first_row, document.first_row + document.n_chunks)
            ]
            writer.add(document.title, [NewChunk(text, "", 0, len(text), None) for text in texts])
        writer.finish()
    encode_corpus(workspace, name, encoder)

"""Small worlds of articles whose next chunk can be predicted, for tests of evaluation."""

import numpy as np

from lvm_core.evaluation.testset import TestSet, make_test_set
from lvm_core.metrics.similarity import unit_rows
from lvm_core.types import DocumentInfo, Rows, Vectors

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

"""Made-up articles with vectors on disk, as a corpus has them, for measuring training."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lvm_core.types import DocumentInfo, Rows, Vectors

ARTICLE = 100
"""Chunks in an article."""


@dataclass(frozen=True, slots=True)
class MappedVectors:
    """A float16 matrix mapped from disk."""

    data: NDArray[np.float16]

    def rows(self, idx: Rows) -> Vectors:
        return self.data[idx].astype(np.float32)

    def slice(self, start: int, stop: int) -> Vectors:
        return self.data[start:stop].astype(np.float32)


def make_matrix(path: Path, n_rows: int, dim: int) -> None:
    """Write `n_rows` random unit vectors, an article at a time."""
    rng = np.random.default_rng(0)
    data = np.lib.format.open_memmap(path, mode="w+", dtype=np.float16, shape=(n_rows, dim))
    for start in range(0, n_rows, ARTICLE):
        rows = rng.standard_normal((min(ARTICLE, n_rows - start), dim), dtype=np.float32)
        data[start : start + ARTICLE] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    data.flush()


def open_vectors(path: Path) -> MappedVectors:
    """Return the matrix in `path`, mapped."""
    return MappedVectors(np.load(path, mmap_mode="r"))


def documents(n_rows: int) -> list[DocumentInfo]:
    """Return the articles of a matrix of `n_rows`."""
    starts = range(0, n_rows, ARTICLE)
    return [DocumentInfo(i, f"Article {i}", i, s, min(ARTICLE, n_rows - s), "") for i, s in enumerate(starts)]


def clustered(n_rows: int, dim: int) -> MappedVectors:
    """Return made-up vectors (n_rows, dim) about some centres, an article about each, as chunks of texts are."""
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((-(-n_rows // ARTICLE), dim))
    rows = np.repeat(centres, ARTICLE, axis=0)[:n_rows] + rng.standard_normal((n_rows, dim))
    return MappedVectors((rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float16))

"""A tiny encoded corpus whose next chunk can be predicted, in a real workspace."""

import dataclasses
import json

import numpy as np

from lvm_core.corpus.chunks import NewChunk
from lvm_core.corpus.writing import CorpusWriter
from lvm_core.types import DocumentInfo, Vectors
from lvm_core.vectors.matrix import MatrixInfo
from lvm_core.workspace import Workspace

ENCODER = "toy@000000000000"
DIM = 16


class Rows:
    """An array with the interface of a vector matrix."""

    def __init__(self, vectors: Vectors) -> None:
        self.vectors = vectors

    def rows(self, idx):
        return self.vectors[idx]

    def slice(self, start, stop):
        return self.vectors[start:stop].copy()


def walk(sizes: list[int], dim: int = DIM, seed: int = 0) -> Vectors:
    """Return unit vectors: each article has a place of its own and wanders about it."""
    rng = np.random.default_rng(seed)
    scale = 1.5 / np.sqrt(1 + np.arange(dim))
    parts = []
    for size in sizes:
        home, step = rng.normal(size=dim), rng.normal(size=(size, dim))
        for k in range(1, size):
            step[k] = 0.7 * step[k - 1] + 0.7 * step[k]
        parts.append((home + step) * scale + 0.3)
    x = np.concatenate(parts)
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)


def documents(sizes: list[int], titles: list[str] | None = None) -> list[DocumentInfo]:
    first = np.concatenate([[0], np.cumsum(sizes)]).tolist()
    names = titles or [f"Article {i}" for i in range(len(sizes))]
    return [DocumentInfo(i + 1, names[i], i, first[i], n, f"digest {i}") for i, n in enumerate(sizes)]


def sizes(n: int, low: int = 8, high: int = 30, seed: int = 1) -> list[int]:
    return np.random.default_rng(seed).integers(low, high, size=n).tolist()


def add_corpus(
    workspace: Workspace,
    name: str = "toy",
    lengths: list[int] | None = None,
    encoder: str = ENCODER,
    titles: list[str] | None = None,
    seed: int = 0,
) -> Vectors:
    """Write a corpus of articles of `lengths` chunks and its matrix; return the vectors."""
    lengths = lengths or sizes(30)
    infos = documents(lengths, titles)
    with CorpusWriter(workspace, name, "made for a test", "sentence", "CC0") as writer:
        for info in infos:
            writer.add(info.title, [NewChunk(f"{name} {info.title} {k}.") for k in range(info.n_chunks)])
        corpus = writer.finish()
    vectors = walk(lengths, seed=seed)
    path = workspace.vectors(name, encoder)
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, vectors.astype(np.float16))
    about = MatrixInfo(name, corpus.digest, encoder, len(vectors), DIM, True, 1.0)
    path.with_suffix(".json").write_text(json.dumps(dataclasses.asdict(about)))
    return vectors

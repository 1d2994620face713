"""A quick encoder and small corpora, so that encoding itself can be tested many times."""

import hashlib
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lvm_core.types import Vectors
from lvm_core.workspace import Workspace
from tests.corpus.makers import read_in, write_lines

NAMES = [f"Place {i}" for i in range(12)]


class WordEncoder:
    """A vector of each text made of a hash of its words; slow on purpose where a test has to hit it."""

    unit_norm = True

    def __init__(self, name: str = "words", dim: int = 16, wait_s: float = 0.0) -> None:
        self.id = f"{name}@" + hashlib.sha256(name.encode()).hexdigest()[:12]
        self.dim = dim
        self.wait_s = wait_s
        self.n_calls = 0

    def encode(self, texts: Sequence[str]) -> Vectors:
        self.n_calls += 1
        time.sleep(self.wait_s)
        rows = [np.random.default_rng(list(text.encode())).standard_normal(self.dim) for text in texts]
        vectors = np.asarray(rows, dtype=np.float32).reshape(len(texts), self.dim)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


class LongEncoder(WordEncoder):
    """The same, not normalised."""

    unit_norm = False

    def encode(self, texts: Sequence[str]) -> Vectors:
        return super().encode(texts) * np.float32(3)


def small_corpus(workspace: Workspace, folder: Path, corpus: str = "tiny", names: Sequence[str] = NAMES) -> None:
    """Ingest a few made-up articles as `corpus`, in the place of an older one."""
    source = write_lines(folder / f"{corpus}.jsonl", list(names))
    read_in(workspace, source, corpus, replace=True)

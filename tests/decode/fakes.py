"""A tiny exact corpus and decoders with a known answer, for tests of what is built on them."""

import numpy as np

from lvm_core.types import Chunk, Decoded, Hit
from lvm_core.vectors.geometry import unit_rows


def unit_vectors(n, dim, seed=0):
    return unit_rows(np.random.default_rng(seed).standard_normal((n, dim)).astype(np.float32))


class TinyIndex:
    """Exact cosine search, as the `Index` protocol says."""

    def __init__(self, vectors, encoder_id="tiny@000000000000"):
        self.vectors, self.encoder_id, self.searches = unit_rows(vectors), encoder_id, 0

    def search(self, queries, k, exclude=None):
        self.searches += 1
        scores = unit_rows(np.asarray(queries, np.float32)) @ self.vectors.T
        if exclude is not None:
            scores[:, exclude] = -np.inf
        best = np.argsort(-scores, axis=1, kind="stable")[:, :k]
        return [[Hit(int(r), float(s[r])) for r in own if s[r] > -np.inf] for own, s in zip(best, scores, strict=True)]

    def rows(self, idx):
        return self.vectors[idx]


def chunks_of(texts, article="Article"):
    made = [Chunk(100 + i, i, 1, article, i, text) for i, text in enumerate(texts)]
    return lambda rows: [made[r] for r in rows]


class ScriptedDecoder:
    """Answers with `texts[steps]`, the last one there is for larger ones; counts its calls."""

    id, encoder_id = "scripted", "tiny@000000000000"

    def __init__(self, texts):
        self.texts, self.calls = texts, []

    def decode_all(self, vectors, steps):
        self.calls.append((len(vectors), steps))
        return [[self.text(vector, step) for step in range(steps + 1)] for vector in vectors]

    def text(self, vector, step):
        text = self.texts[max((s for s in self.texts if s <= step), default=min(self.texts))]
        return Decoded(text, "scripted", step, 0.5 + step / 100)

"""Three articles of a made-up book, as vectors and as the windows that projects cut of them."""

from dataclasses import dataclass

import numpy as np

N_ARTICLES, LENGTH, DIM, CONTEXT = 3, 12, 16, 5
ARTICLE_IDS = (7, 9, 12)
TITLES = ("Mill", "Ford", "Hill")


def unit(*shape: int) -> np.ndarray:
    vectors = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


VECTORS = unit(N_ARTICLES * LENGTH, DIM)
TEXTS = np.array([f"Sentence {i} of the tale about the mill." for i in range(len(VECTORS))])
ARTICLES = np.repeat(ARTICLE_IDS, LENGTH)
POSITIONS = np.tile(np.arange(LENGTH), N_ARTICLES)


@dataclass(frozen=True)
class Windows:
    contexts: np.ndarray
    targets: np.ndarray
    articles: np.ndarray
    positions: np.ndarray


def windows(stride: int = 1) -> Windows:
    """Return every window, or every so many, in order."""
    firsts = [a * LENGTH + i for a in range(N_ARTICLES) for i in range(0, LENGTH - CONTEXT, stride)]
    return Windows(
        np.stack([VECTORS[i : i + CONTEXT] for i in firsts]),
        np.stack([VECTORS[i + CONTEXT] for i in firsts]),
        np.array([ARTICLES[i] for i in firsts], dtype=np.int32),
        np.array([POSITIONS[i] + CONTEXT for i in firsts], dtype=np.int32),
    )

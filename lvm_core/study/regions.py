"""What lies where on a flat map: its regions by their own words, and how densely it is settled."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lvm_core.types import Vectors

WORDS = 3
"""Words in the name of a region."""

DENSE_CELLS = 96
"""Cells along each axis in which points are counted."""

SMOOTHING = 2.0
"""Width of the Gaussian that smooths the counts, in cells."""

_MOST_FITTED = 12_000


@dataclass(frozen=True, slots=True)
class Region:
    """Some points that lie together: the middle of them, how many, and the words that set their texts apart."""

    x: float
    y: float
    n: int
    words: list[str]


@dataclass(frozen=True, slots=True)
class Density:
    """Points a cell, smoothed: `share` (Y, X) of the densest cell, at the middles `x` (X,) and `y` (Y,)."""

    x: Vectors
    y: Vectors
    share: Vectors


def regions(xy: Vectors, texts: Sequence[str], n: int = 12, seed: int = 0) -> list[Region]:
    """Return the regions of a map (N, 2), the largest first, each named by the words that set its texts apart.

    Points are grouped by k-means; a region's words are those of the highest class-based TF-IDF, frequency in its
    texts times log(1 + mean words a region / frequency in all) (Grootendorst 2022, BERTopic, section 3.3), of which
    the root of the frequency is taken as that library does to hold back words that are frequent everywhere.
    """
    from sklearn.cluster import KMeans
    from sklearn.feature_extraction.text import CountVectorizer

    points = np.asarray(xy, dtype=np.float32)
    if len(points) < n * 3:
        return []
    fitted = np.random.default_rng(seed).permutation(len(points))[:_MOST_FITTED]
    centres = KMeans(n, n_init=2, random_state=seed).fit(points[fitted])
    place = centres.predict(points)
    joined = [" ".join(text for text, of in zip(texts, place.tolist(), strict=True) if of == i) for i in range(n)]
    try:
        counter = CountVectorizer(stop_words="english", token_pattern=r"[^\W\d_]{3,}", min_df=1)
        counts = counter.fit_transform(joined).toarray().astype(np.float64)
    except ValueError:  # no text holds a word
        return []
    total = counts.sum(axis=0)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    weights = np.sqrt(shares) * np.log1p(counts.sum() / n / total)
    names = counter.get_feature_names_out()
    found = []
    for i in np.argsort(-np.bincount(place, minlength=n)).tolist():
        best = [str(names[j]) for j in np.argsort(-weights[i])[:WORDS] if weights[i, j] > 0]
        inside = points[place == i]
        if best and len(inside):
            found.append(Region(float(np.median(inside[:, 0])), float(np.median(inside[:, 1])), len(inside), best))
    return found


def density(xy: Vectors) -> Density | None:
    """Return how densely a map (N, 2) is settled; None where all points are one."""
    from scipy.ndimage import gaussian_filter

    points = np.asarray(xy, dtype=np.float64)
    if len(points) < 2 or (np.ptp(points, axis=0) == 0).any():
        return None
    counts, x, y = np.histogram2d(points[:, 0], points[:, 1], DENSE_CELLS)
    smooth = gaussian_filter(counts.T, SMOOTHING)
    middle = [((edges[1:] + edges[:-1]) / 2).astype(np.float32) for edges in (x, y)]
    return Density(middle[0], middle[1], (smooth / smooth.max()).astype(np.float32))

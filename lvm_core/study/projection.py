"""Maps of vectors in 2 or 3 dimensions, fitted on predictions and targets together.

PCA answers at once and keeps large distances; UMAP (McInnes, Healy and Melville 2018) and PaCMAP (Wang et al. 2021)
keep neighbourhoods. None of them is evidence by itself: read them beside `evaluate` and `effective_rank`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lvm_core.config import setting
from lvm_core.errors import SettingsError
from lvm_core.types import Progress, Vectors, no_progress

MIN_POINTS = 5
SAME = 1e-4
"""Unit vectors that differ by less in every number are equal: half precision and scaling leave so much."""


@dataclass(frozen=True, slots=True)
class ProjectionSettings:
    """How to lay vectors out."""

    method: str = setting("umap", "how the map is made", choices=("pca", "umap", "pacmap"))
    n_dims: int = setting(2, "dimensions of the map", choices=(2, 3))
    n_neighbours: int = setting(15, "neighbours that a point holds on to (UMAP, PaCMAP)", low=2, high=200)
    min_dist: float = setting(0.1, "how close points may lie (UMAP)", low=0.0, high=0.99)
    seed: int = setting(0, "random seed; the same seed gives the same map", low=0)


@dataclass(frozen=True, slots=True)
class Projection:
    """Coordinates (N, 2 or 3) float32, with what the axes are called and what the reader must know."""

    coordinates: Vectors
    axes: tuple[str, ...]
    note: str = ""


def fit_pca(vectors: Vectors, n_dims: int) -> Projection:
    """Return the vectors (N, D) on their first principal components, with the share of variance on each axis.

    Where N vectors span fewer than `n_dims` directions, the axes left over hold zeros.
    """
    centred = vectors - vectors.mean(axis=0)
    sample = centred if len(centred) <= 20_000 else centred[:: len(centred) // 20_000 + 1]
    variances, directions = _principal_axes(np.asarray(sample, dtype=np.float64))
    total = max(float(variances.sum()), 1e-12)
    shares = np.pad(variances, (0, max(0, n_dims - len(variances))))[:n_dims] / total
    # the sign of a component is open; the largest entry of each is made positive so that maps stay put
    chosen = directions[:, :n_dims]
    signs = np.sign(chosen[np.abs(chosen).argmax(axis=0), range(chosen.shape[1])])
    coordinates = np.zeros((len(vectors), n_dims), dtype=np.float32)
    coordinates[:, : chosen.shape[1]] = centred @ (chosen * signs)
    return Projection(coordinates, tuple(f"PC{i + 1} ({share:.0%} of variance)" for i, share in enumerate(shares)))


def _principal_axes(centred: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the variances (K,), largest first, and the directions (D, K) of centred vectors (N, D)."""
    if len(centred) < centred.shape[1]:  # a few vectors: their own span is smaller than the space
        _, scales, directions = np.linalg.svd(centred, full_matrices=False)
        return scales**2, directions.T
    values, directions = np.linalg.eigh(centred.T @ centred)
    return np.maximum(values[::-1], 0), directions[:, ::-1]


def _fit_umap(vectors: Vectors, settings: ProjectionSettings) -> Projection:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # umap warns at import that TensorFlow, which nobody asked for, is not there
        import umap

        reducer = umap.UMAP(
            n_components=settings.n_dims,
            n_neighbors=min(settings.n_neighbours, len(vectors) - 1),
            min_dist=settings.min_dist,
            metric="cosine",
            random_state=settings.seed,
            n_jobs=1,
            init="pca" if len(vectors) < 200 else "spectral",
        )
        coordinates = reducer.fit_transform(vectors)
    return Projection(np.asarray(coordinates, dtype=np.float32), _axis_names("UMAP", settings.n_dims))


def _fit_pacmap(vectors: Vectors, settings: ProjectionSettings) -> Projection:
    import warnings

    import pacmap

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        reducer = pacmap.PaCMAP(
            n_components=settings.n_dims,
            n_neighbors=min(settings.n_neighbours, max(2, len(vectors) // 4)),
            random_state=settings.seed,
        )
        coordinates = reducer.fit_transform(np.array(vectors, dtype=np.float32), init="pca")
    return Projection(np.asarray(coordinates, dtype=np.float32), _axis_names("PaCMAP", settings.n_dims))


def _axis_names(method: str, n_dims: int) -> tuple[str, ...]:
    return tuple(f"{method} {i + 1} (no unit)" for i in range(n_dims))


_METHODS: dict[str, Callable[[Vectors, ProjectionSettings], Projection]] = {
    "pca": lambda vectors, settings: fit_pca(vectors, settings.n_dims),
    "umap": _fit_umap,
    "pacmap": _fit_pacmap,
}


def project(vectors: Vectors, settings: ProjectionSettings, progress: Progress = no_progress) -> Projection:
    """Return a map of the vectors (N, D).

    Vectors that are all equal come out as one point, with a note that says so, since no method can spread them.

    Raises:
        SettingsError: if there are fewer than 5 vectors or some hold NaN.
    """
    if len(vectors) < MIN_POINTS:
        raise SettingsError(
            [f"{len(vectors)} vectors were given for a map; expected at least {MIN_POINTS}. Choose more windows."]
        )
    if not np.isfinite(vectors).all():
        bad = int((~np.isfinite(vectors).all(axis=1)).sum())
        raise SettingsError(
            [f"{bad} of {len(vectors)} vectors hold NaN or infinite values; expected finite ones. Encode it again."]
        )
    if float(np.ptp(vectors, axis=0).max()) < SAME:
        note = "All vectors are equal: the map is a single point."
        names = _axis_names(settings.method.upper(), settings.n_dims)
        return Projection(np.zeros((len(vectors), settings.n_dims), dtype=np.float32), names, note)
    progress(0.1, f"laying out {len(vectors):,} vectors by {settings.method} (UMAP compiles for about a minute)")
    return _METHODS[settings.method](vectors, settings)


def sample_rows(rows: NDArray[np.int64], limit: int, seed: int = 0) -> tuple[NDArray[np.int64], str]:
    """Return at most `limit` of `rows`, in order, and a sentence where some were left out."""
    if len(rows) <= limit:
        return rows, ""
    chosen = np.sort(np.random.default_rng(seed).choice(len(rows), size=limit, replace=False))
    return rows[chosen], f"{limit:,} of {len(rows):,} points are shown, drawn at random (seed {seed})."


def project_key(**content: Any) -> str:
    """Return a short digest of everything a map depends on: the name under which it is cached."""
    import hashlib
    import json

    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()[:16]

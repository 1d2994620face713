"""Maps are repeatable, honest about their axes, and survive vectors that no map can spread."""

import numpy as np
import pytest

from lvm_core.errors import SettingsError
from lvm_core.study.projection import ProjectionSettings, fit_pca, project, project_key, sample_rows


def clusters(n: int = 120, dim: int = 16) -> np.ndarray:
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((3, dim)) * 3
    return (centres[np.arange(n) % 3] + 0.1 * rng.standard_normal((n, dim))).astype(np.float32)


def separation(coordinates: np.ndarray) -> float:
    """Return how far apart the three clusters lie, in units of their own width."""
    groups = [coordinates[i::3] for i in range(3)]
    centres = np.stack([g.mean(axis=0) for g in groups])
    width = max(float(g.std(axis=0).max()) for g in groups)
    return float(min(np.linalg.norm(centres[i] - centres[j]) for i in range(3) for j in range(i)) / width)


@pytest.mark.parametrize("method", ["pca", "umap", "pacmap"])
def test_clusters_stay_apart_and_the_seed_repeats_the_map(method: str) -> None:
    settings = ProjectionSettings(method=method, n_dims=2)
    first = project(clusters(), settings)
    assert first.coordinates.shape == (120, 2)
    assert separation(first.coordinates) > 2
    np.testing.assert_allclose(first.coordinates, project(clusters(), settings).coordinates, atol=1e-4)


def test_pca_names_the_variance_it_keeps_and_agrees_with_svd() -> None:
    vectors = clusters()
    found = fit_pca(vectors, 3)
    singular = np.linalg.svd(vectors - vectors.mean(axis=0), compute_uv=False)
    share = singular[0] ** 2 / (singular**2).sum()
    assert found.axes[0] == f"PC1 ({share:.0%} of variance)"
    np.testing.assert_allclose(found.coordinates.std(axis=0) * np.sqrt(120), singular[:3], rtol=1e-3)


def test_pca_of_a_few_vectors_is_that_of_many_and_leaves_empty_axes_at_zero() -> None:
    few = clusters(10, dim=16)
    many = np.repeat(few, 4, axis=0)  # the same directions, by the other way to them
    np.testing.assert_allclose(fit_pca(few, 2).coordinates, fit_pca(many, 2).coordinates[::4], atol=1e-3)
    assert fit_pca(few, 2).axes == fit_pca(many, 2).axes
    line = fit_pca(few[:2], 3)
    assert line.coordinates.shape == (2, 3)
    assert line.axes[0] == "PC1 (100% of variance)"
    np.testing.assert_allclose(line.coordinates[:, 1:], 0, atol=1e-3)
    assert fit_pca(few[:1], 2).coordinates.tolist() == [[0, 0]]


def test_equal_vectors_come_out_as_one_point_and_say_so() -> None:
    found = project(np.ones((50, 4), dtype=np.float32), ProjectionSettings())
    assert "single point" in found.note
    assert np.ptp(found.coordinates) == 0


def test_mistakes_are_named() -> None:
    with pytest.raises(SettingsError, match="3 vectors were given for a map; expected at least 5"):
        project(np.eye(3, dtype=np.float32), ProjectionSettings())
    spoiled = clusters()
    spoiled[7] = np.nan
    with pytest.raises(SettingsError, match="1 of 120 vectors hold NaN"):
        project(spoiled, ProjectionSettings(method="pca"))


def test_sampling_says_what_it_left_out_and_keeps_order() -> None:
    rows = np.arange(2_000_000)
    chosen, note = sample_rows(rows, 60_000)
    assert len(chosen) == 60_000
    assert (np.diff(chosen) > 0).all()
    assert note.startswith("60,000 of 2,000,000 points")
    assert sample_rows(rows[:10], 60_000)[1] == ""


def test_the_cache_key_follows_the_content() -> None:
    assert project_key(a=1, b=2) == project_key(b=2, a=1)
    assert project_key(a=1) != project_key(a=2)

"""The snap is the seeds' formula, number for number, and never reads what it must not."""

import numpy as np
import pytest

from lvm_core.errors import DecoderError, SettingsError
from lvm_core.snap import SEEDS, SnapSettings, snap, snap_batch
from tests.decode.fakes import TinyIndex, unit_vectors

DIM = 24


@pytest.fixture(scope="module")
def index():
    return TinyIndex(unit_vectors(200, DIM, seed=1) + 0.5)


@pytest.fixture
def context(index):
    return index.vectors[[3, 4, 5]]


def by_the_book(prediction, context, vectors, weights=(0.75, 0.15, 0.10), k=16):
    """Recompute the formula as plainly as it is written down."""
    unit = lambda v: v / np.linalg.norm(v)  # noqa: E731
    order = np.argsort(-(vectors @ unit(prediction)), kind="stable")[:k]
    cosines = np.maximum(vectors[order] @ unit(prediction), 0)
    pulled = unit((cosines / cosines.sum()) @ vectors[order])
    query, mean = context[-1], unit(context.mean(axis=0))
    return unit(weights[0] * pulled + weights[1] * query + weights[2] * mean), pulled @ query, pulled @ mean


def test_it_is_the_formula(index, context):
    prediction = unit_vectors(1, DIM, seed=2)[0] + 0.5
    expected, to_query, to_mean = by_the_book(prediction, context, index.vectors)
    assert to_query >= 0.2
    assert to_mean >= 0.3
    result = snap(prediction, context, index, index.rows, settings=SEEDS)
    np.testing.assert_allclose(result.vector, expected, atol=1e-6)
    assert np.linalg.norm(result.vector) == pytest.approx(1, abs=1e-6)
    assert result.anchored
    assert not result.drift_clamped
    assert len(result.neighbours) == 16
    assert sum(result.weights) == pytest.approx(1)
    assert [hit.cosine for hit in result.neighbours] == sorted((h.cosine for h in result.neighbours), reverse=True)


def test_the_clamp_engages_when_the_snap_leaves_the_topic():
    index = TinyIndex(np.eye(4, dtype=np.float32))
    context = np.eye(4, dtype=np.float32)[[0, 0]]
    result = snap(
        np.array([0, 1, 0.2, 0], np.float32), context, index, index.rows, settings=SnapSettings(k=2, strength=1)
    )
    expected, _, _ = by_the_book(np.array([0, 1, 0.2, 0]), context, index.vectors, (0.60, 0.25, 0.15), k=2)
    np.testing.assert_allclose(result.vector, expected, atol=1e-6)
    assert result.drift_clamped
    assert not result.anchored


@pytest.mark.parametrize(("name", "value"), [("min_cosine_query", 0.99), ("min_cosine_mean", 0.99)])
def test_either_threshold_alone_engages_the_clamp(index, context, name, value):
    prediction = unit_vectors(1, DIM, seed=2)[0] + 0.5
    assert snap(prediction, context, index, index.rows, settings=SnapSettings(**{name: value})).drift_clamped


def test_every_weight_is_a_setting(index, context):
    prediction = unit_vectors(1, DIM, seed=2)[0] + 0.5
    only_query = SnapSettings(strength=1, snap_weight=0, query_weight=1, mean_weight=0)
    np.testing.assert_allclose(
        snap(prediction, context, index, index.rows, settings=only_query).vector, context[-1], atol=1e-6
    )
    clamped = SnapSettings(
        strength=1, min_cosine_query=1, clamp_snap_weight=0, clamp_query_weight=0, clamp_mean_weight=1
    )
    mean = context.mean(axis=0) / np.linalg.norm(context.mean(axis=0))
    np.testing.assert_allclose(snap(prediction, context, index, index.rows, settings=clamped).vector, mean, atol=1e-6)


def test_strength_blends_from_raw_to_snapped(index, context):
    prediction = unit_vectors(1, DIM, seed=2)[0] + 0.5
    raw = prediction / np.linalg.norm(prediction)
    full = snap(prediction, context, index, index.rows, settings=SEEDS).vector
    none = snap(prediction, context, index, index.rows, settings=SnapSettings(strength=0.0)).vector
    half = snap(prediction, context, index, index.rows, settings=SnapSettings(strength=0.5)).vector
    np.testing.assert_allclose(none, raw, atol=1e-6)
    np.testing.assert_allclose(half, (raw + full) / np.linalg.norm(raw + full), atol=1e-6)


def test_the_standard_strength_follows_the_sweep_and_the_seeds_snap_in_full(index, context):
    prediction = unit_vectors(1, DIM, seed=2)[0] + 0.5
    raw, full = (snap(prediction, context, index, index.rows, settings=SnapSettings(strength=s)).vector for s in (0, 1))
    standard = snap(prediction, context, index, index.rows).vector
    assert float(raw @ full) < float(standard @ raw) < 1
    np.testing.assert_allclose(
        standard, (0.75 * raw + 0.25 * full) / np.linalg.norm(0.75 * raw + 0.25 * full), atol=1e-6
    )
    np.testing.assert_allclose(snap(prediction, context, index, index.rows, settings=SEEDS).vector, full, atol=1e-6)


def test_excluded_rows_are_no_neighbours(index, context):
    prediction = index.vectors[50]
    assert snap(prediction, context, index, index.rows).neighbours[0].row == 50
    article = np.arange(40, 60)
    result = snap(prediction, context, index, index.rows, exclude=article)
    assert not {hit.row for hit in result.neighbours} & set(article.tolist())
    assert len(result.neighbours) == 16


def test_batched_equals_single(index):
    predictions = unit_vectors(7, DIM, seed=3) + 0.4
    contexts = [index.vectors[i : i + 1 + i % 3] for i in range(7)]
    exclude = [np.arange(0, 30), None, np.arange(0, 30), np.arange(90, 99), None, np.arange(5), np.arange(5)]
    before = index.searches
    together = snap_batch(predictions, contexts, index, index.rows, exclude)
    assert index.searches - before == 4, "one search for each distinct exclusion"
    for i, result in enumerate(together):
        single = snap(predictions[i], contexts[i], index, index.rows, exclude[i])
        np.testing.assert_allclose(result.vector, single.vector, atol=1e-6)
        assert [h.row for h in result.neighbours] == [h.row for h in single.neighbours]
        np.testing.assert_allclose(result.weights, single.weights, atol=1e-6)


def test_a_corpus_with_nothing_near_leaves_the_prediction_alone(context):
    empty = TinyIndex(np.eye(DIM, dtype=np.float32)[:3])
    away = -np.ones(DIM, np.float32)
    result = snap(away, context, empty, empty.rows)
    np.testing.assert_allclose(result.vector, away / np.linalg.norm(away), atol=1e-6)
    assert result.weights == [0, 0, 0]
    assert not result.anchored
    assert not result.drift_clamped
    everything_out = snap(away, context, empty, empty.rows, exclude=np.arange(3))
    assert everything_out.neighbours == []


def test_lengths_of_vectors_do_not_matter(index, context):
    prediction = unit_vectors(1, DIM, seed=2)[0] + 0.5
    small = snap(prediction, context, index, index.rows).vector
    np.testing.assert_allclose(snap(7 * prediction, 3 * context, index, index.rows).vector, small, atol=1e-6)


def test_bad_input_is_refused(index, context):
    good = unit_vectors(1, DIM)[0]
    with pytest.raises(DecoderError, match="predictions hold NaN"):
        snap(np.full(DIM, np.nan, np.float32), context, index, index.rows)
    with pytest.raises(DecoderError, match="predictions hold nothing but zeros"):
        snap(np.zeros(DIM, np.float32), context, index, index.rows)
    with pytest.raises(DecoderError, match=r"context's vectors have the shape \(3, 5\); expected \(N, 24\)"):
        snap(good, context[:, :5], index, index.rows)
    with pytest.raises(DecoderError, match="context is empty"):
        snap(good, context[:0], index, index.rows)
    with pytest.raises(DecoderError, match="exclude has 1 entries for 2 predictions"):
        snap_batch(np.stack([good, good]), [context] * 2, index, index.rows, [None])
    with pytest.raises(SettingsError, match=r"k is 0; expected 1 to 1024.*strength is 2"):
        snap(good, context, index, index.rows, settings=SnapSettings(k=0, strength=2.0))

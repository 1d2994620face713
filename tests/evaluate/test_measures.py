import numpy as np
import pytest

from lvm_core.baselines import build_baseline
from lvm_core.evaluate import measures
from lvm_core.evaluate.rows import flat
from lvm_core.evaluate.testset import TestSet
from lvm_core.forecast import over_windows
from lvm_core.types import Vectors
from tests.evaluate.worlds import DIM, make_world


def predicted(rule: str, test: TestSet) -> Vectors:
    return over_windows(build_baseline(rule, DIM), test, test.windows(5)).vectors


def test_the_truth_scores_full_marks_and_noise_scores_chance() -> None:
    test, _ = make_world([60, 80, 50])
    perfect = measures.window_measures(test.truths, test)
    for name in ("cosine", "recall_at_1", "mrr", "direction", "direction_matched", "contrastive_accuracy"):
        assert np.nanmin(perfect[name]) == pytest.approx(1.0), name
    assert perfect["mse"].max() == pytest.approx(0.0, abs=1e-9)
    noise = np.random.default_rng(99).standard_normal(test.truths.shape).astype(np.float32)
    blind = measures.window_measures(noise, test)
    assert np.nanmean(blind["direction"]) == pytest.approx(0.5, abs=0.15)
    assert np.nanmean(blind["contrastive_accuracy"]) == pytest.approx(0.5, abs=0.1)
    assert blind["recall_at_10"].mean() < 0.2


def test_the_mean_of_the_context_cannot_tell_ahead_from_behind_and_copy_last_can() -> None:
    test, _ = make_world([200, 300, 250])
    mean = measures.window_measures(predicted("context-mean", test), test)
    last = measures.window_measures(predicted("copy-last", test), test)
    assert np.nanmean(mean["direction"]) == pytest.approx(0.5, abs=0.06)
    assert np.nanmean(last["direction"]) > 0.65
    assert np.nanmean(last["direction_matched"]) > np.nanmean(mean["direction_matched"])


def test_fields_hold_the_mean_over_windows_and_its_interval() -> None:
    test, _ = make_world([60, 80, 50])
    values = measures.window_measures(predicted("copy-last", test), test)
    fields = flat(*measures.means(measures.sums_by_article(values, test)))
    assert {name for name, measure in measures.MEASURES.items() if measure.windows} <= set(fields)
    assert fields["cosine"] == pytest.approx(values["cosine"].mean())
    low, high = fields["cosine_ci"]
    assert low <= fields["cosine"] <= high


def test_one_article_has_no_interval_and_windows_without_a_chunk_behind_no_direction() -> None:
    test, _ = make_world([6])
    sums = measures.sums_by_article(measures.window_measures(test.truths, test), test)
    fields = flat(*measures.means(sums))
    assert fields["cosine_ci"] is None
    assert fields["direction"] is None


def test_a_difference_to_oneself_is_zero() -> None:
    test, _ = make_world([60, 80])
    sums = measures.sums_by_article(measures.window_measures(test.truths, test), test)["cosine"]
    gain = measures.gain(sums, sums)
    assert (gain.cosine, gain.ci) == (0.0, [0.0, 0.0])


def test_speed_is_measured_in_milliseconds() -> None:
    test, _ = make_world([60])
    model = build_baseline("linear-filter", DIM)
    fields = measures.speed(model, test, 5)
    assert 0 < fields["latency_ms"] <= fields["latency_p95_ms"]
    assert fields["batch_speedup"] == pytest.approx(32 * fields["latency_ms"] / fields["batch_latency_ms"])
    assert fields["memory_mb"] == pytest.approx(sum(b.numel() * 4 for b in model.buffers()) / 1e6)

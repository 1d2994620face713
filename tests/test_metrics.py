"""Metrics against brute force, independent references and what a user would expect of them."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import mean_squared_error
from sklearn.metrics.pairwise import cosine_similarity

from lvm_core.metrics import bootstrap, retrieval, similarity, text, timing
from lvm_core.metrics.levels import leaders, listed
from lvm_core.vectors import geometry

SEEDS = st.integers(0, 10_000)


def unit(rng: np.random.Generator, n: int, dim: int) -> np.ndarray:
    return geometry.unit_rows(rng.standard_normal((n, dim)).astype(np.float32))


# ---------------------------------------------------------------- similarity


@given(SEEDS, st.integers(1, 20), st.integers(2, 12))
def test_cosine_and_squared_error_agree_with_scikit_learn(seed: int, n: int, dim: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = rng.standard_normal((n, dim)).astype(np.float32), rng.standard_normal((n, dim)).astype(np.float32)
    assert geometry.cosine(a, b) == pytest.approx(np.diag(cosine_similarity(a, b)), abs=1e-5)
    assert similarity.squared_error(a, b).mean() == pytest.approx(mean_squared_error(a, b), rel=1e-5)


@given(SEEDS, st.integers(2, 16))
def test_squared_error_of_unit_vectors_follows_from_the_cosine(seed: int, dim: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = unit(rng, 6, dim), unit(rng, 6, dim)
    assert similarity.squared_error(a, b) == pytest.approx(2 * (1 - geometry.cosine(a, b)) / dim, abs=1e-6)


def test_cosine_ignores_length_and_a_zero_vector_scores_zero() -> None:
    a = np.array([[3.0, 0.0], [0.0, 0.0]], dtype=np.float32)
    b = np.array([[9.0, 0.0], [1.0, 0.0]], dtype=np.float32)
    assert geometry.cosine(a, b).tolist() == [1.0, 0.0]


def test_direction_of_the_context_mean_is_blind_and_of_the_truth_is_one() -> None:
    rng = np.random.default_rng(0)
    ahead, behind = unit(rng, 4000, 32), unit(rng, 4000, 32)
    blind = similarity.nearer(ahead + behind, ahead, behind)
    assert 0.4 < blind.mean() < 0.6
    assert similarity.nearer(ahead, ahead, behind).mean() == 1.0
    assert similarity.nearer(behind, ahead, behind).mean() == 0.0
    unknown = similarity.nearer(ahead, ahead, behind, np.arange(4000) < 10)
    assert np.isfinite(unknown).sum() == 10


def test_rivals_are_those_as_far_from_the_context_as_the_truth() -> None:
    rng = np.random.default_rng(1)
    article = unit(rng, 30, 8)
    context = np.arange(5, 10)
    mean = article[context].mean(axis=0, keepdims=True)
    excluded = np.isin(np.arange(30), context)[None, :]
    rivals = similarity.matched_rivals(mean, np.array([10]), article, excluded, n_rivals=4)[0]
    distance = np.abs(cosine_similarity(mean, article)[0] - cosine_similarity(mean, article)[0, 10])
    candidates = [i for i in range(30) if i != 10 and i not in context]
    assert rivals.tolist() == sorted(candidates, key=lambda i: distance[i])[:4]


def test_a_short_article_has_fewer_rivals_and_none_is_not_a_number() -> None:
    rng = np.random.default_rng(2)
    article = unit(rng, 7, 8)
    excluded = np.isin(np.arange(7), np.arange(5))[None, :]
    rivals = similarity.matched_rivals(article[:1], np.array([5]), article, excluded, n_rivals=4)
    assert rivals.tolist() == [[6, -1, -1, -1]]
    assert similarity.nearer_than_rivals(article[5:6], article[5:6], article, rivals).tolist() == [1.0]
    assert math.isnan(similarity.nearer_than_rivals(article[5:6], article[5:6], article, np.full((1, 4), -1))[0])


def test_coherence_is_the_mean_over_adjacent_pairs_within_articles() -> None:
    rng = np.random.default_rng(3)
    vectors = unit(rng, 9, 5)
    pairs = [(0, 1), (1, 2), (2, 3), (5, 6), (6, 7), (7, 8)]
    expected = np.mean([cosine_similarity(vectors[[i]], vectors[[j]])[0, 0] for i, j in pairs])
    found = similarity.coherence(vectors, np.array([0, 4, 5]), np.array([4, 1, 4]))
    assert found == pytest.approx(expected, abs=1e-6)
    assert similarity.coherence(vectors, np.array([4]), np.array([1])) == 0.0


# ---------------------------------------------------------------- retrieval


@settings(max_examples=50)
@given(SEEDS, st.integers(1, 12), st.integers(3, 25), st.integers(0, 4), st.integers(1, 5))
def test_ranks_agree_with_sorting_by_hand(seed: int, n: int, m: int, n_excluded: int, block: int) -> None:
    rng = np.random.default_rng(seed)
    index, predictions = unit(rng, m, 6), unit(rng, n, 6)
    targets = rng.integers(0, m, n)
    excluded = rng.integers(-1, m, (n, n_excluded))
    excluded[excluded == targets[:, None]] = -1
    ranks = retrieval.target_ranks(predictions, index, targets, excluded, block)
    for i in range(n):
        candidates = [j for j in range(m) if j not in excluded[i]]
        order = sorted(candidates, key=lambda j: -float(predictions[i].astype(float) @ index[j].astype(float)))
        assert ranks[i] == order.index(targets[i]) + 1


def test_excluding_the_context_lifts_copy_last_off_its_own_source() -> None:
    index = unit(np.random.default_rng(4), 10, 4)
    copied = index[2:3]
    assert retrieval.target_ranks(copied, index, np.array([3]))[0] > 1
    without = retrieval.target_ranks(copied, index, np.array([3]), np.array([[2, -1]]))[0]
    assert without == retrieval.target_ranks(copied, index, np.array([3]))[0] - 1


def test_saying_the_same_of_everything_ranks_in_the_middle() -> None:
    index = unit(np.random.default_rng(5), 101, 4)
    nothing = np.zeros((3, 4), dtype=np.float32)
    assert retrieval.target_ranks(nothing, index, np.array([0, 50, 100])).tolist() == [51.0, 51.0, 51.0]


def test_a_prediction_that_is_not_finite_ranks_last() -> None:
    index = unit(np.random.default_rng(6), 20, 4)
    broken = np.full((1, 4), np.nan, dtype=np.float32)
    assert retrieval.target_ranks(broken, index, np.array([0])).tolist() == [20.0]


def test_a_target_among_its_exclusions_is_a_mistake() -> None:
    index = unit(np.random.default_rng(7), 5, 4)
    with pytest.raises(ValueError, match="among its own excluded rows"):
        retrieval.target_ranks(index[:1], index, np.array([0]), np.array([[0]]))


@given(st.lists(st.integers(1, 500), min_size=1, max_size=50))
def test_recall_grows_with_k_and_mrr_lies_between_its_bounds(ranks: list[int]) -> None:
    array = np.array(ranks, dtype=float)
    recalls = [retrieval.recall_at(array, k).mean() for k in (1, 5, 10)]
    assert recalls == sorted(recalls)
    assert recalls[0] <= retrieval.reciprocal_rank(array).mean() <= 1


def test_contrastive_accuracy_agrees_with_counting_by_hand() -> None:
    rng = np.random.default_rng(8)
    n = 23
    targets = unit(rng, n, 5)
    predictions = (targets + 0.8 * rng.standard_normal((n, 5))).astype(np.float32)
    rows = np.concatenate([np.arange(10), np.arange(40, 53)])
    found = retrieval.contrastive_accuracy(predictions, targets, rows, batch_size=n)
    for i in range(n):
        rivals = [j for j in range(n) if abs(int(rows[j]) - int(rows[i])) > 1]
        own = np.linalg.norm(predictions[i] - targets[i])
        won = [np.linalg.norm(predictions[i] - targets[j]) > own for j in rivals]
        assert found[i] == pytest.approx(np.mean(won))


def test_contrastive_accuracy_of_the_truth_is_one_and_of_noise_a_half() -> None:
    rng = np.random.default_rng(9)
    targets, rows = unit(rng, 1000, 16), np.arange(1000)
    assert retrieval.contrastive_accuracy(targets, targets, rows).min() == 1.0
    assert retrieval.contrastive_accuracy(unit(rng, 1000, 16), targets, rows).mean() == pytest.approx(0.5, abs=0.03)
    assert np.isnan(retrieval.contrastive_accuracy(targets[:2], targets[:2], rows[:2])).all()
    assert len(retrieval.contrastive_accuracy(targets[:0], targets[:0], rows[:0])) == 0


# ---------------------------------------------------------------- text


def test_the_same_words_score_one_and_no_common_word_scores_zero() -> None:
    same = text.text_scores(["The moon landing succeeded."], ["The moon landing succeeded."])[0]
    assert same == pytest.approx({"rouge_1": 1.0, "rouge_2": 1.0, "rouge_l": 1.0, "bleu": 1.0})
    other = text.text_scores(["Bananas grow quickly."], ["Einstein wrote letters."])[0]
    assert (other["rouge_1"], other["rouge_2"], other["rouge_l"]) == (0.0, 0.0, 0.0)
    assert other["bleu"] < 0.2


def test_rouge_one_counts_common_words_over_both_texts() -> None:
    # 3 of 4 words of the text, 3 of 5 of the reference: F1 = 2 * .75 * .6 / 1.35
    scores = text.rouge("red green blue black", "red green blue white pink")
    assert scores["rouge_1"] == pytest.approx(2 * 0.75 * 0.6 / 1.35)
    assert scores["rouge_2"] == pytest.approx(2 * (2 / 3) * (2 / 4) / (2 / 3 + 2 / 4))


def test_an_empty_text_scores_zero_without_failing() -> None:
    assert set(text.text_scores([""], ["Something."])[0].values()) == {0.0}


# ---------------------------------------------------------------- bootstrap


@given(SEEDS, st.integers(1, 60), st.integers(1, 8))
def test_article_sums_agree_with_a_loop_and_leave_out_what_is_unknown(seed: int, n: int, articles: int) -> None:
    rng = np.random.default_rng(seed)
    article = rng.integers(0, articles, n)
    values = np.where(rng.random(n) < 0.2, np.nan, rng.random(n))
    sums = bootstrap.article_sums(values, article, articles)
    for a in range(articles):
        own = [v for v, b in zip(values, article, strict=True) if b == a and not math.isnan(v)]
        assert sums.total[a] == pytest.approx(sum(own))
        assert sums.count[a] == len(own)


def test_the_interval_is_what_resampling_windows_of_whole_articles_gives() -> None:
    rng = np.random.default_rng(10)
    sizes = [3, 10, 25, 7, 14]
    article = np.repeat(np.arange(5), sizes)
    values = rng.normal(article * 0.1, 0.2)
    found = bootstrap.interval(bootstrap.article_sums(values, article), n_resamples=4000, seed=3)
    means = []
    for _ in range(4000):
        drawn = rng.integers(0, 5, 5)
        means.append(np.concatenate([values[article == a] for a in drawn]).mean())
    low, high = np.quantile(means, [0.025, 0.975])
    assert found.mean == pytest.approx(values.mean())
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.02)


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(11)
    covered = 0
    for trial in range(200):
        level = rng.normal(0.5, 0.1, 40)
        sums = bootstrap.Sums(total=level * 10, count=np.full(40, 10.0))
        found = bootstrap.interval(sums, n_resamples=400, seed=trial)
        covered += found.low <= 0.5 <= found.high
    assert 0.88 <= covered / 200 <= 0.99


def test_the_same_seed_gives_the_same_interval() -> None:
    sums = bootstrap.article_sums(np.random.default_rng(0).random(50), np.repeat(np.arange(10), 5))
    assert bootstrap.interval(sums, seed=1) == bootstrap.interval(sums, seed=1)
    assert bootstrap.interval(sums, seed=1) != bootstrap.interval(sums, seed=2)


def test_one_article_gives_a_mean_and_no_interval() -> None:
    found = bootstrap.interval(bootstrap.article_sums([0.25, 0.75], np.zeros(2, dtype=np.int64)))
    assert found.mean == 0.5
    assert found.ends is None


def test_a_paired_difference_is_surer_than_two_intervals_apart() -> None:
    rng = np.random.default_rng(12)
    article = np.repeat(np.arange(30), 20)
    hard = rng.normal(0, 0.2, 30)[article]
    one, other = 0.51 + hard + rng.normal(0, 0.02, 600), 0.50 + hard + rng.normal(0, 0.02, 600)
    a, b = bootstrap.article_sums(one, article), bootstrap.article_sums(other, article)
    difference = bootstrap.paired(a, b)
    assert difference.mean == pytest.approx(np.mean(one - other))
    assert difference.low > 0
    assert bootstrap.interval(a).low < bootstrap.interval(b).high


def test_a_paired_difference_needs_the_same_windows() -> None:
    a = bootstrap.article_sums([1.0, 2.0], np.array([0, 1]))
    b = bootstrap.article_sums([1.0, 2.0, 3.0], np.array([0, 1, 1]))
    with pytest.raises(ValueError, match="same windows"):
        bootstrap.paired(a, b)


# ---------------------------------------------------------------- timing


def test_latency_is_measured_in_milliseconds_and_within_its_budget() -> None:
    import time

    found = timing.latency(lambda: time.sleep(0.01), n_calls=100, n_warm=1, budget_s=0.2)
    assert 9 < found.median_ms < 60
    assert found.n_calls <= 21
    assert found.p95_ms >= found.median_ms


def test_efficiency_and_speedup_are_the_ratios_of_the_seeds() -> None:
    assert timing.efficiency(0.5758, 0.56) == pytest.approx(1028, abs=1)
    assert timing.batch_speedup(2.0, 8.0, 32) == 8.0
    assert math.isnan(timing.efficiency(0.5, 0.0))


def test_copies_of_one_model_lead_together() -> None:
    assert leaders({"b": 0.5184, "a": 0.518400001, "c": 0.5175}) == ["a", "b"]
    assert leaders({"b": 0.51, "a": 0.52}) == ["a"]
    assert leaders({}) == []


def test_names_are_listed_as_in_a_sentence() -> None:
    assert [listed(names) for names in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == ["", "a", "a and b", "a, b and c"]

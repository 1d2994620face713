"""Splits by article, windows, and training batches gathered by index."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lvm_core.dataset import TrainingSet, evaluation_windows, open_corpora, split_documents
from lvm_core.errors import CorpusError, SpaceMismatch
from lvm_core.workspace import Workspace
from tests.nets.toy import ENCODER, Rows, add_corpus, documents, sizes, walk


@settings(deadline=None)
@given(st.integers(3, 120), st.integers(0, 5))
def test_no_article_is_in_two_splits_and_none_is_empty(n: int, seed: int) -> None:
    docs = documents([4] * n)
    splits = split_documents(docs, seed)
    titles = [{d.title for d in part} for part in splits.values()]
    assert all(titles)
    assert sum(map(len, titles)) == n == len(set.union(*titles))
    assert len(splits["validation"]) == len(splits["test"]) == max(1, round(n / 10))


def test_the_split_ignores_order_and_keeps_articles_of_one_title_together() -> None:
    docs = documents([4] * 40, [f"Title {i % 30}" for i in range(40)])
    splits = split_documents(docs)
    turned = split_documents(docs[::-1])
    for name in splits:
        assert {d.document_id for d in splits[name]} == {d.document_id for d in turned[name]}
    where = {d.title: name for name, part in splits.items() for d in part}
    assert all(where[d.title] == name for name, part in splits.items() for d in part)


def test_a_growing_corpus_moves_few_articles() -> None:
    before = {d.title: name for name, part in split_documents(documents([4] * 200)).items() for d in part}
    after = {d.title: name for name, part in split_documents(documents([4] * 210)).items() for d in part}
    assert sum(after[title] != name for title, name in before.items()) <= 6
    other = {d.title: name for name, part in split_documents(documents([4] * 200), 1).items() for d in part}
    assert sum(other[title] != name for title, name in before.items()) > 30


@pytest.mark.parametrize("n", [1, 2])
def test_one_or_two_articles_are_split_as_far_as_they_go(n: int) -> None:
    splits = split_documents(documents([9] * n))
    assert [len(part) for part in splits.values()] == [1, n - 1, 0]


@settings(deadline=None)
@given(st.lists(st.integers(1, 12), min_size=1, max_size=6), st.integers(1, 6))
def test_windows_are_consecutive_and_within_one_article(lengths: list[int], context: int) -> None:
    docs = documents(lengths)
    windows = evaluation_windows(docs, context)
    assert len(windows) == sum(max(0, n - context) for n in lengths)
    for line, target, article in zip(windows.contexts, windows.targets, windows.article, strict=True):
        document = docs[article]
        assert line.tolist() == list(range(target - context, target))
        assert document.first_row <= line[0]
        assert target < document.first_row + document.n_chunks


def test_windows_with_a_minimum_ask_the_same_targets_of_every_context() -> None:
    docs = documents([12, 4, 30])
    short, long = evaluation_windows(docs, 5), evaluation_windows(docs, 20, minimum=5)
    assert short.targets.tolist() == long.targets.tolist()
    assert long.lengths.min() == 5
    assert long.lengths.max() == 20
    first = long.contexts[0]
    assert first.tolist() == [0, 1, 2, 3, 4] + [4] * 15


@settings(deadline=None)
@given(st.lists(st.integers(1, 40), min_size=2, max_size=8), st.integers(1, 12), st.integers(1, 5), st.integers(1, 4))
def test_an_epoch_predicts_each_chunk_once_from_the_chunks_before_it(
    lengths: list[int], length: int, batch_size: int, group: int
) -> None:
    vectors = np.arange(sum(lengths), dtype=np.float32)[:, None].repeat(2, 1)
    docs = documents(lengths)
    training = TrainingSet(Rows(vectors), docs, length, batch_size, seed=0, group=group)
    seen = []
    batches = list(training.batches(3))
    assert len(batches) == training.n_batches(3)
    for batch in batches:
        assert batch.x.shape == batch.y.shape
        assert len(batch.x) <= batch_size
        real_x, real_y = batch.x[batch.mask][:, 0], batch.y[batch.mask][:, 0]
        assert torch.equal(real_x + 1, real_y)
        seen += real_y.tolist()
    firsts = {d.first_row for d in docs}
    assert sorted(seen) == [r for r in range(sum(lengths)) if r not in firsts]
    assert training.n_windows == len(seen)


def test_batches_go_on_from_any_place_and_epochs_differ() -> None:
    lengths = sizes(20)
    training = TrainingSet(Rows(walk(lengths)), documents(lengths), 5, 4, seed=0)
    every = list(training.batches(0))
    later = list(training.batches(0, first=7))
    assert len(later) == len(every) - 7
    assert all(torch.equal(a.x, b.x) for a, b in zip(every[7:], later, strict=True))
    assert not torch.equal(every[0].x, next(training.batches(1)).x)


def test_groups_keep_neighbouring_segments_in_one_batch() -> None:
    lengths = [81] * 20
    training = TrainingSet(Rows(walk(lengths)), documents(lengths), 5, 8, seed=0, group=8)
    order = training._order(0)
    runs = np.diff(order.start.reshape(-1)[: len(order.start) // 8 * 8].reshape(-1, 8), axis=1)
    assert (runs > 0).mean() > 0.95


def test_several_corpora_are_numbered_through_and_held_out_titles_leave_all_of_them(workspace: Workspace) -> None:
    first = add_corpus(workspace, "one", sizes(30))
    second = add_corpus(workspace, "two", sizes(20), titles=[f"Article {i + 20}" for i in range(20)], seed=5)
    corpora = open_corpora(workspace, ["one", "two"], ENCODER)
    held = {d.title for split in ("validation", "test") for d in corpora.splits[split]}
    assert not held & {d.title for d in corpora.splits["train"]}
    assert corpora.n_left_out > 0
    both = np.concatenate([first, second])
    idx = np.array([0, len(first) + 3, 5, len(both) - 1])
    np.testing.assert_allclose(corpora.vectors.rows(idx), both[idx], atol=1e-3)
    np.testing.assert_allclose(corpora.vectors.slice(len(first), len(first) + 4), second[:4], atol=1e-3)


def test_corpora_of_another_encoder_are_refused(workspace: Workspace) -> None:
    add_corpus(workspace, "one", encoder="other@111111111111")
    with pytest.raises(SpaceMismatch, match="other@111111111111"):
        open_corpora(workspace, ["one"], ENCODER)


def test_a_corpus_of_single_chunks_is_refused(workspace: Workspace) -> None:
    add_corpus(workspace, "one", [1] * 10)
    with pytest.raises(CorpusError, match="no training article has two chunks"):
        open_corpora(workspace, ["one"], ENCODER)

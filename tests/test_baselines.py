"""Closed forms against independent ways to the same numbers."""

import numpy as np
import pytest
import torch

from lvm_core import forecast
from lvm_core.baselines import build_baseline
from lvm_core.dataset import evaluation_windows
from lvm_core.errors import CorpusError, SettingsError
from tests.nets.toy import DIM, Rows, documents, sizes, walk

LENGTHS = sizes(40, 10, 60)
X = walk(LENGTHS)
TRAIN, TEST = documents(LENGTHS)[:32], documents(LENGTHS)[32:]


def fitted(name: str, **options):
    model = build_baseline(name, DIM, **options)
    model.fit(Rows(X), TRAIN)
    return model


def cosine(model, context: int = 5) -> float:
    windows = evaluation_windows(TEST, context)
    predictions = forecast.after(model, X[windows.contexts]).vectors
    return float((predictions * X[windows.targets]).sum(1).mean())


def test_weighted_mean_is_ordinary_least_squares() -> None:
    windows = evaluation_windows(TRAIN, 5)
    left = X[windows.contexts].transpose(0, 2, 1).reshape(-1, 5)[:, ::-1]  # lag 1 first
    expected = np.linalg.lstsq(left, X[windows.targets].ravel(), rcond=None)[0]
    np.testing.assert_allclose(fitted("weighted-mean").weights[4].numpy(), expected, atol=1e-3)


def test_the_filter_without_shrinking_is_least_squares_in_each_component() -> None:
    model = fitted("linear-filter", shrink=0.0)
    windows = evaluation_windows(TRAIN, 3)
    z = (X - model.mean.numpy()) @ model.basis.numpy()
    for component in (0, 1, 7):
        left = z[windows.contexts][:, ::-1, component]
        expected = np.linalg.lstsq(left, z[windows.targets][:, component], rcond=None)[0]
        np.testing.assert_allclose(model.weights[2, :3, component].numpy(), expected, atol=1e-3)


def test_a_filter_shrunk_without_end_has_one_weight_for_all_components() -> None:
    weights = fitted("linear-filter", shrink=1e9).weights[4]
    assert float(weights.std(dim=1).max()) < 1e-3


def test_the_components_are_orthonormal_and_sorted() -> None:
    model = fitted("linear-filter")
    torch.testing.assert_close(model.basis.T @ model.basis, torch.eye(DIM), atol=1e-4, rtol=0)
    spread = ((torch.from_numpy(X) - model.mean) @ model.basis).var(dim=0)
    assert spread[0] > spread[-1]


def test_the_order_of_the_baselines_is_the_known_one() -> None:
    scores = {n: cosine(fitted(n)) for n in ("random", "corpus-mean", "weighted-mean", "linear-filter")}
    assert abs(scores["random"]) < 0.15
    average = cosine(build_baseline("context-mean", DIM))
    assert scores["random"] < scores["corpus-mean"] < average < scores["weighted-mean"]
    assert average < scores["linear-filter"]


def test_a_longer_memory_helps_where_articles_have_a_topic() -> None:
    assert cosine(fitted("linear-filter", context=20), 20) > cosine(fitted("linear-filter"), 20) + 0.003


def test_simple_rules_say_what_their_name_says() -> None:
    x = torch.from_numpy(X[None, :9])
    assert torch.allclose(build_baseline("copy-last", DIM)(x), x)
    mean = build_baseline("context-mean", DIM, context=4)(x)[0, 8]
    expected = X[5:9].mean(0)
    np.testing.assert_allclose(mean.numpy(), expected / np.linalg.norm(expected), atol=1e-5)
    corpus_mean = X[: TRAIN[-1].first_row + TRAIN[-1].n_chunks].mean(0)
    said = fitted("corpus-mean")(x)[0, 3].numpy()
    np.testing.assert_allclose(said, corpus_mean / np.linalg.norm(corpus_mean), atol=1e-4)


@pytest.mark.parametrize("name", ["weighted-mean", "linear-filter", "corpus-mean"])
def test_fitting_twice_gives_the_same_weights_and_other_articles_are_not_read(name: str) -> None:
    first = fitted(name).state_dict()
    changed = X.copy()
    changed[TEST[0].first_row :] = 7.0
    again = build_baseline(name, DIM)
    again.fit(Rows(changed), TRAIN)
    assert all(torch.equal(first[k], v) for k, v in again.state_dict().items())


def test_context_lengths_nobody_wrote_are_served_by_shorter_ones() -> None:
    lengths = [4] * 30
    x = walk(lengths)
    model = build_baseline("linear-filter", DIM, context=30)
    model.fit(Rows(x), documents(lengths))
    long = torch.from_numpy(walk([30]))[None]
    torch.testing.assert_close(model(long)[:, -1], model(long[:, -4:])[:, -1], atol=1e-4, rtol=1e-4)


def test_fit_tells_its_progress() -> None:
    told = []
    model = build_baseline("linear-filter", DIM)
    model.fit(Rows(X), TRAIN, lambda share, message: told.append((share, message)))
    assert told[-1][0] == 1
    assert [share for share, _ in told] == sorted(share for share, _ in told)
    assert "articles" in told[0][1]


def test_nothing_to_fit_to_is_said() -> None:
    lengths = [1, 1]
    with pytest.raises(CorpusError, match="none of the 2 training articles has 2 chunks or more"):
        build_baseline("linear-filter", DIM).fit(Rows(walk(lengths)), documents(lengths))


def test_unknown_baselines_and_settings_are_refused() -> None:
    with pytest.raises(SettingsError, match="model is 'median'; expected one of copy-last"):
        build_baseline("median", DIM)
    with pytest.raises(SettingsError, match="copy-last was given context; expected no settings"):
        build_baseline("copy-last", DIM, context=3)

"""A model's query finds what its prediction alone does not, and comes back with its weights."""

import numpy as np
import torch

from lvm_core import forecast
from lvm_core.baselines import build_baseline
from lvm_core.dataset import evaluation_windows
from lvm_core.metrics.retrieval import recall_at, target_ranks
from lvm_core.nets.build import from_config
from lvm_core.nets.query import QueryHead
from lvm_core.train.query import fit_query
from lvm_core.vectors.geometry import unit_rows
from tests.nets.toy import DIM, Rows, documents, sizes, walk


def homely(lengths: list[int]) -> np.ndarray:
    """Articles that keep to a place of their own, each chunk somewhat like the one before it."""
    rng, parts = np.random.default_rng(0), []
    for n in lengths:
        home, step = 2 * rng.normal(size=DIM), rng.normal(size=(n, DIM))
        for k in range(1, n):
            step[k] = 0.5 * step[k - 1] + 0.87 * step[k]
        parts.append(home + step)
    return unit_rows(np.concatenate(parts).astype(np.float32))


def fitted(context: int):
    """A filter and its query, fitted on 40 articles and chosen on 20."""
    lengths = sizes(60, 40, 80)
    source, articles = Rows(homely(lengths)), documents(lengths)
    model = build_baseline("linear-filter", DIM, context=context)
    model.fit(source, articles[:40])
    fit_query(model, source, articles[:40], articles[40:], context)
    return model, source, articles


def test_a_query_finds_more_than_the_prediction() -> None:
    model, source, articles = fitted(20)
    windows = evaluation_windows(articles[40:], 20, minimum=5)
    forecasts = forecast.over_windows(model, source, windows)
    before = windows.targets[:, None] - np.arange(1, 6)
    by_query, by_prediction = (
        recall_at(target_ranks(vectors, source.vectors, windows.targets, before), 5).mean()
        for vectors in (forecasts.queries, forecasts.vectors)
    )
    assert by_query > by_prediction + 0.1
    assert (model.query.shares[2:] < 0).any()  # something of the article's centre is taken out


def test_nothing_is_drawn() -> None:
    first, second = fitted(8)[0], fitted(8)[0]
    assert torch.equal(first.query.shares, second.query.shares)


def test_the_prediction_is_what_it_was() -> None:
    model, _, _ = fitted(20)
    x = walk([30], seed=5)
    with_query = forecast.after(model, x)
    head, model.query = model.query, None
    without = forecast.after(model, x)
    np.testing.assert_array_equal(with_query.vectors, without.vectors)
    np.testing.assert_array_equal(without.queries, without.vectors)
    assert not np.allclose(with_query.queries, without.queries, atol=1e-3)
    np.testing.assert_allclose(np.linalg.norm(with_query.queries), 1, atol=1e-5)
    assert isinstance(head, QueryHead)


def test_the_query_comes_back_from_description_and_weights() -> None:
    model, _, _ = fitted(8)
    again = from_config(model.config())
    again.load_state_dict(model.state_dict())
    x = walk([30], seed=5)
    np.testing.assert_array_equal(forecast.after(again, x).queries, forecast.after(model, x).queries)


def test_a_query_sees_nothing_that_comes_later() -> None:
    model, _, _ = fitted(20)
    x = torch.from_numpy(walk([40], seed=5))[None]
    whole = model.queries(x, model(x))
    torch.testing.assert_close(model.queries(x[:, :25], model(x[:, :25])), whole[:, :25])


def test_where_there_is_nothing_to_choose_on_the_prediction_serves() -> None:
    lengths = sizes(4, 3, 5)
    source, articles = Rows(walk(lengths)), documents(lengths)
    model = build_baseline("copy-last", DIM)
    assert fit_query(model, source, articles, [], 5) == 0.0
    assert model.query is None

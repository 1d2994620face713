"""The one place that runs a model: after a context, over windows, over whole articles.

Prediction, validation, evaluation, rollouts and every study call it, so that what a model is shown (unit vectors, on
the device where its weights lie), how much of it at once, and what is refused are settled here and nowhere else.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from lvm_core.dataset import Windows
from lvm_core.device import one_thread
from lvm_core.errors import ModelError
from lvm_core.nets.base import SequenceModel, unit
from lvm_core.types import DocumentInfo, Progress, Rows, Vectors, VectorSource, no_progress
from lvm_core.vectors.geometry import unit_rows

CHUNKS_AT_ONCE = 12_800
"""Chunks in one batch: bounds memory whatever the context."""

CONTEXTS_AT_ONCE = 1024


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a model says comes next: `vectors` (..., D), unit norm, and their `lengths` (...) before that.

    `queries` (..., D), unit norm, are what to search with: the vectors themselves where the model has no query head.
    """

    vectors: Vectors
    lengths: Vectors
    queries: Vectors


@dataclass(frozen=True, slots=True)
class Prefixes:
    """B articles, each predicted after every prefix of it, padded to T prefixes at the end.

    `forecast` (B, T, D) stands beside the chunk that came next: its vector in `truths` (B, T, D), unit norm, its row in
    `rows` (B, T), and `mask` (B, T), True where there is one.
    """

    forecast: Forecast
    truths: Vectors
    rows: Rows
    mask: NDArray[np.bool_]


def after(model: SequenceModel, contexts: Vectors, name: str | None = None) -> Forecast:
    """Return what comes after contexts of one length, (..., T, D) -> (..., D).

    Args:
        model: any net or baseline, on any device.
        contexts: the chunks, oldest first; one context or many.
        name: how a message calls the model; by default its net's name.

    Raises:
        ModelError: if the contexts are empty, of another dimension or hold NaN, or the prediction does.
    """
    _check_contexts(model, contexts)
    outer = contexts.shape[:-2]
    x = np.ascontiguousarray(contexts, dtype=np.float32).reshape(-1, *contexts.shape[-2:])
    # the products of one context are too small to share: threads would only wait for each other
    with one_thread() if len(x) == 1 else nullcontext():
        forecast = _run(model, x, np.full(len(x), x.shape[1] - 1, dtype=np.int64), name)
    shaped = (*outer, model.dim)
    return Forecast(forecast.vectors.reshape(shaped), forecast.lengths.reshape(outer), forecast.queries.reshape(shaped))


def over_windows(
    model: SequenceModel,
    source: VectorSource,
    windows: Windows,
    name: str | None = None,
    progress: Progress = no_progress,
) -> Forecast:
    """Return what comes after the context of each of N windows, (N, D), in their order.

    Contexts of unequal length are padded on the right and read at their own last position, which the contract of a
    causal model makes the same as running them alone. A model that sees no further back than the windows reach passes
    over each article once instead where its windows share their chunks: the same numbers to float32 rounding, for a
    fraction of the work.

    Args:
        model: any net or baseline, on any device.
        source: what the windows' rows count in.
        windows: the contexts.
        name: how a message calls the model.
        progress: told after each batch.

    Raises:
        ModelError: if a prediction is not finite.
    """
    longest = windows.contexts.shape[1]
    slides = model.sliding and getattr(model, "reach", longest + 1) <= longest and _overlap(windows)
    parts = _by_article(model, source, windows, name) if slides else _by_window(model, source, windows, name)
    vectors, lengths = np.empty((len(windows), model.dim), dtype=np.float32), np.empty(len(windows), dtype=np.float32)
    queries = vectors if model.query is None else np.empty_like(vectors)
    n_done = 0
    for lines, forecast in parts:
        vectors[lines], lengths[lines] = forecast.vectors, forecast.lengths
        if queries is not vectors:
            queries[lines] = forecast.queries
        n_done += len(lines)
        progress(n_done / len(windows), f"{n_done:,} of {len(windows):,} windows")
    return Forecast(vectors, lengths, queries)


def over_articles(
    model: SequenceModel, source: VectorSource, documents: Sequence[DocumentInfo], name: str | None = None
) -> Iterator[Prefixes]:
    """Yield what comes after every prefix of each article of at least two chunks, a batch of articles at a time.

    Raises:
        ModelError: if a prediction is not finite.
    """
    articles = [document for document in documents if document.n_chunks >= 2]
    sizes = np.array([article.n_chunks for article in articles], dtype=np.int64)
    firsts = np.array([article.first_row for article in articles], dtype=np.int64)
    for lines in _batches(sizes - 1):
        position = np.arange(sizes[lines].max())
        rows = firsts[lines, None] + np.minimum(position, sizes[lines, None] - 1)
        x = _gather(source, rows)
        forecast = _run(model, x[:, :-1], None, name)
        yield Prefixes(forecast, unit_rows(x[:, 1:]), rows[:, 1:], position[1:] < sizes[lines, None])


def _by_window(
    model: SequenceModel, source: VectorSource, windows: Windows, name: str | None
) -> Iterator[tuple[Rows, Forecast]]:
    for lines in _batches(windows.lengths):
        batch = windows.take(lines)
        x = _gather(source, batch.contexts[:, : int(batch.lengths.max())])
        yield lines, _run(model, x, batch.lengths - 1, name)


def _overlap(windows: Windows) -> bool:
    """Return whether the stretches that the windows of each article span hold fewer chunks than the windows do."""
    if not len(windows):
        return False
    order = np.argsort(windows.article, kind="stable")
    edges = np.concatenate([[0], np.flatnonzero(np.diff(windows.article[order])) + 1])
    first = np.minimum.reduceat(windows.contexts[order, 0], edges)
    last = np.maximum.reduceat(windows.targets[order], edges)
    return int((last - first).sum()) <= int(windows.lengths.sum())


def _by_article(
    model: SequenceModel, source: VectorSource, windows: Windows, name: str | None
) -> Iterator[tuple[Rows, Forecast]]:
    order = np.argsort(windows.article, kind="stable")
    edges = np.flatnonzero(np.diff(windows.article[order])) + 1
    for lines in np.split(order, edges) if len(order) else []:
        first, last = int(windows.contexts[lines, 0].min()), int(windows.targets[lines].max())
        x = np.asarray(source.slice(first, last), dtype=np.float32)[None]
        forecast = _run(model, x, None, name)
        position = windows.targets[lines] - first - 1
        yield lines, Forecast(*(part[0, position] for part in (forecast.vectors, forecast.lengths, forecast.queries)))


def _batches(lengths: Rows) -> Iterator[Rows]:
    """Yield the places of all `lengths`, those of like length together, longest first, as many as memory allows."""
    order = np.argsort(-lengths, kind="stable")
    start = 0
    while start < len(order):
        size = int(np.clip(CHUNKS_AT_ONCE // max(1, int(lengths[order[start]])), 1, CONTEXTS_AT_ONCE))
        yield order[start : start + size]
        start += size


def _gather(source: VectorSource, rows: Rows) -> Vectors:
    """Return the vectors (B, T, D) of the rows (B, T)."""
    return source.rows(rows.ravel()).reshape(*rows.shape, -1)


def _run(model: SequenceModel, x: Vectors, last: Rows | None, name: str | None) -> Forecast:
    """Return what the model says at every position of `x` (B, T, D), or at `last` (B,) alone.

    Raises:
        ModelError: if that is not finite.
    """
    with torch.inference_mode(), _evaluating(model):
        contexts = unit(torch.from_numpy(np.ascontiguousarray(x)).to(_device(model)))
        unscaled = model.unscaled(contexts)
        queries = None if model.query is None else model.query(contexts, unscaled)
        if last is not None:
            place = torch.arange(len(x), device=unscaled.device), torch.from_numpy(last).to(unscaled.device)
            unscaled, queries = unscaled[place], None if queries is None else queries[place]
        vectors = unit(unscaled).cpu().numpy()
        lengths = unscaled.float().norm(dim=-1).cpu().numpy()
        forecast = Forecast(vectors, lengths, vectors if queries is None else queries.cpu().numpy())
    if not np.isfinite(forecast.vectors).all():
        n_bad = int((~np.isfinite(forecast.vectors)).sum())
        raise ModelError(
            f"Model '{name or model.name}' predicts NaN: {n_bad:,} of {forecast.vectors.size:,} values are not finite",
            "finite numbers",
            "Its training diverged or its file is damaged: train it again with a smaller learning rate, or choose"
            " another model.",
        )
    return forecast


def _device(model: SequenceModel) -> torch.device | str:
    """Return where the weights are; a rule without any computes on the CPU."""
    weight = next((tensor for group in (model.parameters(), model.buffers()) for tensor in group), None)
    return "cpu" if weight is None else weight.device


@contextmanager
def _evaluating(model: SequenceModel) -> Iterator[None]:
    """Switch off what only trains, such as dropout, for as long as it runs."""
    training = model.training
    if training:
        model.eval()
    try:
        yield
    finally:
        if training:
            model.train()


def _check_contexts(model: SequenceModel, contexts: Vectors) -> None:
    if contexts.ndim < 2 or contexts.shape[-2] == 0 or contexts.shape[-1] != model.dim:
        raise ModelError(
            f"The contexts are of shape {tuple(contexts.shape)}",
            f"(B, T, {model.dim}) with T of at least 1",
            "Encode the chunks with the model's own encoder.",
        )
    if not np.isfinite(contexts).all():
        raise ModelError(
            "The context vectors hold NaN or infinite values are not finite",
            "finite numbers",
            "Encode the chunks again.",
        )

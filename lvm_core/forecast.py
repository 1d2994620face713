"""The one place that runs a model: after a context, over windows, over whole articles.

Prediction, validation, evaluation, rollouts and every study call it, so that what a model is shown (unit vectors, on
the device where its weights lie), how much of it at once, and what is refused are settled here and nowhere else.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lvm_core.dataset import Windows
from lvm_core.device import one_thread
from lvm_core.errors import ModelError
from lvm_core.nets.base import SequenceModel, unit
from lvm_core.nets.distribution import Distribution
from lvm_core.nets.inputs import check_contexts, check_tmd
from lvm_core.nets.residual_memory import Recalled, Recalling
from lvm_core.nets.stack import Stack
from lvm_core.types import DocumentInfo, Progress, Rows, Vectors, VectorSource, no_progress
from lvm_core.vectors.geometry import unit_rows

CHUNKS_AT_ONCE = 12_800
"""Chunks in one batch: bounds memory whatever the context."""

CONTEXTS_AT_ONCE = 1024


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a model says comes next: `vectors` (..., D), unit norm, and their `lengths` (...) before that.

    `queries` (..., D), unit norm, are what to search with: the vectors themselves where the model has no query head.
    Of a net that predicts a distribution `sample` (..., D), unit norm, is one sample, and `spread` (...) one less the
    mean cosine of its samples to `vectors`; None of others. `recalled` are the places that a model with a memory went
    by, where only one position of each text was asked for.
    """

    vectors: Vectors
    lengths: Vectors
    queries: Vectors
    sample: Vectors | None = None
    spread: Vectors | None = None
    recalled: Recalled | None = None

    def at(self, place: Any) -> "Forecast":
        """Return the forecasts at `place`, which numpy indexes by."""
        return self._changed(lambda part: part[place])

    def shaped(self, shape: tuple[int, ...]) -> "Forecast":
        """Return the forecasts (B,) laid out as `shape`."""
        return self._changed(lambda part: part.reshape((*shape, *part.shape[1:])))

    def _changed(self, change: Callable[[Vectors], Vectors]) -> "Forecast":
        sample, spread = (None if part is None else change(part) for part in (self.sample, self.spread))
        recalled = None if self.recalled is None else self.recalled.changed(change)
        return Forecast(change(self.vectors), change(self.lengths), change(self.queries), sample, spread, recalled)


@dataclass(frozen=True, slots=True)
class _Said:
    """Predictions (..., D) as the model gives them, unit samples (n, ..., D) of a net that has some, and the places
    that a model with a memory went by.
    """

    unscaled: Tensor
    drawn: Tensor | None = None
    recalled: Recalled | None = None


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


def after(model: SequenceModel, contexts: Vectors, name: str | None = None, tmd: Vectors | None = None) -> Forecast:
    """Return what comes after contexts of one length, (..., T, D) -> (..., D).

    Args:
        model: any net or baseline, on any device.
        contexts: the chunks, oldest first; one context or many.
        name: how a message calls the model; by default its net's name.
        tmd: (16,) what kind of chunk is to come, where the model takes that.

    Raises:
        ModelError: if the contexts are empty, of another dimension or hold NaN, or the prediction does; for a `tmd` of
            another length, or to a model that takes none.
    """
    check_contexts(model, contexts)
    check_tmd(model, tmd, name)
    outer = contexts.shape[:-2]
    x = np.ascontiguousarray(contexts, dtype=np.float32).reshape(-1, *contexts.shape[-2:])
    # the products of one context are too small to share: threads would only wait for each other
    with one_thread() if len(x) == 1 else nullcontext():
        forecast = _run(model, x, np.full(len(x), x.shape[1] - 1, dtype=np.int64), name, tmd)
    return forecast.shaped(outer)


def samples(model: Distribution, contexts: Vectors, n: int) -> Vectors:
    """Return the first `n` samples (n, D), unit norm, of what comes after one context (T, D).

    Raises:
        ModelError: if the context is empty, of another dimension or holds NaN.
    """
    check_contexts(model, contexts)
    x = unit(torch.from_numpy(np.ascontiguousarray(contexts, dtype=np.float32)).to(device_of(model)))[None]
    with torch.inference_mode(), evaluating(model), one_thread():
        drawn = unit(model.samples_at(x, torch.tensor([x.shape[1] - 1], device=x.device), n))
    return drawn[:, 0].cpu().numpy()


def over_windows(
    model: SequenceModel,
    source: VectorSource,
    windows: Windows,
    name: str | None = None,
    progress: Progress = no_progress,
    tmd: Vectors | None = None,
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
        tmd: (N, 16) what kind of chunk is to come after each, for a model that takes that.

    Raises:
        ModelError: if a prediction is not finite.
    """
    longest = windows.contexts.shape[1]
    slides = model.sliding and getattr(model, "reach", longest + 1) <= longest and _overlap(windows)
    parts = _by_article(model, source, windows, name) if slides else _by_window(model, source, windows, name, tmd)
    vectors, lengths = np.empty((len(windows), model.dim), dtype=np.float32), np.empty(len(windows), dtype=np.float32)
    queries = vectors if model.query is None else np.empty_like(vectors)
    sampled = isinstance(model, Distribution)
    sample, spread = (np.empty_like(vectors), np.empty_like(lengths)) if sampled else (None, None)
    n_done = 0
    for lines, forecast in parts:
        vectors[lines], lengths[lines] = forecast.vectors, forecast.lengths
        if queries is not vectors:
            queries[lines] = forecast.queries
        if sample is not None and spread is not None:
            sample[lines], spread[lines] = forecast.sample, forecast.spread
        n_done += len(lines)
        progress(n_done / len(windows), f"{n_done:,} of {len(windows):,} windows")
    return Forecast(vectors, lengths, queries, sample, spread)


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
    model: SequenceModel, source: VectorSource, windows: Windows, name: str | None, tmd: Vectors | None
) -> Iterator[tuple[Rows, Forecast]]:
    for lines in _batches(windows.lengths):
        batch = windows.take(lines)
        x = _gather(source, batch.contexts[:, : int(batch.lengths.max())])
        yield lines, _run(model, x, batch.lengths - 1, name, None if tmd is None else tmd[lines])


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
        yield lines, forecast.at((0, position))


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


def _run(model: SequenceModel, x: Vectors, last: Rows | None, name: str | None, tmd: Vectors | None = None) -> Forecast:
    """Return what the model says at every position of `x` (B, T, D), or at `last` (B,) alone.

    Raises:
        ModelError: if that is not finite.
    """
    with torch.inference_mode(), evaluating(model):
        contexts = unit(torch.from_numpy(np.ascontiguousarray(x)).to(device_of(model)))
        if last is None:
            said = _Said(model.unscaled(contexts))
            queries = None if model.query is None else model.query(contexts, said.unscaled)
        else:
            said = _said_at(model, contexts, torch.from_numpy(last).to(contexts.device), tmd)
            queries = _query_at(model, contexts, said.unscaled, torch.from_numpy(last).to(contexts.device))
        return _finished(model, said, queries, name)


def forecast_of(model: SequenceModel, x: Tensor, unscaled: Tensor, name: str | None) -> Forecast:
    """Return what `unscaled` (B, D), said after the last of the vectors `x` (B, T, D), comes to.

    Raises:
        ModelError: if it is not finite.
    """
    last = torch.full((len(x),), x.shape[1] - 1, device=x.device)
    return _finished(model, _Said(unscaled), _query_at(model, x, unscaled, last), name)


def _finished(model: SequenceModel, what: _Said, queries: Tensor | None, name: str | None) -> Forecast:
    said = unit(what.unscaled)
    vectors = said.cpu().numpy()
    lengths = what.unscaled.float().norm(dim=-1).cpu().numpy()
    sample = spread = None
    if what.drawn is not None:
        sample, spread = what.drawn[0].cpu().numpy(), (1 - (what.drawn * said).sum(-1).mean(0)).cpu().numpy()
    searched = vectors if queries is None else queries.cpu().numpy()
    forecast = Forecast(vectors, lengths, searched, sample, spread, what.recalled)
    if not np.isfinite(forecast.vectors).all():
        n_bad = int((~np.isfinite(forecast.vectors)).sum())
        raise ModelError(
            f"Model '{name or model.name}' predicts NaN: {n_bad:,} of {forecast.vectors.size:,} values are not finite",
            "finite numbers",
            "Its training diverged or its file is damaged: train it again with a smaller learning rate, or choose"
            " another model.",
        )
    return forecast


def _said_at(model: SequenceModel, x: Tensor, last: Tensor, tmd: Vectors | None) -> _Said:
    """Return what the model says at one position of each text, (B, D)."""
    if isinstance(model, Distribution):
        drawn = model.samples_at(x, last, model.n_samples)
        return _Said(drawn.mean(0), unit(drawn))
    if isinstance(model, Recalling):
        unscaled, recalled = model.recalled_at(x, last)
        return _Said(unscaled, recalled=recalled)
    if tmd is not None and isinstance(model, Stack):
        told = x.new_zeros(*x.shape[:2], tmd.shape[-1])
        told[torch.arange(len(x), device=x.device), last] = torch.from_numpy(tmd).to(x.device)
        return _Said(model.unscaled_at(x, last, told))
    return _Said(model.unscaled_at(x, last))


def _query_at(model: SequenceModel, x: Tensor, unscaled: Tensor, last: Tensor) -> Tensor | None:
    """Return the queries (B, D) of predictions (B, D) at one position of each text; None without a query head."""
    if model.query is None:
        return None
    place = torch.arange(len(x), device=x.device), last
    predictions = torch.zeros_like(x)
    predictions[place] = unscaled
    queries: Tensor = model.query(x, predictions)[place]
    return queries


def device_of(model: SequenceModel) -> torch.device | str:
    """Return where the weights are; a rule without any computes on the CPU."""
    weight = next((tensor for group in (model.parameters(), model.buffers()) for tensor in group), None)
    return "cpu" if weight is None else weight.device


@contextmanager
def evaluating(model: SequenceModel) -> Iterator[None]:
    """Switch off what only trains, such as dropout, for as long as it runs."""
    training = model.training
    if training:
        model.eval()
    try:
        yield
    finally:
        if training:
            model.train()

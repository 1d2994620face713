"""Fit a model's query: its scales from training articles, its shares by Recall@5 on validation articles."""

import itertools
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from lvm_core import forecast
from lvm_core.metrics.retrieval import recall_at, target_ranks
from lvm_core.nets.base import SequenceModel
from lvm_core.nets.query import QueryHead
from lvm_core.types import DocumentInfo, Progress, Vectors, VectorSource, no_progress
from lvm_core.vectors.geometry import unit_rows

STEPS = (0.2, 0.1, 0.05)
"""How far a share is moved, ever less, while the others stand still."""

FULL = 5
"""Chunks before a target, at least, and those just before it that are no candidates; as in the evaluation."""

FITTED_CHUNKS = 20_000
SEARCHED_CHUNKS = 5_000
"""Chunks of whole articles that the scales are fitted to, and that are searched while the shares are chosen."""


def fit_query(
    model: SequenceModel,
    vectors: VectorSource,
    training: Sequence[DocumentInfo],
    validation: Sequence[DocumentInfo],
    context: int,
    progress: Progress = no_progress,
) -> float:
    """Give `model` the query head that finds most, or none where the prediction itself does; return its Recall@5.

    Args:
        model: trained or fitted.
        vectors: the matrix.
        training: articles whose chunks give components and variances.
        validation: articles that the shares are chosen on.
        context: chunks that the model may look back, and so its query.
        progress: told how many shares were tried.
    """
    model.query = None
    head = QueryHead(model.dim, context)
    _fit_components(head, [x for x, _ in _articles(model, vectors, training, FITTED_CHUNKS)])
    moments = torch.zeros(3, model.dim, dtype=torch.float64)  # of p y, p p and y y, by component
    for x, predictions in _articles(model, vectors, training, FITTED_CHUNKS):
        prediction = head.parts(x[None, :-1], predictions[None])[0, 0].double()  # (T - 1, D)
        truth = ((x[1:] - head.mean) @ head.basis).double()
        moments += torch.stack([(prediction * truth).sum(0), prediction.square().sum(0), truth.square().sum(0)])
    length = float(moments[0].sum() / moments[1].sum().clamp(min=1e-12))
    missed = (moments[2] - 2 * length * moments[0] + length**2 * moments[1]).clamp(min=1e-12)
    head.precision.copy_(missed.reciprocal() / missed.reciprocal().mean())
    head.shares[0] = length
    return _choose(model, head, vectors, validation, progress)


def _choose(
    model: SequenceModel, head: QueryHead, vectors: VectorSource, documents: Sequence[DocumentInfo], progress: Progress
) -> float:
    """Move one share after another while Recall@5 rises; keep no head where none beats the bare prediction."""
    searched = _Searched(head, list(_articles(model, vectors, documents, SEARCHED_CHUNKS)))
    if not searched.n_windows:
        return 0.0
    bare, best = searched.recall(searched.predictions), searched.recall(head.mix(searched.parts).numpy())
    for number, step in enumerate(STEPS):
        improved = True
        while improved:
            improved = False
            for share, move in itertools.product(range(1, len(head.shares)), (step, -step)):
                head.shares[share] += move
                recall = searched.recall(head.mix(searched.parts).numpy())
                if recall > best:
                    best, improved = recall, True
                else:
                    head.shares[share] -= move
            progress((number + 0.5) / len(STEPS), f"query: steps of {step}, Recall@5 {best:.3f}, {bare:.3f} without")
    if best > bare:
        model.query = head
    return max(best, bare)


class _Searched:
    """Whole articles, searched with the queries of their own windows."""

    def __init__(self, head: QueryHead, articles: list[tuple[Tensor, Tensor]]) -> None:
        """Compute what the shares do not change."""
        kept = [(x, p) for x, p in articles if len(x) > FULL]
        first = np.cumsum([0] + [len(x) for x, _ in kept])[:-1]
        self.chunks = _joined([x for x, _ in kept], head)
        self.predictions = _joined([p[FULL - 1 :] for _, p in kept], head)
        parts = [head.parts(x[None, :-1], p[None])[:, 0, FULL - 1 :] for x, p in kept]
        self.parts = torch.cat(parts, dim=1) if parts else torch.zeros(len(head.shares), 0, len(head.mean))
        places = [start + np.arange(FULL, len(x)) for start, (x, _) in zip(first, kept, strict=True)]
        self.targets = np.concatenate(places).astype(np.int64) if places else np.zeros(0, dtype=np.int64)
        self.excluded = self.targets[:, None] - np.arange(1, FULL + 1)

    @property
    def n_windows(self) -> int:
        """The number of windows."""
        return len(self.targets)

    def recall(self, queries: Vectors) -> float:
        """Return Recall@5 among all the chunks."""
        return float(recall_at(target_ranks(queries, self.chunks, self.targets, self.excluded), 5).mean())


def _joined(parts: list[Tensor], head: QueryHead) -> Vectors:
    return (torch.cat(parts) if parts else torch.zeros(0, len(head.mean))).numpy()


def _fit_components(head: QueryHead, articles: list[Tensor]) -> None:
    rows = torch.cat(articles).double() if articles else torch.zeros(1, len(head.mean), dtype=torch.float64)
    head.mean.copy_(rows.mean(0))
    centred = rows - rows.mean(0)
    _, basis = torch.linalg.eigh(centred.T @ centred / len(rows))
    head.basis.copy_(basis.flip(1))


def _articles(
    model: SequenceModel, vectors: VectorSource, documents: Sequence[DocumentInfo], n_chunks: int
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield the vectors (T, D) of articles, evenly chosen, and what the model says after each chunk but the last."""
    step = max(1, -(-sum(d.n_chunks for d in documents) // n_chunks))
    for batch in forecast.over_articles(model, vectors, list(documents)[::step]):
        for b in range(len(batch.mask)):
            n = int(batch.mask[b].sum())
            first = int(batch.rows[b, 0]) - 1
            x = torch.from_numpy(unit_rows(vectors.slice(first, first + n + 1)))
            yield x, torch.from_numpy(batch.forecast.vectors[b, :n])

"""Mean cosine of a model on held-out windows."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from lvm_core import forecast
from lvm_core.dataset import evaluation_windows
from lvm_core.errors import SettingsError
from lvm_core.nets.base import SequenceModel, unit
from lvm_core.nets.inputs import takes_tmd
from lvm_core.types import DocumentInfo, Rows, Vectors, VectorSource
from lvm_core.vectors.geometry import unit_rows

FULL = 5
"""Targets with at least this many chunks before them count, whatever the context length."""


SEARCHED = 4096
"""Windows that recall is measured on at most, and chunks that are searched."""


@dataclass(frozen=True, slots=True)
class Scores:
    """How well held-out chunks were predicted; `recall` is Recall@5 as a fraction.

    `told` is the cosine of a net that is told the TMD codes of the chunks to come; `cosine` that without them.
    """

    cosine: float
    recall: float | None = None
    told: float | None = None

    @property
    def worth(self) -> float:
        """What an epoch is chosen by: the cosine, of a net that is told codes half with and half without them."""
        return self.cosine if self.told is None else (self.cosine + self.told) / 2

    @property
    def both(self) -> float:
        """That and recall as one number."""
        return self.worth + (self.recall or 0.0)


class Validator:
    """The held-out windows of one training, always the same ones."""

    def __init__(
        self, vectors: VectorSource, documents: Sequence[DocumentInfo], context: int, most: int, device: torch.device,
        tmd: Vectors | None = None,
    ) -> None:  # fmt: skip
        """Choose at most `most` windows, evenly over `documents`; `tmd` (n_rows, 16) are codes to tell nets.

        Raises:
            SettingsError: if no article is long enough for one.
        """
        windows = evaluation_windows(documents, context, minimum=min(FULL, context))
        if not len(windows):
            longest = max((d.n_chunks for d in documents), default=0)
            raise SettingsError(
                [
                    f"context is {context}; expected less than {longest} chunks, which the longest of"
                    f" {len(documents)} validation articles has. Use a shorter context, or ingest longer articles."
                ]
            )
        chosen = np.unique(np.linspace(0, len(windows) - 1, min(most, len(windows))).astype(np.int64))
        self.windows = windows.take(chosen)
        self.vectors, self.device = vectors, device
        self.codes = None if tmd is None else tmd[self.windows.targets]
        self._start: Vectors | None = None
        self.n_articles = len(np.unique(self.windows.article))

    def cosine(self, model: SequenceModel) -> float:
        """Return the mean cosine of the model's predictions to the true next chunks."""
        return self.scores(model).cosine

    def scores(self, model: SequenceModel, recall: bool = False) -> "Scores":
        """Return the mean cosine, and where `recall` is asked for the share of targets found among the first five.

        What is searched are the targets of all the windows, without the last five chunks of the context.
        """
        scores = self._scored(self.predictions(model), recall)
        if not self._tells(model):
            return scores
        told = forecast.over_windows(model, self.vectors, self.windows, tmd=self.codes).vectors
        return replace(scores, told=self._scored(told, False).cosine)

    def at_best(self, model: SequenceModel, scales: Sequence[float], recall: bool) -> tuple["Scores", float]:
        """Return the scores of a net, of a residual one at the best share of its correction, and that share.

        Best is the cosine, or the sum of it and the recall.
        """
        if model.filter is None:
            return self.scores(model, recall=True), 1.0
        found = self.scaled(model, scales)
        scale = max(found, key=lambda one: (found[one].both if recall else found[one].worth, one))
        return found[scale], scale

    def scaled(self, model: SequenceModel, scales: Sequence[float]) -> dict[float, "Scores"]:
        """Return the scores of a residual net at each share of its correction; the net runs once, its filter once ever.

        The net is left at a scale of one.
        """
        if self._start is None:
            assert model.filter is not None
            self._start = self.predictions(model.filter)
        model.scale.fill_(1.0)
        change = self._change(model, self._start, None) if any(scales) else np.zeros_like(self._start)
        found = {scale: self._scored(unit_rows(self._start + scale * change), True) for scale in scales}
        if not self._tells(model):
            return found
        change = self._change(model, self._start, self.codes) if any(scales) else change
        return {
            scale: replace(one, told=self._scored(unit_rows(self._start + scale * change), False).cosine)
            for scale, one in found.items()
        }

    def _change(self, model: SequenceModel, start: Vectors, tmd: Vectors | None) -> Vectors:
        said = forecast.over_windows(model, self.vectors, self.windows, tmd=tmd)
        change: Vectors = said.vectors * said.lengths[:, None] - start
        return change

    def _tells(self, model: SequenceModel) -> bool:
        return self.codes is not None and takes_tmd(model)

    def _scored(self, vectors: Vectors, recall: bool) -> "Scores":
        predictions = torch.from_numpy(vectors).to(self.device)
        truth = unit(torch.from_numpy(self.vectors.rows(self.windows.targets))).to(self.device)
        cosine = float((predictions * truth).sum(-1).mean())
        return Scores(cosine, _recall(predictions, truth, self.windows.targets) if recall else None)

    def predictions(self, model: SequenceModel) -> Vectors:
        """Return the prediction (N, D) for each window, in order."""
        return forecast.over_windows(model, self.vectors, self.windows).vectors


def _recall(predictions: Tensor, truth: Tensor, rows: Rows) -> float:
    chosen = torch.from_numpy(np.unique(np.linspace(0, len(rows) - 1, min(len(rows), SEARCHED)).astype(np.int64)))
    place = torch.from_numpy(rows)[chosen].to(predictions.device)
    predictions, truth = predictions[chosen], truth[chosen]
    back = place[:, None] - place[None, :]
    scores = (predictions @ truth.T).masked_fill((back >= 1) & (back <= FULL), float("-inf"))
    better = (scores > scores.diagonal()[:, None]).sum(1)
    return float((better < FULL).float().mean())

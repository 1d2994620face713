"""Mean cosine of a model on held-out windows."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from lvm_core.dataset import evaluation_windows
from lvm_core.errors import SettingsError
from lvm_core.nets.base import SequenceModel, unit
from lvm_core.types import DocumentInfo, VectorSource

ROWS_AT_ONCE = 8192
FULL = 5
"""Targets with at least this many chunks before them count, whatever the context length."""


SEARCHED = 4096
"""Windows that recall is measured on at most, and chunks that are searched."""


@dataclass(frozen=True, slots=True)
class Scores:
    """How well held-out chunks were predicted; `recall` is Recall@5 as a fraction."""

    cosine: float
    recall: float | None = None

    @property
    def both(self) -> float:
        """Cosine and recall as one number to choose by."""
        return self.cosine + (self.recall or 0.0)


class Validator:
    """The held-out windows of one training, always the same ones."""

    def __init__(
        self, vectors: VectorSource, documents: Sequence[DocumentInfo], context: int, most: int, device: torch.device
    ) -> None:
        """Choose at most `most` windows, evenly over `documents`.

        Raises:
            SettingsError: if no article is long enough for one.
        """
        found = evaluation_windows(documents, context, minimum=min(FULL, context))
        if not len(found):
            longest = max((d.n_chunks for d in documents), default=0)
            raise SettingsError(
                [
                    f"context is {context}, and the {len(documents)} validation articles have {longest} chunks at most,"
                    " so there is nothing to validate on. Use a shorter context, or ingest longer articles."
                ]
            )
        chosen = np.unique(np.linspace(0, len(found) - 1, min(most, len(found))).astype(np.int64))
        self.windows = found.take(chosen)
        self.vectors, self.documents, self.device = vectors, documents, device
        self.context = context
        self.n_articles = len(np.unique(self.windows.article))

    def cosine(self, model: SequenceModel) -> float:
        """Return the mean cosine of the model's predictions to the true next chunks."""
        return self.scores(model).cosine

    @torch.inference_mode()
    def scores(self, model: SequenceModel, recall: bool = False) -> "Scores":
        """Return the mean cosine, and where `recall` is asked for the share of targets found among the first five.

        What is searched are the targets of all the windows, without the last five chunks of the context.
        """
        said, truth = self.predictions(model), self._unit_rows(self.windows.targets)
        cosine = float((said * truth).sum(-1).mean())
        return Scores(cosine, _recall(said, truth, self.windows.targets) if recall else None)

    @torch.inference_mode()
    def predictions(self, model: SequenceModel) -> Tensor:
        """Return the prediction (N, D) for each window, in order."""
        was = model.training
        model.eval()
        try:
            by_article = model.sliding and getattr(model, "reach", self.context + 1) <= self.context
            return self._by_article(model) if by_article else self._by_window(model)
        finally:
            model.train(was)

    def _by_window(self, model: SequenceModel) -> Tensor:
        windows, size = self.windows, max(1, ROWS_AT_ONCE // self.context)
        found = []
        for k in range(0, len(windows), size):
            contexts, lengths = windows.contexts[k : k + size], torch.from_numpy(windows.lengths[k : k + size])
            x = self._unit_rows(contexts.ravel()).view(len(contexts), self.context, -1)
            found.append(model(x)[torch.arange(len(x)), lengths - 1].float())
        return torch.cat(found)

    def _by_article(self, model: SequenceModel) -> Tensor:
        """One pass over each article: the same numbers, since a position sees no further than its window."""
        found = []
        for number in np.unique(self.windows.article):
            document = self.documents[number]
            x = self._unit_rows(document.rows)
            targets = torch.from_numpy(self.windows.targets[self.windows.article == number] - document.first_row)
            found.append(model(x[None, :-1])[0, targets - 1].float())
        return torch.cat(found)

    def _unit_rows(self, rows: "np.ndarray[tuple[int], np.dtype[np.int64]]") -> Tensor:
        return unit(torch.from_numpy(self.vectors.rows(rows))).to(self.device)


def _recall(said: Tensor, truth: Tensor, rows: "np.ndarray[tuple[int], np.dtype[np.int64]]") -> float:
    chosen = torch.from_numpy(np.unique(np.linspace(0, len(rows) - 1, min(len(rows), SEARCHED)).astype(np.int64)))
    said, truth, place = said[chosen], truth[chosen], torch.from_numpy(rows)[chosen].to(said.device)
    back = place[:, None] - place[None, :]
    scores = (said @ truth.T).masked_fill((back >= 1) & (back <= FULL), float("-inf"))
    better = (scores > scores.diagonal()[:, None]).sum(1)
    return float((better < FULL).float().mean())

"""What every baseline is: a SequenceModel that is fitted in closed form, article by article."""

import time
from collections.abc import Iterator, Sequence
from typing import ClassVar

import torch
from torch import Tensor

from lvm_core.errors import CorpusError
from lvm_core.nets.base import SequenceModel, unit
from lvm_core.types import DocumentInfo, Progress, VectorSource, no_progress


class Baseline(SequenceModel):
    """A closed-form predictor; `fit` passes over the training articles in constant memory."""

    kind: ClassVar[str] = "baseline"
    needs_fit: ClassVar[bool] = False

    def fit(self, vectors: VectorSource, documents: Sequence[DocumentInfo], progress: Progress = no_progress) -> None:
        """Fit to the training articles; the default has nothing to fit."""

    @property
    def reach(self) -> int:
        """The number of chunks that a position sees at most."""
        return int(getattr(self.options, "context", 1))


def articles(
    vectors: VectorSource, documents: Sequence[DocumentInfo], progress: Progress, label: str, shortest: int = 2
) -> Iterator[Tensor]:
    """Yield each article of at least `shortest` chunks as unit vectors (n, D), with progress.

    Raises:
        CorpusError: if there is no such article.
    """
    chosen = [d for d in documents if d.n_chunks >= shortest]
    if not chosen:
        raise CorpusError(
            f"{label}: none of the {len(documents)} training articles has {shortest} chunks or more, so there is"
            " nothing to fit to",
            "at least one such article",
            "Ingest more or longer articles.",
        )
    began = time.monotonic()
    for number, document in enumerate(chosen, 1):
        rows = vectors.slice(document.first_row, document.first_row + document.n_chunks)
        yield unit(torch.from_numpy(rows))
        rate = number / max(time.monotonic() - began, 1e-9)
        left = (len(chosen) - number) / rate
        progress(number / len(chosen), f"{label}: {number:,} of {len(chosen):,} articles, {left:.0f} s left")

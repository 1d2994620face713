"""One model, ready to predict what comes after a context."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lvm_core.json_shapes import CorpusSource
from lvm_core.predict.prediction import PASSTHROUGH, Note, Remembered
from lvm_core.types import Encoder, Vectors
from lvm_core.workspace import Workspace

if TYPE_CHECKING:
    from lvm_core.forecast import Forecast
    from lvm_core.nets.base import SequenceModel
    from lvm_core.opened import Files

COPIES = "copy-last"
"""The rule behind the name passthrough."""


@dataclass(frozen=True, slots=True)
class PredictingModel:
    """A net, a baseline or passthrough. `longest` is the most chunks it reads, None where any length will do.

    `corpora` are those that it was trained on, in the order of its rows; `files` what it was read from, as they were.
    """

    ref: str
    kind: str
    net: "SequenceModel"
    longest: int | None
    corpora: tuple[CorpusSource, ...] = ()
    files: "Files" = ()

    def is_current(self) -> bool:
        """Return whether the model's files are still those that were read."""
        from lvm_core.opened import stamp

        return all(stamp(path) == before for path, before in self.files)

    def predict(self, contexts: Sequence[Vectors]) -> "list[tuple[Forecast, tuple[Note, ...]]]":
        """Return what comes after each of the contexts (T, D), prediction and query (D,), and notes.

        Contexts of one length go through the net together.

        Raises:
            ModelError: if a prediction is not finite.
        """
        from lvm_core import forecast

        read = [context[-(self.longest or len(context)) :] for context in contexts]
        lengths: dict[int, list[int]] = {}
        for i, context in enumerate(read):
            lengths.setdefault(len(context), []).append(i)
        found: dict[int, Forecast] = {}
        for members in lengths.values():
            together = forecast.after(self.net, np.stack([read[i] for i in members]), self.ref)
            for place, i in enumerate(members):
                found[i] = forecast.Forecast(together.vectors[place], together.lengths[place], together.queries[place])
        return [(found[i], self._notes(len(context))) for i, context in enumerate(contexts)]

    def _notes(self, n_chunks: int) -> tuple[Note, ...]:
        longest = self.longest or n_chunks
        if not 1 < longest < n_chunks:
            return ()
        return (Note("model", f"The context has {n_chunks} chunks; {self.ref} reads the last {longest}."),)

    def remembered(self, workspace: Workspace, context: Vectors) -> tuple[Remembered, ...]:
        """Return the places of the model's memory that it goes by after the context (T, D); none without a memory."""
        from lvm_core.nets.residual_memory import ResidualMemory
        from lvm_core.predict.memory import remembered

        if not isinstance(self.net, ResidualMemory):
            return ()
        return remembered(workspace, self.net, self.corpora, context[-(self.longest or len(context)) :])


def load_predicting_model(workspace: Workspace, ref: str, encoder: Encoder) -> PredictingModel:
    """Return the model called `ref`, a run, a shipped model, a baseline, or passthrough: the rule that copies.

    Raises:
        ModelError: if there is no such model.
        SpaceMismatch: if it was trained with another encoder.
    """
    from lvm_core import opened

    copies = ref == PASSTHROUGH
    loaded = opened.model(workspace, COPIES if copies else ref, encoder.id, encoder.dim)
    kind, corpora = PASSTHROUGH if copies else loaded.info.kind, tuple(loaded.info.config.get("corpora", ()))
    files = opened.files_of(workspace, loaded.info)
    return PredictingModel(ref, kind, loaded.model, loaded.info.context or None, corpora, files)

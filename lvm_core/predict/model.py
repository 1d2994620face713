"""One model, ready to predict what comes after a context."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lvm_core.json_shapes import CorpusSource
from lvm_core.predict.prediction import PASSTHROUGH, Note, Remembered
from lvm_core.types import Encoder, Vectors
from lvm_core.workspace import Workspace

if TYPE_CHECKING:
    from lvm_core.forecast import Forecast
    from lvm_core.nets.base import SequenceModel

COPIES = "copy-last"
"""The rule behind the name passthrough."""


@dataclass(frozen=True, slots=True)
class PredictingModel:
    """A net, a baseline or passthrough. `longest` is the most chunks it reads, None where any length will do.

    `corpora` are those that it was trained on, in the order of its rows.
    """

    ref: str
    kind: str
    net: "SequenceModel"
    longest: int | None
    corpora: tuple[CorpusSource, ...] = ()

    def predict(self, context: Vectors) -> "tuple[Forecast, tuple[Note, ...]]":
        """Return what comes after the context (T, D), prediction and query (D,), and a note where part was left out.

        Raises:
            ModelError: if the prediction is not finite.
        """
        from lvm_core import forecast

        longest = self.longest or len(context)
        notes: tuple[Note, ...] = ()
        if 1 < longest < len(context):
            text = f"The context has {len(context)} chunks; {self.ref} reads the last {longest}."
            notes = (Note("model", text),)
        return forecast.after(self.net, context[-longest:], self.ref), notes

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
    return PredictingModel(ref, kind, loaded.model, loaded.info.context or None, corpora)

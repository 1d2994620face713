"""One model, ready to predict what comes after a context."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lvm_core.predict.prediction import PASSTHROUGH, Note
from lvm_core.types import Encoder, Vectors
from lvm_core.workspace import Workspace

if TYPE_CHECKING:
    from lvm_core.forecast import Forecast
    from lvm_core.nets.base import SequenceModel

COPIES = "copy-last"
"""The rule behind the name passthrough."""


@dataclass(frozen=True, slots=True)
class PredictingModel:
    """A net, a baseline or passthrough. `longest` is the most chunks it reads, None where any length will do."""

    ref: str
    kind: str
    net: "SequenceModel"
    longest: int | None

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


def load_predicting_model(workspace: Workspace, ref: str, encoder: Encoder) -> PredictingModel:
    """Return the model called `ref`, a run, a shipped model, a baseline, or passthrough: the rule that copies.

    Raises:
        ModelError: if there is no such model.
        SpaceMismatch: if it was trained with another encoder.
    """
    from lvm_core import opened

    copies = ref == PASSTHROUGH
    loaded = opened.model(workspace, COPIES if copies else ref, encoder.id, encoder.dim)
    return PredictingModel(ref, PASSTHROUGH if copies else loaded.info.kind, loaded.model, loaded.info.context or None)

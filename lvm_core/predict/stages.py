"""A question on its way through the pipeline: asked, opened, forecast, foreseen; then it is put into words."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lvm_core.errors import SettingsError
from lvm_core.predict.context import Question
from lvm_core.predict.corpus import OpenCorpus
from lvm_core.predict.prediction import Context, Note, Prediction, Remembered
from lvm_core.predict.settings import PredictSettings
from lvm_core.types import Rows

if TYPE_CHECKING:
    from lvm_core.forecast import Forecast


@dataclass(frozen=True, slots=True)
class Ask:
    """A question, the models it is put to, and how; `unfinished` asks for texts that may still get better too."""

    question: Question
    models: Sequence[str]
    settings: PredictSettings = field(default_factory=PredictSettings)
    unfinished: bool = False

    @property
    def refs(self) -> list[str]:
        """The models, each once."""
        return list(dict.fromkeys(self.models))


@dataclass(slots=True)
class Outlook:
    """One question, as far as all models share it, and the clock that started with it."""

    context: Context
    corpus: OpenCorpus | None
    exclude: Rows
    notes: tuple[Note, ...]
    begun: float
    encode_ms: float
    load_ms: float = 0.0

    def waited(self) -> float:
        """Return the milliseconds since the question."""
        return elapsed_ms(self.begun)


@dataclass(frozen=True, slots=True)
class Forecasted:
    """What one model says after one context, notes on it, what its memory goes by, and the milliseconds it took."""

    kind: str
    forecast: "Forecast"
    notes: tuple[Note, ...]
    remembered: tuple[Remembered, ...]
    ms: float


@dataclass(slots=True)
class Foreseen:
    """What is known of a question before anything is put into words: its predictions, raw and snapped as asked."""

    ask: Ask
    outlook: Outlook
    predictions: list[Prediction]


def check_ask(models: Sequence[str], settings: PredictSettings) -> Sequence[str]:
    """Return `models`.

    Raises:
        SettingsError: for settings out of bounds, or without a model.
    """
    settings.checked()
    if not models:
        raise SettingsError(["No model was chosen; expected one or more. Name one, such as 'amn' or 'context-mean'."])
    return models


def elapsed_ms(begun: float) -> float:
    """Return the milliseconds since `begun`, a value of `time.perf_counter`."""
    return (time.perf_counter() - begun) * 1000

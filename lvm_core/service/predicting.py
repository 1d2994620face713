"""Questions of many requests, put to the same engine function as the page and the command line put theirs."""

from collections.abc import Sequence
from dataclasses import dataclass

from lvm_core.errors import LvmError
from lvm_core.predict.asking import space_asked, true_next
from lvm_core.predict.context import Question
from lvm_core.predict.pipeline import Predictor
from lvm_core.predict.prediction import Prediction
from lvm_core.predict.settings import PredictSettings
from lvm_core.service.engine import Engine
from lvm_core.service.lane import Ticket


@dataclass(frozen=True, slots=True)
class Asking:
    """A question as a request puts it; `unfinished` asks for texts as they grow too."""

    chunks: tuple[str, ...]
    rows: range | None
    target: str
    models: tuple[str, ...]
    corpus: str | None
    encoder: str | None
    settings: PredictSettings
    unfinished: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked after all: the encoder id, and the models in their order."""

    encoder: str
    models: tuple[str, ...]


class Predicting:
    """Work that predicts; what it sends is one `Asked`, then predictions."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def run(self, tickets: Sequence[Ticket[Asking]]) -> None:
        """Answer each question."""
        for ticket in tickets:
            try:
                self._answer(ticket)
            except LvmError as error:
                ticket.fail(error)

    def _answer(self, ticket: Ticket[Asking]) -> None:
        asking = ticket.request
        predictor = self._predictor(asking)
        models = asking.models or tuple(predictor.default_models())
        ticket.send(Asked(predictor.encoder.id, models))
        rows = list(asking.rows) if asking.rows is not None else None
        question = Question(asking.chunks, rows, true_next(predictor, rows), asking.target)
        for prediction in predictor.watch(question, models, asking.settings, asking.unfinished):
            if not ticket.wanted:
                return
            if asking.unfinished or prediction.done:
                ticket.send(prediction)
        ticket.end()

    def _predictor(self, asking: Asking) -> Predictor:
        workspace = self._engine.workspace
        space = space_asked(workspace, asking.encoder, asking.models, asking.corpus, asking.rows)
        return self._engine.predictor(space, asking.corpus)


def in_order(predictions: Sequence[Prediction], models: Sequence[str]) -> list[Prediction]:
    """Return predictions in the order of `models`, raw before snapped."""
    place = {model: i for i, model in enumerate(models)}
    return sorted(predictions, key=lambda p: (place[p.model], p.snap_on))

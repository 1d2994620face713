"""Questions of many requests: foreseen together in the quick lane, put into words together in the lane for words.

The engine function is that of the page and the command line: `Predictor.foresee` and `Predictor.tell`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from lvm_core import abandoned
from lvm_core.errors import LvmError
from lvm_core.predict.asking import true_next
from lvm_core.predict.context import Question
from lvm_core.predict.pipeline import Predictor
from lvm_core.predict.settings import PredictSettings
from lvm_core.predict.stages import Ask, Foreseen
from lvm_core.predict.text import writes
from lvm_core.predict.together import each
from lvm_core.service.engine import Engine
from lvm_core.service.lane import Ticket


@dataclass(frozen=True, slots=True)
class Asking:
    """A question as a request puts it; `unfinished` asks for texts as they grow too."""

    chunks: tuple[str, ...]
    models: tuple[str, ...]
    settings: PredictSettings
    rows: range | None = None
    target: str = ""
    corpus: str | None = None
    encoder: str | None = None
    unfinished: bool = False

    @property
    def is_quick(self) -> bool:
        """Whether nothing has to be written for it."""
        return not writes(self.settings)


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked after all: the encoder id, and the models in their order."""

    encoder: str
    models: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Untold:
    """Predictions that wait to be put into words, for the ticket of who asked."""

    predictor: Predictor
    foreseen: Foreseen
    asker: Ticket[Asking]


class Predicting:
    """Work that predicts; what it sends is one `Asked`, then predictions."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def run(self, tickets: Sequence[Ticket[Asking]]) -> None:
        """Foresee all questions, tell those that need no writing, and hand the others on."""
        untold = self._foreseen(tickets)
        for one in untold:
            for prediction in one.foreseen.predictions if one.asker.request.unfinished else ():
                one.asker.send(prediction)
        tell([one for one in untold if one.asker.request.is_quick])
        for one in untold:
            if not one.asker.request.is_quick:
                self._hand_on(one)

    def _foreseen(self, tickets: Sequence[Ticket[Asking]]) -> list[Untold]:
        """Return the questions that can be answered; the others are told why not."""
        by_predictor: dict[Predictor, list[tuple[Ticket[Asking], Ask]]] = {}
        for ticket in tickets:
            try:
                predictor, ask = self._ask(ticket)
            except LvmError as error:
                ticket.fail(error)
            else:
                by_predictor.setdefault(predictor, []).append((ticket, ask))
        untold: list[Untold] = []
        for predictor, pairs in by_predictor.items():
            for (ticket, _), foreseen in zip(pairs, each(predictor.foresee, [ask for _, ask in pairs]), strict=True):
                if isinstance(foreseen, LvmError):
                    ticket.fail(foreseen)
                elif ticket.wanted:
                    untold.append(Untold(predictor, foreseen, ticket))
        return untold

    def _ask(self, ticket: Ticket[Asking]) -> tuple[Predictor, Ask]:
        asking, engine = ticket.request, self._engine
        space = engine.space_asked(asking.encoder, asking.models, asking.corpus, asking.rows)
        predictor = engine.predictor(space, asking.corpus)
        models = asking.models or tuple(engine.default_models(predictor.encoder.id))
        rows = list(asking.rows) if asking.rows is not None else None
        question = Question(asking.chunks, rows, true_next(predictor, rows), asking.target)
        ticket.send(Asked(predictor.encoder.id, models))
        return predictor, Ask(question, models, asking.settings, asking.unfinished)

    def _hand_on(self, one: Untold) -> None:
        try:
            self._engine.words.put(self._engine.work(Telling), Ticket(one, one.asker.loop))
        except LvmError as error:
            one.asker.fail(error)


class Telling:
    """Work that puts predictions into words, those of all requests together."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def run(self, tickets: Sequence[Ticket[Untold]]) -> None:
        """Tell all of them."""
        tell([ticket.request for ticket in tickets])


def tell(untold: Sequence[Untold]) -> None:
    """Put predictions into words and send each text to who asked; whoever has hung up is left out."""
    by_predictor: dict[Predictor, list[Untold]] = {}
    for one in untold:
        if one.asker.wanted:
            by_predictor.setdefault(one.predictor, []).append(one)
    for predictor, group in by_predictor.items():
        _tell(predictor, group)


def _tell(predictor: Predictor, group: Sequence[Untold]) -> None:
    left = [len(one.foreseen.predictions) for one in group]
    told = predictor.tell([one.foreseen for one in group], lambda i: group[i].asker.wanted)
    try:
        with abandoned.unless(lambda: any(one.asker.wanted for one in group)):
            for i, prediction in told:
                one = group[i]
                one.asker.send(prediction)
                left[i] -= prediction.done
                if not left[i]:
                    one.asker.end()
    except LvmError as error:
        waiting = [one for i, one in enumerate(group) if left[i]]
        if len(group) == 1:
            group[0].asker.fail(error)
            return
        for one in waiting:  # whose fault it is shows when each is told by itself
            _tell(predictor, [one])

"""What the endpoints ask: the models, encoders and corpora of one workspace, and the lanes that compute with them."""

import threading
import time
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, cast

from lvm_core.boundary.files import quoted
from lvm_core.errors import EncoderError
from lvm_core.service.fresh import Fresh
from lvm_core.service.keys import Keys
from lvm_core.service.lane import ALONE, Lane, Ticket, Work
from lvm_core.service.metrics import Metrics
from lvm_core.service.settings import ServiceSettings
from lvm_core.types import Encoder
from lvm_core.workspace import Workspace

if TYPE_CHECKING:
    from lvm_core.predict.pipeline import Predictor
    from lvm_core.service.remembering import Remembering

R = TypeVar("R")
T = TypeVar("T")

MOST_PREDICTORS, MOST_ENCODERS = 8, 2


class Engine:
    """One workspace, and two lanes: the quick one, and one for writing texts, which takes seconds."""

    def __init__(self, workspace: Workspace, settings: ServiceSettings) -> None:
        """Start the lanes; nothing is loaded yet."""
        self.workspace, self.settings, self.begun = workspace, settings, time.time()
        self.metrics, self.keys = Metrics(), Keys(workspace)
        self.quick, self.words = (
            Lane(name, settings.most_waiting, settings.most_at_once, self.metrics.batch) for name in ("quick", "words")
        )
        self.fresh = Fresh()
        self._predictors: OrderedDict[tuple[int, str | None], Predictor] = OrderedDict()
        self._encoders: OrderedDict[str, Remembering] = OrderedDict()
        self._works: dict[Callable[[Engine], Work[Any]], Work[Any]] = {}
        self._lock = threading.Lock()

    def work(self, kind: Callable[["Engine"], Work[T]]) -> Work[T]:
        """Return the one work of a kind: what shares it is done together."""
        with self._lock:
            if kind not in self._works:
                self._works[kind] = kind(self)
            return cast(Work[T], self._works[kind])

    @property
    def lanes(self) -> tuple[Lane, Lane]:
        """Both lanes."""
        return self.quick, self.words

    def abandon(self) -> None:
        """Tell everybody who waits that there will be no answer."""
        for lane in self.lanes:
            lane.abandon()

    def stop(self, wait_s: float = 0.0) -> bool:
        """Take nothing more, abandon what is being done, and return whether it ends within so long."""
        return all([lane.stop(wait_s) for lane in self.lanes])

    # ------------------------------------------------------------ asking, on the event loop

    async def call(self, work: Callable[[], R], lane: Lane | None = None) -> R:
        """Return what a function gives, called in a lane.

        Raises:
            Busy, Late, Stopping: if it cannot be called in time.
            Exception: what the function raises.
        """
        ticket = (lane or self.quick).submit(ALONE, work)
        result: R = await ticket.answer(self.settings.time_limit_s)
        return result

    async def ask(self, kind: Callable[["Engine"], Work[T]], request: T, lane: Lane | None = None) -> Any:
        """Return the one answer to a request that is computed together with others of its kind."""
        return await (lane or self.quick).submit(self.work(kind), request).answer(self.settings.time_limit_s)

    def follow(self, kind: Callable[["Engine"], Work[T]], request: T) -> AsyncGenerator[Any, None]:
        """Return the answers to a request as they come; the request waits from now on."""
        ticket: Ticket[T] = self.quick.submit(self.work(kind), request)
        return ticket.answers(self.settings.time_limit_s)

    # ------------------------------------------------------------ what is open, in a lane

    def space(self, encoder: str | None = None) -> str:
        """Return the id of an encoder by its name or id; None is the default one.

        Only encoders of the catalogue and those that models and corpora here are of: a request cannot have a folder
        looked at or a hub asked.

        Raises:
            EncoderError: for any other.
        """
        from lvm_core.encoders import DEFAULT_ENCODER
        from lvm_core.spaces import space_called

        name = encoder or DEFAULT_ENCODER
        known = self.fresh.get("encoders", self._known_encoders)
        if name not in known:
            raise EncoderError(
                f"There is no encoder {quoted(name)} here",
                f"one of {', '.join(known)}",
                "Name one of these, or encode a corpus with yours: python -m lvm_core encode --encoder NAME",
            )
        return self.fresh.get(("space", name), lambda: space_called(name))

    def _known_encoders(self) -> list[str]:
        from lvm_core.checkpoint import list_models
        from lvm_core.corpus.store import CorpusStore
        from lvm_core.encoders import ENCODERS, available_encoders
        from lvm_core.encoders.tmd import SUFFIX
        from lvm_core.vectors.matrix import encoded_with

        names = list(dict.fromkeys([*ENCODERS, *available_encoders()]))
        of_models = [info.encoder_id for info in list_models(self.workspace)]
        corpora = CorpusStore(self.workspace).corpora()
        of_corpora = [space for info in corpora for space in encoded_with(self.workspace, info.name)]
        return list(dict.fromkeys([*names, *(name + SUFFIX for name in names), *of_models, *of_corpora]))

    def space_asked(
        self, encoder: str | None, models: Sequence[str], corpus: str | None = None, rows: Sequence[int] | None = None
    ) -> str:
        """Return the encoder id that a question means; see `lvm_core.predict.asking.space_asked`."""
        from lvm_core.predict.asking import space_asked

        if encoder is not None or (not models and rows is None):
            return self.space(encoder)
        key = ("asked", tuple(models), corpus, rows is None)
        found = self.fresh.get(key, lambda: space_asked(self.workspace, None, models, corpus, rows))
        return found or self.space()

    def default_models(self, space: str) -> list[str]:
        """Return the models that are asked in a space where nobody names one."""
        from lvm_core.shipped import shipped_models

        return self.fresh.get(("models", space), lambda: shipped_models(self.workspace, space))

    def encoder(self, encoder: str | None = None) -> Encoder:
        """Return an encoder by its name or id, loaded once; it remembers what it was asked for last."""
        from lvm_core import opened
        from lvm_core.service.remembering import Remembering

        plain = opened.encoder(self.workspace, self.space(encoder))
        with self._lock:
            own = self._encoders.get(plain.id)
            if own is None or own.plain is not plain:
                own = self._encoders[plain.id] = Remembering(plain)
                while len(self._encoders) > MOST_ENCODERS:
                    self._encoders.popitem(last=False)
            return own

    def predictor(self, space: str, corpus: str | None = None) -> "Predictor":
        """Return the predictor of a space that stands on a corpus (None: the largest of that space), made once."""
        from lvm_core import opened
        from lvm_core.encoders.stored import StoredSpace
        from lvm_core.predict.pipeline import Predictor
        from lvm_core.predict.text import Texts

        plain = opened.encoder(self.workspace, space)
        encoder = plain if isinstance(plain, StoredSpace) else self.encoder(space)
        key = (id(encoder), corpus)
        with self._lock:
            if key not in self._predictors:
                texts = Texts(self.workspace, plain)
                self._predictors[key] = Predictor(self.workspace, space, corpus, encoder=encoder, texts=texts)
                while len(self._predictors) > MOST_PREDICTORS:
                    self._predictors.popitem(last=False)
            self._predictors.move_to_end(key)
            return self._predictors[key]

    def warm(self) -> None:
        """Load what a first question needs, so that it need not wait."""
        from lvm_core.predict.settings import NO_DECODER, PredictSettings

        predictor = self.predictor(self.space())
        models = predictor.default_models()
        predictor.load(models, PredictSettings())
        for _ in predictor.predict(
            ["The first question waits for nothing."], models, PredictSettings(decoder=NO_DECODER)
        ):
            pass

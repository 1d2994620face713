"""What the endpoints ask: the models, encoders and corpora of one workspace, and the lanes that compute with them."""

import threading
import time
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable
from typing import TYPE_CHECKING, Any, TypeVar, cast

from lvm_core.service.lane import ALONE, Lane, Ticket, Work
from lvm_core.service.settings import ServiceSettings
from lvm_core.types import Encoder
from lvm_core.workspace import Workspace

if TYPE_CHECKING:
    from lvm_core.predict.pipeline import Predictor

R = TypeVar("R")
T = TypeVar("T")

MOST_PREDICTORS = 8


class Engine:
    """One workspace, and two lanes: the quick one, and one for writing texts, which takes seconds."""

    def __init__(self, workspace: Workspace, settings: ServiceSettings) -> None:
        """Start the lanes; nothing is loaded yet."""
        self.workspace, self.settings, self.begun = workspace, settings, time.time()
        self.quick = Lane("quick", settings.most_waiting, settings.most_at_once)
        self.words = Lane("words", settings.most_waiting, settings.most_at_once)
        self._predictors: OrderedDict[tuple[str, str | None], Predictor] = OrderedDict()
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

    def stop(self) -> None:
        """Take nothing more."""
        for lane in self.lanes:
            lane.stop()

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

    async def ask(self, kind: Callable[["Engine"], Work[T]], request: T) -> Any:
        """Return the one answer to a request that is computed together with others of its kind."""
        return await self.quick.submit(self.work(kind), request).answer(self.settings.time_limit_s)

    def follow(self, kind: Callable[["Engine"], Work[T]], request: T) -> AsyncGenerator[Any, None]:
        """Return the answers to a request as they come; the request waits from now on."""
        ticket: Ticket[T] = self.quick.submit(self.work(kind), request)
        return ticket.answers(self.settings.time_limit_s)

    # ------------------------------------------------------------ what is open, in a lane

    def space(self, encoder: str | None = None) -> str:
        """Return the id of an encoder by its name or id; None is the default one."""
        from lvm_core.encoders import DEFAULT_ENCODER
        from lvm_core.spaces import space_called

        return space_called(encoder or DEFAULT_ENCODER)

    def encoder(self, encoder: str | None = None) -> Encoder:
        """Return an encoder by its name or id, loaded once."""
        from lvm_core import opened

        return opened.encoder(self.workspace, self.space(encoder))

    def predictor(self, space: str | None = None, corpus: str | None = None) -> "Predictor":
        """Return the predictor of a space that stands on a corpus (None: the largest of that space), made once."""
        from lvm_core.predict.pipeline import Predictor

        key = (space or self.space(), corpus)
        with self._lock:
            if key not in self._predictors:
                self._predictors[key] = Predictor(self.workspace, key[0], corpus, encoder=self.encoder(key[0]))
                while len(self._predictors) > MOST_PREDICTORS:
                    self._predictors.popitem(last=False)
            self._predictors.move_to_end(key)
            return self._predictors[key]

    def warm(self) -> None:
        """Load what a first question needs, so that it need not wait."""
        predictor = self.predictor()
        _ = predictor.encoder, predictor.corpus
        for _ in predictor.predict(["The first question waits for nothing."], predictor.default_models()):
            pass

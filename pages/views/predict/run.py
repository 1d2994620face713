"""One question under way, on a thread of its own: it goes on when the page is left, and stops when it is told to."""

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

import streamlit as st

from lvm_core.errors import LvmError, SettingsError
from lvm_core.predict import PASSTHROUGH, Prediction
from lvm_core.predict.context import clean_context
from pages.shared import asked
from pages.views.predict.form import Choices
from pages.views.predict.origin import Origin

Card = tuple[str, bool]
"""A model, and whether its prediction is snapped."""

RUN = "predict_run"
MANY = 7
"""From so many models on, a table; each text of it is written once."""


class Run:
    """What was asked and what has come so far; safe to look at while it works."""

    def __init__(self, choices: Choices, texts: Sequence[str], origin: Origin | None) -> None:
        """Prepare the question; `start` begins.

        Raises:
            EncoderError: if the context holds no text.
            SettingsError: if no model was chosen.
        """
        clean_context(texts)
        if not choices.models:
            raise SettingsError(["No model is chosen; expected one or more. Choose them under Models."])
        self.choices, self.texts, self.origin = choices, tuple(texts), origin
        self.cards = cards_of(choices)
        self.predictions: dict[Card, Prediction] = {}
        self.errors: dict[Card, str] = {}
        self.failure: Exception | None = None
        self.stopped = False
        self.finished = False
        self.version = 0
        self.begun = self.ended = time.time()
        self._changed = threading.Condition()
        self._studio, encoder = asked.studio(), asked.encoder_id()
        if origin is not None and _stands_in(origin, choices.corpus):
            self._watch = partial(self._studio.watch, rows=origin.rows, corpus=origin.corpus, encoder=encoder)
        else:
            target = origin.target if origin else ""
            self._watch = partial(self._studio.watch, self.texts, target=target, corpus=choices.corpus, encoder=encoder)

    @property
    def truth(self) -> str:
        """The real next chunk, where it is known."""
        return self.origin.target if self.origin else ""

    @property
    def compact(self) -> bool:
        """Whether there are so many models that they stand in a table."""
        return len(self.choices.models) >= MANY

    @property
    def n_done(self) -> int:
        """How many texts are final."""
        return sum(prediction.done for prediction in self.predictions.values()) + len(self.errors)

    @property
    def seconds(self) -> float:
        """How long it has been going on, or took."""
        return (self.ended if self.finished else time.time()) - self.begun

    def same_question(self, choices: Choices, texts: Sequence[str]) -> bool:
        """Return whether this answers what is asked now."""
        return (self.choices, self.texts) == (choices, tuple(texts))

    def start(self) -> "Run":
        """Begin, or go on where it was stopped: what was written comes from the cache."""
        self.stopped = self.finished = False
        self.begun = time.time()
        threading.Thread(target=self._work, name="predict", daemon=True).start()
        return self

    def stop(self) -> None:
        """End after the texts that are being written."""
        self.stopped = True

    def wait(self, version: int, longest_s: float) -> int:
        """Return the version there is, as soon as it is another than `version`, or after `longest_s`."""
        with self._changed:
            self._changed.wait_for(lambda: self.version != version or self.finished, longest_s)
            return self.version

    def _work(self) -> None:
        try:
            for prediction in self._answers(list(self.choices.models)):
                if self.stopped:
                    break
                self._note((prediction.model, prediction.snap_on), prediction)
        except Exception as error:  # the page raises it: nobody looks at a thread
            self.failure = error
        finally:
            self.finished, self.ended = True, time.time()
            with self._changed:
                self.version += 1
                self._changed.notify_all()

    def _note(self, card: Card, prediction: Prediction) -> None:
        before = self.predictions.get(card)
        if before is not None and before.done and not prediction.done:
            return  # it goes on where it was stopped
        with self._changed:
            self.predictions[card] = prediction
            self.version += 1
            self._changed.notify_all()

    def _answers(self, models: Sequence[str]) -> Iterator[Prediction]:
        """Yield the predictions of `models`; a model that fails leaves the others alone."""
        settings = self.choices.settings
        if self.compact:
            settings = replace(settings, adaptive=replace(settings.adaptive, ladder=settings.adaptive.ladder[:1]))
        try:
            yield from self._watch(models=models, settings=settings)
        except LvmError as error:
            if len(models) < 2:
                self.errors |= {card: str(error) for card in self.cards if card[0] in models}
                return
            done = {model for (model, _), prediction in self.predictions.items() if prediction.done}
            for name in [name for name in models if name not in done]:
                yield from self._answers([name])


def _stands_in(origin: Origin, corpus: str | None) -> bool:
    """Return whether a context is asked by its rows, which keep its own article and the answer out of sight."""
    return bool(origin.rows) and corpus in (None, origin.corpus) and asked.rows_known(origin.corpus)


def cards_of(choices: Choices) -> list[Card]:
    """Return the cards to be filled, in the order of the screen."""
    both = {"off": (False,), "on": (True,), "both": (False, True)}[choices.settings.snap]
    snaps = both if asked.space().corpora else (False,)
    return [
        (model, on)
        for model in choices.models
        for on in (snaps if model != PASSTHROUGH else (False,))
    ]  # fmt: skip


def current() -> Run | None:
    """Return the prediction of this session, done or under way."""
    run: Run | None = st.session_state.get(RUN)
    return run


def begin(choices: Choices, texts: Sequence[str], origin: Origin | None) -> Run:
    """Begin a prediction in place of the one before."""
    run = Run(choices, texts, origin)
    before = current()
    if before is not None:
        before.stop()
    st.session_state[RUN] = run.start()
    return run

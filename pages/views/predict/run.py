"""One question under way, on a thread of its own: it goes on when the page is left, and stops when it is told to."""

import contextlib
import functools
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

import streamlit as st

from lvm_core import opened
from lvm_core.errors import LvmError, SettingsError
from lvm_core.predict import PASSTHROUGH, Prediction, Predictor, PredictSettings, Question
from lvm_core.predict.context import clean_context
from lvm_core.predict.text import Texts
from lvm_core.workspace import Workspace
from pages.shared import state
from pages.views.predict.form import Choices
from pages.views.predict.origin import Origin

Card = tuple[str, bool]
"""A model, and whether its prediction is snapped."""

RUN = "predict_run"
MANY = 7
"""From so many models on, a table; each text of it is written once."""

_WARMED = threading.Event()

Key = tuple[str, str, str | None, tuple[tuple[object, ...], ...]]


@functools.lru_cache(maxsize=4)
def _predictor(key: Key) -> Predictor:
    encoder = state.encoder_called(key[1])
    return Predictor(Workspace(key[0]), corpus=key[2], encoder=encoder, texts=_texts(key[0], key[1], key[3][0]))


@functools.lru_cache(maxsize=2)
def _texts(root: str, encoder: str, inverters: tuple[object, ...]) -> Texts:  # noqa: ARG001 - part of the key
    """Return the decoders of a space: they stay loaded when corpora and models change."""
    return Texts(Workspace(root), state.encoder_called(encoder))


def predictor_on(corpus: str | None) -> Predictor:
    """Return the predictor of the page's space that stands on `corpus`, None for the largest; it is made once."""
    return _predictor(_key(corpus))


def warm(models: Sequence[str]) -> None:
    """Load encoder, `models` and decoder in the background once a process; the first prediction need not wait.

    Called when all else of the page is shown, for loading takes the processor.
    """
    if _WARMED.is_set():
        return
    _WARMED.set()
    key = _key(None)

    def load() -> None:
        with contextlib.suppress(LvmError):
            _predictor(key).load(models, PredictSettings())

    threading.Thread(target=load, name="warm-predictor", daemon=True).start()


def _key(corpus: str | None) -> Key:
    """Return what a predictor is remembered by: it is made anew when models or vectors have changed."""
    space = state.encoder_id()
    inverters = opened.stamp(state.workspace().root / "inverters")
    stamps = tuple(opened.stamp(state.workspace().vectors(c.name, space)) for c in state.corpora())
    runs = tuple((info.ref, opened.stamp(info.path)) for info in state.models())
    return (str(state.workspace().root), state.encoder_name(), corpus, (inverters, *stamps, *runs))


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
        encoded = {info.name for info in state.encoded_corpora()}
        in_corpus = origin is not None and bool(origin.rows) and origin.corpus in encoded
        if in_corpus and origin is not None and choices.corpus in (None, origin.corpus):
            self._question = Question(rows=origin.rows, target_row=origin.target_row)
            self._key = _key(origin.corpus)
        else:
            self._question = Question(self.texts, target_text=origin.target if origin else "")
            self._key = _key(choices.corpus)

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
            yield from _predictor(self._key).watch(self._question, models, settings)
        except LvmError as error:
            if len(models) < 2:
                self.errors |= {card: str(error) for card in self.cards if card[0] in models}
                return
            done = {model for (model, _), prediction in self.predictions.items() if prediction.done}
            for name in [name for name in models if name not in done]:
                yield from self._answers([name])


def cards_of(choices: Choices) -> list[Card]:
    """Return the cards to be filled, in the order of the screen."""
    both = {"off": (False,), "on": (True,), "both": (False, True)}[choices.settings.snap]
    snaps = both if state.encoded_corpora() else (False,)
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

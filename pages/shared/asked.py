"""Who answers Predict: this machine, or a service by its address. One `Studio` either way; no page asks which."""

import os
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache

import streamlit as st

from lvm_core.boundary.values import from_environment
from lvm_core.errors import LvmError
from lvm_core.library import Space, Studio
from lvm_core.predict import Prediction, PredictSettings
from lvm_core.predict.batch import NamedContext
from pages.shared import state, ui

ADDRESS, KEY = "service_address", "service_key"
"""Session keys: the service in use, as the System page has it; the key is kept in the session alone."""

CURRENT_S = 10
"""Seconds for which what a service offers is taken for current."""

SILENCE_S = 150.0
_WARMED = threading.Event()


def address() -> str:
    """Return the address of the service in use, "" where this machine answers."""
    given: str = st.session_state.get(ADDRESS, from_environment("LVM_SERVICE_URL", ""))
    return given.strip()


def studio() -> Studio:
    """Return who answers."""
    return _studio(address() or str(state.workspace().root), _key())


@lru_cache(maxsize=8)
def _studio(where: str, key: str) -> Studio:
    return Studio(where, key=key, timeout_s=SILENCE_S)


def _key() -> str:
    key: str = st.session_state.get(KEY, os.environ.get("LVM_SERVICE_KEY", ""))
    return key.strip() if address() else ""


def space() -> Space:
    """Return the models, decoders and corpora that can be asked: of the encoder in use here, or of the service's own.

    Raises:
        ServiceError: if the service is away, wants another key, or is of another release.
    """
    where = address()
    return _offered(where, _key()) if where else studio().space(state.encoder_id())


def encoder_id() -> str:
    """Return the id of the encoder in whose space is asked."""
    return space().encoder if address() else state.encoder_id()


@st.cache_data(ttl=CURRENT_S, show_spinner=False, max_entries=8)
def _offered(where: str, key: str) -> Space:
    return _studio(where, key).space()


def host_shown() -> None:
    """Say which service answers, where one does."""
    if address():
        st.caption(f"Host: {ui.plain(studio().place)}. Models, encoder, decoder and corpora are those of this service.")


def headline() -> str:
    """Return who leads the board of this machine, where it answers; see `verdict.headline`."""
    from lvm_core.leaderboard import verdict

    return "" if address() else verdict.headline(state.workspace(), state.encoder_id())


def rows_known(corpus: str) -> bool:
    """Return whether a corpus here is one of those that are asked, word for word, so that its rows can be named."""
    here = {info.name: info.digest for info in state.corpora()}
    return any((info.name, info.digest) == (corpus, here.get(corpus)) for info in space().corpora)


def warm(models: Sequence[str]) -> None:
    """Load encoder, `models` and decoder in the background once a process; the first prediction need not wait.

    Called when all else of the page is shown, for loading takes the processor.
    """
    if _WARMED.is_set():
        return
    _WARMED.set()
    who, encoder = studio(), encoder_id()

    def load() -> None:
        with suppress(LvmError):
            who.load(models, encoder=encoder)

    threading.Thread(target=load, name="warm-predictor", daemon=False).start()  # torch dies loudly where it is cut off


@dataclass(frozen=True, slots=True)
class Contexts:
    """Answers many contexts, on one corpus and in one space; for threads, which have no session."""

    studio: Studio
    corpus: str | None
    encoder: str

    def load(self, models: Sequence[str], settings: PredictSettings) -> None:
        """Raise what holds for every context."""
        self.studio.load(models, self.corpus, self.encoder, settings)

    def predict_all(
        self, contexts: Sequence[NamedContext], models: Sequence[str], settings: PredictSettings
    ) -> Sequence[Sequence[Prediction] | LvmError]:
        """Return what each of `models` predicts after each context."""
        return self.studio.predict_all(
            [context.chunks for context in contexts], models, targets=[context.target for context in contexts],
            corpus=self.corpus, encoder=self.encoder, settings=settings,
        )  # fmt: skip


def contexts(corpus: str | None) -> Contexts:
    """Return what answers the contexts of a file."""
    return Contexts(studio(), corpus, encoder_id())

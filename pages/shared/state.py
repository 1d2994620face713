"""What pages open and remember: session keys, and the way from any page to Predict.

What is opened is shared by every session (`lvm_core.opened`): a page holds no matrix, model or decoder of its own.
"""

import contextlib
import os
import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from lvm_core.command_line import arguments
from lvm_core.encoders import DEFAULT_ENCODER, ENCODERS
from lvm_core.encoders.tmd import base_name
from lvm_core.errors import LvmError
from lvm_core.workspace import Workspace

if TYPE_CHECKING:
    from lvm_core.checkpoint import ModelInfo
    from lvm_core.corpus.store import CorpusStore
    from lvm_core.jobs.store import JobStore
    from lvm_core.types import CorpusInfo, Encoder, Index
    from lvm_core.vectors.matrix import VectorMatrix

ENCODER_KEY = "encoder"
"""Session key: name of the encoder in use on every page."""

SENT_KEY = "sent_to_predict"
"""Session key: `{"corpus": name, "rows": [...]}` on its way to the Predict page."""

FIRST_CORPUS = "enwiki-sample"
"""The corpus that comes with the studio."""


def workspace() -> Workspace:
    """Return the workspace of LVM_WORKSPACE, else ./workspace."""
    return Workspace(os.environ.get("LVM_WORKSPACE"))


def store() -> "CorpusStore":
    """Return the store of corpora; it opens a short connection a call, so any thread may use it."""
    from lvm_core.corpus.store import CorpusStore

    return CorpusStore(workspace())


def jobs() -> "JobStore":
    """Return the store of background jobs."""
    from lvm_core.jobs.store import JobStore

    return JobStore(workspace())


# ---------------------------------------------------------------- what a session remembers


class Recent(OrderedDict[Any, Any]):
    """The last few results of one kind in a session; the oldest makes room."""

    MOST = 24

    def __setitem__(self, key: Any, value: Any) -> None:
        """Keep `value`."""
        super().__setitem__(key, value)
        while len(self) > self.MOST:
            self.popitem(last=False)


def recent(kind: str) -> Recent:
    """Return the session's results of `kind`, to look up and to add to: small things, texts and numbers."""
    results: Recent = st.session_state.setdefault(kind, Recent())
    return results


# ---------------------------------------------------------------- encoder


def encoder_name() -> str:
    """Return the name of the encoder in use, chosen on the System page; an id where only its vectors are here."""
    name: str = st.session_state.get(ENCODER_KEY, DEFAULT_ENCODER)
    return name if (base_name(name) or name) in ENCODERS or name in stored_spaces() else DEFAULT_ENCODER


def stored_spaces() -> list[str]:
    """Return the ids of spaces that corpora have vectors of, and no encoder of the list makes."""
    from lvm_core.spaces import spaces_without_encoder

    return spaces_without_encoder(workspace()) if workspace().database.exists() else []


def command_of_encoder(command: str, corpus: str) -> list[str]:
    """Return the command that works on `corpus` with the encoder in use, named only where it is not the default."""
    name = encoder_name()
    return arguments(command, {"corpus": corpus, "encoder": name if name != DEFAULT_ENCODER else None})


@st.cache_resource(show_spinner=False)
def _encoder_id(name: str) -> str:
    from lvm_core.encoders import encoder_id

    return encoder_id(name)


def encoder_id() -> str:
    """Return the id of the encoder in use, without loading its net."""
    name = encoder_name()
    return name if "@" in name else _encoder_id(name)


def encoder() -> "Encoder":
    """Return the encoder in use, loaded once a process."""
    return encoder_called(encoder_name())


def encoder_called(name: str) -> "Encoder":
    """Return the encoder called `name`, loaded once a process; for threads, which have no session."""
    from lvm_core import opened

    return opened.encoder(workspace(), name if "@" in name else _encoder_id(name))


@st.cache_resource(show_spinner=False)
def warm() -> None:
    """Load the embedded encoder in the background once a process, so that the first prediction need not wait."""

    def load() -> None:
        with contextlib.suppress(LvmError):
            encoder_called(DEFAULT_ENCODER)

    threading.Thread(target=load, name="warm-encoder", daemon=False).start()  # torch dies loudly where it is cut off


# ---------------------------------------------------------------- corpora and their vectors


def corpora() -> "list[CorpusInfo]":
    """Return the corpora of the workspace; none where it is empty."""
    return store().corpora() if workspace().database.exists() else []


def licence_of(corpus: str | None) -> str:
    """Return the licence of a corpus's text in words, "" where no corpus here is called so."""
    known = {info.name: info.licence or "Licence of this text: not stated." for info in corpora()}
    return known.get(corpus or "", "")


def encoded_corpora(space: str | None = None) -> "list[CorpusInfo]":
    """Return the corpora whose vectors of the encoder id `space` (default: the one in use) are complete."""
    from lvm_core.vectors.matrix import encoded_with

    wanted = space or encoder_id()
    return [corpus for corpus in corpora() if wanted in encoded_with(workspace(), corpus.name)]


def matrix(corpus: str, space: str | None = None) -> "VectorMatrix":
    """Return the vectors of `corpus` by the encoder id `space` (default: the one in use), as a memmap."""
    from lvm_core import opened

    return opened.matrix(workspace(), corpus, space or encoder_id())


def index(corpus: str, space: str | None = None) -> "Index":
    """Return the nearest-chunk index of `corpus` by the encoder id `space` (default: the one in use)."""
    from lvm_core import opened

    return opened.index(workspace(), corpus, space or encoder_id())


# ---------------------------------------------------------------- models


def models(space: str | None = None) -> "list[ModelInfo]":
    """Return the shipped models and the runs for the encoder id `space` (default: the one in use)."""
    from lvm_core.checkpoint import list_models

    return list_models(workspace(), space or encoder_id())


def send_to_predict(corpus: str, rows: Sequence[int]) -> None:
    """Open the Predict page with these chunks of `corpus` as the context, the chunk after them as target."""
    sent: dict[str, str | list[int]] = {"corpus": corpus, "rows": [int(row) for row in rows]}
    st.session_state[SENT_KEY] = sent
    st.switch_page("pages/predict.py")

"""What the studio knows of a decoder before any of its files is read."""

from collections.abc import Callable
from dataclasses import dataclass

from lvm_core.snap import Exclude
from lvm_core.types import Decoder, Encoder, Progress, no_progress
from lvm_core.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Opening:
    """What a decoder is opened for; each kind takes of it what concerns it.

    Attributes:
        workspace: where trained inverters and corpora lie.
        encoder: the space of the vectors; decoders re-embed what they write with it.
        corpus: whose chunks the extractive decoder gives, whose mean norm an unnormalised space takes; None for any.
        exclude: rows of the corpus that must not be answers: the same for all vectors, or one array a vector.
        progress: told while it loads, where that takes seconds.
    """

    workspace: Workspace
    encoder: Encoder
    corpus: str | None = None
    exclude: Exclude = None
    progress: Progress = no_progress


@dataclass(frozen=True, slots=True)
class DecoderKind:
    """One decoder: how it is shown, whether it is here, how to get it, and how it opens.

    Attributes:
        title: its name as people read it.
        about: one line for people.
        method: what its texts call themselves (`Decoded.method`).
        origin: one sentence under a text: how it came about.
        here: whether its files are here for vectors of an encoder id, without loading anything.
        get: the command that brings it for the encoder of that name.
        open: returns the decoder, or raises an LvmError that says what is missing.
        writes: whether it writes text of its own; the nearest real chunk is not written.
    """

    title: str
    about: str
    method: str
    origin: str
    here: Callable[[Workspace, str], bool]
    get: Callable[[str], str]
    open: Callable[[Opening], Decoder]
    writes: bool = True

"""What comes back of a prediction: one model, one vector, its text, and everything that led there."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from lvm_core.decode.adaptive import Decoding
from lvm_core.types import Chunk, Rows, Vectors

PASSTHROUGH = "passthrough"
"""The model that copies: the last chunk's own vector is decoded, the ceiling of what text can come back."""


@dataclass(frozen=True, slots=True)
class Note:
    """Something to be said of a prediction, and what it is about."""

    about: Literal["corpus", "context", "language", "model", "decoder", "smoothing"]
    text: str


@dataclass(frozen=True, slots=True)
class Context:
    """T chunks with their vectors (T, D), unit norm, their rows where they are in the corpus, and the true next chunk.

    `target` is None outside the corpus; `target_text` and `target_vector` (D,) are there wherever its text is known.
    `encoder_id` is that of all vectors.
    """

    texts: tuple[str, ...]
    vectors: Vectors
    rows: Rows
    target: Chunk | None = None
    target_text: str = ""
    target_vector: Vectors | None = None
    notes: tuple[Note, ...] = ()
    encoder_id: str = ""


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A chunk near a prediction, its cosine to that, its weight in the snap (0: took no part), its vector (D,)."""

    chunk: Chunk
    cosine: float
    weight: float
    vector: Vectors


@dataclass(frozen=True, slots=True)
class Remembered:
    """A place of a model's memory that was like this one: its last chunk, and what came `next`.

    `cosine` is that of the places, `weight` the place's share in what the memory adds to the prediction.
    """

    last: Chunk
    next: Chunk
    cosine: float
    weight: float


@dataclass(frozen=True, slots=True)
class Timings:
    """Milliseconds of each stage. `snap` is the search for neighbours and the blend, one for all models.

    `load`: weights that were read for the first time. `decode`: the vector's share of a batch of `batch`.
    `waited`: from the question to the text, all that lay between.
    """

    encode: float
    predict: float
    snap: float
    decode: float = 0.0
    smooth: float | None = None
    load: float = 0.0
    batch: int = 1
    cached: bool = False
    waited: float = 0.0

    @property
    def total(self) -> float:
        """The sum of the stages; what was loaded once is no part of it."""
        return self.encode + self.predict + self.snap + self.decode + (self.smooth or 0.0)

    def stages(self) -> dict[str, float]:
        """Return the stages by name, and their total; smoothing only where there was some."""
        stages = {"encode": self.encode, "predict": self.predict, "snap": self.snap, "decode": self.decode}
        if self.smooth is not None:
            stages["smooth"] = self.smooth
        return {**stages, "total": self.total}


@dataclass(frozen=True, slots=True)
class Prediction:
    """What one model says comes next. The raw and the snapped prediction of a model are two of these.

    Attributes:
        model: its ref.
        kind: net, baseline or passthrough.
        context: what all predictions of one question share.
        raw: (D,) what the model said, unit norm.
        vector: (D,) what was put into words: `raw`, or pulled onto the corpus.
        snap_on: whether it was.
        drift_clamped: whether the snap left the context and its weights were lowered.
        neighbours: of a snapped prediction the chunks nearest to `raw`, which pulled it; else those that the model's
            query finds, best first: the nearest to `raw` where it has none.
        decoding: its text, and what was tried.
        timings: where the time went.
        corpus: what it stood on, None where there was no corpus.
        decoder: id of the decoder, "" for none.
        smoothed: the text rewritten by a language model, and by which.
        notes: what is to be said of it.
        remembered: where the model has a memory, the places that it went by, the weightiest first.
    """

    model: str
    kind: str
    context: Context
    raw: Vectors
    vector: Vectors
    snap_on: bool
    drift_clamped: bool
    neighbours: tuple[Neighbour, ...]
    decoding: Decoding
    timings: Timings
    corpus: str | None = None
    decoder: str = ""
    smoothed: str | None = None
    smoothed_by: str = ""
    notes: tuple[Note, ...] = ()
    remembered: tuple[Remembered, ...] = ()

    @property
    def text(self) -> str:
        """The text shown; "" where there is neither decoder nor corpus."""
        return self.decoding.decoded.text

    @property
    def method(self) -> str:
        """How the prediction became text, as reports call it; the text of `decoding` says how it was written."""
        return PASSTHROUGH if self.kind == PASSTHROUGH and self.text else self.decoding.decoded.method

    @property
    def steps(self) -> int:
        """Corrections after the first hypothesis."""
        return self.decoding.decoded.steps

    @property
    def round_trip_cosine(self) -> float | None:
        """Cosine of the vector and the encoded text."""
        return self.decoding.decoded.round_trip_cosine if self.text else None

    @property
    def cosine_to_target(self) -> float | None:
        """Cosine of the vector and the true next chunk, where that is known."""
        return _cosine(self.vector, self.context.target_vector)

    @property
    def raw_cosine_to_target(self) -> float | None:
        """The same of what the model said."""
        return _cosine(self.raw, self.context.target_vector)

    @property
    def done(self) -> bool:
        """Whether its text is final; a better one may come of a prediction that is not."""
        return self.decoding.done

    @property
    def note(self) -> str:
        """All notes in one line."""
        return " ".join(note.text for note in self.notes)


def _cosine(vector: Vectors, target: Vectors | None) -> float | None:
    return None if target is None else float(np.dot(vector, target))

"""What a `Studio` asks of whatever answers it: this machine's engine, or a service by its address."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from lvm_core.json_shapes import Json, Value
from lvm_core.predict.prediction import Prediction
from lvm_core.predict.settings import PredictSettings
from lvm_core.types import CorpusInfo, Decoded, Progress, Vectors

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lvm_core.errors import LvmError
    from lvm_core.evaluate.rows import Row
    from lvm_core.forecast import Forecast
    from lvm_core.library.results import Found
    from lvm_core.study.map import VectorMap


@dataclass(frozen=True, slots=True)
class Ask:
    """What comes after `chunks`, oldest first, or after the `rows` of a corpus?

    Attributes:
        chunks: the context; empty where `rows` says which it is.
        rows: consecutive rows of `corpus`.
        target: the true next chunk, where its text is known; that of rows is known by itself.
        models: refs; empty for all that come along.
        corpus: what the snap stands on; None for the largest of the space.
        encoder: name or id; None for the models' own, else the default one.
        settings: snap, decoder, steps, checks.
    """

    chunks: tuple[str, ...] = ()
    rows: tuple[int, ...] | None = None
    target: str = ""
    models: tuple[str, ...] = ()
    corpus: str | None = None
    encoder: str | None = None
    settings: PredictSettings = field(default_factory=PredictSettings)


@dataclass(frozen=True, slots=True)
class ModelSummary:
    """A model that can be asked: a run, one that came along, or a fitted baseline.

    `context` is the most chunks it reads, `encoder` the id of its space, `created` seconds since 1970.
    """

    ref: str
    name: str
    kind: str
    encoder: str
    context: int
    n_parameters: int
    shipped: bool
    validation_cosine: float
    created: float


@dataclass(frozen=True, slots=True)
class Space:
    """What can be asked in the space of the encoder id `encoder`: its models, decoders (best first) and corpora."""

    encoder: str
    models: list[ModelSummary]
    decoders: list[str]
    corpora: list[CorpusInfo]


class Backend(Protocol):
    """One studio that answers; `Studio` says what each verb takes, gives and raises."""

    @property
    def place(self) -> str:
        """Where it is: a folder, or an address without user and query."""
        ...

    def watch(self, ask: Ask, unfinished: bool) -> "Iterator[Prediction]": ...

    def predict_all(self, asks: "Sequence[Ask]") -> "list[tuple[Prediction, ...] | LvmError]": ...

    def load(self, ask: Ask) -> None: ...

    def space(self, encoder: str | None) -> Space: ...

    def models(self) -> list[ModelSummary]: ...

    def corpora(self) -> list[CorpusInfo]: ...

    def encode(self, texts: "Sequence[str]", encoder: str | None) -> Vectors: ...

    def decode(
        self, vectors: Vectors, steps: int, decoder: str, encoder: str | None, corpus: str | None
    ) -> list[Decoded]: ...

    def infer(self, contexts: Vectors, model: str, encoder: str | None) -> "Forecast": ...

    def search(self, query: str, corpus: str | None, k: int, encoder: str | None, words: bool) -> "list[Found]": ...

    def board(self) -> "list[Row]": ...

    def command(self, name: str, values: "Mapping[str, Value]", progress: Progress) -> Json:
        """Run a command of the command line and return what `--json` prints."""
        ...

    def map(self, key: str) -> "VectorMap | None": ...

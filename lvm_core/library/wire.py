"""A studio's verbs over HTTP: what each asks and answers as JSON, written once for the client and for the service.

`POST /library/PROTOCOL/VERB`. Values are the engine's own (`boundary.plain` and back), arrays exact. `watch` answers
with server-sent events instead: `context` whenever it changes, `prediction` without it, then `end` or `problem`.
`command` begins a job, and `job` says how far it is and, at the end, what the command gave.
"""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from lvm_core.boundary.json_values import from_json
from lvm_core.boundary.plain import plain
from lvm_core.errors import SettingsError
from lvm_core.json_shapes import Json
from lvm_core.library.backend import Ask, Backend, ModelSummary
from lvm_core.library.results import Found
from lvm_core.predict.prediction import Context, Prediction
from lvm_core.types import CorpusInfo, Decoded, Vectors

PROTOCOL = 1
"""Raised when a question or an answer changes its shape: a client and a service of two protocols refuse one another."""

WATCH, COMMAND, JOB = "watch", "command", "job"
REMEDY = "Use the same release of the studio on both sides."


@dataclass(frozen=True, slots=True)
class Watch:
    """A question, and whether texts are wanted as they grow."""

    ask: Ask
    unfinished: bool


@dataclass(frozen=True, slots=True)
class Nothing:
    """A question that needs no words."""


@dataclass(frozen=True, slots=True)
class Named:
    """An encoder by name or id."""

    encoder: str | None = None


@dataclass(frozen=True, slots=True)
class Encode:
    """Texts to encode."""

    texts: list[str]
    encoder: str | None = None


@dataclass(frozen=True, slots=True)
class Decode:
    """Vectors (N, D) to decode."""

    vectors: Vectors
    steps: int
    decoder: str
    encoder: str | None = None
    corpus: str | None = None


@dataclass(frozen=True, slots=True)
class Infer:
    """Contexts (..., T, D) to go on from."""

    contexts: Vectors
    model: str
    encoder: str | None = None


@dataclass(frozen=True, slots=True)
class Search:
    """A query, by meaning or by words."""

    query: str
    corpus: str | None
    k: int
    encoder: str | None
    words: bool


@dataclass(frozen=True, slots=True)
class Key:
    """A map by its key, or a job by its id."""

    key: str


@dataclass(frozen=True, slots=True)
class Command:
    """A command and its settings, by name."""

    name: str
    values: dict[str, Any]


@dataclass(frozen=True, slots=True)
class JobAnswer:
    """How far a job is; `result` is what its command gave, once it is done."""

    id: str
    state: str
    progress: float = 0.0
    message: str = ""
    result: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class VectorsAnswer:
    """Vectors (N, D)."""

    vectors: Vectors


@dataclass(frozen=True, slots=True)
class Models:
    """Models of every space."""

    models: list[ModelSummary]


@dataclass(frozen=True, slots=True)
class Corpora:
    """Corpora."""

    corpora: list[CorpusInfo]


@dataclass(frozen=True, slots=True)
class Texts:
    """A text for each vector."""

    texts: list[Decoded]


@dataclass(frozen=True, slots=True)
class Finds:
    """What a search found."""

    found: list[Found]


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of the board, as `Row.to_json` has them."""

    rows: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class MapAnswer:
    """A map that is kept; `there` is False where none is."""

    there: bool
    coordinates: dict[str, Vectors] = field(default_factory=dict)
    axes: list[str] = field(default_factory=list)
    note: str = ""


def _map(studio: Backend, asked: Key) -> MapAnswer:
    made = studio.map(asked.key)
    if made is None:
        return MapAnswer(False)
    return MapAnswer(True, {str(group): xy for group, xy in made.coordinates.items()}, list(made.axes), made.note)


_VERBS: dict[str, tuple[type[Any], Callable[[Backend, Any], Any]]] = {
    "space": (Named, lambda studio, asked: studio.space(asked.encoder)),
    "models": (Nothing, lambda studio, _: Models(studio.models())),
    "corpora": (Nothing, lambda studio, _: Corpora(studio.corpora())),
    "encode": (Encode, lambda studio, asked: VectorsAnswer(studio.encode(asked.texts, asked.encoder))),
    "decode": (
        Decode,
        lambda studio, a: Texts(studio.decode(a.vectors, a.steps, a.decoder, a.encoder, a.corpus)),
    ),
    "infer": (Infer, lambda studio, asked: studio.infer(asked.contexts, asked.model, asked.encoder)),
    "search": (
        Search,
        lambda studio, asked: Finds(studio.search(asked.query, asked.corpus, asked.k, asked.encoder, asked.words)),
    ),
    "board": (Nothing, lambda studio, _: Rows([row.to_json() for row in studio.board()])),
    "map": (Key, _map),
}
"""Verbs that are answered at once: what they ask, and who answers."""


def answer(studio: Backend, verb: str, body: Json) -> Json:
    """Return what `studio` answers to a verb, as JSON.

    Raises:
        SettingsError: if there is no such verb, or the body is not what it asks.
        LvmError: whatever the verb raises.
    """
    if verb not in _VERBS:
        raise SettingsError(
            [f"There is no verb {verb!r}; expected one of {', '.join([*_VERBS, WATCH, COMMAND, JOB])}."]
        )
    asks, verb_of = _VERBS[verb]
    made: Json = plain(verb_of(studio, read(asks, body)))
    return made


def read(shape: type[Any], body: Any) -> Any:
    """Return a body as what is asked.

    Raises:
        LvmError: naming the first field that does not fit.
    """
    return from_json(shape, body, "The request", REMEDY)


def without_context(prediction: Prediction) -> Json:
    """Return a prediction as JSON, its context left out: one is shared by many."""
    fields = {f.name: getattr(prediction, f.name) for f in dataclasses.fields(prediction) if f.name != "context"}
    made: Json = plain(fields)
    return made


def prediction_of(body: Json, context: Context, what: str) -> Prediction:
    """Return the prediction of what `without_context` made."""
    nothing = plain(Context((), context.vectors[:0], context.rows[:0]))
    found: Prediction = from_json(Prediction, {**body, "context": nothing}, what, REMEDY, extra=True)
    return dataclasses.replace(found, context=context)

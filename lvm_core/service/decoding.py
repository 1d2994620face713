"""Vectors of many requests, decoded together where one decoder says them in as many steps."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lvm_core.decode.adaptive import at_step, decode_hypotheses
from lvm_core.decode.budget import last_of
from lvm_core.errors import DecoderError, LvmError
from lvm_core.predict.pipeline import Predictor
from lvm_core.service.engine import Engine
from lvm_core.service.lane import Ticket
from lvm_core.service.shapes import SaidJson
from lvm_core.service.vectors import as_vectors
from lvm_core.types import Decoder
from lvm_core.types import Vectors as Array


@dataclass(frozen=True, slots=True)
class Vectors:
    """Vectors to decode, and by what."""

    vectors: list[list[float]]
    encoder: str | None
    decoder: str
    steps: int
    corpus: str | None
    budget_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """Texts, the encoder whose vectors they were made of, and the decoder that made them."""

    encoder: str
    decoder: str
    texts: list[SaidJson]


class Decoding:
    """Work that decodes."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def run(self, tickets: Sequence[Ticket[Vectors]]) -> None:
        """Decode the vectors of all requests, and give each its own texts."""
        groups: dict[tuple[Predictor, Decoder, int, int | None], list[tuple[Ticket[Vectors], Array]]] = {}
        for ticket in tickets:
            try:
                predictor, decoder = self._opened(ticket.request)
                vectors = as_vectors(ticket.request.vectors, predictor.encoder.dim, "The vectors")
            except LvmError as error:
                ticket.fail(error)
                continue
            way = (predictor, decoder, ticket.request.steps, ticket.request.budget_ms)
            groups.setdefault(way, []).append((ticket, vectors))
        for (predictor, decoder, steps, budget_ms), members in groups.items():
            try:
                _decode(predictor, decoder, steps, budget_ms, members)
            except LvmError as error:
                for ticket, _ in members:
                    ticket.fail(error)

    def _opened(self, wanted: Vectors) -> tuple[Predictor, Decoder]:
        predictor = self._engine.predictor(self._engine.space(wanted.encoder), wanted.corpus)
        corpus = predictor.corpus
        nearest = corpus.decoder(np.empty(0, dtype=np.int64), ()) if corpus else None
        answerer = predictor.texts.answerer(wanted.decoder, corpus, nearest)
        decoder = answerer.decoder or answerer.nearest
        if decoder is None:
            raise DecoderError(
                f"The decoder '{wanted.decoder}' gives no text here",
                "one of those at /info",
                "Encode a corpus, or train one: python -m lvm_core train-inverter",
            )
        return predictor, decoder


def _decode(
    predictor: Predictor,
    decoder: Decoder,
    steps: int,
    budget_ms: int | None,
    members: Sequence[tuple[Ticket[Vectors], Array]],
) -> None:
    vectors, cache = np.concatenate([own for _, own in members]), predictor.texts.cache
    if budget_ms is None:
        texts = iter([at_step(run, steps) for run, _ in decode_hypotheses(decoder, vectors, steps, cache)])
    else:
        texts = iter(last_of(decoder, vectors, budget_ms, cache))
    for ticket, own in members:
        said = [next(texts) for _ in own]
        ticket.send(
            Said(
                predictor.encoder.id,
                decoder.id,
                [
                    SaidJson(text=t.text, method=t.method, steps=t.steps, round_trip_cosine=t.round_trip_cosine)
                    for t in said
                ],
            )
        )
        ticket.end()

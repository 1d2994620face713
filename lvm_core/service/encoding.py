"""Texts of many requests, encoded together."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lvm_core.encoders.batching import check_texts
from lvm_core.errors import LvmError
from lvm_core.service.engine import Engine
from lvm_core.service.lane import Ticket
from lvm_core.types import Vectors


@dataclass(frozen=True, slots=True)
class Texts:
    """Texts to encode, and the encoder's name or id; None is the default one."""

    texts: list[str]
    encoder: str | None


@dataclass(frozen=True, slots=True)
class Encoded:
    """Vectors (N, D) and the id of the encoder that made them."""

    encoder: str
    vectors: Vectors


class Encoding:
    """Work that encodes all texts of all requests for one encoder in one call."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def run(self, tickets: Sequence[Ticket[Texts]]) -> None:
        """Encode, and give each request its own vectors."""
        by_encoder: dict[str | None, list[Ticket[Texts]]] = {}
        for ticket in tickets:
            try:
                check_texts(ticket.request.texts)
            except LvmError as error:
                ticket.fail(error)
                continue
            by_encoder.setdefault(ticket.request.encoder, []).append(ticket)
        for encoder, together in by_encoder.items():
            try:
                self._encode(encoder, together)
            except LvmError as error:
                for ticket in together:
                    ticket.fail(error)

    def _encode(self, encoder: str | None, tickets: list[Ticket[Texts]]) -> None:
        found = self._engine.encoder(encoder)
        vectors = found.encode([text for ticket in tickets for text in ticket.request.texts])
        ends = np.cumsum([len(ticket.request.texts) for ticket in tickets])
        for ticket, own in zip(tickets, np.split(vectors, ends[:-1]), strict=True):
            ticket.send(Encoded(found.id, own))
            ticket.end()


async def encoding(engine: Engine, texts: list[str], encoder: str | None) -> Encoded:
    """Return the vectors of texts, encoded together with those of other requests."""
    made: Encoded = await engine.ask(Encoding, Texts(texts, encoder))
    return made

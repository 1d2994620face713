"""Texts of many requests, encoded together, each text once as long as it is remembered."""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lvm_core.encoders.batching import check_texts
from lvm_core.errors import LvmError
from lvm_core.service.engine import Engine
from lvm_core.service.lane import Ticket
from lvm_core.types import Encoder, Vectors

MOST_REMEMBERED = 8_192
"""Vectors: 12 MB at D = 384. A window that moves on by one chunk has all but one of them."""


class Remembering:
    """An encoder that keeps the vectors of the texts it was asked for last; safe across threads."""

    def __init__(self, encoder: Encoder, most: int = MOST_REMEMBERED) -> None:
        """Stand before `encoder`."""
        self.plain, self.id, self.dim, self.unit_norm = encoder, encoder.id, encoder.dim, encoder.unit_norm
        self._most, self._lock = most, threading.Lock()
        self._vectors: OrderedDict[bytes, Vectors] = OrderedDict()

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return the embeddings (N, D) float32 of `texts`, in their order.

        Raises:
            EncoderError: if a text is empty or not valid Unicode.
        """
        keys = [hashlib.blake2b(text.encode(), digest_size=16).digest() for text in check_texts(texts)]
        with self._lock:
            known = {key: self._vectors[key] for key in keys if key in self._vectors}
            for key in known:
                self._vectors.move_to_end(key)
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
        if missing:
            known |= dict(zip(missing, self.plain.encode(list(missing.values())), strict=True))
            self._remember({key: known[key] for key in missing})
        return np.stack([known[key] for key in keys]) if keys else np.empty((0, self.dim), dtype=np.float32)

    def _remember(self, vectors: dict[bytes, Vectors]) -> None:
        with self._lock:
            for key, vector in vectors.items():
                self._vectors[key] = vector.copy()  # a view would keep the whole batch
            while len(self._vectors) > self._most:
                self._vectors.popitem(last=False)


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

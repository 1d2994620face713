"""An encoder that encodes each text once as long as it is remembered."""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Sequence

import numpy as np

from lvm_core.encoders.batching import check_texts
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

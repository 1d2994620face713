"""Decoders whose search for a vector goes on where it ended: batches, one at a time, each with all threads."""

import abc
import threading
from functools import partial
from typing import Generic, TypeVar

from lvm_core import abandoned
from lvm_core.device import together
from lvm_core.types import Decoded, Encoder, Vectors
from lvm_core.vectors.checks import check_steps, check_vectors
from lvm_core.vectors.geometry import unit_rows
from lvm_core.vectors.runs import Runs

BATCH = 16
"""Vectors decoded together: enough to share each pass over the weights, little enough for the caches."""

Run = TypeVar("Run")
"""The search for one vector, as far as it went."""


class Stepwise(abc.ABC, Generic[Run]):
    """A `Decoder`; `decode_all` gives the text after every step."""

    def __init__(self, id: str, encoder: Encoder, n_remembered: int) -> None:
        """Take the decoder's `id`, the encoder that judges what it says, and how many searches can be continued."""
        self.id, self.encoder_id = id, encoder.id
        self._encoder = encoder
        self._runs: Runs[Run] = Runs(n_remembered)
        self._lock = threading.Lock()

    def decode_all(self, vectors: Vectors, steps: int) -> list[list[Decoded]]:
        """Return for each of the (N, D) vectors its texts after 0, 1, .. `steps` corrections; 0: the greedy first.

        The same vector gives the same text each time, alone or among others.

        Args:
            vectors: (N, D), of any norm.
            steps: corrections, 0 to 50.

        Raises:
            DecoderError: for a wrong dimension, NaN, or a vector of zeros.
            SettingsError: for steps below 0 or above 50.
        """
        steps = check_steps(steps)
        targets = unit_rows(check_vectors(vectors, self._encoder.dim))
        texts: list[list[Decoded]] = []
        for start in range(0, len(targets), BATCH):
            with self._lock:
                try:
                    texts += together(partial(self._decode_batch, targets[start : start + BATCH], steps))
                except abandoned.Abandoned:
                    self._runs.clear()  # a search that broke off in a step would go on differently
                    raise
        return texts

    @abc.abstractmethod
    def _decode_batch(self, targets: Vectors, steps: int) -> list[list[Decoded]]:
        """Return for each of the unit vectors (n, D) its texts after 0, 1, .. `steps`."""

"""A text read chunk by chunk: what comes next after each, at a cost that does not grow with what was read.

A recurrent net keeps what it remembers and takes one step a chunk: the same numbers as from the whole text at once, to
float32 rounding. Any other model reads its context again each time.
"""

import numpy as np
import torch

from lvm_core import forecast
from lvm_core.forecast import Forecast
from lvm_core.nets.base import Recurrent, SequenceModel, unit
from lvm_core.nets.inputs import check_contexts
from lvm_core.types import Vectors

REMEMBERED = 100
"""Chunks that a filter or a query looks back at most."""


class Reading:
    """B texts of one length being read side by side by one model."""

    def __init__(self, model: SequenceModel, most: int | None = None, name: str | None = None) -> None:
        """Begin with nothing.

        Args:
            model: any net or baseline.
            most: chunks that the model looks back at most; from there on a net without an end to its memory reads the
                last `most` again each time, as a window would show them. None: no end.
            name: how a message calls the model.
        """
        self.model, self.most, self.name = model, most, name
        self.n_read = 0
        self._history: Vectors | None = None
        self._net: Recurrent | None = model if isinstance(model, Recurrent) and model.recurrent else None
        self._state: object = None

    def read(self, chunks: Vectors) -> Forecast:
        """Return what comes after `chunks` (B, T, D), which follow those read before, (B, D).

        Raises:
            ModelError: if they are empty, of another dimension or hold NaN, or the prediction does.
        """
        check_contexts(self.model, chunks)
        new = np.asarray(chunks, dtype=np.float32)
        history = new if self._history is None else np.concatenate([self._history, new], axis=1)
        self.n_read += new.shape[1]
        if self.most is not None and self.n_read > self.most:
            self._net = self._state = None
        kept = self.most if self._net is None else REMEMBERED
        self._history = history if kept is None else history[:, -kept:]
        if self._net is None:
            return forecast.after(self.model, self._history, self.name)
        return self._step(self._net, new)

    def _step(self, net: Recurrent, new: Vectors) -> Forecast:
        assert self._history is not None
        with torch.inference_mode(), forecast.evaluating(self.model):
            device = forecast.device_of(self.model)
            for place in range(new.shape[1]):
                x = unit(torch.from_numpy(new[:, place].copy()).to(device))
                change, self._state = net.step(x, self._state)
            seen = unit(torch.from_numpy(np.ascontiguousarray(self._history)).to(device))
            start = self.model.starting_point(seen)
            unscaled = self.model.onto_start(change, None if start is None else start[:, -1])
            return forecast.forecast_of(self.model, seen, unscaled, self.name)

"""What was computed for a vector, kept so that it can go on: steps 1, 3 and 5 of a decoder cost five, not nine."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from lvm_core.types import Vectors

T = TypeVar("T")


class Runs(Generic[T]):
    """The runs of the `size` vectors that were asked for last."""

    def __init__(self, size: int) -> None:
        """Remember nothing yet."""
        self.size = size
        self._runs: OrderedDict[bytes, T] = OrderedDict()

    def take(self, vectors: Vectors, start: Callable[[list[int]], Sequence[T]]) -> list[T]:
        """Return the run of each of the (N, D) vectors; equal vectors share one.

        Args:
            vectors: (N, D), compared bit by bit.
            start: begins the runs of the rows whose vectors have none yet.
        """
        keys = [row.tobytes() for row in vectors]
        new = [i for i, key in enumerate(keys) if key not in self._runs and key not in keys[:i]]
        if new:
            self._runs.update(zip([keys[i] for i in new], start(new), strict=True))
        for key in keys:
            self._runs.move_to_end(key)
        runs = [self._runs[key] for key in keys]
        while len(self._runs) > max(self.size, len(keys)):
            self._runs.popitem(last=False)
        return runs

    def clear(self) -> None:
        """Forget every run."""
        self._runs.clear()


def distinct(runs: Sequence[T]) -> list[T]:
    """Return each run once, in order."""
    return list({id(run): run for run in runs}.values())

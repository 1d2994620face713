"""An encoding under way: what is to be done, how much of it is on disk, and how long the rest takes."""

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lvm_core.types import CorpusInfo, Encoder, Rows


@dataclass(slots=True)
class Work:
    """The texts, the order they are encoded in, and how many batches of it are on disk, all of them from the first."""

    corpus: CorpusInfo
    encoder: Encoder
    texts: list[str]
    order: Rows
    batch_size: int
    n_done: int
    spent_s: float

    @property
    def n_batches(self) -> int:
        return -(-len(self.order) // self.batch_size)

    def state(self, spent_s: float) -> dict[str, object]:
        return {
            "corpus": self.corpus.name,
            "digest": self.corpus.digest,
            "encoder_id": self.encoder.id,
            "n_rows": len(self.order),
            "dim": self.encoder.dim,
            "batch_size": self.batch_size,
            "n_done": self.n_done,
            "spent_s": round(spent_s, 3),
        }

    def rows(self, first: int, last: int) -> Rows:
        """Return the rows of the batches `first` to before `last`, in the order they are encoded in."""
        return self.order[first * self.batch_size : last * self.batch_size]


def part(path: Path) -> Path:
    """Return where the matrix `path` lies until it is complete."""
    return path.with_suffix(".part")


def part_state(path: Path) -> Path:
    """Return the file that says how many batches of the matrix `path` are on disk."""
    return path.with_suffix(".part.json")


class Meter:
    """Rate and time left, by characters: the chunks that come last are short and quick."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._chars = np.cumsum([len(work.texts[i]) for i in work.order])
        self._first = self._done()
        self._start = time.monotonic()

    @property
    def spent_s(self) -> float:
        return self._work.spent_s + time.monotonic() - self._start

    def _done(self) -> int:
        return min(self._work.n_done * self._work.batch_size, len(self._work.order))

    def report(self) -> tuple[float, str]:
        """Return the share done, short of 1, and the message."""
        n_done, total = self._done(), len(self._work.order)
        elapsed = max(time.monotonic() - self._start, 1e-6)
        before = int(self._chars[self._first - 1]) if self._first else 0
        chars, all_chars = int(self._chars[n_done - 1]), int(self._chars[-1])
        left_s = (all_chars - chars) / max((chars - before) / elapsed, 1e-6)
        rate = (n_done - self._first) / elapsed
        message = f"{n_done:,} of {total:,} chunks, {rate:,.0f}/s, {left_s:.0f} s left"
        return min(chars / all_chars, 0.999), message

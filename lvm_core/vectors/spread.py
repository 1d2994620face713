"""Encoding on other machines: stretches of batches as tasks, each stretch a file, put into the matrix in order.

A stretch is encoded batch by batch as one process would, so the bytes are the same on machines of one kind.
"""

import contextlib
import functools
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lvm_core.boundary.arrays import map_array
from lvm_core.errors import WorkspaceError
from lvm_core.executors import Executor, Task, elsewhere
from lvm_core.executors.work import Desk
from lvm_core.types import Encoder, Rows
from lvm_core.vectors.work import Work
from lvm_core.workspace import Workspace, disk_errors, replacing

Encoded = tuple[int, Rows, NDArray[np.float16]]
"""How many batches are encoded with these, the rows of the matrix, and their vectors (n, D)."""

BATCHES_A_TASK = 4
"""What a lost worker costs at most; some seconds of work, so that dealing it out costs nothing."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Who encodes; `device` is asked of each worker, `places` are the names under which it may find the encoder."""

    executor: Executor
    device: str = "auto"
    places: Sequence[str] = field(default_factory=tuple)

    def batches(self, work: Work, path: Path) -> Iterator[Encoded]:
        """Yield what is left of `work` in order, as it comes; finished stretches of an earlier attempt are used.

        Raises:
            EncoderError: if a chunk cannot be encoded, or a worker has other weights.
            ExecutorLost: if nobody is left who encodes; what is finished is kept.
            WorkspaceError: if the disk refuses here.
        """
        folder = path.with_suffix(".segments")
        with disk_errors(folder):
            folder.mkdir(exist_ok=True)
        ranges = dict(_ranges(work))
        files = {first: folder / _name(work, first, last) for first, last in ranges.items()}
        ready = {first for first in ranges if _is_whole(files[first], len(work.rows(first, ranges[first])), work)}
        tasks = [self._task(work, first, ranges[first], files[first]) for first in ranges if first not in ready]
        outcomes = self.executor.run(tasks, lambda _name, _share, _message: None)
        try:
            while work.n_done < work.n_batches:
                first = work.n_done
                while first not in ready:
                    ready.add(int(next(outcomes).worth()))
                rows = work.rows(first, ranges[first])
                yield ranges[first], rows, _read(files[first], len(rows), work.encoder.dim)
                files[first].unlink(missing_ok=True)
        finally:
            outcomes.close()
        shutil.rmtree(folder, ignore_errors=True)

    def _task(self, work: Work, first: int, last: int, file: Path) -> Task:
        texts = [work.texts[i] for i in work.rows(first, last)]
        given = {"encoder_id": work.encoder.id, "device": self.device, "places": list(self.places), "first": first,
                 "texts": texts, "batch_size": work.batch_size, "file": str(file)}  # fmt: skip
        return Task(f"{work.corpus.name}, batches {first + 1} to {last}", f"{__name__}:encode_stretch", given)


@contextlib.contextmanager
def spread_over(workspace: Workspace, on: str | None, encoder_id: str, device: str) -> Iterator[Spread | None]:
    """Give who encodes elsewhere as `--on` says; None where that is this process."""
    from lvm_core.encoders.remembered import recall

    with elsewhere(workspace, on) as executor:
        yield Spread(executor, device, recall(encoder_id)) if executor else None


def _ranges(work: Work) -> Iterator[tuple[int, int]]:
    """Yield first and last batch of each stretch; the borders stay where they are from attempt to attempt."""
    first = work.n_done
    while first < work.n_batches:
        last = min((first // BATCHES_A_TASK + 1) * BATCHES_A_TASK, work.n_batches)
        yield first, last
        first = last


def _name(work: Work, first: int, last: int) -> str:
    """Return a name that says all that the content depends on, but for the encoder, which the folder's says."""
    return f"{work.corpus.digest[:16]}.{work.batch_size}.{first:08d}-{last:08d}.npy"


def _is_whole(file: Path, n_rows: int, work: Work) -> bool:
    with contextlib.suppress(WorkspaceError):
        return len(_read(file, n_rows, work.encoder.dim)) == n_rows
    return False


def _read(file: Path, n_rows: int, dim: int) -> NDArray[np.float16]:
    return map_array(file, np.float16, (n_rows, dim), "What a worker wrote", "Encode again.", error=WorkspaceError)


# ---------------------------------------------------------------- on a worker


def encode_stretch(
    desk: Desk, encoder_id: str, device: str, places: list[str], first: int, texts: list[str], batch_size: int,
    file: str,
) -> int:  # fmt: skip
    """Encode `texts`, `batch_size` at a time, into `file`, whole or not at all; return `first`."""
    path = desk.here(file)
    encoder = _encoder(encoder_id, device, tuple(places))
    batches = [encoder.encode(texts[i : i + batch_size]) for i in range(0, len(texts), batch_size)]
    vectors = np.concatenate([vectors.astype(np.float16) for vectors in batches])
    if not path.parent.is_dir():  # the corpus is gone: whoever asked will say so
        return first
    with replacing(path) as temporary, temporary.open("wb") as out:
        np.save(out, vectors)
    return first


@functools.lru_cache(maxsize=1)
def _encoder(encoder_id: str, device: str, places: tuple[str, ...]) -> Encoder:
    from lvm_core.encoders import encoder_for, load_encoder

    for place in places:  # what was found under a path here is found under it there
        load = load_encoder(place, device)
        if load.id == encoder_id:
            return load
    return encoder_for(encoder_id, device)

"""What the tests spread, and how they tell that nothing differs from one machine."""

import shutil
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lvm_core.checkpoint import WEIGHTS
from lvm_core.encoders import load_encoder
from lvm_core.executors import Executor, Outcome, Task, Tell
from lvm_core.executors.facts import this_place
from lvm_core.executors.work import Desk
from lvm_core.vectors.encode import encode_corpus
from lvm_core.vectors.spread import Spread
from lvm_core.workspace import Workspace, disk_errors

CORPUS, BATCH = "enwiki-sample", 8


def without_vectors(seeded: Workspace, folder: Path) -> Workspace:
    """Return a copy of a workspace whose corpus is not encoded."""
    shutil.copytree(seeded.root, folder)
    for path in (folder / "corpora" / CORPUS).glob("*.*"):
        if path.name.startswith(("vectors.", "index.")):
            path.unlink()
    return Workspace(folder)


def encoded_here(workspace: Workspace) -> bytes:
    """Encode in this process and return the matrix, byte for byte."""
    encoder = load_encoder(device="cpu")
    encode_corpus(workspace, CORPUS, encoder, batch_size=BATCH)
    return workspace.vectors(CORPUS, encoder.id).read_bytes()


def encoded_by(workspace: Workspace, executor: Executor) -> bytes:
    """Encode on `executor` and return the matrix, byte for byte."""
    encoder = load_encoder(device="cpu")
    encode_corpus(workspace, CORPUS, encoder, batch_size=BATCH, elsewhere=Spread(executor, "cpu"))
    assert not list(workspace.corpus_dir(CORPUS).glob("*.segments"))
    return workspace.vectors(CORPUS, encoder.id).read_bytes()


class Seen:
    """An executor that remembers what came, and does something once `n` tasks have ended."""

    def __init__(self, executor: Executor, after: int = 0, then: Any = None) -> None:
        self._executor, self._after, self._then = executor, after, then
        self.outcomes: list[Outcome] = []
        self.asked: list[Task] = []

    @property
    def name(self) -> str:
        return self._executor.name

    @property
    def n_workers(self) -> int:
        return self._executor.n_workers

    def run(self, tasks: Sequence[Task], tell: Tell) -> Generator[Outcome]:
        self.asked += tasks
        for outcome in self._executor.run(tasks, tell):
            self.outcomes.append(outcome)
            if self._then is not None and len(self.outcomes) == self._after:
                self._then()
            yield outcome

    @property
    def places(self) -> set[str]:
        return {outcome.where.partition("/")[2] for outcome in self.outcomes}


SMALL = {"model": "lstm", "corpus": CORPUS, "epochs": 2, "device": "cpu", "log_steps": 1, "batch_size": 5,
         "options": {"d_hidden": 16, "n_layers": 1, "dropout": 0.0}}  # fmt: skip
"""Settings of a training of a second or two; five segments are dealt to two processes unevenly."""


def weights_of(workspace: Workspace, run: str) -> Tensor:
    """Return all weights of a run in one row."""
    from safetensors.torch import load_file

    stored = load_file(workspace.run(run) / WEIGHTS)
    return torch.cat([stored[name].float().flatten() for name in sorted(stored)])


def note_place(desk: Desk, file: str) -> None:
    """Write a file where it is done; the disk of node two is full."""
    path = Path("/dev/full") if this_place().endswith("/two") else desk.here(file)
    with disk_errors(path):
        path.write_text(this_place(), encoding="utf-8")

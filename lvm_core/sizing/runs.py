"""Measured runs: what reading in, encoding and indexing took, in this workspace or, where it has none, elsewhere."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lvm_core.boundary.json_values import from_json
from lvm_core.corpus.store import CorpusStore
from lvm_core.corpus.timings import Metrics, metrics
from lvm_core.errors import WorkspaceError
from lvm_core.workspace import Workspace, read_json

REFERENCE = Path(__file__).with_name("reference.json")
"""Runs that come with the studio, for a workspace that has none of its own."""

Stage = Literal["reading in", "encoding", "indexing"]
TEXT = ("reading", "chunking", "storing")


@dataclass(frozen=True, slots=True)
class Run:
    """One stage of the making of one corpus.

    `by` made it (a chunker, an encoder id, a kind of index); `dim` is 0 where vectors have no part in it. Seconds are
    of one processor where those were counted (`cpu`), else by the clock; bytes are 0 where they were not noted.
    """

    stage: Stage
    by: str
    rows: int
    dim: int
    seconds: float
    cpu: bool = False
    n_bytes: int = 0
    peak_bytes: int = 0
    about: str = ""


@dataclass(frozen=True, slots=True)
class Measured:
    """Runs, and where they were measured, for people."""

    runs: list[Run]
    where: str


@dataclass(frozen=True, slots=True)
class _Reference:
    """What reference.json holds."""

    where: str
    runs: list[Run]


def reference() -> Measured:
    """Return the runs that come with the studio."""
    stored = from_json(_Reference, read_json(REFERENCE), str(REFERENCE), error=WorkspaceError)
    return Measured(stored.runs, stored.where)


def measured_runs(workspace: Workspace) -> Measured:
    """Return the runs of the workspace's corpora; what none of them has (a stage, a kind of index) from `reference`."""
    store = CorpusStore(workspace)
    own = [run for info in store.corpora() for run in _runs(metrics(workspace, info.name))]
    there = {_kind(run) for run in own}
    shipped = reference()
    missing = [run for run in shipped.runs if _kind(run) not in there]
    if not own:
        return shipped
    where = f"{len(own)} runs of {workspace.root}"
    if missing:
        where += f"; {', '.join(sorted({' '.join(_kind(run)) for run in missing}))} from {shipped.where}"
    return Measured(own + missing, where)


def _kind(run: Run) -> tuple[str, ...]:
    """Return what makes runs alike: an index's kind matters, and of the other stages that they are those."""
    return (run.stage, run.by) if run.stage == "indexing" else (run.stage,)


def _runs(corpus: Metrics) -> Iterator[Run]:
    stages, rows, about = corpus["stages"], corpus["n_chunks"], corpus["corpus"]
    text = [stages[name] for name in TEXT if name in stages]
    if len(text) == len(TEXT):
        n_bytes = max(stage.get("n_bytes", 0) for stage in text)
        peak = max(stage.get("peak_bytes", 0) for stage in text)
        seconds = sum(stage["seconds"] for stage in text)
        yield Run("reading in", text[0]["by"], rows, 0, seconds, False, n_bytes, peak, about)
    names: dict[str, Stage] = {"embedding": "encoding", "index": "indexing"}
    for name, stage in names.items():
        found = stages.get(name)
        if found is None or not found.get("dim"):
            continue
        cpu_s, n_bytes, peak = found.get("cpu_s", 0.0), found.get("n_bytes", 0), found.get("peak_bytes", 0)
        seconds = cpu_s or found["seconds"]
        yield Run(stage, found["by"], rows, found["dim"], seconds, bool(cpu_s), n_bytes, peak, about)

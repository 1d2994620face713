"""Where everything lies on disk. The only module that joins paths, and the one way files are written."""

import contextlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lvm_core.errors import WorkspaceError

SHIPPED = Path(__file__).resolve().parent.parent / "models"
"""Checkpoints that come with the studio."""

SHIPPED_BOARD = SHIPPED / "board.json"
"""What the shipped checkpoints scored when they were made."""

MIN_FREE_BYTES = 20_000_000


def slug(name: str) -> str:
    """Return `name` as a safe file name: letters, digits, '.', '_', '-', '@' kept, the rest '-'."""
    return re.sub(r"[^A-Za-z0-9._@-]+", "-", name).strip("-.") or "unnamed"


class Workspace:
    """Paths of one workspace; nothing is created before it is written to."""

    def __init__(self, root: str | os.PathLike[str] | None = None) -> None:
        """Open the workspace at `root`, else at LVM_WORKSPACE, else at ./workspace."""
        self.root = Path(root or os.environ.get("LVM_WORKSPACE") or "workspace").expanduser().resolve()

    @property
    def database(self) -> Path:
        return self.root / "studio.db"

    def corpus_dir(self, corpus: str) -> Path:
        return self.root / "corpora" / slug(corpus)

    def corpus_lock(self, corpus: str) -> Path:
        """Held while a corpus is written or deleted; outside its folder, which may go."""
        return self.root / "corpora" / f".{slug(corpus)}.lock"

    def vectors(self, corpus: str, encoder_id: str) -> Path:
        """The float16 matrix; a JSON of the same stem lies beside it."""
        return self.corpus_dir(corpus) / f"vectors.{slug(encoder_id)}.f16.npy"

    def index(self, corpus: str, encoder_id: str) -> Path:
        return self.corpus_dir(corpus) / f"index.{slug(encoder_id)}.faiss"

    def pipeline_metrics(self, corpus: str) -> Path:
        """How long each stage of the corpus's making took."""
        return self.corpus_dir(corpus) / "pipeline_metrics.json"

    @property
    def runs(self) -> Path:
        return self.root / "runs"

    def run(self, run: str) -> Path:
        return self.runs / slug(run)

    def run_config(self, run: str) -> Path:
        return self.run(run) / "config.json"

    def run_metrics(self, run: str) -> Path:
        return self.run(run) / "metrics.jsonl"

    def run_result(self, run: str) -> Path:
        return self.run(run) / "result.json"

    def sweep(self, sweep: str) -> Path:
        """The one file of a sweep: what was asked for, its runs and how each did."""
        return self.root / "sweeps" / f"{slug(sweep)}.json"

    def job(self, job: str) -> Path:
        return self.root / "jobs" / slug(job)

    def job_log(self, job: str) -> Path:
        return self.job(job) / "log.txt"

    def job_file(self, job: str) -> Path:
        return self.job(job) / "job.json"

    def inverter(self, inverter: str) -> Path:
        return self.root / "inverters" / slug(inverter)

    def upload(self, name: str) -> Path:
        """A file given through the browser, kept so that its corpus can be read in again."""
        return self.root / "uploads" / slug(name)

    def incoming(self, name: str) -> Path:
        """Where rows wait while the corpus that they belong to is being written."""
        return self.root / f"incoming-{slug(name)}"

    def all_incoming(self) -> list[Path]:
        """What waits, or was left waiting."""
        return sorted(path for path in self.root.glob("incoming-*") if path.is_dir())

    @property
    def projections(self) -> Path:
        return self.root / "projections"

    def projection(self, key: str, ending: str) -> Path:
        return self.projections / f"{slug(key)}.{ending}"

    @property
    def decode_cache(self) -> Path:
        return self.root / "decode-cache.db"

    @staticmethod
    def cache() -> Path:
        """Derived files that every workspace shares (converted weights): LVM_CACHE or ~/.cache/lvm-studio."""
        return Path(os.environ.get("LVM_CACHE") or "~/.cache/lvm-studio").expanduser().resolve()

    def make(self, folder: Path) -> Path:
        """Create `folder` and return it.

        Raises:
            WorkspaceError: if the disk refuses.
        """
        with disk_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
        return folder


@contextlib.contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn a refusing disk (read-only, full, not allowed) into a WorkspaceError that names the path."""
    try:
        yield
    except OSError as error:
        raise WorkspaceError(
            f"Cannot write {path}: {error.strerror or error}. Free some space or make the folder writable,"
            " or choose another workspace with --workspace or LVM_WORKSPACE."
        ) from error


def need_space(folder: Path, n_bytes: int) -> None:
    """Raise WorkspaceError unless the disk of `folder` has room for `n_bytes` and a little more."""
    existing = next(p for p in [folder, *folder.parents] if p.exists())
    free = shutil.disk_usage(existing).free
    if free < n_bytes + MIN_FREE_BYTES:
        raise WorkspaceError(
            f"{folder} needs {n_bytes / 1e6:.0f} MB, but its disk has {free / 1e6:.0f} MB free."
            " Free some space, or choose another workspace with --workspace or LVM_WORKSPACE."
        )


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`; on success it is flushed and takes its place, on failure it is removed.

    Raises:
        WorkspaceError: if the disk refuses.
    """
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
        os.close(handle)
    temporary = Path(name)
    try:
        with disk_errors(path):
            yield temporary
            with temporary.open("rb") as file:
                os.fsync(file.fileno())
            temporary.chmod(0o644)
            temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path`, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Write `value` as readable JSON to `path`, whole or not at all."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def read_json(path: Path) -> Any:
    """Return the JSON in `path`.

    Raises:
        WorkspaceError: if the file is missing or is not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise WorkspaceError(f"{path} does not exist.") from error
    except (OSError, ValueError) as error:
        raise WorkspaceError(
            f"{path} cannot be read as JSON: {error}. Delete it, or restore it from a copy."
        ) from error

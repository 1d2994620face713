"""Where everything lies on disk. The only module that joins paths, and the one way files are written."""

import contextlib
import errno
import hashlib
import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lvm_core.boundary.files import quoted, user_path
from lvm_core.boundary.json_values import read_json_file
from lvm_core.boundary.values import from_environment
from lvm_core.errors import LvmError, SettingsError, WorkspaceError

_CODE = Path(__file__).resolve().parent
STUDIO = _CODE / "installed" if (_CODE / "installed").is_dir() else _CODE.parent
"""Where app.py, pages/, assets/ and models/ lie: beside the code, or inside it where it was installed from a wheel."""

SHIPPED = STUDIO / "models"
"""Checkpoints that come with the studio."""

SHIPPED_BOARD = SHIPPED / "board.json"
"""What the shipped checkpoints scored when they were made."""

MIN_FREE_BYTES, NO_ROOM_BYTES = 20_000_000, 1_000_000

MOST_NAME = 160
"""Characters of a file name: endings, and the marks of temporary files, need the rest of the 255 that disks take."""

LEFT_OVER_AFTER_S = 600.0
"""A temporary file that was not written to for so long belongs to a process that is gone."""


def slug(name: str) -> str:
    """Return `name` as a safe file name: letters, digits, '.', '_', '-', '@' kept, the rest '-'; long ones cut."""
    safe = re.sub(r"[^A-Za-z0-9._@-]+", "-", name).strip("-.") or "unnamed"
    if len(safe) <= MOST_NAME:
        return safe
    return f"{safe[: MOST_NAME - 9]}-{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"


def own_name(name: str, flag: str) -> str:
    """Return `name` as it was given: what a user names is found again under that name and no other.

    Raises:
        SettingsError: if its folder would have to be called otherwise.
    """
    if slug(name) != name:
        raise SettingsError(
            [
                f"{flag} is {quoted(name)}; expected letters, digits, '.', '_', '-' and '@', as for the name of a"
                f" folder. For example: {flag} {slug(name)}"
            ]
        )
    return name


class Workspace:
    """Paths of one workspace; nothing is created before it is written to."""

    def __init__(self, root: str | os.PathLike[str] | None = None, database: str = "") -> None:
        """Open the workspace at `root`, else at LVM_WORKSPACE, else at ./workspace.

        Args:
            root: its folder.
            database: a file in it to use for its database, such as a copy that other machines may read.

        Raises:
            WorkspaceError: if no disk takes such a path, or a file lies there.
        """
        given = root or from_environment("LVM_WORKSPACE", "workspace")
        self.root = user_path(given, "The workspace", WorkspaceError)
        if self.root.exists() and not self.root.is_dir():
            raise WorkspaceError(
                f"The workspace {self.root} is a file",
                "a folder, which need not exist",
                "Choose another with --workspace or LVM_WORKSPACE.",
            )
        self._database = database or "studio.db"

    @property
    def database(self) -> Path:
        return self.root / self._database

    def database_bytes(self) -> int:
        """Return how many bytes the database takes now, with what waits in its log."""
        files = (self.database, self.database.with_name(f"{self.database.name}-wal"))
        return sum(path.stat().st_size for path in files if path.exists())

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

    def run_samples(self, run: str) -> Path:
        """What the net said of three validation windows after each epoch."""
        return self.run(run) / "samples.jsonl"

    def run_result(self, run: str) -> Path:
        return self.run(run) / "result.json"

    def run_notes(self, run: str) -> Path:
        """What people wrote about a run."""
        return self.run(run) / "notes.json"

    def sweep(self, sweep: str) -> Path:
        """The one file of a sweep: what was asked for, its runs and how each did."""
        return self.root / "sweeps" / f"{slug(sweep)}.json"

    def shelf(self, shelf: str) -> Path:
        """What a shelf has measured: a JSON line a training."""
        return self.root / "shelves" / f"{slug(shelf)}.jsonl"

    def job(self, job: str) -> Path:
        return self.root / "jobs" / slug(job)

    def job_log(self, job: str) -> Path:
        return self.job(job) / "log.txt"

    def job_file(self, job: str) -> Path:
        return self.job(job) / "job.json"

    def job_result(self, job: str) -> Path:
        """What a job's command gave, as `--json` prints it."""
        return self.job(job) / "result.json"

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

    def lock(self, kind: str, name: str) -> Path:
        """Held by the one process that works on the run, sweep or inverter `name`; outside its folder, which may go."""
        return self.root / "locks" / f"{slug(kind)}.{slug(name)}.lock"

    def left_over(self) -> list[Path]:
        """The temporary files that killed processes left behind, here and in the cache."""
        oldest = time.time() - LEFT_OVER_AFTER_S
        files = [path for root in (self.root, self.cache()) for path in root.rglob(".*.tmp")]
        return sorted(path for path in files if path.is_file() and path.stat().st_mtime < oldest)

    @property
    def cluster(self) -> Path:
        """What processes of several machines leave for one another while they share a work."""
        return self.root / "cluster"

    @property
    def projections(self) -> Path:
        return self.root / "projections"

    def projection(self, key: str, ending: str) -> Path:
        return self.projections / f"{slug(key)}.{ending}"

    @property
    def keys(self) -> Path:
        """The API keys of the service, as hashes."""
        return self.root / "keys.json"

    @property
    def decode_cache(self) -> Path:
        return self.root / "decode-cache.db"

    @staticmethod
    def cache() -> Path:
        """Derived files that every workspace shares (converted weights): LVM_CACHE or ~/.cache/lvm-studio."""
        return user_path(from_environment("LVM_CACHE", "~/.cache/lvm-studio"), "LVM_CACHE", WorkspaceError)

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
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise full_disk(path) from error
        raise WorkspaceError(
            f"Cannot write {path}: {error.strerror or error}",
            "a folder that can be written to",
            f"Make it so, or choose another {_choice(path)}.",
        ) from error
    except Exception as error:
        # safetensors and torch write files as well, and raise errors of their own
        if not isinstance(error, LvmError) and _says_full(error, path):
            raise full_disk(path) from error
        raise


def _says_full(error: Exception, path: Path) -> bool:
    text = str(error)
    said = "No space left on device" in text or "os error 28" in text or "Disk quota" in text
    return said or ("inline_container" in text and is_full(path))


def is_full(path: Path) -> bool:
    """Return whether the disk of `path` has no room left to speak of."""
    try:
        return shutil.disk_usage(_existing(path)).free < NO_ROOM_BYTES
    except OSError:
        return False


def full_disk(path: Path) -> WorkspaceError:
    """Return the error that says that the disk of `path` is full, what is safe, and what to do."""
    free = shutil.disk_usage(_existing(path)).free
    return WorkspaceError(
        f"The disk of {path} is full: No space left on device ({free / 1e6:,.1f} MB free)",
        "room for the next file",
        "What was finished before is unharmed, the last checkpoint too. Free some space and run the same command"
        f" again, or choose another {_choice(path)}.",
    )


def _choice(path: Path) -> str:
    """Return which setting moves `path` to another disk."""
    if path.is_relative_to(Workspace.cache()):
        return "folder for derived files with LVM_CACHE"
    return "workspace with --workspace or LVM_WORKSPACE"


def _existing(path: Path) -> Path:
    return next(p for p in [path, *path.parents] if p.exists())


def need_space(folder: Path, n_bytes: int) -> None:
    """Raise WorkspaceError unless the disk of `folder` has room for `n_bytes` and a little more."""
    free = shutil.disk_usage(_existing(folder)).free
    if free < n_bytes + MIN_FREE_BYTES:
        raise WorkspaceError(
            f"{folder} has {free / 1e6:.0f} MB free on its disk",
            f"{(n_bytes + MIN_FREE_BYTES) / 1e6:.0f} MB",
            f"Free some space, or choose another {_choice(folder)}.",
        )


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`; on success it is flushed and takes its place, on failure it is removed.

    Raises:
        WorkspaceError: if the disk refuses, or a folder, a device or a pipe stands there.
    """
    with disk_errors(path):
        if path.exists() and not path.is_file():
            raise WorkspaceError(f"{path} is no regular file", "one, or a name that is free", "Give another path.")
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
        WorkspaceError: if the file is missing, no regular file, too large, no JSON or nested too deeply.
    """
    return read_json_file(path, error=WorkspaceError)

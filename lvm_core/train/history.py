"""Every run of a workspace in one table, cheap to look at again: only folders that changed are read."""

from dataclasses import dataclass
from pathlib import Path
from typing import cast

from lvm_core.errors import WorkspaceError
from lvm_core.jobs.rows import Job
from lvm_core.json_shapes import MetricsLine, RunConfig, RunResult, Values
from lvm_core.train.curves import last_line
from lvm_core.train.notes import RunNotes, read_notes
from lvm_core.train.schedule import IS_FILTER
from lvm_core.workspace import Workspace, read_json

FINISHED = ("finished", "early")


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run. Cosines are means over validation windows; None where they are not known yet."""

    run: str
    model: str
    state: str
    val_cosine: float | None
    filter_cosine: float | None
    epoch: int
    n_parameters: int
    seconds: float
    created: float
    settings: Values
    encoder_id: str
    hardware: str
    flags: list[str]
    message: str
    job: str | None
    verdict: str = ""
    tags: str = ""
    note: str = ""

    def matches(self, words: str) -> bool:
        """Return whether name, net, tags and note together hold all of `words`."""
        text = f"{self.run} {self.model} {self.tags} {self.note}".lower()
        return all(word in text for word in words.lower().split())

    @property
    def is_filter(self) -> bool:
        """Return whether no epoch beat the filter that the net stands on."""
        return self.verdict == IS_FILTER

    @property
    def over_filter(self) -> float | None:
        """Validation cosine less that of the linear filter on the same windows."""
        known = self.val_cosine is not None and self.filter_cosine is not None
        return (self.val_cosine or 0.0) - (self.filter_cosine or 0.0) if known else None


Stamp = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class RunFiles:
    """What the files of a run say; `last` has the newest value of each number of its metrics."""

    config: RunConfig
    result: RunResult
    last: MetricsLine
    notes: RunNotes


class History:
    """The runs of a workspace, kept between looks."""

    def __init__(self) -> None:
        self._read: dict[Path, tuple[Stamp, RunFiles | None]] = {}

    def rows(self, workspace: Workspace, jobs: list[Job]) -> list[RunRow]:
        """Return the runs, newest first; `jobs` say which of them go on just now."""
        by_run = {job.run: job for job in reversed(jobs) if job.run}
        folders = [f for f in workspace.runs.iterdir() if f.is_dir()] if workspace.runs.is_dir() else []
        rows = [self._row(workspace, folder.name, by_run.get(folder.name)) for folder in folders]
        return sorted((row for row in rows if row is not None), key=lambda row: (-row.created, row.run))

    def _row(self, workspace: Workspace, run: str, job: Job | None) -> RunRow | None:
        files = [workspace.run_config(run), workspace.run_result(run), workspace.run_metrics(run)]
        files.append(workspace.run_notes(run))
        stamp = tuple(_stamp(path) for path in files)
        if not stamp[0][1]:
            return None
        key = workspace.run(run)
        before = self._read.get(key)
        if before is None or before[0] != stamp:
            before = (stamp, _read_files(workspace, run))
            self._read[key] = before
        try:
            return _made(run, before[1], job) if before[1] is not None else None
        except (TypeError, ValueError, AttributeError, ArithmeticError):  # one damaged run must not hide the others
            return None


def _stamp(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError:
        return (0, 0)
    return (status.st_mtime_ns, status.st_size)


def _read_files(workspace: Workspace, run: str) -> RunFiles | None:
    """Return what the files of a run say, None where its description is damaged."""
    try:
        described = read_json(workspace.run_config(run))
        ended = read_json(workspace.run_result(run)) if workspace.run_result(run).exists() else {}
    except WorkspaceError:
        return None
    if not isinstance(described, dict) or "model" not in described:
        return None
    metrics = workspace.run_metrics(run)
    newest = {name: value for name, value in last_line(metrics).items() if value is not None}
    last = cast(MetricsLine, {**last_line(metrics, "val_cosine"), **newest})
    return RunFiles(cast(RunConfig, described), cast(RunResult, ended), last, read_notes(workspace, run))


def _made(run: str, files: RunFiles, job: Job | None) -> RunRow:
    config, result, last = files.config, files.result, files.last
    baselines = result.get("baselines") or last.get("baselines") or config.get("baselines") or {}
    return RunRow(
        run=run,
        model=str(config["model"]),
        state=_state(result, job),
        val_cosine=result.get("val_cosine", last.get("val_cosine")),
        filter_cosine=baselines.get("linear-filter"),
        epoch=int(result.get("epochs") or last.get("epoch") or 0),
        n_parameters=int(config.get("n_parameters") or 0),
        seconds=float(result.get("train_s") or last.get("seconds") or 0.0),
        created=float(config.get("created") or 0.0),
        settings=dict(config.get("train") or {}),
        encoder_id=str(config.get("encoder_id", "")),
        hardware=str(config.get("hardware", "")),
        flags=list(result.get("flags") or []),
        message=str(result.get("message", "")),
        job=job.id if job else None,
        verdict=str(result.get("verdict", "")),
        tags=files.notes.tags,
        note=files.notes.note,
    )


def _state(result: RunResult, job: Job | None) -> str:
    if job is not None and job.state in ("running", "queued") and job.kind != "sweep":
        return job.state
    stopped = result.get("stopped")
    if stopped in FINISHED:
        return "done"
    if stopped == "nan":
        return "failed"
    return job.state if job is not None and job.state != "done" else "unfinished"

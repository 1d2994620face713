"""Tasks as SLURM jobs, through submitit: each job takes its share of the tasks, one after the other."""

import contextlib
import functools
import logging
import os
import pickle
import secrets
import shutil
import signal
import sys
import time
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Self

from lvm_core.boundary.values import shown
from lvm_core.children import python_path
from lvm_core.config import named_values
from lvm_core.errors import ExecutorLost, JobError, SettingsError
from lvm_core.executors.base import MOST_TRIES, ExecutorKind, Outcome, Task, Tell
from lvm_core.executors.facts import Facts, shared
from lvm_core.executors.work import Stopped, Worker
from lvm_core.json_shapes import Values
from lvm_core.workspace import Workspace, disk_errors, read_json, replacing, write_json

OPTIONS, CLUSTER = "LVM_SLURM", "LVM_SLURM_CLUSTER"
MOST_JOBS = 16
POLL_S, SAY_S, STOP_S = 1.0, 2.0, 10.0
MINUTES = 24 * 60
ENDED = ("FINISHED", "COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "OUT_OF_MEMORY", "INTERRUPTED",
         "PREEMPTED", "BOOT_FAIL", "DEADLINE", "NO PROCESS AND NO RESULT")  # fmt: skip


def options() -> Values:
    """Return what LVM_SLURM says of a job, such as slurm_partition=gpu,mem_gb=16: submitit's own names.

    Raises:
        SettingsError: if it is no list of NAME=VALUE.
    """
    words = [word.strip() for word in os.environ.get(OPTIONS, "").split(",") if word.strip()]
    return {"timeout_min": MINUTES, **named_values(words, OPTIONS)}


class Slurm:
    """The scheduler of this machine; LVM_SLURM_CLUSTER=local starts processes here instead, to try it out."""

    name = "slurm"

    def __init__(self, workspace: Workspace, most: int = 0) -> None:
        self._workspace, self._most = workspace, most
        self._options = options()
        self._local = os.environ.get(CLUSTER, "") == "local"
        self._stack = contextlib.ExitStack()
        self._jobs: list[Any] = []
        self._tries: Counter[str] = Counter()

    def __enter__(self) -> Self:
        if not self._local and shutil.which("srun") is None:
            raise JobError(
                "This machine has no srun, so nothing can be given to SLURM",
                "a login node",
                f"Run the command on one, or try it out with processes of this machine: {CLUSTER}=local",
            )
        self._folder = self._workspace.make(self._workspace.cluster / f"slurm-{secrets.token_hex(6)}")
        self._stack.callback(shutil.rmtree, self._folder, ignore_errors=True)
        self._facts = self._stack.enter_context(shared(self._workspace, copied=not self._local))
        self._executor = self._made()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @property
    def n_workers(self) -> int:
        """SLURM jobs at once."""
        return self._most or MOST_JOBS

    def run(self, tasks: Sequence[Task], tell: Tell) -> Generator[Outcome]:
        """See `Executor.run`."""
        left = {task.name: task for task in tasks}
        try:
            self._submit(list(left.values()))
            while left:
                for outcome in self._found(left):
                    del left[outcome.task.name]
                    yield outcome
                if left and all(_ended(job) for job in self._jobs):
                    yield from self._again(left)
                self._say(left, tell)
                time.sleep(POLL_S)
        finally:
            self._cancel()

    def _made(self) -> Any:
        import submitit

        logging.getLogger("submitit").setLevel(logging.ERROR)
        executor = submitit.AutoExecutor(self._folder / "submitit", cluster="local" if self._local else "slurm")
        try:
            executor.update_parameters(**self._options)
        except (NameError, TypeError, ValueError) as error:
            given = os.environ.get(OPTIONS)
            raise SettingsError([f"{OPTIONS} is {given!r} ({error}); expected submitit's names and values."]) from error
        return executor

    def _submit(self, tasks: Sequence[Task]) -> None:
        n_jobs = min(self.n_workers, len(tasks))
        shares = [list(tasks[i::n_jobs]) for i in range(n_jobs)]
        work = functools.partial(carry_out, str(self._workspace.root), str(self._folder), self._facts)
        with _importable():
            self._jobs = self._executor.map_array(work, shares)

    def _found(self, left: dict[str, Task]) -> list[Outcome]:
        """Return the outcomes of what has ended and was not seen yet."""
        found = []
        for path in sorted(self._folder.glob("*.outcome")):
            with path.open("rb") as file:
                outcome: Outcome = pickle.load(file)  # our own, from a folder of this very run
            path.unlink()
            if not outcome.task.call:
                outcome.worth()
            if outcome.task.name in left and not isinstance(outcome.error, Stopped):
                found.append(outcome)
        return found

    def _again(self, left: dict[str, Task]) -> Iterator[Outcome]:
        """Submit anew what jobs left undone that are over; what was lost too often has failed."""
        yield from self._taken_out(left, self._found(left))
        if not left:
            return
        why = ", ".join(sorted({str(job.state) for job in self._jobs}))
        print(f"warning: {len(left)} tasks were not done by jobs that are over ({why})", file=sys.stderr, flush=True)
        self._tries.update(left)
        what = f"Its SLURM job ended without a result ({why}): {self._words()}"
        gone = ExecutorLost(what, "a job that goes on to the end", "What was finished is kept; mend that and resume.")
        yield from self._taken_out(left, [Outcome(task, None, gone) for task in left.values() if not task.again])
        if not left:
            return
        lost = [task for name, task in left.items() if self._tries[name] >= MOST_TRIES]
        if lost and len(lost) == len(left):
            raise gone
        often = JobError(f"{what}, {MOST_TRIES} times", "a job that goes on to the end", "Mend that and run it again.")
        yield from self._taken_out(left, [Outcome(task, None, often) for task in lost])
        self._submit(list(left.values()))

    @staticmethod
    def _taken_out(left: dict[str, Task], outcomes: Sequence[Outcome]) -> Iterator[Outcome]:
        for outcome in outcomes:
            del left[outcome.task.name]
            yield outcome

    def _words(self) -> str:
        """Return the last line that a job wrote of what went wrong."""
        texts = [job.stderr() or "" for job in self._jobs]
        lines = [line.strip() for text in texts for line in text.splitlines() if line.strip()]
        return shown(lines[-1])[:300] if lines else "it wrote nothing"

    def _say(self, left: dict[str, Task], tell: Tell) -> None:
        for path in self._folder.glob("*.progress"):
            with contextlib.suppress(Exception):  # being written anew
                said = read_json(path)
                if said["name"] in left:
                    tell(said["name"], said["share"], said["message"])

    def _cancel(self) -> None:
        """Ask the jobs under way to put their state away and end."""
        going = [job for job in self._jobs if not _ended(job)]
        if not going:
            return
        (self._folder / "stop").touch()
        stop = time.monotonic() + STOP_S / 2
        while time.monotonic() < stop and not all(_ended(job) for job in going):
            time.sleep(0.2)
        for job in going:
            with contextlib.suppress(Exception):
                job.cancel(check=False)


def _ended(job: Any) -> bool:
    return str(job.state).upper().split(" BY")[0] in ENDED


@contextlib.contextmanager
def _importable() -> Iterator[None]:
    """Let the jobs, which inherit the environment, find the studio."""
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = python_path()
    try:
        yield
    finally:
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before


# ---------------------------------------------------------------- in the SLURM job


def carry_out(root: str, folder: str, facts: Facts, tasks: Sequence[Task]) -> int:
    """Carry out `tasks`, one after the other, leaving an outcome in `folder` for each; return how many were done."""
    worker, at = Worker(root), Path(folder)
    place, refusal = worker.arrive(facts)
    if refusal is not None:
        _leave(at, Outcome(Task("arrival", ""), None, refusal, place))
        return 0
    signal.signal(signal.SIGTERM, _interrupt)
    n_done = 0
    for task in tasks:
        with _watched(worker, at, task):
            value, error, seconds = worker.run(task.call, task.given)
        _leave(at, Outcome(task, value, error, place, seconds))
        if isinstance(error, Stopped):
            break
        n_done += 1
    return n_done


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _leave(folder: Path, outcome: Outcome) -> None:
    path = folder / f"{secrets.token_hex(6)}.outcome"
    with disk_errors(path), replacing(path) as temporary, temporary.open("wb") as file:
        pickle.dump(outcome, file)


@contextlib.contextmanager
def _watched(worker: Worker, folder: Path, task: Task) -> Iterator[None]:
    """Write down every two seconds what the worker says, and stop it when the folder says so or is gone."""
    import threading

    over = threading.Event()
    path = folder / f"{os.getpid()}-{secrets.token_hex(4)}.progress"

    def watch() -> None:
        while not over.wait(SAY_S):
            if not folder.is_dir() or (folder / "stop").exists():
                os.kill(os.getpid(), signal.SIGTERM)
                return
            share, message = worker.look()
            with contextlib.suppress(Exception):
                write_json(path, {"name": task.name, "share": share, "message": message})

    thread = threading.Thread(target=watch, name="watch", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(SAY_S)
        path.unlink(missing_ok=True)


KIND = ExecutorKind("SLURM", f"jobs of the scheduler here, with the options in {OPTIONS}", Slurm, "submitit")

"""Trainings on other machines: those of a sweep side by side, one a task; or one by several processes together."""

import contextlib
import secrets
import shutil
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from lvm_core.config import check, from_dict
from lvm_core.errors import ExecutorLost, LvmError, SettingsError
from lvm_core.executors import Executor, Outcome, Task
from lvm_core.executors.work import Desk
from lvm_core.json_shapes import RunResult, Values
from lvm_core.nets import MODELS
from lvm_core.train import TrainConfig, train
from lvm_core.train.opening import new_run, settings
from lvm_core.train.run import train_run
from lvm_core.train.sweep import OPEN, Child, Sweep, conclusion, finished, leading, save, settings_of, sweep_lock
from lvm_core.train.together import ALONE, meeting
from lvm_core.types import Progress, no_progress
from lvm_core.workspace import Workspace


def run_sweep_elsewhere(workspace: Workspace, sweep: Sweep, executor: Executor, progress: Progress) -> Sweep:
    """Train what is not done yet, as many runs at once as there are workers; a run that fails is noted.

    A run whose worker was lost goes on from its last checkpoint on another.

    Raises:
        SettingsError: if it has a budget of time, which one process alone can keep.
        JobError: if another process runs this sweep, or the workers cannot do its work.
        ExecutorLost: if nobody is left who trains; what is finished is kept.
        KeyboardInterrupt: if it was told to stop; the runs at hand have written their checkpoints.
    """
    if sweep.budget_s is not None:
        raise SettingsError(["A budget was given for several machines; expected one process to keep it: leave it out."])
    with sweep_lock(workspace, sweep):
        for stage in _stages(sweep):
            _run_stage(workspace, sweep, stage, executor, progress)
        progress(1.0, conclusion(sweep))
    return sweep


def _stages(sweep: Sweep) -> Iterator[list[Child]]:
    """Yield what may go on side by side: runs that repeat the best so far wait for those before them."""
    for _, children in groupby(sweep.children, key=lambda child: "best" in child.settings):
        waiting = [child for child in children if child.state in OPEN]
        if waiting:
            yield waiting


def _run_stage(
    workspace: Workspace, sweep: Sweep, stage: Sequence[Child], executor: Executor, progress: Progress
) -> None:
    by_name = {child.run: child for child in stage}

    def tell(run: str, share: float, message: str) -> None:
        child = by_name[run]
        if child.state == "waiting":
            child.state = "running"
            save(workspace, sweep)
        shares[run] = share
        n_done = sum(c.state not in OPEN for c in sweep.children)
        under_way = sum(share for name, share in shares.items() if by_name[name].state == "running")
        n = len(sweep.children)
        note = f"{n_done} of {n} runs ended, {run}: {message}{leading(sweep)}"
        progress(min((n_done + under_way) / n, 0.9999), note)

    shares: dict[str, float] = {}
    tasks = [task for child in stage if (task := _task(workspace, sweep, child)) is not None]
    for outcome in executor.run(tasks, tell):
        _note(by_name[outcome.task.name], outcome)
        save(workspace, sweep)
        tell(outcome.task.name, 1.0, f"ended on {outcome.where}")


def _task(workspace: Workspace, sweep: Sweep, child: Child) -> Task | None:
    """Return the training of a run as a task; None where it has ended already, or cannot be."""
    result = finished(workspace, child.run)
    if result is not None:
        child.is_done(result)
        return None
    try:
        settings = check(settings_of(sweep, child))
    except LvmError as error:
        child.state, child.message = "failed", str(error)[:500]
        return None
    return Task(child.run, f"{__name__}:train_one", {"run": child.run, "settings": dict(vars(settings))})


def _note(child: Child, outcome: Outcome) -> None:
    child.seconds += outcome.seconds
    if outcome.error is not None:
        child.state, child.message = "failed", str(outcome.error)[:500]
    else:
        child.is_done(outcome.value)


def train_together(
    workspace: Workspace, config: TrainConfig | None, run: str | None, resume: bool, executor: Executor,
    n_processes: int, progress: Progress,
) -> RunResult:  # fmt: skip
    """Train one net by so many processes of `executor`, with the steps that one process would take.

    Raises:
        SettingsError: if it is nothing that several can train.
        ExecutorLost: if one of them is lost; the last checkpoint is kept.
        KeyboardInterrupt: if it was told to stop; the checkpoint is written.
    """
    config, _ = settings(workspace, config, run, resume)
    if n_processes > 1 and config.model not in MODELS:
        wrong = f"workers is {n_processes}, and {config.model} is fitted in one go; expected 1. Leave --workers out."
        raise SettingsError([wrong])
    run = run or new_run(workspace, config.model)
    folder = workspace.make(workspace.cluster / f"meeting-{secrets.token_hex(6)}")
    given: dict[str, Any] = {"run": run, "settings": dict(vars(config)), "resume": resume, "size": n_processes,
             "meet": str(folder / "address")}  # fmt: skip
    tasks = [Task(f"process {rank + 1} of {n_processes}", f"{__name__}:train_share", {**given, "rank": rank},
                  again=n_processes == 1) for rank in range(n_processes)]  # fmt: skip

    def tell(name: str, share: float, message: str) -> None:
        if name == tasks[0].name:
            progress(share, message)

    try:
        with contextlib.closing(executor.run(tasks, tell)) as outcomes:
            return _result(outcomes)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _result(outcomes: Iterator[Outcome]) -> RunResult:
    """Return what the process that leads made; what one of them refuses says more than that the others lost it."""
    found: list[RunResult] = []
    lost: LvmError | None = None
    for outcome in outcomes:
        if isinstance(outcome.error, ExecutorLost):
            lost = outcome.error if lost is None else lost
        elif (result := outcome.worth()) is not None:
            found.append(result)
    if lost is not None:
        raise lost
    return found[0]


# ---------------------------------------------------------------- on a worker


def train_share(
    desk: Desk, run: str, settings: Values, resume: bool, rank: int, size: int, meet: str
) -> RunResult | None:
    """Train `run` as one of `size` processes; the first of them returns its result."""
    resume = resume or (size == 1 and desk.workspace.run_config(run).exists())
    config = from_dict(TrainConfig, settings)
    with meeting(desk.here(meet), rank, size) if size > 1 else contextlib.nullcontext(ALONE) as group:
        result = train_run(
            desk.workspace, config, run, resume, desk.progress if group.leads else no_progress, None, group
        )
    return result if rank == 0 else None


def train_one(desk: Desk, run: str, settings: Values) -> RunResult:
    """Train `run`, or go on with it where another worker was lost; return its result."""
    result = finished(desk.workspace, run)
    if result is not None:
        return result
    begun = desk.workspace.run_config(run).exists()
    config = None if begun else from_dict(TrainConfig, settings)
    return train(desk.workspace, config, run=run, resume=begun, progress=desk.progress)

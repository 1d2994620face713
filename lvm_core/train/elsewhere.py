"""Trainings on other machines: those of a sweep side by side, one a task."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from lvm_core.config import check, from_dict
from lvm_core.errors import LvmError, SettingsError
from lvm_core.executors import Executor, Outcome, Task
from lvm_core.executors.work import Desk
from lvm_core.json_shapes import RunResult, Values
from lvm_core.train import TrainConfig, train
from lvm_core.train.sweep import OPEN, Child, Sweep, conclusion, finished, leading, save, settings_of, sweep_lock
from lvm_core.types import Progress
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


# ---------------------------------------------------------------- on a worker


def train_one(desk: Desk, run: str, settings: Values) -> RunResult:
    """Train `run`, or go on with it where another worker was lost; return its result."""
    result = finished(desk.workspace, run)
    if result is not None:
        return result
    begun = desk.workspace.run_config(run).exists()
    config = None if begun else from_dict(TrainConfig, settings)
    return train(desk.workspace, config, run=run, resume=begun, progress=desk.progress)

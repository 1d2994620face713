"""A sweep: many trainings as one job, each a run of its own, ranked while it goes on."""

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import TypedDict, cast

from lvm_core.boundary.json_values import from_json
from lvm_core.config import check
from lvm_core.dataset.order_notes import ask_about_order
from lvm_core.errors import JobError, LvmError, SettingsError
from lvm_core.json_shapes import RunResult, Values
from lvm_core.locks import held
from lvm_core.metrics.levels import leaders, listed
from lvm_core.spaces import space_to_train_in
from lvm_core.train import TrainConfig
from lvm_core.train.plan import config_of, plan
from lvm_core.types import Progress
from lvm_core.workspace import Workspace, read_json, slug, write_json

NOT_SETTINGS = ("week", "label", "best", "ensemble")
AGAIN = ("best", "ensemble")
"""What marks a run that is made of those before it."""
N_JOINED = 3
OPEN = ("waiting", "running")
Train = Callable[[TrainConfig | None, str, bool, Progress], RunResult]
"""Trains one run: settings (None to go on), its name, whether to resume, progress; returns its result."""


@dataclass(slots=True)
class Child:
    """One training of a sweep. `settings` are what it varies; `state` waiting, running, done or failed."""

    run: str
    settings: Values
    state: str = "waiting"
    val_cosine: float | None = None
    seconds: float = 0.0
    message: str = ""

    def is_done(self, result: RunResult) -> None:
        """Note how its training ended."""
        self.state, self.val_cosine = "done", result.get("val_cosine")
        self.message = str(result.get("stopped", ""))


class ChildJson(TypedDict):
    """A `Child` as the file has it."""

    run: str
    settings: Values
    state: str
    val_cosine: float | None
    seconds: float
    message: str


class RankedRun(TypedDict):
    """A finished run at its place in the ranking."""

    rank: int
    run: str
    val_cosine: float | None
    seconds: float
    settings: Values


class SweepJson(TypedDict):
    """What the command prints and the file of a sweep holds."""

    name: str
    base: Values
    children: list[ChildJson]
    left_out: list[str]
    created: float
    budget_s: float | None
    ranking: list[RankedRun]


@dataclass(slots=True)
class Sweep:
    """What was asked for and how far it is; the whole of it lies in one file."""

    name: str
    base: Values
    children: list[Child]
    left_out: list[str] = field(default_factory=list)
    created: float = 0.0
    budget_s: float | None = None

    def ranked(self) -> list[Child]:
        """Return the finished runs, best validation cosine first."""
        done = [c for c in self.children if c.state == "done" and c.val_cosine is not None]
        return sorted(done, key=lambda c: -(c.val_cosine or 0.0))

    def to_json(self) -> SweepJson:
        """Return what the command prints and the file holds."""
        ranking: list[RankedRun] = [
            {"rank": i + 1, "run": c.run, "val_cosine": c.val_cosine, "seconds": c.seconds, "settings": c.settings}
            for i, c in enumerate(self.ranked())
        ]
        return cast(SweepJson, {**asdict(self), "ranking": ranking})


def new_sweep(name: str, base: Values, runs: Iterable[Values], left_out: Iterable[str] = ()) -> Sweep:
    """Return a sweep whose runs are named after it and their net."""
    children = []
    for i, settings in enumerate(runs):
        model = settings.get("model") or base.get("model") or TrainConfig().model
        stem = next((name for name in AGAIN if name in settings), model)
        children.append(Child(slug(f"{stem}-{name}-{i + 1:03d}"), settings))
    return Sweep(slug(name), base, children, list(left_out), time.time())


def read_sweep(workspace: Workspace, name: str) -> Sweep:
    """Return a stored sweep.

    Raises:
        JobError: if there is none of that name, or its file is damaged.
    """
    path = workspace.sweep(name)
    if not path.exists():
        known = sorted(p.stem for p in path.parent.glob("*.json")) if path.parent.is_dir() else []
        raise JobError(
            f"There is no sweep {name!r}",
            f"one of {', '.join(known) or 'none yet'}",
            "Name one of these with --name, or make one with --vary.",
        )
    return from_json(Sweep, read_json(path), f"The sweep {path}", extra=True, error=JobError)


def sweep_of(workspace: Workspace, runs: Sequence[str]) -> Sweep | None:
    """Return the stored sweep that all of `runs` are of, None where there is no such sweep."""
    for path in sorted(workspace.sweep("any").parent.glob("*.json")):
        if runs and all(f"-{path.stem}-" in run for run in runs):
            sweep = read_sweep(workspace, path.stem)
            if {child.run for child in sweep.children} >= set(runs):
                return sweep
    return None


def check_sweep(workspace: Workspace, sweep: Sweep, dim: int) -> None:
    """Check every run before the first starts.

    Raises:
        SettingsError: with the problems of all runs at once, each sentence once.
        CorpusError: if the corpora have no order that could be learned, and the settings do not say yes to that.
    """
    if not sweep.children:
        raise SettingsError(
            ["The sweep has no runs; expected at least one. Vary a setting, such as --vary lr=0.001,0.0005."]
        )
    found: dict[str, str] = {}
    for child in sweep.children:
        if is_again(child):
            continue
        try:
            wrong = plan(workspace, settings_of(sweep, child), dim).problems
        except SettingsError as error:
            wrong = error.problems
        for sentence in wrong:
            found.setdefault(sentence, child.run)
    if found:
        raise SettingsError([f"{run}: {sentence}" for sentence, run in found.items()])
    base = config_of({name: value for name, value in sweep.base.items() if name in ("corpus", "encoder", "yes")})
    ask_about_order(workspace, base.corpora, space_to_train_in(workspace, base.corpora, base.encoder), base.yes)


def settings_of(sweep: Sweep, child: Child) -> TrainConfig:
    """Return the settings of a run; one that repeats a best architecture takes them from the ranking so far.

    Raises:
        SettingsError: for unknown settings, or if nothing has finished that could be repeated.
    """
    varied = {k: v for k, v in child.settings.items() if k not in NOT_SETTINGS}
    if "ensemble" in child.settings:
        return _ensemble(sweep, int(cast(int, child.settings["ensemble"])))
    if "best" in child.settings:
        varied = {**_best(sweep, int(cast(int, child.settings["best"]))), **varied}
    return config_of({**sweep.base, **varied})


def is_again(child: Child) -> bool:
    """Return whether a run is made of those before it: a best one trained again, or an ensemble."""
    return any(name in child.settings for name in AGAIN)


def _best_of_each(sweep: Sweep) -> list[Child]:
    """Return the best run of each net, best net first."""
    best: dict[str, Child] = {}
    for child in sweep.ranked():
        if not is_again(child):
            best.setdefault(str(child.settings.get("model", sweep.base.get("model"))), child)
    if not best:
        raise SettingsError(["No run of the sweep has finished; expected one, to repeat the best. Let it go on first."])
    return list(best.values())


def _best(sweep: Sweep, k: int) -> Values:
    """Return the settings of the best run of the k-th best net."""
    best = _best_of_each(sweep)
    return {k: v for k, v in best[min(k, len(best)) - 1].settings.items() if k not in NOT_SETTINGS}


def _ensemble(sweep: Sweep, k: int) -> TrainConfig:
    """Return an ensemble: 1 joins the best run of each of the three best nets, 2 the three best runs of any net, 3 the
    first and what was trained again of those nets.
    """
    best = _best_of_each(sweep)[:N_JOINED]
    again = [child for child in sweep.ranked() if "best" in child.settings]
    plain = [child for child in sweep.ranked() if not is_again(child)][:N_JOINED]
    members = {1: best, 2: plain, 3: [*best, *again]}[k]
    fields = {name: value for name, value in sweep.base.items() if name in TrainConfig.__dataclass_fields__}
    return config_of({**fields, "model": "ensemble", "options": {"members": ",".join(c.run for c in members)}})


def run_sweep(workspace: Workspace, sweep: Sweep, train: Train, progress: Progress) -> Sweep:
    """Train what is not done yet, one after the other; a run that fails is noted and the next one starts.

    Raises:
        JobError: if another process runs this sweep.
        KeyboardInterrupt: if it was told to stop; the run at hand has written its checkpoint.
    """
    with sweep_lock(workspace, sweep):
        return _run_open(workspace, sweep, train, progress)


@contextlib.contextmanager
def sweep_lock(workspace: Workspace, sweep: Sweep) -> Iterator[None]:
    """Hold the right to run the sweep.

    Raises:
        JobError: if another process runs it.
    """
    refusal = JobError(
        f"Another process runs the sweep '{sweep.name}' right now",
        "one process at a time",
        "Wait until it is done, stop it, or choose another --name.",
    )
    with held(workspace.lock("sweep", sweep.name), refusal):
        yield


def _run_open(workspace: Workspace, sweep: Sweep, train: Train, progress: Progress) -> Sweep:
    """Train what is not done yet; the sweep's lock is held."""
    for i, child in enumerate(sweep.children):
        if child.state not in OPEN:
            continue
        child.state = "running"
        save(workspace, sweep)
        start = time.monotonic()
        try:
            result = finished(workspace, child.run) or _train_child(
                workspace, sweep, child, train, _part(progress, sweep, i)
            )
            child.is_done(result)
        except (LvmError, RuntimeError, MemoryError) as error:
            child.state, child.message = "failed", f"{error}"[:500]
        finally:
            child.seconds += time.monotonic() - start
            save(workspace, sweep)
    progress(1.0, conclusion(sweep))
    return sweep


def conclusion(sweep: Sweep) -> str:
    """Return how a sweep ended, in words."""
    n_failed = sum(c.state == "failed" for c in sweep.children)
    return f"{len(sweep.children)} runs, {n_failed} failed; {_outcome(sweep.ranked())}"


def _outcome(ranked: "list[Child]") -> str:
    """Return who leads in words: of runs that differ by less than what matters, none does."""
    values = {child.run: child.val_cosine for child in ranked if child.val_cosine is not None}
    best = leaders(values)
    if not best:
        return "no run finished"
    return f"{listed(best)} {'leads' if len(best) == 1 else 'are level'} with {values[best[0]]:.4f}"


def finished(workspace: Workspace, run: str) -> RunResult | None:
    """Return the result of a run that came to its end before the sweep heard of it; None where it did not."""
    if not workspace.run_result(run).exists():
        return None
    result: RunResult = read_json(workspace.run_result(run))
    return result if result.get("stopped") in ("finished", "early") else None


def _train_child(workspace: Workspace, sweep: Sweep, child: Child, train: Train, progress: Progress) -> RunResult:
    if workspace.run_config(child.run).exists():
        return train(None, child.run, True, progress)
    config = settings_of(sweep, child)
    config.epochs = epochs_left(sweep, config.epochs)
    return train(check(config), child.run, False, progress)


def leading(sweep: Sweep) -> str:
    """Return the best run so far in words, "" where none has finished."""
    best = sweep.ranked()[:1]
    return f"; best so far {best[0].val_cosine:.4f} ({best[0].run})" if best else ""


def epochs_left(sweep: Sweep, epochs: int) -> int:
    """Return the passes that the next run may take so that those behind it end within the budget too; at least one.

    What the runs so far took is what those to come are expected to take.
    """
    done = [c.seconds for c in sweep.children if c.state == "done" and c.seconds > 0]
    waiting = sum(c.state in OPEN for c in sweep.children)
    if sweep.budget_s is None or not done or not waiting:
        return epochs
    left = sweep.budget_s - sum(c.seconds for c in sweep.children)
    usual = sum(done) / len(done)
    return max(1, min(epochs, int(epochs * left / (usual * waiting))))


def _part(progress: Progress, sweep: Sweep, i: int) -> Progress:
    """Return the progress of run `i` as a part of the whole."""
    n = len(sweep.children)
    leads = leading(sweep)

    def tell(share: float, message: str) -> None:
        progress(min((i + share) / n, 0.9999), f"run {i + 1} of {n}, {sweep.children[i].run}: {message}{leads}")

    return tell


def save(workspace: Workspace, sweep: Sweep) -> None:
    """Write down how far a sweep is."""
    write_json(workspace.sweep(sweep.name), sweep.to_json())

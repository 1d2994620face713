"""Where the parts of a command's work are done: here, on a Ray cluster, as SLURM jobs. One file and one line each.

The command itself always runs here, as a job or by hand: state, log, progress, cancel and resume are its own. It
gives tasks (`base.Task`) to an executor and writes down what comes back. A lost worker costs the task it was at.
"""

import argparse
import contextlib
import os
import re
from collections.abc import Iterator

from lvm_core.errors import JobError, SettingsError
from lvm_core.executors import local, ray_cluster, slurm
from lvm_core.executors.base import Executor, ExecutorKind, Outcome, Task, Tell
from lvm_core.workspace import Workspace

__all__ = [
    "EXECUTORS", "FLAG", "LOCAL", "Executor", "ExecutorKind", "Outcome", "Task", "Tell", "add_argument", "chosen",
    "default_executor", "elsewhere",
]  # fmt: skip

LOCAL = "local"
SETTING, FLAG = "LVM_EXECUTOR", "--on"

EXECUTORS: dict[str, ExecutorKind] = {
    LOCAL: local.KIND,
    "ray": ray_cluster.KIND,
    "slurm": slurm.KIND,
}


def add_argument(parser: argparse.ArgumentParser) -> None:
    """Declare the flag that says where the work is done."""
    ways = ", ".join(EXECUTORS)
    number = "ray:4, local:4 for four workers at most"
    parser.add_argument(FLAG, metavar="WHERE", help=f"{ways}; {number} [{SETTING}, else {LOCAL}]")


def default_executor() -> str:
    """Return the name of the executor where a command does not say one; one that cannot be is none."""
    name = os.environ.get(SETTING, "").strip().partition(":")[0]
    return name if name in EXECUTORS else LOCAL


def chosen(given: str | None) -> tuple[str, int]:
    """Return the name of the executor that `given`, else LVM_EXECUTOR asks for, and the most workers (0: all).

    Raises:
        SettingsError: if there is no such executor.
        MissingPackage: if its package is not installed.
    """
    text = (given or os.environ.get(SETTING, "") or LOCAL).strip()
    found = re.fullmatch(r"([a-z]+)(?::([1-9]\d{0,3}))?", text)
    if found is None or found[1] not in EXECUTORS:
        what = FLAG if given else SETTING
        raise SettingsError(
            [f"{what} is {text!r}; expected {', '.join(EXECUTORS)}, or one of them with a number, ray:4."]
        )
    EXECUTORS[found[1]].need()
    return found[1], int(found[2] or 0)


@contextlib.contextmanager
def elsewhere(workspace: Workspace, given: str | None, n_needed: int = 1) -> Iterator[Executor | None]:
    """Give the executor that `given`, else LVM_EXECUTOR asks for; None where the work is done in this process.

    With `n_needed` workers that must go on side by side, a machine that was given no number gets that many.

    Raises:
        SettingsError: if there is none of that name, or its settings are wrong.
        MissingPackage: if its package is not installed.
        JobError: if it cannot be reached, or has room for fewer workers than are needed.
    """
    name, most = chosen(given)
    most = most or (n_needed if n_needed > 1 else 0)
    if name == LOCAL and most < 2:
        yield None
        return
    with EXECUTORS[name].open(workspace, most) as executor:
        if executor.n_workers < n_needed:
            raise JobError(
                f"There is room for {executor.n_workers} workers on {name}",
                f"room for {n_needed}, which work hand in hand",
                "Add a machine, or ask for fewer --workers.",
            )
        yield executor

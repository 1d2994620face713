"""`jobs`: list, queue, cancel, resume, retry, delete and move background jobs, and read their logs."""

import argparse
import time
from collections.abc import Callable

from lvm_core.boundary.values import whole_number
from lvm_core.command_line import check_command
from lvm_core.errors import JobError
from lvm_core.jobs.store import Job, JobStore
from lvm_core.json_shapes import Json
from lvm_core.workspace import Workspace

LATEST, MOST_LISTED = 50, 1_000_000

JOB = None
"""It answers at once."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the actions; without one, `list`."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    every = actions.add_parser("list", help="the running, the queue in order, then the newest first")
    every.add_argument("--state", action="append", help="only jobs in this state (may be given again)")
    every.add_argument("--latest", type=int, default=LATEST, help=f"at most so many [default {LATEST}]")
    new = actions.add_parser("submit", help="queue a command: jobs submit train --model amn --corpus NAME")
    new.add_argument("--title", default="", help="a name for people")
    new.add_argument("argv", nargs=argparse.REMAINDER, metavar="COMMAND ...", help="the command and its arguments")
    for name, text in {
        "cancel": "take it out of the queue, or ask its process to end",
        "resume": "go on with a stopped job from its last checkpoint",
        "retry": "queue the same command again, from the beginning",
    }.items():
        actions.add_parser(name, help=text).add_argument("job")
    delete = actions.add_parser("delete", help="forget a job and its log (the run it made stays)")
    delete.add_argument("job")
    delete.add_argument("--yes", action="store_true", help="do not ask")
    move = actions.add_parser("move", help="put a waiting job at a place of the queue")
    move.add_argument("job")
    move.add_argument("place", type=int, help="1 is the next to start")
    limit = actions.add_parser("limit", help="show or set how many jobs may run at once")
    limit.add_argument("n", type=int, nargs="?")
    log = actions.add_parser("log", help="the last lines of a job's log")
    log.add_argument("job")
    log.add_argument("--lines", type=int, default=40)
    for action in actions.choices.values():
        action.add_argument("--workspace", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
        action.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS)


def run(namespace: argparse.Namespace, workspace: Workspace) -> Json:
    """Do one action and return the jobs it concerns."""
    store = JobStore(workspace)
    return _ACTIONS[namespace.action or "list"](store, namespace)


def report(result: Json) -> str:
    """Return the jobs as a table, or the log's lines."""
    if "log" in result:
        return "\n".join(result["log"])
    if "limit" in result:
        return f"{result['limit']} at once"
    lines = [_line(job) for job in result["jobs"]]
    return "\n".join(lines) if lines else "no jobs"


def _line(job: Json) -> str:
    silent = f"  silent for {job['silent_s']:.0f} s" if job["silent_s"] else ""
    age = time.strftime("%m-%d %H:%M", time.localtime(job["created"]))
    spent = f"{job['elapsed_s']:.0f} s"
    state = "stopping" if job["cancelling"] else job["state"]
    return f"{job['id']:<34} {state:<11} {job['progress']:4.0%} {spent:>8}  {age}  {job['message']}{silent}"


def _listed(store: JobStore, namespace: argparse.Namespace) -> Json:
    states = getattr(namespace, "state", None) or ()
    latest = whole_number(getattr(namespace, "latest", LATEST), "--latest", 1, MOST_LISTED)
    return _of(*store.list(states, latest))


def _of(*jobs: Job) -> Json:
    return {"jobs": [job.to_json() for job in jobs]}


def _submit(store: JobStore, namespace: argparse.Namespace) -> Json:
    argv = namespace.argv[1:] if namespace.argv[:1] == ["--"] else namespace.argv
    check_command(argv)
    return _of(store.get(store.submit(argv, namespace.title)))


def _delete(store: JobStore, namespace: argparse.Namespace) -> Json:
    job = store.get(namespace.job)
    if not namespace.yes:
        try:
            answer = input(f"Delete job {job.id} ({job.state}) and its log? [y/N] ")
        except EOFError:
            answer = ""
        if answer.strip().lower() not in ("y", "yes"):
            raise JobError(f"Job {job.id} was kept", "a yes to delete it", "Answer y, or give --yes.")
    store.delete(job.id)
    return _of()


def _move(store: JobStore, namespace: argparse.Namespace) -> Json:
    store.move(namespace.job, namespace.place)
    return _of(*store.list(("queued",)))


def _limit(store: JobStore, namespace: argparse.Namespace) -> Json:
    if namespace.n is not None:
        store.limit = namespace.n
    return {"limit": store.limit}


def _log(store: JobStore, namespace: argparse.Namespace) -> Json:
    job = store.get(namespace.job)
    return {"log": store.log(job.id, namespace.lines), "bytes": store.log_bytes(job.id)}


_ACTIONS: dict[str, Callable[[JobStore, argparse.Namespace], Json]] = {
    "list": _listed,
    "submit": _submit,
    "cancel": lambda store, namespace: _of(store.cancel(namespace.job)),
    "resume": lambda store, namespace: _of(store.resume(namespace.job)),
    "retry": lambda store, namespace: _of(store.get(store.retry(namespace.job))),
    "delete": _delete,
    "move": _move,
    "limit": _limit,
    "log": _log,
}

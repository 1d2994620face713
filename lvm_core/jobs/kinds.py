"""What the runner must know of commands: how each names what it makes, and how it goes on with it."""

import time
from collections.abc import Callable, Sequence

from lvm_core.jobs.rows import Job
from lvm_core.workspace import Workspace, slug

NAME_FLAGS = {"train": "--run", "sweep": "--name"}
"""The flag by which a command is told the name of the run (or sweep) it makes."""


def flag_value(argv: Sequence[str], flag: str) -> str | None:
    """Return the value of `flag` in `argv`, None where it is not given."""
    for i, word in enumerate(argv):
        if word == flag and i + 1 < len(argv):
            return argv[i + 1]
        if word.startswith(flag + "="):
            return word.partition("=")[2]
    return None


def without_flag(argv: Sequence[str], flag: str) -> list[str]:
    """Return `argv` without `flag` and its value."""
    words: list[str] = []
    skip = False
    for word in argv:
        if skip:
            skip = False
        elif word == flag:
            skip = True
        elif not word.startswith(flag + "="):
            words.append(word)
    return words


def named(argv: Sequence[str], taken: Callable[[str], bool]) -> tuple[list[str], str | None]:
    """Return `argv` with the name of what it will make, and that name (None where the command makes no run).

    Named in the queue already, two trainings that start within a second cannot choose the same folder.
    """
    flag = NAME_FLAGS.get(argv[0])
    if flag is None:
        return list(argv), None
    given = flag_value(argv, flag)
    if given is not None:
        return list(argv), slug(given)
    stem = slug((flag_value(argv, "--model") or "amn") if argv[0] == "train" else argv[0])
    stem = f"{stem}-{time.strftime('%Y%m%d-%H%M%S')}"
    name = next(n for n in [stem, *(f"{stem}-{i}" for i in range(2, 10_000))] if not taken(n))
    return [*argv, flag, name], name


def afresh(argv: Sequence[str]) -> list[str]:
    """Return `argv` without its name, so that the same command makes another run."""
    flag = NAME_FLAGS.get(argv[0])
    words = [w for w in argv if w != "--resume"] if flag else list(argv)
    return without_flag(words, flag) if flag else words


def arguments_now(job: Job, workspace: Workspace) -> list[str]:
    """Return the arguments to start `job` with: its own, or those that go on with what it has made so far."""
    if job.resume_argv:
        return job.resume_argv
    if job.kind == "train" and job.run and workspace.run_config(job.run).exists():
        return ["train", "--run", job.run, "--resume"]
    return job.argv

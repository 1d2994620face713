"""What a command says of itself as a job, in its own file as `JOB`, and what follows from it for the queue."""

import importlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from lvm_core.jobs.rows import LONG, SHORT, Job
from lvm_core.workspace import Workspace, own_name, slug

COMMANDS = "lvm_core.commands"
"""The package whose modules are the commands."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A command as a job.

    Attributes:
        name_flag: the flag by which it is told the name of what it makes; "" if that has no name.
        resume_flag: the flag with which the same arguments go on where they stopped; "" if they do so without one.
        place: where what it makes under a name lies in a workspace.
        stem: how a name begins, from the arguments; the command's own name where it does not say.
        spreads: its work comes in parts that other machines can do, so it takes `--on`.
        short: somebody waits for it, so it has a lane of its own and never stands behind a training.
    """

    name_flag: str = ""
    resume_flag: str = ""
    place: Callable[[Workspace, str], Path] | None = None
    stem: Callable[[Sequence[str]], str] | None = None
    spreads: bool = False
    short: bool = False

    @property
    def lane(self) -> str:
        """The lane that its jobs wait in."""
        return SHORT if self.short else LONG


def module_of(command: str) -> ModuleType:
    """Return the module of a command, '-' in its name as '_'.

    Raises:
        ModuleNotFoundError: if there is no such command.
    """
    return importlib.import_module(f"{COMMANDS}.{command.replace('-', '_')}")


def kind_of(command: str) -> Kind | None:
    """Return what a command says of itself; None for one that answers at once and is no job."""
    try:
        declared: Kind | None = getattr(module_of(command), "JOB", Kind())
    except ModuleNotFoundError as error:
        if not str(error.name).startswith(COMMANDS):
            raise
        return Kind()
    return declared


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


def named(argv: Sequence[str], kind: Kind, taken: Callable[[str], bool]) -> tuple[list[str], str | None]:
    """Return `argv` with the name of what it will make, and that name (None where the command makes no such thing).

    Named in the queue already, two trainings that start within a second cannot choose the same folder.

    Raises:
        SettingsError: if the name given is none for a folder.
    """
    if not kind.name_flag:
        return list(argv), None
    given = flag_value(argv, kind.name_flag)
    if given is not None:
        return list(argv), own_name(given, kind.name_flag)
    stem = f"{slug(kind.stem(argv) if kind.stem else argv[0])}-{time.strftime('%Y%m%d-%H%M%S')}"
    name = next(n for n in [stem, *(f"{stem}-{i}" for i in range(2, 10_000))] if not taken(n))
    return [*argv, kind.name_flag, name], name


def afresh(argv: Sequence[str]) -> list[str]:
    """Return `argv` without its name, so that the same command makes another one."""
    kind = kind_of(argv[0])
    if kind is None or not kind.name_flag:
        return list(argv)
    return without_flag([word for word in argv if word != kind.resume_flag], kind.name_flag)


def arguments_now(job: Job) -> list[str]:
    """Return the arguments to start `job` with: its own, or those that go on with what it has made so far."""
    if job.resume_argv:
        return job.resume_argv
    kind = None if job.program else kind_of(job.argv[0])
    again = kind is not None and kind.resume_flag and job.attempt > 1 and kind.resume_flag not in job.argv
    return [*job.argv, kind.resume_flag] if again and kind else job.argv

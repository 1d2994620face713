"""A command's flags as data: forms are made from them, and a command line is checked before it waits in a queue."""

import argparse
import contextlib
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lvm_core.errors import JobError

NOT_JOBS = ("jobs", "predict", "leaderboard", "doctor")
"""Commands that answer at once."""

_SILENT = ("help", "workspace", "json")


@dataclass(frozen=True, slots=True)
class Flag:
    """One flag. `kind` is text, number, choice, switch (given or not) or yes-no; `flag` is empty for a position."""

    dest: str
    flag: str
    kind: str
    help: str
    choices: tuple[str, ...] = ()
    required: bool = False
    repeated: bool = False


def job_commands() -> dict[str, str]:
    """Return the commands that can be jobs, with their one-line help."""
    from lvm_core.__main__ import COMMANDS

    return {name: text for name, text in COMMANDS.items() if name not in NOT_JOBS}


def flags(command: str) -> list[Flag]:
    """Return the flags of `command`, positions first."""
    actions = [a for a in _parser_of(command)._actions if a.dest not in _SILENT]
    return sorted((_flag(a) for a in actions), key=lambda f: bool(f.flag))


def _flag(action: argparse.Action) -> Flag:
    long = [s for s in action.option_strings if s.startswith("--") and not s.startswith("--no-")]
    kind = "text"
    if isinstance(action, argparse.BooleanOptionalAction):
        kind = "yes-no"
    elif action.nargs == 0:
        kind = "switch"
    elif action.choices:
        kind = "choice"
    elif action.type in (int, float):
        kind = "number"
    return Flag(
        dest=action.dest,
        flag=long[0] if long else "",
        kind=kind,
        help=(action.help or "").replace("%%", "%"),
        choices=tuple(map(str, action.choices or ())),
        required=bool(action.required) or (not action.option_strings and action.nargs not in ("?", "*")),
        repeated=isinstance(action, argparse._AppendAction) or action.nargs in ("*", "+"),
    )


def arguments(command: str, values: Mapping[str, Any]) -> list[str]:
    """Return the command line of `values`, by destination; what is empty or None is not given."""
    argv = [command]
    for flag in flags(command):
        value = values.get(flag.dest)
        if value in (None, "", False) and not (flag.kind == "yes-no" and value is False):
            continue
        argv += _words(flag, value)
    return argv


def _words(flag: Flag, value: Any) -> list[str]:
    if flag.kind == "switch":
        return [flag.flag]
    if flag.kind == "yes-no":
        return [flag.flag if value else "--no-" + flag.flag[2:]]
    several = [v.strip() for v in str(value).splitlines() if v.strip()] if flag.repeated else [str(value)]
    if not flag.flag:
        return several
    return [word for one in several for word in (flag.flag, one)]


def values_of(argv: Sequence[str]) -> dict[str, Any]:
    """Return the values in a command line, by destination; {} where it cannot be read."""
    try:
        given = vars(_parsed(list(argv)))
    except JobError:
        return {}
    found: dict[str, Any] = {}
    for flag in flags(argv[0]):
        value = given.get(flag.dest)
        if value is not None and value != []:
            found[flag.dest] = "\n".join(map(str, value)) if isinstance(value, list) else value
    return found


def check_command(argv: Sequence[str]) -> None:
    """Check a command line before it waits in a queue.

    Raises:
        JobError: saying what the command's own parser would say.
    """
    if not argv or argv[0] not in job_commands():
        expected = ", ".join(job_commands())
        raise JobError(f"{argv[0] if argv else 'Nothing'} cannot be a job; expected a command: {expected}.")
    _parsed(list(argv))


def _parsed(argv: list[str]) -> argparse.Namespace:
    from lvm_core.__main__ import _parser

    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
            return _parser(argv[0]).parse_args(argv)
    except SystemExit as stop:
        message = re.sub(r"^.*?error: ", "", (said.getvalue().strip().splitlines() or [""])[-1])
        raise JobError(f"{' '.join(argv)}: {message}") from stop


def _parser_of(command: str) -> argparse.ArgumentParser:
    from lvm_core.__main__ import _parser

    whole = _parser(command)
    choices = next(a.choices for a in whole._actions if isinstance(a, argparse._SubParsersAction))
    found: argparse.ArgumentParser = dict(choices or {})[command]
    return found

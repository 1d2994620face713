"""The command line: `python -m lvm_core COMMAND`. The commands are listed in `command_line.py`.

Exit code 0: done; 2: bad input (message on stderr, no traceback); 1: our fault; 75: what the work
was spread over went away, and the same command goes on.
"""

import argparse
import json
import os
import sqlite3
import sys
from collections.abc import Sequence
from typing import Any

from lvm_core.boundary.files import quoted
from lvm_core.boundary.values import shown, whole_characters
from lvm_core.command_line import look_up, make_parser
from lvm_core.errors import ExecutorLost, LvmError, SettingsError


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        _check_words(arguments)
    except LvmError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    name = next((a for a in arguments if not a.startswith("-")), None)
    parser = make_parser(name)
    namespace = parser.parse_args(arguments)
    if namespace.command is None:
        parser.print_help()
        return 2
    if "LVM_JOB" not in os.environ:
        return _run(namespace)
    from lvm_core.jobs import pulse

    return pulse.watched(lambda: _run(namespace))


def _run(namespace: argparse.Namespace) -> int:
    from lvm_core.workspace import Workspace, write_json

    try:
        workspace = Workspace(namespace.workspace)
        result = namespace.module.run(namespace, workspace)
        if job := os.environ.get("LVM_JOB"):
            write_json(workspace.job_result(job), result)
        text = _as_json(result) if namespace.json else shown(namespace.module.report(result))
        if text:
            print(text, flush=True)
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except ExecutorLost as error:
        from lvm_core.jobs.runner import LOST

        print(f"error: {shown(str(error))}", file=sys.stderr)
        return LOST
    except (LvmError, OSError, sqlite3.Error, OverflowError) as error:
        print(f"error: {shown(_reason(error))}", file=sys.stderr)
        if isinstance(error, SettingsError):
            print(look_up(f"python -m lvm_core {namespace.command}"), file=sys.stderr)
        return 2
    return 0


def _as_json(result: Any) -> str:
    """Return one line of JSON, in ASCII where its texts hold what no terminal and no UTF-8 should get."""
    text = json.dumps(result, ensure_ascii=False)
    return text if shown(text) == text else json.dumps(result)


def _reason(error: Exception) -> str:
    """Return what went wrong and what to do, of what the machine refuses as well."""
    if isinstance(error, OSError):
        where = f"{quoted(str(error.filename), 200)}: " if error.filename else ""
        given = f"{where}{error.strerror or error}"
        return f"{given}; expected what can be read and written. Make it so, or name another file or folder."
    if isinstance(error, sqlite3.Error):
        given = f"The workspace's database refuses: {error}"
        return f"{given}; expected a whole and free one. If another program holds it, close that; else run doctor."
    if isinstance(error, OverflowError):
        return f"A number is too large: {error}; expected one that the machine can count with. Give a smaller one."
    return str(error)


def _check_words(arguments: Sequence[str]) -> None:
    """Raise SettingsError for a word that is no valid UTF-8, or a flag of no value, of which argparse makes a list."""
    for word in arguments:
        flag, _, value = word.partition("=")
        if flag.startswith("-") and value == "--":
            raise SettingsError([f"{flag} is '--'; expected a value. Write it in place of the dashes."])
        if whole_characters(word) != word:
            raise SettingsError(
                [f"The word {quoted(word)} is no valid UTF-8; expected whole characters. Type it anew."]
            )


if __name__ == "__main__":
    sys.exit(main())

"""The command line: `python -m lvm_core COMMAND`. The commands are listed in `command_line.py`.

Exit code 0: done; 2: bad input (message on stderr, no traceback); 1: our fault.
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence

from lvm_core.boundary.values import shown
from lvm_core.command_line import make_parser
from lvm_core.errors import LvmError


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
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
    from lvm_core.workspace import Workspace

    try:
        result = namespace.module.run(namespace, Workspace(namespace.workspace))
        text = json.dumps(result, ensure_ascii=False) if namespace.json else shown(namespace.module.report(result))
        if text:
            print(text, flush=True)
    except LvmError as error:
        print(f"error: {shown(str(error))}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


if __name__ == "__main__":
    sys.exit(main())

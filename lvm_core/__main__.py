"""The command line: `python -m lvm_core COMMAND`. A command is one file in `commands/` and one line here.

Exit code 0: done; 2: bad input (message on stderr, no traceback); 1: our fault.
"""

import argparse
import importlib
import json
import os
import sys
from collections.abc import Sequence

from lvm_core import __version__
from lvm_core.errors import LvmError

COMMANDS: dict[str, str] = {
    "ingest": "read articles into a corpus of chunks",
    "corpora": "list the corpora, or delete one",
    "encode": "turn a corpus into vectors and an index",
    "train": "train a net to predict the next chunk",
    "sweep": "train over a grid or list of settings",
    "train-inverter": "train a decoder from vectors to text for an encoder",
    "predict": "say what each model predicts comes after the chunks given",
    "rollout": "feed predictions back and measure the drift",
    "evaluate": "measure models and baselines on unseen articles",
    "leaderboard": "rank what was evaluated",
    "project": "lay out predicted and target vectors in 2-D or 3-D",
    "jobs": "list, queue, cancel, resume and delete background jobs",
    "benchmark": "measure speed and memory against the obvious way, in pairs",
    "import-postgres": "read a cpe_entry table into a corpus",
    "export-postgres": "write a corpus into a cpe_entry table",
    "index-postgres": "put the vectors of a corpus into PostgreSQL, to be searched there",
    "npz": "read and write vectors and sequences as NPZ",
    "chains": "make ordered concept chains of WordNet and read chains into a corpus",
    "tmd": "give each chunk its domain, task and modifier code",
    "doctor": "check the workspace, a corpus or a file, and say what to mend",
}
"""Name of each command (its module in `lvm_core.commands`, '-' as '_') and its one-line help."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    name = next((a for a in arguments if not a.startswith("-")), None)
    parser = _parser(name)
    namespace = parser.parse_args(arguments)
    if namespace.command is None:
        parser.print_help()
        return 2
    if "LVM_JOB" not in os.environ:
        return _run(namespace)
    from lvm_core.jobs import pulse

    return pulse.watched(lambda: _run(namespace))


def _parser(chosen: str | None) -> argparse.ArgumentParser:
    """Only the chosen command's module is imported, so that help answers at once."""
    parser = argparse.ArgumentParser("python -m lvm_core", description="LVM Studio on the command line.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    for name, summary in COMMANDS.items():
        sub = commands.add_parser(name, help=summary, description=summary.capitalize() + ".")
        sub.add_argument("--workspace", help="folder of corpora, runs and jobs [LVM_WORKSPACE, else ./workspace]")
        sub.add_argument("--json", action="store_true", help="one JSON object on stdout, logs on stderr")
        if name == chosen:
            module = importlib.import_module(f"lvm_core.commands.{name.replace('-', '_')}")
            module.add_arguments(sub)
            sub.set_defaults(module=module)
    return parser


def _run(namespace: argparse.Namespace) -> int:
    from lvm_core.workspace import Workspace

    try:
        result = namespace.module.run(namespace, Workspace(namespace.workspace))
        text = json.dumps(result, ensure_ascii=False) if namespace.json else namespace.module.report(result)
        if text:
            print(text, flush=True)
    except LvmError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


if __name__ == "__main__":
    sys.exit(main())

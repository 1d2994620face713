"""The commands and their flags as data: a command is one file in `commands/` and one line here.

Forms are made from the flags, and a command line is checked before it waits in a queue.
"""

import argparse
import contextlib
import io
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from lvm_core import executors
from lvm_core.config import named_words
from lvm_core.errors import JobError, SettingsError
from lvm_core.jobs.kinds import kind_of, module_of
from lvm_core.json_shapes import Value, Values
from lvm_core.version import __version__

COMMANDS: dict[str, str] = {
    "app": "open the studio in the browser",
    "setup": "install the wheels of data and weights that are missing",
    "ingest": "read articles into a corpus of chunks",
    "corpora": "list the corpora, or delete one",
    "encode": "turn a corpus into vectors and an index",
    "train": "train a net to predict the next chunk",
    "sweep": "train over a grid or list of settings",
    "shelf": "train and test every net at one size on the same articles, and write the page of results",
    "train-inverter": "train a decoder from vectors to text for an encoder",
    "predict": "say what each model predicts comes after the chunks given",
    "rollout": "feed predictions back and measure the drift",
    "evaluate": "measure models and baselines on unseen articles",
    "leaderboard": "rank what was evaluated",
    "project": "lay out predicted and target vectors in 2-D or 3-D",
    "serve": "answer over HTTP, for other programs",
    "jobs": "list, queue, cancel, resume and delete background jobs",
    "plan": "say what a corpus of any size will take, from what smaller ones took",
    "benchmark": "measure speed and memory against the obvious way, in pairs",
    "import-postgres": "read a cpe_entry table into a corpus",
    "export-postgres": "write a corpus into a cpe_entry table",
    "index-postgres": "put the vectors of a corpus into PostgreSQL, to be searched there",
    "npz": "read and write vectors and sequences as NPZ",
    "ship": "copy a run to the models that come with the studio",
    "chains": "make ordered concept chains of WordNet and read chains into a corpus",
    "tmd": "give each chunk its domain, task and modifier code",
    "doctor": "check the workspace, a corpus or a file, and say what to mend",
}
"""Name of each command (its module in `lvm_core.commands`, '-' as '_') and its one-line help."""


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


class _Parser(argparse.ArgumentParser):
    """A parser whose refusal says where each flag is explained."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, what was expected and where to look, and leave with exit code 2."""
        self.print_usage(sys.stderr)
        self.exit(2, f"{self.prog}: error: {_with_expected(message)}. {look_up(self.prog)}\n")


_EXPECTED = (
    (re.compile(r"invalid int value: (.*)", re.S), r"\1 was given; expected a whole number"),
    (re.compile(r"invalid float value: (.*)", re.S), r"\1 was given; expected a number"),
    (re.compile(r"invalid \w+ value: (.*)", re.S), r"\1 was given; expected a value of another form"),
    (re.compile(r"invalid choice: (.*) \(choose from (.*)\)$", re.S), r"\1 was given; expected one of \2"),
    (re.compile(r"the following arguments are required: (.*)", re.S), r"something is missing; expected also \1"),
    (re.compile(r"unrecognized arguments: (.*)", re.S), r"\1 was given; expected the command's own flags alone"),
    (re.compile(r"ambiguous option: (\S+) could match (.*)", re.S), r"\1 was given; expected one of \2"),
    (re.compile(r"ignored explicit argument (.*)", re.S), r"\1 was given; expected no value"),
    (re.compile(r"not allowed with argument (.*)", re.S), r"it was given with \1; expected one of the two"),
)


def _with_expected(message: str) -> str:
    """Return what argparse says as the studio does: what was given, what was expected."""
    for pattern, form in _EXPECTED:
        if pattern.search(message):
            return pattern.sub(form, message, count=1)
    return message if "expected" in message else f"{message}; expected a command that can be read"


def look_up(program: str) -> str:
    """Return what somebody does whose flags are refused."""
    return f"Mend the command; what each flag takes: {program} --help"


def make_parser(command: str | None) -> argparse.ArgumentParser:
    """Return the parser; only the named command's module is imported, so that help answers at once."""
    parser = _Parser("python -m lvm_core", description="LVM Studio on the command line.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    for name, summary in COMMANDS.items():
        sub = commands.add_parser(name, help=summary, description=summary.capitalize() + ".")
        sub.add_argument("--workspace", help="folder of corpora, runs and jobs [LVM_WORKSPACE, else ./workspace]")
        sub.add_argument("--json", action="store_true", help="one JSON object on stdout, logs on stderr")
        if name == command:
            module = module_of(name)
            module.add_arguments(sub)
            if spreads(name):
                executors.add_argument(sub)
            sub.set_defaults(module=module)
    return parser


def spreads(command: str) -> bool:
    """Return whether the work of `command` comes in parts that other machines can do: it takes `--on`."""
    kind = kind_of(command)
    return kind is not None and kind.spreads


def job_commands() -> dict[str, str]:
    """Return the commands that can be jobs, with their one-line help."""
    return {name: text for name, text in COMMANDS.items() if kind_of(name) is not None}


class _Recorder(argparse.ArgumentParser):
    """A parser that remembers what is declared to it, in order."""

    def __init__(self, command: str) -> None:
        super().__init__(command, add_help=False)
        self.flags: list[Flag] = []

    def add_argument(self, *names: Any, **options: Any) -> argparse.Action:
        """Declare an argument, as argparse does."""
        action = super().add_argument(*names, **options)
        self.flags.append(_flag(action, options))
        return action


def flags(command: str) -> list[Flag]:
    """Return the flags of `command`, positions first."""
    recorder = _Recorder(command)
    module_of(command).add_arguments(recorder)
    return sorted(recorder.flags, key=lambda f: bool(f.flag))


def _flag(action: argparse.Action, options: Mapping[str, Any]) -> Flag:
    names = [s for s in action.option_strings if s.startswith("--") and not s.startswith("--no-")]
    several = action.nargs in ("*", "+")
    return Flag(
        dest=action.dest,
        flag=names[0] if names else "",
        kind=_kind(action),
        help=(action.help or "").replace("%%", "%"),
        choices=tuple(map(str, action.choices or ())),
        required=bool(action.required) or (not action.option_strings and action.nargs not in ("?", "*")),
        repeated=several or options.get("action") == "append",
    )


def _kind(action: argparse.Action) -> str:
    if isinstance(action, argparse.BooleanOptionalAction):
        return "yes-no"
    if action.nargs == 0:
        return "switch"
    if action.choices:
        return "choice"
    return "number" if action.type in (int, float) else "text"


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


def namespace_of(command: str, values: Mapping[str, Value]) -> argparse.Namespace:
    """Return what the parser of `command` gives for `values`; see `words_of`.

    Raises:
        SettingsError: saying what the command's own parser would say.
    """
    try:
        return _parsed(words_of(command, values))
    except JobError as error:
        raise SettingsError([str(error)]) from None


def words_of(command: str, values: Mapping[str, Value]) -> list[str]:
    """Return the command line of typed values by destination: lists for what repeats, dicts for NAME=VALUE.

    Raises:
        SettingsError: for a name that the command does not have.
    """
    known = {flag.dest for flag in flags(command)}
    unknown = sorted(set(values) - known)
    if unknown:
        raise SettingsError([f"{command} has no setting {unknown[0]!r}; expected one of {', '.join(sorted(known))}."])
    return arguments(command, {name: _spelled(value) for name, value in values.items()})


def _spelled(value: Value) -> Value:
    """Return a value as `arguments` takes it: several words with line breaks between."""
    if isinstance(value, dict):
        return "\n".join(named_words(value))
    if isinstance(value, (list, tuple)):
        return "\n".join(map(str, value))
    return value if value is None or isinstance(value, bool) else str(value)


def values_of(argv: Sequence[str]) -> Values:
    """Return the values in a command line, by destination; {} where it cannot be read."""
    try:
        given = vars(_parsed(list(argv)))
    except JobError:
        return {}
    values: Values = {}
    for flag in flags(argv[0]):
        value = given.get(flag.dest)
        if value is not None and value != []:
            values[flag.dest] = "\n".join(map(str, value)) if isinstance(value, list) else value
    return values


def check_command(argv: Sequence[str]) -> None:
    """Check a command line before it waits in a queue.

    Raises:
        JobError: saying what the command's own parser would say.
    """
    if not argv or argv[0] not in job_commands():
        expected = ", ".join(job_commands())
        raise JobError(
            f"{argv[0] if argv else 'Nothing'} cannot be a job",
            f"a command: {expected}",
            "Give one of these with its flags.",
        )
    _parsed(list(argv))


def _parsed(argv: list[str]) -> argparse.Namespace:
    output = io.StringIO()
    try:
        with contextlib.redirect_stderr(output), contextlib.redirect_stdout(output):
            return make_parser(argv[0]).parse_args(argv)
    except SystemExit as stop:
        message = re.sub(r"^.*?error: ", "", (output.getvalue().strip().splitlines() or [""])[-1])
        given, _, rest = message.partition("; expected ")
        raise JobError(
            f"{' '.join(argv)}: {given}",
            rest.partition(". Mend the command")[0] or "a command that can be read",
            look_up(f"python -m lvm_core {argv[0]}"),
        ) from stop

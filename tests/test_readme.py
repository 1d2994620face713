"""What README prints can be typed: its Python runs, its commands are ones, its request is answered."""

import bz2
import itertools
import json
import re
import shlex
from pathlib import Path

import httpx
import pytest

from lvm_core.__main__ import main
from lvm_core.command_line import COMMANDS, make_parser
from lvm_core.workspace import Workspace
from tests.library.serving import served

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text()
INDENT = "    "


def blocks(text: str) -> list[str]:
    """Return the indented blocks, blank lines inside them included."""
    lines = [*text.splitlines(), "end"]
    found, block = [], []
    for line in lines:
        if line.startswith(INDENT) or (block and not line.strip()):
            block.append(line.removeprefix(INDENT))
        elif block:
            found.append("\n".join(block).rstrip())
            block = []
    return found


BLOCKS = blocks(README)
PYTHON = [block for block in BLOCKS if "import Studio" in block]
SHELL = list(
    itertools.chain.from_iterable(block.replace("\\\n", "").splitlines() for block in BLOCKS if block not in PYTHON)
)
PROGRAMS = re.compile(r"(?:^|&& |^\S+=\S+ )((?:\S*python -m lvm_core|lvm) .*)")
COMMAND_LINES = [found[1] for line in SHELL if (found := PROGRAMS.search(line))]
NAMED = re.findall(r"`(?:python -m lvm_core|lvm) ([^`]+)`", README + CONTRIBUTING)


def words_of(line: str) -> list[str]:
    """Return the words after the program's name."""
    words = shlex.split(line, comments=True)
    return words[3:] if "-m" in words else words[1:]


@pytest.mark.parametrize("line", COMMAND_LINES)
def test_every_command_line_is_one(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    words = words_of(line)
    assert make_parser(words[0]).parse_args(words).command == words[0]


def test_commands_are_found_and_those_named_in_a_sentence_exist() -> None:
    assert len(COMMAND_LINES) > 15
    assert {words.split()[0] for words in NAMED if not words.startswith("COMMAND") and words[0] != "-"} <= set(COMMANDS)


@pytest.fixture
def dump(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in a folder that holds the files which README names, and has a workspace in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LVM_WORKSPACE", str(tmp_path / "work space"))
    lines = (ROOT / "tests" / "data" / "wikipedia.jsonl").read_bytes()
    (tmp_path / "dump.xml.bz2").write_bytes(bz2.compress(lines))  # what a file holds is told by its content
    (tmp_path / "contexts.jsonl").write_text(json.dumps({"chunks": ["First.", "Second."], "target": "Third."}))
    return tmp_path


def test_what_takes_seconds_runs_as_it_stands(dump: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for line in COMMAND_LINES:
        words = words_of(line)
        quick = words[0] in ("ingest", "encode", "plan", "doctor") or "--batch" in words
        if quick and "--on" not in words:
            assert main(words) == 0, capsys.readouterr().err


def test_the_verbs_of_the_studio_run_as_they_stand(
    dump: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # `decode` writes a text; predictions after such a context are corrected again and again, a minute in all
    monkeypatch.setattr("lvm_core.predict.text.available_decoders", lambda *_: ["extractive"])
    (snippet,) = PYTHON
    exec(compile(snippet, "README.md", "exec"), names := {})
    printed = capsys.readouterr().out.splitlines()
    assert printed[-1].endswith("True"), "the last text that a prediction comes with is final"
    assert names["vectors"].shape == (2, 384)
    assert names["forecast"].vectors.shape == (384,)
    assert names["text"].text
    assert list(names["said"].frame()["model"]) == ["lstm", "lstm", "copy-last", "copy-last"]
    assert [len(one) for one in names["many"]] == [1, 1]
    assert {"mine-1", "copy-last"} <= set(names["board"].frame()["model"])


def test_the_request_is_answered(seeded_once: Workspace) -> None:
    (line,) = [line for line in SHELL if line.startswith("curl")]
    words = shlex.split(line)
    headers = dict([words[words.index("-H") + 1].split(": ")])
    with served(seeded_once) as address:
        url = f"{address}/{words[2].partition('/')[2]}"
        answer = httpx.post(url, content=words[words.index("-d") + 1], headers=headers, timeout=120)
    assert answer.status_code == 200
    assert [p["model"] for p in answer.json()["predictions"]] == ["mlp"]


def test_other_python_is_python() -> None:
    programs = [shlex.split(line)[2] for line in SHELL if line.startswith("python -c")]
    assert len(programs) == 2
    for program in programs:
        compile(program, "README.md", "exec")

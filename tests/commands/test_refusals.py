"""Words that no command can use end in one clear line and exit code 2, and nothing is overwritten unasked."""

import json
from pathlib import Path

import pytest

from lvm_core.__main__ import main
from lvm_core.vectors.encode import encode_corpus
from lvm_core.workspace import Workspace
from tests.vectors.worlds import WordEncoder, small_corpus

NINES = "9" * 400


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["corpora", "--workspace", "~nosuchuser/x"], "The workspace '~nosuchuser/x' cannot be used"),
        (["jobs", "list", "--latest", NINES], "--latest is a number of more than 18 digits; expected a whole number"),
        (["jobs", "list", "--latest", "0"], "expected a whole number, 1 to"),
        (["jobs", "submit", "ingest", "--help"], "help"),
        (["predict", "--file", "~nosuchuser/x"], "cannot be used"),
        (["predict", "--file", "/dev/zero"], "is a device; expected a regular file"),
        (["sweep", "--corpus", "x", "--list", "/dev/zero"], "is a device; expected a regular file"),
        (["train", "--corpus", "tiny", "--seed", NINES], "seed is 999"),
        (["train", "--corpus", "tiny", "--lr", "nan"], "lr is nan; expected"),
        (["evaluate", "x" * 300, "--corpus", "tiny"], "There is no model"),
        (["train", "--corpus", "tiny", "--run", "a/b"], "run is 'a/b'; expected letters"),
        (["train", "--corpus", "tiny", "--run", "r" * 300], "For example: --run rrr"),
        (["leaderboard", "--promote", "x" * 300], "There is no model"),
        (["train", "--model=--"], "--model is '--'; expected a value"),
        (["sweep", "--vary=--"], "--vary is '--'; expected a value"),
        (["ingest", "a\udcff.txt"], "is no valid UTF-8"),
        (["ingest", "x.txt", "--licence", "\udcff"], "is no valid UTF-8"),
        (["corpora", "--delete", "a\udcff"], "is no valid UTF-8"),
        (["encode", "--corpus", "tiny", "--encoder", "a\0b"], "encoder"),
        (["encode", "--corpus", "tiny", "--encoder", "~nosuchuser/x"], "cannot be used"),
    ],
)
def test_a_command_is_refused_with_what_was_expected(
    workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    small_corpus(workspace, tmp_path)
    encode_corpus(workspace, "tiny", WordEncoder())
    where = [] if "--workspace" in words else ["--workspace", str(workspace.root)]
    capsys.readouterr()
    assert main([words[0], *where, *words[1:]]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error


@pytest.mark.parametrize("words", [["--epochs", "0"], ["--epochs", "1e309"], ["--loss", "nosuch"], ["--nosuch", "1"]])
def test_a_refused_flag_says_where_flags_are_explained(
    workspace: Workspace, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    try:
        code = main(["train", "--workspace", str(workspace.root), "--corpus", "x", *words])
    except SystemExit as stop:
        code = int(stop.code or 0)
    assert code == 2
    error = capsys.readouterr().err
    assert words[0].lstrip("-") in error
    assert "--help" in error.splitlines()[-1]


@pytest.mark.parametrize("words", [["npz", "export", "FILE", "--corpus", "tiny"], ["leaderboard", "--ship", "FILE"]])
def test_a_file_is_overwritten_only_with_force(
    workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    small_corpus(workspace, tmp_path)
    encode_corpus(workspace, "tiny", WordEncoder())
    path = tmp_path / "precious.npz"
    path.write_text("precious")
    command = [str(path) if word == "FILE" else word for word in words] + ["--workspace", str(workspace.root)]
    assert main(command) == 2
    assert (
        f"{path} exists already; expected the name of a new file. Choose another name, or add --force"
        in capsys.readouterr().err
    )
    assert path.read_text() == "precious"
    assert main([*command, "--force"]) == 0
    assert path.read_bytes() != b"precious"


def test_no_escape_of_a_title_reaches_the_terminal(
    workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "a\x1b]0;PWNED\x07b"
    folder.mkdir()
    text = "A sentence stands here for the reader. " * 30
    (folder / "text.jsonl").write_text(json.dumps({"title": "t\x1b[31m", "text": text}) + "\n")
    assert main(["ingest", str(folder / "text.jsonl"), "--corpus", "c", "--workspace", str(workspace.root)]) == 0
    for flags in ([], ["--json"]):
        assert main(["corpora", *flags, "--workspace", str(workspace.root)]) == 0
    output = capsys.readouterr()
    assert "\x1b" not in output.out + output.err
    assert "\x07" not in output.out + output.err

"""Each refusal says what was given, what was expected and what to do; one that lacks a part cannot be written."""

import ast
import pickle
from pathlib import Path

import pytest

from lvm_core import errors
from lvm_core.command_line import make_parser
from lvm_core.errors import LvmError, MissingPackage, SettingsError, SpaceMismatch

ROOT = Path(__file__).resolve().parent.parent
FILES = sorted([*(ROOT / "lvm_core").rglob("*.py"), *(ROOT / "pages").rglob("*.py")])
OTHERS = {"SettingsError", "SpaceMismatch", "MissingPackage"}
"""Their parts have names of their own."""
NAMES = {n for n, e in vars(errors).items() if isinstance(e, type) and issubclass(e, LvmError)} - OTHERS


@pytest.mark.parametrize(
    "error",
    [
        LvmError("k is 0", "at least 1", "Ask for one or more."),
        SpaceMismatch("model 'a'", "b@1", "c@2", "encode it again."),
        SettingsError(["k is 0; expected at least 1."]),
        MissingPackage("faiss", "The index", "pip install faiss-cpu"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_it_says_its_parts_and_comes_back_from_another_process(error: LvmError) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == str(error)
    assert type(again) is type(error)
    assert len(again.parts) == 3
    assert "expected" in str(error)


def _calls(path: Path) -> list[ast.Call]:
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    return [node for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]


def test_no_error_is_made_without_its_three_parts() -> None:
    short = []
    for path in FILES:
        for call in _calls(path):
            unpacked = any(isinstance(a, ast.Starred) for a in call.args)
            if call.func.id in NAMES and len(call.args) + len(call.keywords) != 3 and not unpacked:  # type: ignore[attr-defined]
                short.append(f"{path.relative_to(ROOT)}:{call.lineno}")
    assert not short, f"given, expected and remedy are wanted of {short}"


def test_no_setting_is_refused_without_what_was_expected() -> None:
    short = []
    for path in FILES:
        for call in _calls(path):
            if call.func.id == "SettingsError" and isinstance(call.args[0], ast.List):  # type: ignore[attr-defined]
                texts = [t for t in call.args[0].elts if isinstance(t, (ast.JoinedStr, ast.Constant))]
                short += [f"{path.relative_to(ROOT)}:{t.lineno}" for t in texts if "expected" not in ast.unparse(t)]
    # where `expected` is a variable, its name is what is found
    assert not short, f"what was expected is wanted of {short}"


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["train", "--epochs", "many"], "'many' was given; expected a whole number"),
        (["train", "--lr", "x"], "'x' was given; expected a number"),
        (["leaderboard", "--nothing"], "--nothing was given; expected the command's own flags alone"),
        (["chains", "bake"], "'bake' was given; expected one of 'make', 'import', 'train'"),
        (["train", "--lr"], "expected one argument"),
        (["train", "--se", "1"], "--se was given; expected one of --segment, --select, --seed"),
        (["ingest"], "expected also source"),
    ],
)
def test_a_flag_is_refused_with_what_was_expected(
    argv: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        make_parser(argv[0]).parse_args(argv)
    told = capsys.readouterr().err
    assert said in told
    assert "--help" in told

"""Chains from WordNet to a trained net with one command; training asks before it learns from a tree."""

import json
from pathlib import Path

import pytest

from lvm_core.__main__ import main
from lvm_core.corpus.chunks import NewChunk
from lvm_core.corpus.details import detail
from lvm_core.corpus.store import CorpusStore
from lvm_core.corpus.writing import CorpusWriter
from lvm_core.dataset.order_notes import ask_about_order, known_order, order_of
from lvm_core.errors import CorpusError
from lvm_core.vectors.encode import encode_corpus
from lvm_core.workspace import Workspace
from tests.vectors.worlds import WordEncoder

DATA = Path(__file__).parent.parent / "data"  # a few real lines of WordNet 3.0's data.noun, with its licence
TINY = ["--option", "d_hidden=8", "--option", "n_layers=1"]


def cli(workspace: Workspace, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    code = main([*words, "--workspace", str(workspace.root)])
    said = capsys.readouterr()
    return code, said.out + said.err


def write_chains(path: Path, n: int = 14) -> Path:
    ends = ["mollusk", "invertebrate", "animal", "organism", "thing"]
    lines = [json.dumps({"concepts": [f"shell {i}", f"snail {i % 5}", *ends[: 2 + i % 4]]}) for i in range(n)]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_chains_of_wordnet_are_made_and_imported(
    workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = str(tmp_path / "wordnet.jsonl")
    code, said = cli(workspace, capsys, "chains", "make", file, "--wordnet", str(DATA), "--n", "3")
    assert (code, "3 chains" in said, " -> " in said) == (0, True, True)
    code, said = cli(workspace, capsys, "chains", "import", file, "--corpus", "wn")
    assert (code, "Corpus 'wn': 3 chains" in said) == (0, True)
    assert "Add --replace" in cli(workspace, capsys, "chains", "import", file, "--corpus", "wn")[1]
    assert cli(workspace, capsys, "chains", "import", file, "--corpus", "wn", "--replace")[0] == 0
    code, said = cli(workspace, capsys, "chains", "import")
    assert code == 2
    assert "was given no file" in said
    assert "was given no corpus" in said


def test_one_command_trains_on_chains_and_says_how_well_beside_the_baselines(
    workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write_chains(tmp_path / "chains.jsonl")
    words = ["chains", "train", "--file", str(file), "--encoder", "all-MiniLM-L6-v2+tmd", "--epochs", "1", *TINY]
    assert main([*words, "--json", "--workspace", str(workspace.root)]) == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["dim"], result["verdict"]) == (400, "taxonomic")
    assert result["n_chains"] == {"train": 10, "validation": 2, "test": 2}
    assert set(result["scores"]) == {"latent-mamba", "copy-last", "corpus-mean", "context-mean", "weighted-mean",
                                     "linear-filter"}  # fmt: skip
    for scores in result["scores"].values():
        for score in scores.values():
            assert score["mse"] == pytest.approx((2 - 2 * score["cosine"]) / 400, rel=1e-3)
    test = result["scores"]["copy-last"]
    assert 0 < result["n_unseen"] == test["unseen"]["n"] < test["test"]["n"]
    config = json.loads((workspace.run(result["run"]) / "config.json").read_text())
    assert (config["train"]["held_out"], config["train"]["yes"]) == (0.15, True)

    code, said = cli(workspace, capsys, "train", "--corpus", "wordnet", "--model", "copy-last", "--context", "1")
    assert code == 2
    assert "'wordnet' is taxonomic" in said
    assert "cosine to the next" in said
    assert "Add --yes" in said
    code, said = cli(
        workspace, capsys, "train", "--corpus", "wordnet", "--model", "copy-last", "--context", "1", "--yes"
    )
    assert (code, "Trained although 'wordnet' is taxonomic" in said) == (0, True)


def test_what_a_file_holds_never_steers_the_terminal(
    workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "evil.jsonl").write_text('{"concepts": ["\\u001b]0;PWNED\\u0007"]}', encoding="utf-8")
    (tmp_path / "\x1b[31m.jsonl").write_text("{}", encoding="utf-8")
    for name in ("evil.jsonl", "\x1b[31m.jsonl"):
        code, output = cli(workspace, capsys, "chains", "import", str(tmp_path / name), "--corpus", "c")
        assert code == 2
        assert not {"\x1b", "\x07"} & set(output)


@pytest.mark.parametrize(("flag", "value"), [("--model", "nope"), ("--option", "zz=3")])
def test_a_refused_training_has_read_nothing(
    workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str], flag: str, value: str
) -> None:
    file = write_chains(tmp_path / "chains.jsonl")
    code, _ = cli(
        workspace, capsys, "chains", "train", "--file", str(file), "--encoder", "all-MiniLM-L6-v2", flag, value
    )
    assert code == 2
    assert CorpusStore(workspace).corpora() == []


@pytest.mark.parametrize("ordered", [True, False])
def test_a_weak_order_is_a_warning_and_an_unknown_one_needs_a_yes(workspace: Workspace, ordered: bool) -> None:
    with CorpusWriter(workspace, "w", "test", "sentence", ordered=ordered) as writer:
        for a in range(4):
            writer.add(f"a{a}", [NewChunk(f"this is sentence {i} of the article {a}") for i in range(20)])
        writer.finish()
    encoder = WordEncoder()
    encode_corpus(workspace, "w", encoder)
    if ordered:
        assert "'w' has a weak order" in ask_about_order(workspace, ["w"], encoder.id)[0]
    else:
        with pytest.raises(CorpusError, match=r"gave no order of its chunks; .*Add --yes"):
            ask_about_order(workspace, ["w"], encoder.id)
        assert "gave no order" in ask_about_order(workspace, ["w"], encoder.id, yes=True)[-1]


def test_the_verdict_is_noted_until_the_corpus_changes(workspace: Workspace) -> None:
    def fill(last: str) -> None:
        with CorpusWriter(workspace, "w", "test", "sentence", replace=True) as writer:
            writer.add("a", [NewChunk(f"this is sentence {i} of the article") for i in range(3)] + [NewChunk(last)])
            writer.finish({"skipped": {"a reason": 2}})

    encoder = WordEncoder()
    fill("and this is the very end")
    encode_corpus(workspace, "w", encoder)
    assert known_order(workspace, "w", encoder.id) is None
    found = order_of(workspace, "w", encoder.id)
    again = known_order(workspace, "w", encoder.id)
    assert again is not None
    assert (again.verdict, again.to_next, again.reasons) == (found.verdict, found.to_next, found.reasons)
    assert detail(workspace, "w", "skipped") == {"a reason": 2}
    fill("and this is another end")
    assert known_order(workspace, "w", encoder.id) is None

"""`ingest` as a user types it."""

import json
from pathlib import Path

import pytest

from lvm_core.__main__ import main
from lvm_core.corpus.sources import corpus_name
from lvm_core.corpus.store import CorpusStore
from lvm_core.workspace import Workspace
from tests.corpus.makers import write_dump, write_lines


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("enwiki-sample", "enwiki-sample"),
        ("/data/my wiki.xml.bz2", "my-wiki"),
        ("notes/", "notes"),
        ("hf:wikimedia/wikipedia:20231101.en@train", "wikipedia-20231101.en"),
        ("full_wikipedia.jsonl", "full_wikipedia"),
    ],
)
def test_a_corpus_is_named_after_its_source(source: str, name: str) -> None:
    assert corpus_name(source) == name


def test_json_on_stdout_and_progress_on_stderr(
    workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = write_dump(tmp_path / "wiki.xml.bz2", ["A", "B"])
    assert main(["ingest", str(source), "--workspace", str(workspace.root), "--json"]) == 0
    said = capsys.readouterr()
    result = json.loads(said.out)
    assert (result["corpus"], result["n_documents"]) == ("wiki", 2)
    assert result["digest"] == CorpusStore(workspace).corpus("wiki").digest
    assert "100%" in said.err


def test_the_report_for_people_says_what_comes_next(
    workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = write_lines(tmp_path / "a.jsonl", ["A", "B"])
    source.write_text(source.read_text() + "bad line\n")
    assert main(["ingest", str(source), "--corpus", "mine", "--workspace", str(workspace.root)]) == 0
    said = capsys.readouterr().out
    assert "Corpus 'mine': 2 articles, 12 chunks" in said
    assert "passed over: 1 line not JSON" in said
    assert "line 3 not JSON" in said
    assert "encode --corpus mine" in said


def test_a_mistake_is_one_line_without_a_traceback(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ingest", "nowhere.xml", "--workspace", str(workspace.root)]) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: There is no file or folder nowhere.xml")
    assert "Traceback" not in said

"""A new source of text is one file and one line: it appears in the help and reads in."""

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from lvm_core.__main__ import main
from lvm_core.corpus.preview import preview
from lvm_core.corpus.sources import corpus_name, endings
from lvm_core.corpus.sources.bundled import BUNDLED
from lvm_core.corpus.store import CorpusStore
from lvm_core.workspace import Workspace
from tests.corpus.makers import prose, read_in, write_lines
from tests.corpus.sources.toy import subtitles  # noqa: F401 - fixture

README = (Path(__file__).parents[3] / "README.md").read_text()


def test_a_new_source_is_read_in_by_its_ending_and_by_its_content(workspace: Workspace, subtitles: Path) -> None:  # noqa: F811
    report = read_in(workspace, subtitles)
    assert (report.n_documents, report.licence) == (1, "CC0")
    assert CorpusStore(workspace).texts("tiny") == ["The first line is said.", "And then there is another."]
    other = subtitles.rename(subtitles.with_suffix(".txt"))
    assert read_in(workspace, other, "named-wrongly").digest == report.digest
    assert corpus_name(str(subtitles)) == "film"


def test_a_new_source_stands_in_the_help(subtitles: Path, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: F811
    with pytest.raises(SystemExit):
        main(["ingest", "--help"])
    assert "subtitles of films (.srt)" in " ".join(capsys.readouterr().out.split())


def test_the_readme_names_every_source_and_every_bundled_corpus() -> None:
    for ending in endings():
        assert f"`{ending}`" in README
    for name, corpus in BUNDLED.items():
        assert f"| `{name}`" in README
        assert corpus.licence.partition(",")[0] in README


def test_a_preview_stores_nothing_and_is_what_reading_in_gives(workspace: Workspace, tmp_path: Path) -> None:
    path = write_lines(tmp_path / "a.jsonl", [f"T{i}" for i in range(9)])
    path.write_text("not json\n" + path.read_text())
    seen = preview(str(path), 2)
    assert CorpusStore(workspace).corpora() == []
    assert [title for title, _ in seen.articles] == ["T0", "T1"]
    assert seen.skipped.counts == {"lines not JSON": 1}
    read_in(workspace, path)
    store = CorpusStore(workspace)
    stored = store.document_chunks(store.documents("tiny")[1].document_id)
    assert [chunk.text for chunk in seen.articles[1][1]] == [chunk.text for chunk in stored]


@pytest.mark.parametrize("name", ["thirty.md", "thirty.txt", "thirty.md.gz"])
@pytest.mark.parametrize("over", ["", "# The book\n\nA preface stands here before it. It is as short as can be.\n\n"])
def test_thirty_headings_become_thirty_articles_where_that_is_asked_for(
    workspace: Workspace, tmp_path: Path, name: str, over: str, write_text: Callable[[Path, str], Path]
) -> None:
    mark = "##" if over else "#"
    part = f"{mark}# Part\n\n{prose('part')}\n\n"
    chapters = "".join(f"{mark} Chapter {i}\n\n{prose(f'chapter {i}')}\n\n{part}" for i in range(30))
    path = write_text(tmp_path / name, over + chapters)
    assert read_in(workspace, path).n_documents == 1
    report = read_in(workspace, path, "many", split_headings=True)
    titles = [document.title for document in CorpusStore(workspace).documents("many")]
    assert titles == (["The book"] if over else []) + [f"Chapter {i}" for i in range(30)]
    assert report.n_documents == len(titles)
    first = "A preface stands here before it." if over else prose("chapter 0").partition(". ")[0] + "."
    assert CorpusStore(workspace).texts("many")[0] == first


@pytest.fixture
def write_text() -> Callable[[Path, str], Path]:
    def write(path: Path, text: str) -> Path:
        path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
        return path

    return write

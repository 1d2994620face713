"""From source to corpus, and what becomes of sources and disks that are not as they should be."""

import bz2
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path

import psutil
import pytest

from lvm_core.corpus import writing
from lvm_core.corpus.chunks import NewChunk
from lvm_core.corpus.ingest import IngestSettings, ingest
from lvm_core.corpus.preview import preview
from lvm_core.corpus.sources import open_source
from lvm_core.corpus.sources.base import Skipped
from lvm_core.corpus.store import CorpusStore
from lvm_core.errors import CorpusError, LvmError, MissingPackage, SettingsError, SourceError, WorkspaceError
from lvm_core.workspace import Workspace
from tests.corpus.makers import HEAD, dump_text, page, prose, read_in, write_dump, write_lines

NAMES = [f"Thing {i}" for i in range(12)]


# ---------------------------------------------------------------- sources


@pytest.mark.parametrize("name", ["dump.xml", "dump.xml.bz2"])
def test_a_dump_becomes_articles_with_sections(workspace: Workspace, tmp_path: Path, name: str) -> None:
    report = read_in(workspace, write_dump(tmp_path / name, NAMES))
    assert (report.n_documents, report.skipped, report.warning) == (12, {}, "")
    assert report.licence.startswith("CC BY-SA 4.0")
    store = CorpusStore(workspace)
    chunks = store.document_chunks(store.documents("tiny")[3].document_id)
    assert chunks[0].text == "Thing 3 is one of the things."
    assert {chunk.section for chunk in chunks} == {"", "History"}
    assert store.corpus("tiny").licence == report.licence


def test_redirects_and_other_namespaces_are_counted(workspace: Workspace, tmp_path: Path) -> None:
    text = HEAD + page("A", prose("A")) + page("B", "#REDIRECT [[A]]", redirect=True) + page("c", "#redirect [[A]]")
    text += page("Talk:A", prose("talk"), ns=1) + page("Empty", "") + page("Stub", "One sentence.") + "</mediawiki>"
    (tmp_path / "d.xml").write_text(text)
    report = read_in(workspace, tmp_path / "d.xml")
    assert report.n_documents == 1
    assert report.skipped == {
        "redirects": 2,
        "pages of another namespace": 1,
        "pages without title or text": 1,
        "articles of fewer than 2 chunks": 1,
    }
    assert "Stub" in report.examples


def test_a_dump_of_any_size_takes_the_same_memory(tmp_path: Path) -> None:
    def peak(n: int) -> int:
        path = tmp_path / f"{n}.xml"
        path.write_text(HEAD + "".join(page(f"P{i}", "word " * 2_000) for i in range(n)) + "</mediawiki>")
        tracemalloc.start()
        assert sum(1 for _ in open_source(str(path)).articles(Skipped())) == n
        size = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return size

    assert peak(400) < 1.5 * peak(40)


def test_another_wikis_dump_claims_no_licence_of_wikipedia(workspace: Workspace, tmp_path: Path) -> None:
    text = dump_text(NAMES[:2]).replace("https://en.wikipedia.org/", "https://wiki.example.org/")
    (tmp_path / "wiki.xml").write_text(text)
    assert read_in(workspace, tmp_path / "wiki.xml").licence == ""
    assert read_in(workspace, tmp_path / "wiki.xml", "own", licence="CC0").licence == "CC0"


def test_text_markdown_and_folders(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "plain.txt").write_text(prose("plain"))
    (tmp_path / "notes" / "mark.md").write_text(f"# The mark\n\n{prose('mark')}\n\n## Next\n\n{prose('next')}\n")
    (tmp_path / "notes" / "bad.txt").write_bytes(b"caf\xe9 " * 30)
    report = read_in(workspace, tmp_path / "notes")
    assert [document.title for document in CorpusStore(workspace).documents("tiny")] == ["The mark", "plain"]
    assert report.skipped == {"files that cannot be read": 1}
    assert "not UTF-8" in report.examples[0]
    assert read_in(workspace, tmp_path / "notes" / "mark.md", "single").n_chunks == 12


def test_a_local_hugging_face_data_set(workspace: Workspace, tmp_path: Path) -> None:
    folder = tmp_path / "data set"
    folder.mkdir()
    write_lines(folder / "train.jsonl", [*NAMES[:3]])
    report = read_in(workspace, f"hf:{folder}")
    assert report.n_documents == 3
    assert [document.title for document in CorpusStore(workspace).documents("tiny")] == NAMES[:3]
    with pytest.raises(SourceError, match=r"split nope\) cannot be loaded"):
        read_in(workspace, f"hf:{folder}@nope", "other")


def test_a_data_set_without_texts_lists_its_columns(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "train.jsonl").write_text('{"label": 1, "score": 2}\n' * 3)
    with pytest.raises(SourceError, match=r"columns label, score; expected one of text"):
        read_in(workspace, f"hf:{tmp_path}")
    with pytest.raises(SourceError, match=r"names no data set"):
        read_in(workspace, "hf:")


def test_the_embedded_corpus_is_the_one_the_models_were_trained_on(workspace: Workspace) -> None:
    report = ingest(workspace, "enwiki-sample", "enwiki-sample", IngestSettings(limit=3))
    assert report.n_documents == 3
    assert CorpusStore(workspace).documents("enwiki-sample")[0].title == "Anarchism"
    leads = ingest(workspace, "vital-leads", "vital-leads", IngestSettings(limit=5))
    assert (leads.n_documents, leads.licence[:8]) == (5, "CC BY-SA")


def test_a_missing_wheel_says_how_to_get_it(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(MissingPackage, match=r"pip install --no-deps gensim=="):
        read_in(workspace, "enwiki-sample")


def test_a_source_of_no_kind_is_explained(workspace: Workspace, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"no file or folder nowhere\.xml.*enwiki-sample"):
        read_in(workspace, "nowhere.xml")
    (tmp_path / "a.pdf").write_text("x")
    with pytest.raises(SourceError, match=r"of no kind the studio reads.*\.jsonl"):
        read_in(workspace, tmp_path / "a.pdf")
    (tmp_path / "folder").mkdir()
    with pytest.raises(SourceError, match=r"holds no \.txt or \.md"):
        read_in(workspace, tmp_path / "folder")


# ---------------------------------------------------------------- what is taken


def test_limit_and_sample(workspace: Workspace, tmp_path: Path) -> None:
    path = write_lines(tmp_path / "a.jsonl", NAMES)
    store = CorpusStore(workspace)

    def titles(corpus: str, **settings: int) -> list[str]:
        read_in(workspace, path, corpus, **settings)
        return [document.title for document in store.documents(corpus)]

    assert titles("limited", limit=4) == NAMES[:4]
    first = titles("one", sample=5, seed=1)
    assert len(first) == 5
    assert first == sorted(first, key=NAMES.index)
    assert first == titles("again", sample=5, seed=1)
    assert first != titles("two", sample=5, seed=2)


def test_several_processes_give_the_same_corpus(workspace: Workspace, tmp_path: Path) -> None:
    path = write_dump(tmp_path / "dump.xml", [f"Thing {i}" for i in range(60)])
    alone, together = read_in(workspace, path, "alone"), read_in(workspace, path, "together", workers=2)
    assert alone.digest == together.digest
    assert read_in(workspace, path, "stopped", workers=2, limit=5).n_documents == 5


def test_all_wrong_settings_are_named_at_once(workspace: Workspace) -> None:
    with pytest.raises(SettingsError, match=r"chunker is 'word'.*limit is 0"):
        read_in(workspace, "enwiki-sample", chunker="word", limit=0)


def test_progress_reaches_the_end_and_says_the_rate(workspace: Workspace, tmp_path: Path) -> None:
    told: list[tuple[float, str]] = []
    path = write_lines(tmp_path / "a.jsonl", NAMES)
    ingest(workspace, str(path), "tiny", IngestSettings(), lambda share, message: told.append((share, message)))
    assert told[-1][0] == 1
    assert "12 articles, 72 chunks" in told[-1][1]
    assert "chunks/s" in told[-2][1]
    assert [share for share, _ in told] == sorted(share for share, _ in told)


# ---------------------------------------------------------------- damaged sources


def test_a_corrupt_bz2(workspace: Workspace, tmp_path: Path) -> None:
    path = write_dump(tmp_path / "dump.xml.bz2", NAMES)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(SourceError, match=r"dump\.xml\.bz2 is damaged.*Download or copy it again"):
        read_in(workspace, path)
    assert CorpusStore(workspace).corpora() == []


def test_a_cut_bz2_can_be_kept_up_to_the_cut(workspace: Workspace, tmp_path: Path) -> None:
    text = dump_text([f"Thing {i}" for i in range(100)])
    half = len(text) // 2
    parts = bz2.compress(text[:half].encode()) + bz2.compress(text[half:].encode())[:-20]
    (tmp_path / "cut.xml.bz2").write_bytes(parts)
    with pytest.raises(SourceError, match=r"damaged at about.*--keep-partial"):
        read_in(workspace, tmp_path / "cut.xml.bz2")
    report = read_in(workspace, tmp_path / "cut.xml.bz2", keep_partial=True)
    assert 3 <= report.n_documents < 100
    assert "Only the part before the damage was kept" in report.warning


def test_a_truncated_dump(workspace: Workspace, tmp_path: Path) -> None:
    text = dump_text(NAMES)
    (tmp_path / "cut.xml").write_text(text[: int(len(text) * 0.7)])
    with pytest.raises(SourceError, match=r"not whole XML in UTF-8.*after \d pages.*--keep-partial"):
        read_in(workspace, tmp_path / "cut.xml")
    report = read_in(workspace, tmp_path / "cut.xml", keep_partial=True, sample=3)
    assert report.n_documents == 3


def test_a_dump_that_is_not_utf8(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "latin.xml").write_bytes(dump_text(["Café"]).encode("latin-1"))
    with pytest.raises(SourceError, match=r"not whole XML in UTF-8"):
        read_in(workspace, tmp_path / "latin.xml")


def test_xml_of_another_kind(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "rss.xml").write_text("<rss><item>News</item></rss>")
    with pytest.raises(SourceError, match=r"no <page>: it is no MediaWiki export"):
        read_in(workspace, tmp_path / "rss.xml")


def test_a_text_that_is_not_utf8_names_the_byte_and_the_cure(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"plain caf\xe9")
    with pytest.raises(SourceError, match=r"not UTF-8: byte 9 is 0xe9.*iconv"):
        read_in(workspace, tmp_path / "a.txt")


@pytest.mark.parametrize("name", ["a.xml", "a.xml.bz2", "a.jsonl", "a.txt", "a.md"])
def test_an_empty_file(workspace: Workspace, tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    with pytest.raises(SourceError, match=r"is empty"):
        read_in(workspace, tmp_path / name)


def test_a_text_of_spaces(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(" \n ")
    with pytest.raises(SourceError, match=r"only spaces"):
        read_in(workspace, tmp_path / "a.txt")


def test_json_lines_with_a_bad_line_1000(workspace: Workspace, tmp_path: Path) -> None:
    lines = [json.dumps({"title": f"T{i}", "text": prose("it", 2)}).encode() for i in range(1, 1_006)]
    lines[999] = b'{"title": "T1000", "text": "cut'
    lines[1_000] = b'{"title": "T", "text": "caf\xe9"}'
    lines[1_001] = b'["no", "object"]'
    lines[1_002] = b'{"title": "no text"}'
    lines[1_003] = b'{"title": "blank", "text": " "}'
    (tmp_path / "a.jsonl").write_bytes(b"\n".join(lines))
    report = read_in(workspace, tmp_path / "a.jsonl")
    assert report.n_documents == 1_000
    assert report.skipped == {
        "lines not JSON": 1, "lines not UTF-8": 1, "lines without a text": 2, "lines with an empty text": 1,
    }  # fmt: skip
    assert report.examples[0] == "line 1,000 not JSON"


def test_json_lines_without_any_article(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text("not json\n")
    with pytest.raises(SourceError, match=r"no article in 1 lines \(line 1 not JSON\)"):
        read_in(workspace, tmp_path / "a.jsonl")


def test_a_text_may_come_in_paragraphs_and_under_other_names(workspace: Workspace, tmp_path: Path) -> None:
    records = [{"paragraphs": [prose("it", 2), prose("she", 1)]}, {"page_content": prose("he", 2)}]
    (tmp_path / "a.jsonl").write_text("\n".join(json.dumps(record) for record in records))
    read_in(workspace, tmp_path / "a.jsonl")
    assert [document.n_chunks for document in CorpusStore(workspace).documents("tiny")] == [3, 2]


def test_articles_without_a_title_get_one(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(json.dumps({"text": prose("it", 2)}))
    read_in(workspace, tmp_path / "a.jsonl")
    assert CorpusStore(workspace).documents("tiny")[0].title.startswith("1: Sentence number 0")


def test_an_article_of_one_sentence(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "one.txt").write_text("Just one sentence.")
    with pytest.raises(CorpusError, match=r"1 article of fewer than 2 chunks.*--min-chunks 1"):
        read_in(workspace, tmp_path / "one.txt")
    assert read_in(workspace, tmp_path / "one.txt", min_chunks=1).n_chunks == 1


def test_a_chunk_of_100_000_characters(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "long.txt").write_text("word" * 25_000)
    report = read_in(workspace, tmp_path / "long.txt")
    assert report.n_chars == 100_000
    assert max(len(text) for text in CorpusStore(workspace).texts("tiny")) <= 240


# ---------------------------------------------------------------- disks, kills and races


def test_reading_in_again_asks_for_replace(workspace: Workspace, tmp_path: Path) -> None:
    path = write_lines(tmp_path / "a.jsonl", NAMES)
    before = read_in(workspace, path)
    with pytest.raises(CorpusError, match=r"'tiny' exists already.*--replace.*--corpus"):
        read_in(workspace, path)
    old = workspace.vectors("tiny", "some@123456789abc")
    old.write_text("vectors of what was there")
    after = read_in(workspace, path, replace=True, limit=2)
    assert (before.n_documents, after.n_documents) == (12, 2)
    assert [info.n_documents for info in CorpusStore(workspace).corpora()] == [2]
    assert not old.exists()


def test_a_failed_replace_leaves_the_old_corpus(workspace: Workspace, tmp_path: Path) -> None:
    read_in(workspace, write_lines(tmp_path / "a.jsonl", NAMES))
    (tmp_path / "cut.xml").write_text(dump_text(NAMES)[:-400])
    with pytest.raises(SourceError, match=r"not whole XML"):
        read_in(workspace, tmp_path / "cut.xml", replace=True)
    assert CorpusStore(workspace).corpus("tiny").n_documents == 12


def test_a_workspace_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match=r"--workspace"):
        read_in(Workspace("/proc/self/nowhere"), write_lines(tmp_path / "a.jsonl", NAMES))


def test_a_full_disk_is_reported_and_leaves_nothing(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_lines(tmp_path / "a.jsonl", [f"T{i}" for i in range(900)])
    read_in(workspace, path, "before", limit=3)
    monkeypatch.setattr(writing, "connect", lambda place: _filling(place.database))
    with pytest.raises(WorkspaceError, match=r"disk is full.*What was stored before is unharmed"):
        read_in(workspace, path, "after")
    monkeypatch.undo()
    store = CorpusStore(workspace)
    assert [info.name for info in store.corpora()] == ["before"]
    assert len(store.texts("before")) == 18
    assert read_in(workspace, path, "after").n_documents == 900


def _filling(path: Path) -> sqlite3.Connection:
    """Return a connection to a database that can grow by no more than 40 pages: SQLite then says the disk is full."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.row_factory = sqlite3.Row
    size = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {size + 40}")
    return connection


def test_a_disk_without_room_is_refused_before_the_work(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lvm_core.workspace.MIN_FREE_BYTES", 10**18)
    with pytest.raises(WorkspaceError, match=r"MB free"):
        read_in(workspace, write_lines(tmp_path / "a.jsonl", NAMES))


def _start(workspace: Workspace, source: Path, *flags: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "lvm_core", "ingest", str(source), "--corpus", "race", *flags]
    command += ["--workspace", str(workspace.root), "--json"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def _big(path: Path) -> Path:
    return write_dump(path, [f"Thing {i}" for i in range(1_200)])


def test_two_processes_reading_in_the_same_corpus(workspace: Workspace, tmp_path: Path) -> None:
    source = _big(tmp_path / "big.xml")
    processes = [_start(workspace, source) for _ in range(2)]
    outputs = [process.communicate(timeout=120) for process in processes]
    assert sorted(process.returncode for process in processes) == [0, 2]
    loser = next(error for (_, error), process in zip(outputs, processes, strict=True) if process.returncode == 2)
    assert "Another process is reading in" in loser or "exists already" in loser
    assert "Traceback" not in loser
    assert CorpusStore(workspace).corpus("race").n_documents == 1_200


@pytest.mark.skipif(os.name != "posix", reason="kill -9 is of POSIX")
def test_kill_9_leaves_nothing_and_reading_in_again_works(workspace: Workspace, tmp_path: Path) -> None:
    source = _big(tmp_path / "big.xml")
    read_in(workspace, write_lines(tmp_path / "a.jsonl", NAMES), "kept")
    process = _start(workspace, source)
    _wait_for_half_written(workspace, process)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    store = CorpusStore(workspace)
    assert [info.name for info in store.corpora()] == ["kept"]
    assert len(store.search("kept", "sentence", limit=200)) == 72
    read_in(workspace, write_lines(tmp_path / "b.jsonl", NAMES), "another")
    assert _rows(workspace) == 144, "the next writer removes what the killed one left"
    assert read_in(workspace, source, "race").n_documents == 1_200


def test_a_killed_worker_is_reported(workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lvm_core.corpus.parallel._chunk_one", _die)
    with pytest.raises(CorpusError, match=r"was killed.*--workers 1"):
        read_in(workspace, write_dump(tmp_path / "dump.xml", NAMES), workers=2)
    assert CorpusStore(workspace).corpora() == []


def _die(*_: object) -> None:
    os._exit(9)


def _rows(workspace: Workspace) -> int:
    connection = sqlite3.connect(workspace.database)
    found = connection.execute("SELECT count(*) FROM chunks").fetchone()[0]
    connection.close()
    return int(found)


def _wait_for_half_written(workspace: Workspace, process: subprocess.Popen[str]) -> None:
    for _ in range(600):
        if _rows(workspace) > 1_000:
            return
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    raise AssertionError("nothing was written within 12 s")


def test_every_failure_is_one_a_user_can_mend(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl.gz").write_bytes(b"not gzip at all")
    with pytest.raises(LvmError, match=r"is damaged"):
        read_in(workspace, tmp_path / "a.jsonl.gz")


def test_a_source_is_closed_at_once_when_reading_ends_early(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "d.xml"
    path.write_text(dump_text([f"{name} {i}" for i in range(40) for name in NAMES]))

    def stop(_share: float, _message: str) -> None:
        raise InterruptedError

    def is_open() -> bool:
        return any(Path(file.path) == path for file in psutil.Process().open_files())

    for settings in (IngestSettings(), IngestSettings(sample=2), IngestSettings(workers=2)):
        with pytest.raises(InterruptedError) as caught:
            ingest(workspace, str(path), "tiny", settings, stop)
        # while the error, and with it every frame of the reading, is still held
        assert caught.value.__traceback__ is not None
        assert not is_open()
    preview(str(path), 1)
    assert not is_open()

    def fail(*_given: object) -> list[NewChunk]:
        raise InterruptedError

    monkeypatch.setattr("lvm_core.corpus.parallel.chunk_document", fail)
    for read in (lambda: preview(str(path)), lambda: ingest(workspace, str(path), "tiny")):
        with pytest.raises(InterruptedError) as caught:
            read()
        assert caught.value.__traceback__ is not None
        assert not is_open()

"""What the store promises every part of the studio."""

import contextlib
import shutil
import sqlite3
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lvm_core.corpus.chunks import NewChunk
from lvm_core.corpus.queries import fts_query
from lvm_core.corpus.store import CorpusStore, iter_texts
from lvm_core.corpus.writing import CorpusWriter
from lvm_core.errors import CorpusError
from lvm_core.types import CorpusInfo
from lvm_core.workspace import Workspace
from tests.corpus.makers import read_in, write_dump, write_lines


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> CorpusStore:
    folder = tmp_path_factory.mktemp("stored")
    workspace = Workspace(folder / "work space")
    read_in(workspace, write_lines(folder / "a.jsonl", [f"Article {i}" for i in range(7)]), "first")
    read_in(workspace, write_lines(folder / "b.jsonl", ["Zebra", "100%_sure"]), "second")
    return CorpusStore(workspace)


def test_corpora_are_listed_with_their_sizes(stored: CorpusStore) -> None:
    assert [(info.name, info.n_documents, info.n_chunks) for info in stored.corpora()] == [
        ("first", 7, 42),
        ("second", 2, 12),
    ]
    assert isinstance(stored.corpus("first"), CorpusInfo)
    assert stored.details("first")["settings"]["chunker"] == "sentence"


def test_an_empty_workspace_has_no_corpora_and_stays_empty(workspace: Workspace) -> None:
    assert CorpusStore(workspace).corpora() == []
    assert not workspace.root.exists()


def test_an_unknown_corpus_lists_the_known_ones_and_the_command(stored: CorpusStore) -> None:
    with pytest.raises(CorpusError, match=r"no corpus 'nope'.*'first', 'second'.*ingest SOURCE --corpus nope"):
        stored.corpus("nope")


@pytest.fixture
def mine(stored: CorpusStore, tmp_path: Path) -> CorpusStore:
    shutil.copytree(stored.workspace.root, tmp_path / "mine")
    return CorpusStore(Workspace(tmp_path / "mine"))


COLUMNS = {
    "corpora": ["name", "source", "ordered", "n_documents", "n_chunks", "digest", "created", "details"],
    "documents": ["corpus_id", "ordinal", "title", "first_row", "n_chunks", "digest", "coherence"],
    "chunks": ["document_id", "row", "position", "section", "start", "text", "coherence", "tmd", "external_id"],
}


@pytest.mark.parametrize("value", [-1, 10**18, 1.5, "x", "[]", b"\xff", ""])
@pytest.mark.parametrize("column", [f"{table}.{column}" for table, columns in COLUMNS.items() for column in columns])
def test_rows_of_the_database_with_anything_in_them_are_told_or_refused(
    mine: CorpusStore, column: str, value: object
) -> None:
    table, name = column.split(".")
    with contextlib.closing(sqlite3.connect(mine.workspace.database, isolation_level=None)) as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        with contextlib.suppress(sqlite3.Error):  # what SQLite itself refuses to hold
            connection.execute(f'UPDATE "{table}" SET "{name}" = ? WHERE id = 1', (value,))
    for ask in (
        mine.corpora,
        lambda: mine.documents("first"),
        lambda: mine.chunks("first", range(6)),
        lambda: mine.search("first", "things"),
        lambda: mine.find_documents("first", "things"),
    ):
        try:
            ask()
        except CorpusError as error:
            assert "expected" in str(error)  # noqa: PT017


def test_articles_that_are_gone_or_stand_outside_their_corpus_are_named(mine: CorpusStore) -> None:
    with contextlib.closing(sqlite3.connect(mine.workspace.database, isolation_level=None)) as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute("UPDATE documents SET n_chunks = 1000000000000 WHERE id = 1")
        with pytest.raises(CorpusError, match=r"Article .* stands at rows 0 to .*; expected rows from 0 to below 42"):
            mine.documents("first")
        connection.execute("DELETE FROM documents WHERE id < 3")
    with pytest.raises(CorpusError, match=r"'first' has 5 articles.*; expected 7.*ingest SOURCE --replace"):
        mine.documents("first")


def test_rows_positions_and_documents_agree(stored: CorpusStore) -> None:
    row = 0
    for document in stored.documents("second"):
        assert document.first_row == row
        for position, chunk in enumerate(stored.document_chunks(document.document_id)):
            assert (chunk.row, chunk.position, chunk.article) == (row, position, document.title)
            row += 1
    assert row == stored.corpus("second").n_chunks


def test_chunks_come_in_the_order_asked_repeats_included(stored: CorpusStore) -> None:
    assert [chunk.row for chunk in stored.chunks("first", [5, 0, 5, 41])] == [5, 0, 5, 41]
    assert stored.chunks("first", np.array([], dtype=np.int64)) == []


def test_a_row_outside_the_corpus_is_named(stored: CorpusStore) -> None:
    with pytest.raises(CorpusError, match=r"Row 12 .*expected rows 0 to 11"):
        stored.chunks("second", [3, 12])


def test_slices_of_texts_join_to_the_whole(stored: CorpusStore) -> None:
    texts = stored.texts("first")
    assert len(texts) == 42
    assert stored.texts("first", 10, 20) == texts[10:20]
    assert list(iter_texts(stored, "first", batch=5)) == texts
    document = stored.documents("first")[2]
    part = stored.document_chunks(document.document_id, 1, 3)
    assert [chunk.text for chunk in part] == texts[document.first_row + 1 : document.first_row + 3]


def test_search_finds_all_words_in_one_corpus_only(stored: CorpusStore) -> None:
    found = stored.search("first", "sentences article 3", limit=3)
    assert len(found) == 3
    assert all("Article 3" in chunk.text or "number 3" in chunk.text for chunk in found)
    assert stored.search("second", "article") == []
    assert stored.search("first", "   ") == []


@settings(max_examples=60, deadline=None)
@given(words=st.text(max_size=30))
def test_a_users_words_are_never_query_syntax(stored: CorpusStore, words: str) -> None:
    stored.search("second", words)
    stored.find_documents("second", words)


@pytest.mark.parametrize("words", ["zebra AND (", '"zebra', "zebra*", "NEAR(zebra)", "text:zebra", "zebra -world"])
def test_quotes_and_operators_are_words(stored: CorpusStore, words: str) -> None:
    assert '"zebra"' in fts_query(words)
    stored.search("second", words)


def test_articles_are_found_by_title_first_then_by_text(stored: CorpusStore) -> None:
    documents, total = stored.find_documents("second", "zebra")
    assert (total, documents[0].title) == (1, "Zebra")
    assert [document.title for document in stored.find_documents("second", "100%_sure")[0]] == ["100%_sure"]
    page, total = stored.find_documents("first", "sentence", offset=5, limit=5)
    assert (total, len(page)) == (7, 2)
    page, total = stored.find_documents("first", offset=6)
    assert (total, [document.title for document in page]) == (7, ["Article 6"])


def test_an_article_can_be_surveyed_without_its_text(workspace: Workspace, tmp_path: Path) -> None:
    read_in(workspace, write_dump(tmp_path / "d.xml", ["A", "B"]))
    store = CorpusStore(workspace)
    document = store.documents("tiny")[1]
    assert store.document(document.document_id) == document
    assert store.outline(document.document_id) == [(0, ""), (7, "History")]
    assert store.coherence(document.document_id).shape == (document.n_chunks,)
    assert store.find_in_document(document.document_id, "number 2") == [3, 9]
    assert store.find_in_document(document.document_id, "?") == []
    assert store.n_chars("tiny") > 1_000
    with pytest.raises(CorpusError, match=r"no article 999"):
        store.document(999)


def test_coherence_is_stored_in_parts_and_averaged(workspace: Workspace, tmp_path: Path) -> None:
    read_in(workspace, write_lines(tmp_path / "a.jsonl", ["A", "B"]))
    store = CorpusStore(workspace)
    store.set_coherence("tiny", np.full(8, 0.5, dtype=np.float32))
    store.set_coherence("tiny", [0.5, np.nan, 0.25, 0.25], start=8)
    first, second = store.documents("tiny")
    assert [chunk.coherence for chunk in store.document_chunks(first.document_id)] == [None, *[0.5] * 5]
    assert [chunk.coherence for chunk in store.document_chunks(second.document_id)] == [
        None,
        0.5,
        0.5,
        None,
        0.25,
        0.25,
    ]
    assert (first.coherence, second.coherence) == (0.5, 0.375)


def test_deleting_takes_vectors_and_words_along_and_leaves_the_others(workspace: Workspace, tmp_path: Path) -> None:
    for name in ("one", "two"):
        read_in(workspace, write_lines(tmp_path / "a.jsonl", [name, "B"]), name)
    workspace.make(workspace.corpus_dir("one"))
    store = CorpusStore(workspace)
    store.delete("one")
    assert [info.name for info in store.corpora()] == ["two"]
    assert len(store.search("two", "sentence")) == 12
    assert not workspace.corpus_dir("one").exists()
    with pytest.raises(CorpusError, match=r"no corpus 'one'"):
        store.delete("one")


def test_many_threads_read_at_once(stored: CorpusStore) -> None:
    found: list[int] = []
    threads = [threading.Thread(target=lambda: found.append(len(stored.texts("first")))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [42] * 8


def test_the_digest_follows_titles_texts_and_order(workspace: Workspace) -> None:
    def digest(name: str, articles: list[tuple[str, list[str]]]) -> str:
        with CorpusWriter(workspace, name, "test", "sentence") as writer:
            for title, texts in articles:
                writer.add(title, [NewChunk(text) for text in texts])
            return writer.finish().digest

    base = digest("a", [("T", ["x", "y"]), ("U", ["z"])])
    assert base == digest("b", [("T", ["x", "y"]), ("U", ["z"])])
    others = [[("T", ["xy"]), ("U", ["z"])], [("U", ["z"]), ("T", ["x", "y"])], [("T", ["x", "y", "U", "z"])]]
    assert len({base, *(digest(f"c{i}", articles) for i, articles in enumerate(others))}) == 4


def test_what_other_sources_bring_is_kept(workspace: Workspace) -> None:
    with CorpusWriter(workspace, "codes", "a table", "sentence", "MIT", ordered=False) as writer:
        writer.add("T", [NewChunk("x", "S", 0, 1, 0.5, 8852, "cpe-1")])
        info = writer.finish()
    assert (info.licence, info.ordered, info.source) == ("MIT", False, "a table")
    (chunk,) = CorpusStore(workspace).chunks("codes", [0])
    assert (chunk.section, chunk.tmd, chunk.external_id, chunk.end) == ("S", 8852, "cpe-1", 1)


@pytest.mark.parametrize("name", ["", "a/b", "..", "a b", "x" * 81])
def test_a_name_that_could_not_be_a_folder_is_refused(workspace: Workspace, name: str) -> None:
    with pytest.raises(CorpusError, match=r"cannot be the name of a corpus.*--corpus"):
        CorpusWriter(workspace, name, "test", "sentence")


def test_leaving_without_finish_leaves_nothing(workspace: Workspace) -> None:
    with CorpusWriter(workspace, "half", "test", "sentence") as writer:
        writer.add("T", [NewChunk(f"text {i}") for i in range(5_000)])
    store = CorpusStore(workspace)
    assert store.corpora() == []
    with CorpusWriter(workspace, "whole", "test", "sentence") as writer:
        writer.add("T", [NewChunk("other")])
        writer.finish()
    assert store.search("whole", "text") == []

"""What looks at a whole corpus looks at a large one in a stream or at a part of it, and says which."""

from pathlib import Path

import numpy as np
import pytest

from lvm_core import checkup
from lvm_core.corpus.store import CorpusStore, iter_texts
from lvm_core.dataset.order import check_order
from lvm_core.types import DocumentInfo
from lvm_core.vectors.encode import encode_corpus
from lvm_core.vectors.matrix import open_matrix
from lvm_core.workspace import Workspace
from tests.vectors.index_contract import Held, vectors
from tests.vectors.worlds import WordEncoder, small_corpus


def test_the_order_check_goes_through_texts_once_and_counts_repeats() -> None:
    texts = ["a b", "c d", "e f", "g h", "g h", "a b", "i j", "i j", "k l"]
    documents = [DocumentInfo(i, f"d{i}", i, first, n, "") for i, (first, n) in enumerate([(0, 4), (4, 3), (7, 2)])]
    report = check_order(documents, iter(texts), Held(vectors(9)))
    assert report.n_chunks == 9
    assert report.words_per_chunk == 2
    assert report.duplicates == 3, "one more of 'g h', of 'a b' and of 'i j'"
    assert report.shared_texts == pytest.approx(6 / 9)
    assert report.boundary_leaks == 2, "'g h' and 'i j' end one article and begin the next"


def test_the_order_check_of_no_text_says_nothing_is_shared() -> None:
    report = check_order([], [], Held(vectors(1)))
    assert (report.n_chunks, report.duplicates, report.shared_texts) == (0, 0, 0)


def test_a_large_matrix_is_looked_at_in_stretches_spread_evenly(
    workspace: Workspace, tmp_path: Path, monkeypatch
) -> None:
    encoder = WordEncoder()
    small_corpus(workspace, tmp_path, names=[f"Place {i}" for i in range(60)])
    matrix = encode_corpus(workspace, "tiny", encoder)
    assert matrix.n_unusable() == (0, matrix.n_rows)
    data = np.load(workspace.vectors("tiny", encoder.id), mmap_mode="r+")
    data[matrix.n_rows // 2 :] = np.nan
    data.flush()
    n_bad = matrix.n_rows - matrix.n_rows // 2
    assert open_matrix(workspace, "tiny", encoder.id).n_unusable() == (n_bad, matrix.n_rows)
    monkeypatch.setattr("lvm_core.vectors.matrix.STRETCH", 4)
    n_found, n_seen = open_matrix(workspace, "tiny", encoder.id).n_unusable(40)
    assert n_seen <= 44 < matrix.n_rows
    assert n_found == pytest.approx(n_seen / 2, abs=4)
    monkeypatch.setattr(checkup, "MOST_ROWS", 40)
    said = " ".join(finding.text for finding in checkup.check_workspace(workspace))
    assert f"{n_found} of {n_seen} vectors of {encoder.id} that were looked at hold NaN" in said
    assert "40 vectors of each were looked at." in said


def test_a_large_database_is_checked_but_for_its_chunks(workspace: Workspace, tmp_path: Path, monkeypatch) -> None:
    small_corpus(workspace, tmp_path)
    assert checkup.Finding("ok", "The database is sound.") in checkup.check_workspace(workspace)
    monkeypatch.setattr(checkup, "LARGE_DATABASE", 0)
    said = [finding.text for finding in checkup.check_workspace(workspace) if finding.text.startswith("The database")]
    assert said == ["The database is sound. Of its 0.0 GB those of the chunks were not read through."]


def test_texts_come_in_order_a_slice_at_a_time(workspace: Workspace, tmp_path: Path) -> None:
    small_corpus(workspace, tmp_path)
    store = CorpusStore(workspace)
    assert list(iter_texts(store, "tiny", batch=3)) == store.texts("tiny")


def test_a_word_that_stands_everywhere_is_ranked_among_the_first_chunks_of_its_own_corpus(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for corpus in ("before", "own", "after"):
        small_corpus(workspace, tmp_path, corpus)
    store = CorpusStore(workspace)
    word = store.texts("own", 0, 1)[0].split()[0]
    every = store.search("own", word, limit=1_000)
    assert len(every) > 4
    monkeypatch.setattr("lvm_core.corpus.store.MOST_RANKED", 4)
    few = store.search("own", word, limit=1_000)
    assert {chunk.row for chunk in few} == set(sorted(chunk.row for chunk in every)[:4])
    assert [chunk.row for chunk in store.search("own", word, limit=2, offset=1)] == [chunk.row for chunk in few[1:3]]

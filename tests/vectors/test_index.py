"""Both FAISS indexes keep the contract; the stored one is of the present matrix or is built again."""

import argparse
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from lvm_core.commands import corpora
from lvm_core.corpus.timings import metrics
from lvm_core.errors import CorpusError, SpaceMismatch
from lvm_core.types import Index, Vectors
from lvm_core.vectors import index as index_module
from lvm_core.vectors.encode import encode_corpus
from lvm_core.vectors.flat import FlatIndex
from lvm_core.vectors.index import CODES_FROM, about_index, build_index, kind_for, open_index
from lvm_core.vectors.ivf import TARGET_RECALL, IvfIndex, build_ivf, n_lists
from lvm_core.vectors.ivf_pq import IvfPqIndex, build_ivf_pq
from lvm_core.vectors.matrix import open_matrix
from lvm_core.vectors.probe import held_out
from lvm_core.workspace import Workspace
from tests.vectors.index_contract import Held, IndexContract, vectors
from tests.vectors.worlds import LongEncoder, WordEncoder, small_corpus

Make = Callable[[Vectors, str], Index]


def ivf(rows: Vectors, encoder_id: str) -> IvfIndex:
    return build_ivf(Held(rows), len(rows), rows.shape[1], encoder_id)


def ivf_pq(rows: Vectors, encoder_id: str) -> IvfPqIndex:
    return build_ivf_pq(Held(rows), len(rows), rows.shape[1], encoder_id)


class TestFlat(IndexContract):
    @pytest.fixture
    def make(self) -> Make:
        return FlatIndex.from_vectors


class TestIvf(IndexContract):
    recall = 0.95

    @pytest.fixture
    def make(self) -> Make:
        return ivf


class TestIvfPq(IndexContract):
    recall = 0.9

    @pytest.fixture
    def make(self) -> Make:
        return ivf_pq


def test_enough_lists_are_looked_into_for_the_target_and_the_measure_is_true() -> None:
    rows, queries = np.split(vectors(3_040), [3_000])
    index = ivf(rows, "x")
    assert 1 <= index.probe.n_probe < index.n_lists
    assert index.probe.recall >= TARGET_RECALL - 0.01
    exact = FlatIndex.from_vectors(rows, "x").search(queries, 16)
    n_right = sum(
        len({hit.row for hit in hits} & {hit.row for hit in truth})
        for hits, truth in zip(index.search(queries, 16), exact, strict=True)
    )
    assert n_right / (16 * len(queries)) >= 0.97


@pytest.mark.parametrize("make", [ivf, ivf_pq])
@pytest.mark.parametrize("n_queries", [1, 40])
def test_large_k_and_exclusions_are_answered_in_full_by_inverted_lists(make: Make, n_queries: int) -> None:
    rows = vectors(3_000)
    index, exact = make(rows, "x"), FlatIndex.from_vectors(rows, "x")
    queries = rows[:n_queries]
    assert [len(hits) for hits in index.search(queries, 5_000)] == [3_000] * n_queries
    nearest = np.array([hit.row for hit in exact.search(rows[:1], 2_980)[0]])
    for hits, truth in zip(
        index.search(queries, 16, exclude=nearest), exact.search(queries, 16, exclude=nearest), strict=True
    ):
        assert [hit.row for hit in hits] == [hit.row for hit in truth]
        assert len(hits) == 16
    assert index.search(queries, 16, exclude=np.arange(-5, 4_000)) == [[]] * n_queries


@pytest.mark.parametrize(
    ("n_rows", "lists"), [(1, 1), (20_000, 512), (60_000, 512), (137_000, 1_024), (500_000, 2_048)]
)
def test_lists_grow_with_the_corpus(n_rows: int, lists: int) -> None:
    assert n_lists(n_rows) == lists


def test_a_small_corpus_is_searched_exactly(workspace: Workspace, tmp_path: Path) -> None:
    encoder = LongEncoder("long")
    small_corpus(workspace, tmp_path)
    matrix = encode_corpus(workspace, "tiny", encoder)
    index = build_index(workspace, "tiny", encoder.id)
    assert index.kind == "exact"
    assert not workspace.index("tiny", encoder.id).exists()
    hit = open_index(workspace, "tiny", encoder.id).search(matrix.rows([5]), 1)[0][0]
    assert (hit.row, hit.cosine) == (5, pytest.approx(1, abs=1e-3))


def test_a_large_corpus_keeps_its_index_until_it_is_stale(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_module, "EXACT_BELOW", 10)
    encoder = WordEncoder()
    small_corpus(workspace, tmp_path)
    matrix = encode_corpus(workspace, "tiny", encoder)
    path = workspace.index("tiny", encoder.id)
    assert build_index(workspace, "tiny", encoder.id).kind == "ivf"
    made = path.stat().st_mtime_ns
    assert open_index(workspace, "tiny", encoder.id).search(matrix.rows([7]), 1)[0][0].row == 7
    assert path.stat().st_mtime_ns == made

    old = {p: p.read_bytes() for p in (path, path.with_suffix(".json"))}
    small_corpus(workspace, tmp_path, names=["Elsewhere", "Nowhere", "Somewhere"])
    matrix = encode_corpus(workspace, "tiny", encoder)
    for file, data in old.items():
        file.write_bytes(data)
    again = open_index(workspace, "tiny", encoder.id)
    assert again.n_rows == matrix.n_rows
    assert again.search(matrix.rows([3]), 1)[0][0].row == 3


def test_a_damaged_index_is_built_again(workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_module, "EXACT_BELOW", 10)
    encoder = WordEncoder()
    small_corpus(workspace, tmp_path)
    matrix = encode_corpus(workspace, "tiny", encoder)
    build_index(workspace, "tiny", encoder.id)
    workspace.index("tiny", encoder.id).write_bytes(b"IwFl and then nothing")
    assert open_index(workspace, "tiny", encoder.id).search(matrix.rows([2]), 1)[0][0].row == 2


def test_an_index_that_cannot_be_stored_still_answers(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_module, "EXACT_BELOW", 10)
    encoder = WordEncoder()
    small_corpus(workspace, tmp_path)
    matrix = encode_corpus(workspace, "tiny", encoder)
    monkeypatch.setattr("lvm_core.workspace.MIN_FREE_BYTES", 1 << 60)
    assert open_index(workspace, "tiny", encoder.id).search(matrix.rows([2]), 1)[0][0].row == 2


def test_an_index_needs_vectors_of_its_encoder(workspace: Workspace, tmp_path: Path) -> None:
    small_corpus(workspace, tmp_path)
    with pytest.raises(CorpusError, match=r"no vectors yet.*encode --corpus tiny --encoder words"):
        open_index(workspace, "tiny", WordEncoder().id)
    encode_corpus(workspace, "tiny", WordEncoder())
    with pytest.raises(SpaceMismatch, match=r"other@.*words@|words@.*other@"):
        open_index(workspace, "tiny", WordEncoder("other").id)


def test_zero_vectors_do_no_harm() -> None:
    rows = np.zeros((3, 4), dtype=np.float32)
    rows[1] = 1
    hits = FlatIndex.from_vectors(rows, "x").search(np.ones((1, 4), dtype=np.float32), 3)[0]
    assert hits[0].row == 1
    assert np.isfinite([hit.cosine for hit in hits]).all()


def test_a_changed_index_file_or_one_of_another_corpus_is_noticed(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_module, "EXACT_BELOW", 10)
    encoder = WordEncoder()
    for corpus in ("tiny", "other"):
        small_corpus(workspace, tmp_path, corpus, [f"{corpus} place {i}" for i in range(12)])
        encode_corpus(workspace, corpus, encoder)
        build_index(workspace, corpus, encoder.id)
    matrix = open_matrix(workspace, "tiny", encoder.id)
    path = workspace.index("tiny", encoder.id)
    sound = path.read_bytes()
    changed = bytearray(sound)
    changed[len(sound) // 2 : len(sound) // 2 + 64] = bytes(64)
    for data in (workspace.index("other", encoder.id).read_bytes(), bytes(changed), b""):
        path.write_bytes(data)
        hits = open_index(workspace, "tiny", encoder.id).search(matrix.rows(range(20)), 1)
        assert [hit[0].row for hit in hits] == list(range(20))
        assert path.read_bytes() == sound, "it is built again"


def test_a_copied_workspace_keeps_its_index(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_module, "EXACT_BELOW", 10)
    encoder = WordEncoder()
    small_corpus(workspace, tmp_path)
    encode_corpus(workspace, "tiny", encoder)
    build_index(workspace, "tiny", encoder.id)
    shutil.copytree(workspace.root, tmp_path / "copy", copy_function=shutil.copyfile)
    path = Workspace(tmp_path / "copy").index("tiny", encoder.id)
    written = path.stat().st_mtime_ns
    assert open_index(Workspace(tmp_path / "copy"), "tiny", encoder.id).kind == "ivf"
    assert path.stat().st_mtime_ns == written


def test_an_encoded_corpus_has_its_index(workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_module, "EXACT_BELOW", 10)
    small_corpus(workspace, tmp_path)
    encoder = WordEncoder()
    encode_corpus(workspace, "tiny", encoder)
    path = workspace.index("tiny", encoder.id)
    written = path.stat().st_mtime_ns
    assert metrics(workspace, "tiny")["stages"]["index"]["by"] == "ivf"
    encode_corpus(workspace, "tiny", encoder)
    assert path.stat().st_mtime_ns == written, "an index that is there is not built again"
    path.unlink()
    encode_corpus(workspace, "tiny", encoder)
    assert path.exists()


@pytest.mark.parametrize(
    ("n_rows", "kind"), [(19_999, "exact"), (20_000, "ivf"), (CODES_FROM - 1, "ivf"), (CODES_FROM, "ivf-pq")]
)
def test_the_kind_follows_the_size(n_rows: int, kind: str) -> None:
    assert kind_for(n_rows) == kind


def test_candidates_are_compared_by_the_vectors_on_disk(workspace: Workspace, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("LVM_INDEX", "ivf-pq")
    encoder = WordEncoder()
    small_corpus(workspace, tmp_path)
    matrix = encode_corpus(workspace, "tiny", encoder)
    path = workspace.index("tiny", encoder.id)
    written = path.stat().st_mtime_ns
    index = open_index(workspace, "tiny", encoder.id)
    assert (index.kind, path.stat().st_mtime_ns) == ("ivf-pq", written)
    rows = matrix.slice(0, matrix.n_rows)
    for number, hits in enumerate(index.search(rows, 3)):
        assert hits[0].row == number
        for hit in hits:
            assert hit.cosine == pytest.approx(float(rows[number] @ rows[hit.row]), abs=2e-3)
    monkeypatch.setenv("LVM_INDEX", "ivf")
    assert open_index(workspace, "tiny", encoder.id).kind == "ivf", "another kind is built in its place"


def test_what_an_index_was_measured_to_find_is_kept_and_shown(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder = WordEncoder()
    small_corpus(workspace, tmp_path)
    encode_corpus(workspace, "tiny", encoder)
    assert about_index(workspace, "tiny", encoder.id) == "exact: each search looks at every chunk"
    monkeypatch.setenv("LVM_INDEX", "ivf-pq")
    assert about_index(workspace, "tiny", encoder.id) == "ivf-pq, not built yet"
    index = build_index(workspace, "tiny", encoder.id)
    note = json.loads(workspace.index("tiny", encoder.id).with_suffix(".json").read_text())
    assert (note["kind"], note["recall"], note["n_probe"]) == ("ivf-pq", index.probe.recall, index.probe.n_probe)
    said = about_index(workspace, "tiny", encoder.id)
    assert said.endswith(f"{index.probe.recall:.1%} of the true neighbours of held-out queries")
    listed = corpora.run(argparse.Namespace(delete=None), workspace)
    assert listed["corpora"][0]["encoded"] == [{"encoder": encoder.id, "index": said}]
    assert said in corpora.report(listed)


def test_a_large_corpus_without_its_index_says_what_makes_it(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_module, "EXACT_BELOW", 10)
    encoder = WordEncoder()
    small_corpus(workspace, tmp_path)
    encode_corpus(workspace, "tiny", encoder)
    workspace.index("tiny", encoder.id).unlink()
    monkeypatch.setattr(index_module, "BUILT_ON_OPENING_BELOW", 10)
    with pytest.raises(CorpusError, match=r"no ivf index.*encode --corpus tiny --encoder words"):
        open_index(workspace, "tiny", encoder.id)


@pytest.mark.parametrize("n_rows", [1, 2, 3, 70])
@pytest.mark.parametrize("make", [ivf, ivf_pq])
def test_queries_of_the_measure_are_held_out_of_it(make: Make, n_rows: int) -> None:
    rows = vectors(n_rows)
    assert [hit.row for hit in make(rows, "x").search(rows[:1], 1)[0]] == [0]
    samples = held_out(Held(rows), n_rows)
    for sample in samples.to_choose + samples.to_state:
        for (low, high), truth in zip(sample.own, sample.truth, strict=True):
            assert not [row for row in truth.tolist() if low <= row < high]

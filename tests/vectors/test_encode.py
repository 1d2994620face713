"""Encoding: killed and resumed to the same bytes, refused where vectors would mix, clear where the disk refuses."""

import contextlib
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from lvm_core.corpus.store import CorpusStore
from lvm_core.database import connect
from lvm_core.errors import CorpusError, EncoderError, SpaceMismatch, WorkspaceError
from lvm_core.types import Chunk, Vectors
from lvm_core.vectors import encode as encode_module
from lvm_core.vectors.encode import encode_corpus
from lvm_core.vectors.matrix import encoded_with, open_matrix
from lvm_core.workspace import Workspace
from tests.vectors.worlds import LongEncoder, WordEncoder, small_corpus

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def tiny(workspace: Workspace, tmp_path: Path) -> Workspace:
    small_corpus(workspace, tmp_path)
    return workspace


def test_every_row_is_the_vector_of_its_chunk(tiny: Workspace) -> None:
    encoder = WordEncoder()
    matrix = encode_corpus(tiny, "tiny", encoder, batch_size=7)
    expected = encoder.encode(CorpusStore(tiny).texts("tiny"))
    assert np.array_equal(matrix.slice(0, matrix.n_rows), expected.astype(np.float16).astype(np.float32))
    assert np.array_equal(matrix.rows([9, 0, 9]), matrix.slice(0, 10)[[9, 0, 9]])
    assert (matrix.encoder_id, matrix.dim, matrix.unit_norm, matrix.mean_norm) == (encoder.id, 16, True, 1.0)
    assert (matrix.corpus, matrix.digest) == ("tiny", CorpusStore(tiny).corpus("tiny").digest)
    assert encoded_with(tiny, "tiny") == [encoder.id]


def test_the_file_is_float16_and_a_row_outside_is_refused(tiny: Workspace) -> None:
    matrix = encode_corpus(tiny, "tiny", WordEncoder())
    stored = np.load(tiny.vectors("tiny", matrix.encoder_id))
    assert (stored.dtype, stored.shape) == (np.float16, (matrix.n_rows, 16))
    with pytest.raises(CorpusError, match=f"Row {matrix.n_rows} was asked for"):
        matrix.rows([matrix.n_rows])


def test_vectors_that_are_not_unit_keep_their_norm(tiny: Workspace) -> None:
    matrix = encode_corpus(tiny, "tiny", LongEncoder("long"))
    assert not matrix.unit_norm
    assert matrix.mean_norm == pytest.approx(3, abs=1e-3)


def test_coherence_is_the_cosine_to_the_chunk_before_in_the_article(tiny: Workspace) -> None:
    matrix = encode_corpus(tiny, "tiny", WordEncoder())
    document = CorpusStore(tiny).documents("tiny")[3]
    chunks = CorpusStore(tiny).document_chunks(document.document_id)
    vectors = matrix.slice(document.first_row, document.first_row + document.n_chunks)
    assert chunks[0].coherence is None
    for i in range(1, len(chunks)):
        assert chunks[i].coherence == pytest.approx(float(vectors[i] @ vectors[i - 1]), abs=2e-3)
    assert document.coherence == pytest.approx(np.mean([c.coherence for c in chunks[1:]]), abs=1e-6)


def test_progress_tells_chunks_rate_and_time_left(tiny: Workspace) -> None:
    said: list[tuple[float, str]] = []
    matrix = encode_corpus(tiny, "tiny", WordEncoder(), lambda *what: said.append(what), batch_size=10)
    assert said[0][1].startswith(f"10 of {matrix.n_rows} chunks, ")
    assert said[0][1].endswith(" s left")
    shares = [share for share, _ in said]
    assert shares == sorted(shares)
    assert shares[-1] == 1


def test_a_second_call_finds_the_matrix_and_encodes_nothing(tiny: Workspace) -> None:
    encode_corpus(tiny, "tiny", WordEncoder())
    again = WordEncoder()
    encode_corpus(tiny, "tiny", again)
    assert again.n_calls == 0


def test_killed_and_resumed_it_gives_the_same_bytes(tiny: Workspace) -> None:
    encoder = WordEncoder()
    path = tiny.vectors("tiny", encoder.id)
    for least in (2, 5):
        process = _encode_in_a_process(tiny)
        _wait_for_batches(path.with_suffix(".part.json"), least)
        process.kill()
        process.wait()
        process.stdout.close()
        assert not path.exists()
        with pytest.raises(CorpusError, match="no vectors yet"):
            open_matrix(tiny, "tiny", encoder.id)
    n_done = json.loads(path.with_suffix(".part.json").read_text())["n_done"]
    matrix = encode_corpus(tiny, "tiny", encoder)
    assert encoder.n_calls == -(-matrix.n_rows // 4) - n_done
    expected = WordEncoder().encode(CorpusStore(tiny).texts("tiny")).astype(np.float16)
    assert np.load(path).tobytes() == expected.tobytes()
    expected_files = {path.name, path.with_suffix(".json").name, tiny.pipeline_metrics("tiny").name}
    assert {p.name for p in path.parent.iterdir()} == expected_files


def _encode_in_a_process(workspace: Workspace) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "tests.vectors.encode_slowly", str(workspace.root)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)


def _wait_for_batches(state: Path, least: int) -> None:
    stop = time.monotonic() + 30
    while not state.exists() or json.loads(state.read_text())["n_done"] < least:
        assert time.monotonic() < stop, "the encoding did not get on"
        time.sleep(0.02)


def _put_back(files: dict[Path, bytes]) -> None:
    for path, data in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def test_killed_between_the_matrix_and_its_json_it_is_finished_without_encoding(tiny: Workspace) -> None:
    encoder = WordEncoder()
    path = tiny.vectors("tiny", encoder.id)
    n_rows = encode_corpus(tiny, "tiny", encoder).n_rows
    path.with_suffix(".json").unlink()
    state = {"digest": CorpusStore(tiny).corpus("tiny").digest, "encoder_id": encoder.id, "dim": 16}
    path.with_suffix(".part.json").write_text(
        json.dumps({**state, "batch_size": 512, "n_done": -(-n_rows // 512), "spent_s": 1.0})
    )
    again = WordEncoder()
    assert encode_corpus(tiny, "tiny", again).n_rows == n_rows
    assert again.n_calls == 0


def test_coherence_is_there_before_the_matrix_counts_as_done_and_is_mended_where_it_is_missing(
    tiny: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder = WordEncoder()

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(CorpusStore, "set_coherence", killed)
    with pytest.raises(KeyboardInterrupt):
        encode_corpus(tiny, "tiny", encoder)
    assert encoded_with(tiny, "tiny") == [], "without its coherence it is not done"
    monkeypatch.undo()
    n_calls = encoder.n_calls
    encode_corpus(tiny, "tiny", encoder)
    assert encoder.n_calls == n_calls, "the vectors were there"
    whole = [chunk.coherence for chunk in _chunks(tiny)]
    assert any(value is not None for value in whole)
    with contextlib.closing(connect(tiny)) as db:
        db.execute("UPDATE chunks SET coherence = NULL WHERE row > 20")
    encode_corpus(tiny, "tiny", encoder)
    assert [chunk.coherence for chunk in _chunks(tiny)] == whole


def _chunks(workspace: Workspace) -> list[Chunk]:
    store = CorpusStore(workspace)
    return [chunk for d in store.documents("tiny") for chunk in store.document_chunks(d.document_id)]


def test_a_damaged_matrix_is_made_again_and_hides_no_other(tiny: Workspace) -> None:
    one, other = WordEncoder("one"), WordEncoder("other", dim=8)
    for encoder in (one, other):
        encode_corpus(tiny, "tiny", encoder)
    beside = tiny.vectors("tiny", one.id).with_suffix(".json")
    for damage in ("[]", "{}", "not json", '{"n_rows": "x"}', "[" * 5_000):
        beside.write_text(damage)
        assert encoded_with(tiny, "tiny") == [other.id]
        assert encode_corpus(tiny, "tiny", one).encoder_id == one.id
        assert set(encoded_with(tiny, "tiny")) == {one.id, other.id}


def test_a_corpus_read_in_anew_makes_its_vectors_stale(tiny: Workspace, tmp_path: Path) -> None:
    encoder = WordEncoder()
    encode_corpus(tiny, "tiny", encoder)
    state = CorpusStore(tiny).corpus("tiny")
    path = tiny.vectors("tiny", encoder.id)
    kept = {p: p.read_bytes() for p in (path, path.with_suffix(".json"))}
    small_corpus(tiny, tmp_path, names=["Another", "Place"])
    assert CorpusStore(tiny).corpus("tiny").digest != state.digest
    _put_back(kept)
    with pytest.raises(CorpusError, match="an earlier state"):
        open_matrix(tiny, "tiny", encoder.id)
    assert encoded_with(tiny, "tiny") == []
    assert encode_corpus(tiny, "tiny", encoder).n_rows == CorpusStore(tiny).corpus("tiny").n_chunks


def test_an_interrupted_encoding_of_another_state_is_not_resumed(tiny: Workspace, tmp_path: Path) -> None:
    process = _encode_in_a_process(tiny)
    _wait_for_batches(tiny.vectors("tiny", WordEncoder().id).with_suffix(".part.json"), 1)
    process.kill()
    process.wait()
    process.stdout.close()
    folder = tiny.corpus_dir("tiny")
    left = {p: p.read_bytes() for p in folder.iterdir()}
    small_corpus(tiny, tmp_path, names=["Another", "Place"])
    _put_back(left)
    matrix = encode_corpus(tiny, "tiny", WordEncoder())
    expected = WordEncoder().encode(CorpusStore(tiny).texts("tiny")).astype(np.float16).astype(np.float32)
    assert np.array_equal(matrix.slice(0, matrix.n_rows), expected)


def test_two_encoders_lie_side_by_side_and_never_mix(tiny: Workspace) -> None:
    one, other = WordEncoder("one"), WordEncoder("other", dim=8)
    encode_corpus(tiny, "tiny", one)
    with pytest.raises(SpaceMismatch, match=r"one@.*other@"):
        open_matrix(tiny, "tiny", other.id)
    encode_corpus(tiny, "tiny", other)
    assert set(encoded_with(tiny, "tiny")) == {one.id, other.id}
    assert (open_matrix(tiny, "tiny", one.id).dim, open_matrix(tiny, "tiny", other.id).dim) == (16, 8)


def test_an_unknown_corpus_lists_those_that_exist(tiny: Workspace) -> None:
    with pytest.raises(CorpusError, match=r"no corpus 'other'.*'tiny'"):
        encode_corpus(tiny, "other", WordEncoder())


def test_one_process_encodes_a_corpus_at_a_time(tiny: Workspace) -> None:
    process = _encode_in_a_process(tiny)
    _wait_for_batches(tiny.vectors("tiny", WordEncoder().id).with_suffix(".part.json"), 1)
    try:
        with pytest.raises(CorpusError, match="Another process"):
            encode_corpus(tiny, "tiny", WordEncoder())
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_a_disk_that_is_too_small_is_said_before_anything_is_encoded(
    tiny: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lvm_core.workspace.MIN_FREE_BYTES", 1 << 60)
    encoder = WordEncoder()
    with pytest.raises(WorkspaceError, match="MB free"):
        encode_corpus(tiny, "tiny", encoder)
    assert encoder.n_calls == 0


def test_a_folder_that_cannot_be_written_is_a_clear_error(tiny: Workspace) -> None:
    folder = tiny.corpus_dir("tiny")
    if folder.exists():
        shutil.rmtree(folder)
    folder.write_text("a file where the folder should be: root may write into read-only folders")
    with pytest.raises(WorkspaceError, match="Cannot write"):
        encode_corpus(tiny, "tiny", WordEncoder())


def test_what_is_on_disk_stays_when_the_encoder_fails(tiny: Workspace) -> None:
    class Failing(WordEncoder):
        def encode(self, texts: list[str]) -> Vectors:
            if self.n_calls == 3:
                raise EncoderError("Text 1 of 4 is empty", "words", "Leave it out.")
            return super().encode(texts)

    with pytest.raises(EncoderError, match="Text 1 of 4"):
        encode_corpus(tiny, "tiny", Failing(), batch_size=4)
    encoder = WordEncoder()
    matrix = encode_corpus(tiny, "tiny", encoder)
    assert encoder.n_calls == -(-matrix.n_rows // 4) - 3


def test_a_damaged_matrix_says_so(tiny: Workspace) -> None:
    matrix = encode_corpus(tiny, "tiny", WordEncoder())
    path = tiny.vectors("tiny", matrix.encoder_id)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(WorkspaceError, match="Delete it and encode again"):
        open_matrix(tiny, "tiny", matrix.encoder_id)


def test_long_corpora_are_read_in_slices(tiny: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encode_module, "SLICE", 5)
    matrix = encode_corpus(tiny, "tiny", WordEncoder())
    chunks = CorpusStore(tiny).chunks("tiny", range(matrix.n_rows))
    expected = [
        None if c.position == 0 else float(matrix.rows([c.row - 1])[0] @ matrix.rows([c.row])[0]) for c in chunks
    ]
    assert [c.coherence for c in chunks] == [e if e is None else pytest.approx(e, abs=2e-3) for e in expected]

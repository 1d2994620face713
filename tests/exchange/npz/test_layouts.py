"""NPZ files in the layouts people have: what is written comes back, and what is wrong is told."""

import zipfile
from pathlib import Path

import numpy as np
import pytest

from lvm_core.errors import CorpusError, SourceError
from lvm_core.exchange.npz.archive import open_npz
from lvm_core.exchange.npz.check import check_npz
from lvm_core.exchange.npz.convert import convert_objects
from lvm_core.exchange.npz.layouts import layout_of
from lvm_core.exchange.npz.reading import contents_of
from lvm_core.exchange.npz.write import write_sequences, write_splits, write_vectors
from lvm_core.types import Chunk, DocumentInfo

DIM = 6
LENGTHS = [7, 3, 9]
DOCUMENTS = [DocumentInfo(i + 10, f"title {i}", i, sum(LENGTHS[:i]), n, "") for i, n in enumerate(LENGTHS)]
N_ROWS = sum(LENGTHS)
VECTORS = np.random.default_rng(0).standard_normal((N_ROWS, DIM)).astype(np.float32)
VECTORS /= np.linalg.norm(VECTORS, axis=1, keepdims=True)


def rows(idx: np.ndarray) -> np.ndarray:
    return VECTORS[idx]


def chunks(idx: np.ndarray) -> list[Chunk]:
    return [Chunk(int(i), int(i), 0, "a", int(i), f"text {i} é", tmd=8852 if i % 2 else None) for i in idx]


def test_vectors_come_back(tmp_path: Path) -> None:
    path = tmp_path / "with space.npz"
    write_vectors(path, N_ROWS, rows, chunks, ids=lambda c: f"id-{c.row}")
    with open_npz(path) as arrays:
        assert layout_of(arrays) == "vectors"
        np.testing.assert_array_equal(arrays["vectors"], VECTORS)
        found = list(contents_of(arrays).passages)
    assert [t for s in found for t in s.texts] == [f"text {i} é" for i in range(N_ROWS)]
    assert [i for s in found for i in s.ids][:2] == ["id-0", "id-1"]
    assert [c for s in found for c in s.tmd][:2] == [None, 8852]


def test_overlapping_windows_come_back_as_the_articles_they_were_cut_from(tmp_path: Path) -> None:
    path = tmp_path / "s.npz"
    assert write_sequences(path, DOCUMENTS, 5, rows, chunks) == 2 + 4
    with open_npz(path) as arrays:
        assert arrays["context_vectors"].shape == (6, 5, DIM)
        assert arrays["positions"].tolist() == [5, 6, 5, 6, 7, 8]
        assert arrays["context_texts"][0].tolist() == [f"text {i} é" for i in range(5)]
        found = list(contents_of(arrays).passages)
    assert [s.title for s in found] == ["article 10", "article 12"]
    np.testing.assert_allclose(found[0].vectors, VECTORS[:7], atol=1e-6)
    np.testing.assert_allclose(found[1].vectors, VECTORS[10:], atol=1e-6)
    assert found[1].texts == [f"text {i} é" for i in range(10, 19)]


def test_splits_are_written_with_masks_and_padding_is_dropped_when_read(tmp_path: Path) -> None:
    path = tmp_path / "c.npz"
    counts = write_splits(path, {"train": DOCUMENTS[:1], "validation": DOCUMENTS[2:], "test": DOCUMENTS[2:]}, 5, rows)
    assert counts == {"train": 2, "validation": 4, "test": 4}
    padded = np.zeros((2, 3, DIM), dtype=np.float32)
    padded[0, :1], padded[1, :2] = VECTORS[:1], VECTORS[:2]
    np.savez(path, train_contexts=padded, train_targets=VECTORS[1:3], train_masks=[[1, 0, 0], [1, 1, 0]])
    with open_npz(path) as arrays:
        (chain,) = contents_of(arrays).passages
    np.testing.assert_allclose(chain.vectors, VECTORS[:3])


def test_pickles_are_refused_until_somebody_vouches(tmp_path: Path) -> None:
    path, plain = tmp_path / "objects.npz", tmp_path / "plain.npz"
    texts = np.array(["a", "bb"], dtype=object)
    np.savez(path, vectors=VECTORS[:2], concept_texts=texts, tmd_codes=np.array([1, 2], dtype=object))
    with pytest.raises(SourceError, match=r"convert .* --trust-pickle"), open_npz(path) as arrays:
        list(contents_of(arrays).passages)
    with pytest.raises(SourceError, match="can run any code"):
        convert_objects(path, plain, trust=False)
    assert not plain.exists()
    assert set(convert_objects(path, plain, trust=True)) == {"concept_texts", "tmd_codes"}
    with open_npz(plain) as arrays:
        assert next(contents_of(arrays).passages).texts == ["a", "bb"]


def test_doctor_finds_what_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "bad.npz"
    spoiled = VECTORS * 3
    spoiled[1] = np.nan
    spoiled[2] = 0
    np.savez(path, vectors=spoiled, concept_texts=np.array(["x"] * 5), cpe_ids=np.array(["same"] * N_ROWS))
    text = " ".join(f"{level}: {sentence}" for level, sentence in check_npz(path))
    assert "error: 'vectors' has 1 vectors with NaN" in text
    assert "error: 'vectors' has 1 zero vectors" in text
    assert "warning: 'vectors' has a mean norm of 3.000" in text
    assert "error: Lengths differ: vectors 19, concept_texts 5, cpe_ids 19" in text
    assert "error: 'cpe_ids' has repeats" in text
    assert "warning: 'vectors' is (19, 6), float32: 6 dimensions" in text


def test_mistakes_are_named(tmp_path: Path) -> None:
    path = tmp_path / "t.npz"
    write_vectors(path, N_ROWS, rows, chunks, ids=str)
    path.write_bytes(path.read_bytes()[:-400])
    with pytest.raises(SourceError, match="damaged or truncated"), open_npz(path):
        pass
    with pytest.raises(SourceError, match="does not exist"), open_npz(tmp_path / "none.npz"):
        pass
    np.savez(path, apples=VECTORS)
    with open_npz(path) as arrays, pytest.raises(SourceError, match="holds apples; expected vectors"):
        layout_of(arrays)
    np.savez(path, vectors=VECTORS, concept_texts=np.array(["a"]))
    with open_npz(path) as arrays, pytest.raises(SourceError, match="1 entries, but there are 19 vectors"):
        list(contents_of(arrays).passages)
    with pytest.raises(CorpusError, match="No article has more than 50 chunks"):
        write_sequences(path, DOCUMENTS, 50, rows, chunks)
    with zipfile.ZipFile(path) as still_whole:
        assert still_whole.testzip() is None

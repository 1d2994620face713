"""NPZ files as scripts really write them: the order is what the file tells, and no chunk is stored twice."""

import datetime
import gzip
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lvm_core.errors import SourceError
from lvm_core.exchange.npz.archive import open_npz
from lvm_core.exchange.npz.check import check_npz
from lvm_core.exchange.npz.convert import convert_objects
from lvm_core.exchange.npz.layouts import Contents, Passage
from lvm_core.exchange.npz.reading import contents_of
from tests.exchange.npz.worlds import ARTICLES, LENGTH, POSITIONS, TEXTS, TITLES, VECTORS, windows


def read(path: Path) -> tuple[Contents, list[Passage]]:
    with open_npz(path) as arrays:
        contents = contents_of(arrays)
        return contents, list(contents.passages)


def save(tmp_path: Path, **arrays: Any) -> Path:
    path = tmp_path / "file.npz"
    np.savez_compressed(path, **arrays)
    return path


def shuffled(n: int) -> np.ndarray:
    return np.random.default_rng(1).permutation(n)


def whole_book(passages: list[Passage]) -> None:
    """Check that each article is one passage, in order, with its own vectors."""
    assert [len(passage.vectors) for passage in passages] == [LENGTH] * 3
    np.testing.assert_allclose(np.concatenate([passage.vectors for passage in passages]), VECTORS, atol=1e-3)


@pytest.mark.parametrize("names", [("context_sequences", "target_vectors"), ("contexts", "targets"),
                                   ("context_vectors", "target_vectors")])  # fmt: skip
def test_windows_under_each_of_their_names_beside_plain_numbers_and_words(
    tmp_path: Path, names: tuple[str, str]
) -> None:
    cut = windows()
    path = save(tmp_path, **{names[0]: cut.contexts, names[1]: cut.targets}, context_length=5, vector_dim=16,
                source_dataset="wikipedia_500k.npz", excluded_articles="none")  # fmt: skip
    contents, passages = read(path)
    assert (contents.layout, contents.ordered) == ("sequences", True)
    whole_book(passages)


@pytest.mark.parametrize("with_ids", [True, False])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_shuffled_windows_are_the_same_articles(tmp_path: Path, with_ids: bool, dtype: Any) -> None:
    cut = windows()
    p = shuffled(len(cut.targets))
    ids = {"doc_ids": cut.articles[p], "positions": cut.positions[p]} if with_ids else {}
    path = save(tmp_path, context_vectors=cut.contexts[p].astype(dtype), target_vectors=cut.targets[p].astype(dtype),
                **ids)  # fmt: skip
    _, passages = read(path)
    if with_ids:
        assert [passage.title for passage in passages] == ["article 7", "article 9", "article 12"]
    else:
        first = {passage.vectors[0].tobytes(): passage for passage in passages}
        passages = [first[v.tobytes()] for v in VECTORS[::LENGTH].astype(dtype).astype(np.float32)]
    whole_book(passages)


def test_windows_with_gaps_repeats_and_long_steps_store_no_chunk_twice(tmp_path: Path) -> None:
    cut = windows(stride=3)
    p = np.append(shuffled(len(cut.targets)), [0, 1])
    path = save(tmp_path, contexts=cut.contexts[p], targets=cut.targets[p])
    contents, passages = read(path)
    stored = [vector.tobytes() for passage in passages for vector in passage.vectors]
    assert len(stored) == len(set(stored))
    assert "2 windows repeat another and are left out." in contents.notes


def test_chains_that_end_alike_keep_their_ends(tmp_path: Path) -> None:
    chains = [VECTORS[[0, 1, 2, 3, 4]], VECTORS[[5, 2, 3, 4]], VECTORS[[6, 2, 3, 4]]]
    contexts = np.stack([chain[i : i + 2] for chain in chains for i in range(len(chain) - 2)])
    targets = np.stack([chain[i + 2] for chain in chains for i in range(len(chain) - 2)])
    _, passages = read(save(tmp_path, train_contexts=contexts, train_targets=targets))
    assert [passage.vectors.tolist() for passage in passages] == [chain.tolist() for chain in chains]


def test_windows_split_by_window_are_one_text_again(tmp_path: Path) -> None:
    cut = windows()
    p = shuffled(len(cut.targets))
    train, val, test = np.split(p, [12, 16])
    path = save(
        tmp_path, context_sequences=cut.contexts[train], target_vectors=cut.targets[train],
        val_context_sequences=cut.contexts[val], val_target_vectors=cut.targets[val],
        test_context_sequences=cut.contexts[test], test_target_vectors=cut.targets[test],
    )  # fmt: skip
    _, passages = read(path)
    assert sum(len(passage.vectors) for passage in passages) == len(VECTORS)


def test_targets_of_a_later_chunk_are_left_out(tmp_path: Path) -> None:
    cut = windows()
    path = save(tmp_path, context_sequences=cut.contexts[:-1], target_vectors=cut.targets[1:], p6_offset=1)
    contents, passages = read(path)
    assert "targets lie further on" in contents.notes[0]
    np.testing.assert_array_equal(passages[0].vectors, VECTORS[: LENGTH - 1])


@pytest.mark.parametrize(
    ("article", "position"),
    [("article_indices", "chunk_indices"), ("batch_ids", "seq_in_article"), ("doc_ids", "positions"),
     ("document_ids", "sequence_indices")],
)  # fmt: skip
def test_vectors_with_an_article_and_a_position_are_sorted(tmp_path: Path, article: str, position: str) -> None:
    p = shuffled(len(VECTORS))
    path = save(tmp_path, vectors=VECTORS[p], concept_texts=TEXTS[p], **{article: ARTICLES[p], position: POSITIONS[p]},
                article_titles=np.repeat(TITLES, LENGTH)[p])  # fmt: skip
    contents, passages = read(path)
    assert contents.ordered
    assert [passage.title for passage in passages] == list(TITLES)
    assert [text for passage in passages for text in passage.texts] == TEXTS.tolist()
    whole_book(passages)


def test_articles_without_positions_keep_the_files_order_unless_they_are_mixed(tmp_path: Path) -> None:
    ids = np.array([f"2510.{i:05d}" for i in ARTICLES])
    contents, passages = read(save(tmp_path, vectors=VECTORS, concept_texts=TEXTS, article_ids=ids))
    assert contents.ordered
    whole_book(passages)
    p = shuffled(len(VECTORS))
    contents, passages = read(save(tmp_path, vectors=VECTORS[p], article_ids=ids[p]))
    assert not contents.ordered
    assert "articles are mixed" in contents.notes[0]
    assert [passage.title for passage in passages] == ["article 2510.00007", "article 2510.00009", "article 2510.00012"]


def test_chunks_without_an_article_are_not_called_ordered(tmp_path: Path) -> None:
    for ids in (np.full(len(VECTORS), ""), np.where(ARTICLES == 7, np.nan, ARTICLES)):
        contents, passages = read(save(tmp_path, fused=VECTORS, vectors=VECTORS, doc_ids=ids))
        assert not contents.ordered
        assert "chunks have no article in 'doc_ids'" in contents.notes[0]
        assert sum(len(passage.vectors) for passage in passages) == len(VECTORS)


@pytest.mark.parametrize(
    ("positions", "ordered", "note"),
    [
        (POSITIONS.astype(str), True, ""),
        (POSITIONS.astype(np.float64), True, ""),
        (np.where(POSITIONS == 3, np.nan, POSITIONS), False, "3 of 36 chunks have no number in 'chunk_indices'"),
        (np.array([f"p. {i}" for i in POSITIONS]), False, "36 of 36 chunks have no number"),
        (np.zeros(len(POSITIONS), dtype=int), False, "33 of 36 chunks have the 'chunk_indices' of another"),
    ],
)
def test_positions_are_cast_or_the_corpus_is_not_called_ordered(
    tmp_path: Path, positions: np.ndarray, ordered: bool, note: str
) -> None:
    path = save(tmp_path, vectors=VECTORS, article_indices=ARTICLES, chunk_indices=positions)
    contents, passages = read(path)
    assert contents.ordered == ordered
    assert note in " ".join(contents.notes)
    if ordered:
        whole_book(passages)
    else:
        assert any(level == "warning" and note in text for level, text in check_npz(path))


def test_bytes_and_half_characters_are_text_and_signed_codes_are_codes(tmp_path: Path) -> None:
    texts = np.array(["Caf\u00e9".encode(), b"b\xff", b"c"])
    path = save(tmp_path, vectors=VECTORS[:3], concept_texts=texts, cpe_ids=np.array(["a\ud800", "b", "c"]),
                tmd_codes=np.array([-32768, -1, 8852], dtype=np.int16))  # fmt: skip
    _, (passage,) = read(path)
    assert passage.texts == ["Caf\u00e9", "b\ufffd", "c"]
    assert passage.ids == ["a\ufffd", "b", "c"]
    assert passage.tmd == [32768, None, 8852]


def test_objects_beside_the_vectors_disturb_nobody(tmp_path: Path) -> None:
    metadata = np.array([{"total": 36}, {"total": 1}], dtype=object)
    path = save(tmp_path, vectors=VECTORS, concept_texts=TEXTS, article_indices=ARTICLES, metadata=metadata)
    contents, passages = read(path)
    assert contents.ordered
    whole_book(passages)
    assert any("'metadata' holds pickled Python objects, which are never loaded" in text for _, text in check_npz(path))


def test_conversion_writes_dates_and_dictionaries_as_text_and_leaves_out_the_rest_by_name(tmp_path: Path) -> None:
    path, plain = tmp_path / "objects.npz", tmp_path / "plain.npz"
    n = len(VECTORS)
    np.savez_compressed(
        path, vectors=VECTORS, concept_texts=TEXTS.astype(object), article_indices=ARTICLES, chunk_indices=POSITIONS,
        created_ats=np.array([datetime.datetime(2025, 10, 15, 1, 2, 3)] * n, dtype=object),
        metadata=np.array([{"total": n}], dtype=object), raw=np.array([b"a\xc3\xa9"] * n, dtype=object),
        odd=np.array([{1, 2}, print], dtype=object),
    )  # fmt: skip
    changed = convert_objects(path, plain, trust=True)
    assert changed["odd"].startswith("left out: it holds builtin_function_or_method, set")
    with open_npz(plain) as arrays:
        assert "odd" not in arrays
        assert arrays["created_ats"][0] == "2025-10-15T01:02:03"
        assert arrays["metadata"].tolist() == ['{"total": 36}']
        assert arrays["raw"][0] == "a\u00e9"
        whole_book(list(contents_of(arrays).passages))


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:abc\nsize 123\n", r"a Git LFS pointer.*git lfs pull"),
        (b"<!DOCTYPE html><title>404</title>", "a web page or XML"),
        (b"", "an empty file"),
        (b"just words", "a text that begins with 'just words'"),
        (gzip.compress(b"x", mtime=0), "a gzip file; .*Unpack it with gunzip"),
        (pickle.dumps({"vectors": [1.0]}), "a Python pickle; .*Save its arrays with np.savez"),
        (b"\x00" * 100, "a file that begins with 00 00"),
    ],
)
def test_what_is_no_npz_is_told_as_what_it_is_and_nobody_is_sent_to_pickles(
    tmp_path: Path, content: bytes, kind: str
) -> None:
    path = tmp_path / "data.npz"
    path.write_bytes(content)
    for action in (lambda: check_npz(path), lambda: convert_objects(path, tmp_path / "out.npz", trust=True)):
        with pytest.raises(SourceError, match=f"is no NPZ but {kind}") as told:
            action()
        assert "trust-pickle" not in str(told.value)
    assert not (tmp_path / "out.npz").exists()


def test_a_single_array_is_told_apart(tmp_path: Path) -> None:
    np.save(tmp_path / "vectors.npy", VECTORS)
    with pytest.raises(SourceError, match=r"a single array \(\.npy\); expected what np.savez writes"):
        check_npz(tmp_path / "vectors.npy")

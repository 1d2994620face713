"""What every index must do; subclass it and give a `make` fixture: (vectors (N, D), encoder id) -> Index."""

from collections.abc import Callable

import numpy as np
import pytest

from lvm_core.errors import LvmError
from lvm_core.types import Index, Rows, Vectors

Make = Callable[[Vectors, str], Index]
DIM = 24


def vectors(n: int, seed: int = 0) -> Vectors:
    """Return clustered vectors (n, DIM) of unequal norms."""
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((12, DIM))
    points = centres[rng.integers(0, 12, n)] + 0.6 * rng.standard_normal((n, DIM))
    scale: Vectors = (points * rng.uniform(0.5, 3, (n, 1))).astype(np.float32)
    return scale


class Held:
    """Vectors (N, D) in memory, read as a matrix on disk is."""

    def __init__(self, rows: Vectors) -> None:
        self.held = rows

    def rows(self, idx: Rows) -> Vectors:
        return self.held[idx]

    def slice(self, start: int, stop: int) -> Vectors:
        return self.held[start:stop]


def cosine(a: Vectors, b: Vectors) -> float:
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


class IndexContract:
    recall = 1.0
    """Least share of the true ten nearest that must be found."""

    def test_it_is_an_index_of_one_space(self, make: Make) -> None:
        index = make(vectors(50), "some@123456789abc")
        assert isinstance(index, Index)
        assert index.encoder_id == "some@123456789abc"

    def test_scores_are_cosines_best_first(self, make: Make) -> None:
        rows, queries = vectors(400), vectors(5, seed=1)
        for query, hits in zip(queries, make(rows, "x").search(queries, 10), strict=True):
            scores = [hit.cosine for hit in hits]
            assert scores == sorted(scores, reverse=True)
            for hit in hits:
                assert hit.cosine == pytest.approx(cosine(query, rows[hit.row]), abs=2e-3)

    def test_it_finds_the_nearest(self, make: Make) -> None:
        rows, queries = vectors(2_000), vectors(20, seed=1)
        units = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        found = make(rows, "x").search(queries, 10)
        shares = [
            len({hit.row for hit in hits} & set(np.argsort(-(units @ query))[:10].tolist())) / 10
            for query, hits in zip(queries, found, strict=True)
        ]
        assert np.mean(shares) >= self.recall

    def test_a_row_finds_itself(self, make: Make) -> None:
        rows = vectors(300)
        assert [hits[0].row for hits in make(rows, "x").search(rows[:20], 1)] == list(range(20))

    def test_excluded_rows_never_come_and_cost_no_place(self, make: Make) -> None:
        rows = vectors(2_000)
        index = make(rows, "x")
        first = index.search(rows[:4], 8)
        exclude = np.array(sorted({hit.row for hits in first for hit in hits[:6]}), dtype=np.int64)
        after = index.search(rows[:4], 8, exclude=exclude)
        for before, hits in zip(first, after, strict=True):
            assert len(hits) == 8
            assert not {hit.row for hit in hits} & set(exclude.tolist())
            kept = [hit.row for hit in before if hit.row not in set(exclude.tolist())]
            assert [hit.row for hit in hits][: len(kept)] == kept

    def test_excluding_nothing_changes_nothing(self, make: Make) -> None:
        rows = vectors(200)
        index = make(rows, "x")
        assert index.search(rows[:2], 5, exclude=np.array([], dtype=np.int64)) == index.search(rows[:2], 5)

    def test_excluding_everything_leaves_nothing(self, make: Make) -> None:
        rows = vectors(60)
        assert make(rows, "x").search(rows[:2], 5, exclude=np.arange(60)) == [[], []]

    def test_fewer_rows_than_k_give_no_row_twice(self, make: Make) -> None:
        rows = vectors(3)
        hits = make(rows, "x").search(rows[:1], 16)[0]
        assert 1 <= len(hits) <= 3
        assert len({hit.row for hit in hits}) == len(hits)

    def test_many_at_once_are_as_one_by_one(self, make: Make) -> None:
        rows, queries = vectors(500), vectors(7, seed=2)
        index = make(rows, "x")
        for query, hits in zip(queries, index.search(queries, 4), strict=True):
            assert [hit.row for hit in hits] == [hit.row for hit in index.search(query[None], 4)[0]]

    def test_queries_of_another_dimension_are_refused(self, make: Make) -> None:
        with pytest.raises(LvmError, match=f"7 dimensions.*{DIM}"):
            make(vectors(30), "x").search(np.ones((1, 7), dtype=np.float32), 3)

    def test_k_below_one_is_refused(self, make: Make) -> None:
        with pytest.raises(LvmError, match="k is 0"):
            make(vectors(30), "x").search(vectors(1), 0)

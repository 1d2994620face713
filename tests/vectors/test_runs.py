"""What was begun for a vector goes on where it was left, and does not grow without end."""

import numpy as np

from lvm_core.vectors.runs import Runs, distinct


def test_equal_vectors_share_one_run_that_is_begun_once() -> None:
    runs: Runs[list[int]] = Runs(4)
    vectors = np.eye(3, dtype=np.float32)[[0, 1, 0]]
    begun: list[list[int]] = []

    def start(rows: list[int]) -> list[list[int]]:
        begun.append(rows)
        return [[row] for row in rows]

    first, second, third = runs.take(vectors, start)
    assert first is third
    assert distinct([first, second, third]) == [[0], [1]]
    assert runs.take(vectors, start)[1] is second
    assert begun == [[0, 1]]


def test_the_runs_asked_for_last_stay() -> None:
    runs: Runs[int] = Runs(2)
    vectors = np.eye(3, dtype=np.float32)
    for row in (0, 1, 0, 2):
        runs.take(vectors[row : row + 1], lambda rows: [1 for _ in rows])
    assert runs.take(vectors[[0, 2]], lambda rows: [2 for _ in rows]) == [1, 1]
    assert runs.take(vectors[[1]], lambda rows: [2 for _ in rows]) == [2]


def test_a_batch_larger_than_the_memory_is_answered_whole() -> None:
    runs: Runs[int] = Runs(1)
    assert runs.take(np.eye(5, dtype=np.float32), list) == [0, 1, 2, 3, 4]

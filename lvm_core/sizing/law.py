"""Power laws fitted to measured runs, and how far they are from the largest run when it is left out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from lvm_core.sizing.runs import Run
from lvm_core.vectors.ivf import TRAINING_ROWS_PER_LIST, n_lists
from lvm_core.vectors.ivf_pq import CODE_BITS, CODE_BYTES, IvfPqIndex
from lvm_core.vectors.probe import N_QUERIES

Quantity = Callable[[Run], float]
QUANTITIES: dict[str, Quantity] = {
    "seconds": lambda run: run.seconds,
    "bytes on disk": lambda run: float(run.n_bytes),
    "peak memory": lambda run: float(run.peak_bytes),
}
"""What is predicted of a run; 0 where it was not noted."""

ROUNDS = 10
"""Of k-means, for the centres of lists: FAISS's own."""

PASSES = 500
"""Multiplications that reading a row three times as float16 and scaling it to unit norm is worth, by component."""

ROW_NUMBER, BLOCK, PROGRAM_BYTES = 8, 32, 90_000_000
"""Bytes of a row's number, rows in a block of codes, bytes of the program itself."""

STEEPEST, FLATTEST = 1.5, 0.5


@dataclass(frozen=True, slots=True)
class Law:
    """y = exp(intercept) * x ** slope, fitted to `n_runs`."""

    intercept: float
    slope: float
    n_runs: int

    def __call__(self, x: float) -> float:
        """Return y at `x`."""
        return float(np.exp(self.intercept + self.slope * np.log(x)))


@dataclass(frozen=True, slots=True)
class Checked:
    """The largest run of a kind, predicted from the smaller ones."""

    stage: str
    by: str
    quantity: str
    rows: int
    measured: float
    predicted: float
    n_runs: int

    @property
    def off(self) -> float:
        """By what share of the measured value the prediction is too high (or, negative, too low)."""
        return self.predicted / self.measured - 1


def operations(stage: str, by: str, rows: int, dim: int) -> float:
    """Return what a run's figures are a power of: its rows, or for an index the multiplications that building it takes.

    These are the products of rows with the centres of lists (training them in ten rounds, then filling them), those
    with the queries that measure it, and for codes the nearest of 16 centres a part.
    """
    if stage != "indexing":
        return float(rows)
    lists = n_lists(rows)
    n_training = min(rows, TRAINING_ROWS_PER_LIST * lists)
    a_component = rows * (lists + 2 * N_QUERIES + PASSES) + n_training * lists * ROUNDS
    if by == IvfPqIndex.kind:
        a_component += rows << CODE_BITS
    return float(a_component * dim)


def index_bytes(by: str, rows: int, dim: int) -> float:
    """Return the bytes of an index: what each row takes in a list, and of each list its centre.

    Codes lie in blocks of 32 rows, of which a list leaves half of one empty.
    """
    lists = n_lists(rows)
    if by == IvfPqIndex.kind:
        return float(rows * (CODE_BYTES + ROW_NUMBER) + lists * (dim * 4 + BLOCK // 2 * CODE_BYTES))
    return float(rows * (dim * 4 + ROW_NUMBER) + lists * dim * 4)


def size(quantity: str, run: Run) -> float:
    """Return what `quantity` of a run is a power of: operations for time, and the bytes that it must hold.

    Who builds an index holds the mapped rows, the index, and the training rows twice.
    """
    if quantity == "seconds":
        return operations(run.stage, run.by, run.rows, run.dim)
    if run.stage != "indexing":
        return float(run.rows * max(run.dim, 1))
    stored = index_bytes(run.by, run.rows, run.dim)
    if quantity == "bytes on disk":
        return stored
    n_training = min(run.rows, TRAINING_ROWS_PER_LIST * n_lists(run.rows))
    return PROGRAM_BYTES + run.rows * run.dim * 2 + stored + 2 * n_training * run.dim * 4


def fit(points: Sequence[tuple[float, float]]) -> Law:
    """Return the law nearest to (x, y) points in logarithms; proportional where they are of one size.

    Raises:
        ValueError: without a point.
    """
    x, y = np.log(np.array(points, dtype=np.float64)).T
    spread = float(np.ptp(x))
    slope = 1.0 if spread < np.log(4) else float(np.clip(np.polyfit(x, y, 1)[0], FLATTEST, STEEPEST))
    return Law(float(np.mean(y - slope * x)), slope, len(points))


def law_of(runs: Sequence[Run], quantity: str) -> Law | None:
    """Return the law of a quantity over runs of one kind; None where none of them noted it."""
    value = QUANTITIES[quantity]
    points = [(size(quantity, run), value(run)) for run in runs if value(run) > 0]
    return fit(points) if points else None


def leave_largest_out(runs: Sequence[Run]) -> list[Checked]:
    """Return for every kind of run and quantity how the largest is predicted from the others, where there are two."""
    found = []
    for stage, by, dim in dict.fromkeys((run.stage, run.by, run.dim) for run in runs):
        alike = sorted((r for r in runs if (r.stage, r.by, r.dim) == (stage, by, dim)), key=lambda r: r.rows)
        for quantity, value in QUANTITIES.items():
            noted = [run for run in alike if value(run) > 0]
            law = law_of(noted[:-1], quantity) if len(noted) > 2 else None
            if law is not None:
                largest = noted[-1]
                predicted = law(size(quantity, largest))
                found.append(Checked(stage, by, quantity, largest.rows, value(largest), predicted, law.n_runs))
    return found

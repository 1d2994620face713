"""Peak memory that training needs beyond the net, in processes of their own, against the float32 matrix."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from lvm_core.benchmark.measure import Bench, Row
from lvm_core.benchmark.synthetic import ARTICLE, documents, make_matrix, open_vectors
from lvm_core.device import peak_memory
from lvm_core.errors import LvmError

DIM = 384
N_ROWS = 120_000
MOST = 1.3
STEPS = 20
"""Of the obvious loop, whose memory is full before the first."""


def memory(bench: Bench) -> list[Row]:
    """Return one row: what a large matrix adds to a training over one of a single article, both ways."""
    n_rows = 2_000 if bench.small else N_ROWS
    matrix_mb = n_rows * DIM * 4 / 1e6
    with tempfile.TemporaryDirectory() as name:
        large, tiny = Path(name) / "large.npy", Path(name) / "tiny.npy"
        make_matrix(large, n_rows, DIM)
        make_matrix(tiny, 2 * ARTICLE, DIM)
        grown = {way: _peak_mb(way, large) - _peak_mb(way, tiny) for way in ("ours", "obvious")}
    note = f"{n_rows:,} chunks, float32 matrix {matrix_mb:.0f} MB; ours is {grown['ours'] / matrix_mb:.2f} of it"
    reached = grown["ours"] <= MOST * matrix_mb
    bar = f"at most {MOST} times the matrix, {MOST * matrix_mb:.0f} MB"
    return [Row("memory", "training memory beyond the net", grown["ours"], grown["obvious"], "MB", bar, reached, note)]


def _peak_mb(way: str, matrix: Path) -> float:
    command = [sys.executable, "-m", "lvm_core.benchmark.memory", way, str(matrix)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env=os.environ | {"OMP_NUM_THREADS": "1"}
    )
    if done.returncode:
        raise LvmError(
            f"Measuring the memory of a training failed: {done.stderr.strip()[-400:]}",
            "it to end without an error",
            "Free some memory, and run the benchmark again.",
        )
    return float(done.stdout)


def main(way: str, matrix: Path) -> None:
    """Train AMN on `matrix` and print this process's peak memory in MB."""
    from lvm_core.benchmark.training import BATCH_SIZE, obvious, ours

    vectors = open_vectors(matrix)
    articles = documents(len(vectors.data))
    data = (vectors, articles, matrix.parent)
    if way == "ours":
        ours("amn", data)
    else:
        obvious("amn", data, BATCH_SIZE, most=STEPS)
    print(peak_memory() / 1e6)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))

"""A Ray cluster against one process: two actors of a core each encode, and one actor trains a sweep of twenty runs.

Wants a running cluster whose address LVM_RAY_ADDRESS says; on one machine, two nodes of a core each.
"""

import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from lvm_core.benchmark.measure import Bench, Row, alternate, limit, rate, sample_texts
from lvm_core.corpus.ingest import IngestSettings, ingest
from lvm_core.device import one_thread
from lvm_core.encoders import load_encoder
from lvm_core.errors import JobError
from lvm_core.executors import EXECUTORS, Executor, Task
from lvm_core.json_shapes import RunResult, Values
from lvm_core.train import TrainConfig, train
from lvm_core.train.elsewhere import run_sweep_elsewhere
from lvm_core.train.sweep import new_sweep, run_sweep
from lvm_core.types import Progress, no_progress
from lvm_core.vectors.encode import encode_corpus
from lvm_core.workspace import Workspace

CORPUS = "enwiki-sample"
BATCH, BATCHES_A_TASK = 128, 4
LEAST_SPEED, MOST_OVERHEAD = 0.9, 10.0


def cluster(bench: Bench) -> list[Row]:
    """Return both pairs; the workers are there and have loaded what they need before anything is measured."""
    EXECUTORS["ray"].need()
    with tempfile.TemporaryDirectory(prefix="lvm-cluster-") as folder:
        return [_encoding(bench, Path(folder)), _sweep(bench, Path(folder))]


def _encoding(bench: Bench, folder: Path) -> Row:
    import torch

    texts, source = sample_texts(bench.workspace, 512 if bench.small else 8_192)
    texts = sorted(texts, key=len, reverse=True)
    encoder = load_encoder(device="cpu")
    workspace = Workspace(folder / "encoding")
    before = torch.get_num_threads()
    with EXECUTORS["ray"].open(workspace, 2) as executor:
        if executor.n_workers < 2:
            raise JobError(f"The cluster has room for {executor.n_workers} workers", "two, to compare", "Add a node.")
        spread = _spread(executor, workspace, encoder.id)
        spread(texts[: 2 * BATCH])

        def alone() -> float:
            torch.set_num_threads(2)
            began = time.perf_counter()
            for i in range(0, len(texts), BATCH):
                encoder.encode(texts[i : i + BATCH])
            return len(texts) / (time.perf_counter() - began)

        try:
            alone()
            found = alternate({"ours": lambda: spread(texts), "theirs": alone}, bench.n_rounds)
        finally:
            torch.set_num_threads(before)
    note = f"{source}; two actors of a core each against one process with two threads, both warm"
    return rate("cluster", "encoding", found["ours"], found["theirs"], "texts/s", LEAST_SPEED, note)


def _spread(executor: Executor, workspace: Workspace, encoder_id: str) -> Callable[[Sequence[str]], float]:
    def measure(texts: Sequence[str]) -> float:
        folder = workspace.make(workspace.root / "segments")
        size = min(BATCH * BATCHES_A_TASK, -(-len(texts) // 2))
        given = [
            {"encoder_id": encoder_id, "device": "cpu", "places": [], "first": i, "texts": list(texts[i : i + size]),
             "batch_size": BATCH, "file": str(folder / f"{i}.npy")}
            for i in range(0, len(texts), size)
        ]  # fmt: skip
        tasks = [Task(f"stretch {g['first']}", "lvm_core.vectors.spread:encode_stretch", g) for g in given]
        began = time.perf_counter()
        for outcome in executor.run(tasks, lambda _name, _share, _message: None):
            outcome.worth()
        took = time.perf_counter() - began
        shutil.rmtree(folder)
        return len(texts) / took

    return measure


def _sweep(bench: Bench, folder: Path) -> Row:
    workspace = Workspace(folder / "sweep")
    ingest(workspace, CORPUS, CORPUS, IngestSettings(limit=12 if bench.small else None))
    encode_corpus(workspace, CORPUS, load_encoder(device="cpu"))
    n_runs = 2 if bench.small else 20
    base: Values = {"corpus": CORPUS, "model": "lstm", "epochs": 1 if bench.small else 3, "device": "cpu"}
    runs: list[Values] = [{"lr": 0.0005 + 0.00001 * i} for i in range(n_runs)]
    number = iter(range(1_000))

    def one(config: TrainConfig | None, run: str, resume: bool, progress: Progress) -> RunResult:
        return train(workspace, config, run=run, resume=resume, progress=progress)

    with EXECUTORS["ray"].open(workspace, 1) as executor:

        def there() -> float:
            began = time.perf_counter()
            run_sweep_elsewhere(workspace, new_sweep(f"s{next(number)}", base, runs), executor, no_progress)
            return time.perf_counter() - began

        def here() -> float:
            began = time.perf_counter()
            with one_thread():  # an actor has one core
                run_sweep(workspace, new_sweep(f"s{next(number)}", base, runs), one, no_progress)
            return time.perf_counter() - began

        run_sweep_elsewhere(workspace, new_sweep("warm", base, runs[:1]), executor, no_progress)
        run_sweep(workspace, new_sweep("warm-too", base, runs[:1]), one, no_progress)
        found = alternate({"ours": there, "theirs": here}, 1 if bench.small else 2)
    overhead = 100 * (found["ours"] / found["theirs"] - 1)
    took = f"{found['ours']:.1f} s, by the local queue on one thread in {found['theirs']:.1f} s"
    note = f"{n_runs} runs by one actor of a core in {took}"
    return limit("cluster", "overhead of a sweep", overhead, "%", MOST_OVERHEAD, note)

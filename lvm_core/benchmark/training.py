"""Windows a second of our training against the obvious loop: windows materialised, TensorDataset, DataLoader."""

import itertools
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from lvm_core.benchmark.measure import Bench, Row, alternate, rate
from lvm_core.benchmark.synthetic import MappedVectors, documents, make_matrix, open_vectors
from lvm_core.dataset import TrainingSet, evaluation_windows
from lvm_core.nets import build_model
from lvm_core.train.config import TrainConfig
from lvm_core.train.loop import Trainer
from lvm_core.train.opening import segment_length
from lvm_core.train.validate import Validator
from lvm_core.types import DocumentInfo

DIM = 384
CONTEXT = 5
BATCH_SIZE = 32
STEPS = 30
"""Of the obvious loop in a round: its pace does not change after them."""
NETS = {"amn": 2.0, "lstm": 1.0, "gru": 1.0, "transformer": 1.0}
"""Each net, and how many times the obvious loop's windows a second ours must reach."""

Data = tuple[MappedVectors, list[DocumentInfo], Path]


def train(bench: Bench) -> list[Row]:
    """Return a row a net at equal batch size, and one for AMN at equal windows a step."""
    nets = ["amn"] if bench.small else list(NETS)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        n_rows = 300 if bench.small else 2_500
        make_matrix(folder / "vectors.npy", n_rows, DIM)
        data = (open_vectors(folder / "vectors.npy"), documents(n_rows), folder)
        rows = [_pair(net, bench, data, BATCH_SIZE, NETS[net], f"{net}, batch {BATCH_SIZE}") for net in nets]
        n_equal = BATCH_SIZE * CONTEXT
        rows.append(_pair("amn", bench, data, n_equal, NETS["amn"], f"amn, {n_equal} windows a step in both"))
    return rows


def _pair(net: str, bench: Bench, data: Data, their_batch: int, least: float, what: str) -> Row:
    ways = {"ours": lambda: ours(net, data), "theirs": lambda: obvious(net, data, their_batch, STEPS)}
    found = alternate(ways, bench.n_rounds if bench.small else 3)
    note = (
        f"{torch.get_num_threads()} threads; ours: {BATCH_SIZE} stretches of up to {CONTEXT} targets a step, each"
        f" from all chunks before it; obvious: {their_batch} windows of {CONTEXT} a step"
    )
    return rate("train", what, found["ours"], found["theirs"], "windows/s", least, note)


def ours(net: str, data: Data) -> float:
    """Return the windows a second of one epoch of `lvm_core.train`, its validation and checkpoints included."""
    vectors, articles, folder = data
    config = TrainConfig(model=net, epochs=1, context=CONTEXT, batch_size=BATCH_SIZE, validation_windows=64)
    model = build_model(net, DIM)
    training = TrainingSet(vectors, articles, segment_length(config, model), BATCH_SIZE, seed=0)
    device = torch.device("cpu")
    validator = Validator(vectors, articles[:1], CONTEXT, 64, device)
    run = folder / f"run-{net}"
    run.mkdir(exist_ok=True)
    trainer = Trainer(config, model, training, validator, run, device, {"weighted-mean": 0.0}, _quiet)
    begun = time.perf_counter()
    n_windows: int = trainer.run(resume=False)["windows"]
    return n_windows / (time.perf_counter() - begun)


def obvious(net: str, data: Data, batch_size: int, most: int | None = None) -> float:
    """Return the windows a second of the loop one would write first, making the windows not counted.

    As in the seeds: (N, 5, D) windows and (N, D) targets in memory, shuffled batches, MSE, Adam, the loss read at
    every step for the log. Ends after `most` steps, where given.
    """
    x, y = windows(data[0], data[1])
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, y), batch_size, shuffle=True)
    model = build_model(net, DIM).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-4)
    total, n_windows, begun = 0.0, 0, time.perf_counter()
    for batch_x, batch_y in itertools.islice(loader, most):
        optimizer.zero_grad()
        loss = F.mse_loss(model(batch_x)[:, -1], batch_y)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        total += loss.item()
        n_windows += len(batch_x)
    return n_windows / (time.perf_counter() - begun)


def windows(vectors: MappedVectors, articles: Sequence[DocumentInfo]) -> tuple[torch.Tensor, torch.Tensor]:
    """Return all windows (N, T, D) and targets (N, D) as the seeds materialised them."""
    found = evaluation_windows(articles, CONTEXT)
    x = vectors.rows(found.contexts.ravel()).reshape(-1, CONTEXT, vectors.data.shape[1])
    return torch.from_numpy(np.ascontiguousarray(x)), torch.from_numpy(vectors.rows(found.targets))


def _quiet(share: float, message: str) -> None:
    del share, message

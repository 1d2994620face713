"""One query through each of the seeds' nets, as Predict asks it, against the plain module on the same thread."""

import numpy as np

from lvm_core.benchmark.measure import Bench, Row, alternate, median_ms

DIM = 384
CONTEXT = 5
SEED_MS = {"amn": 0.49, "lstm": 0.56, "gru": 2.08, "transformer": 2.68}
"""Milliseconds a query that the seeds publish, at D = 768 on a GPU: read the ratios."""

MOST_SHARE = 1.25
"""What checks, threads and copies may add to the net's own time."""


def nets(bench: Bench) -> list[Row]:
    """Return one pair a net, with its ratio to the AMN beside the seeds' in the note."""
    from lvm_core.device import one_thread

    with one_thread():
        figures = {name: _pair(name, bench) for name in SEED_MS}
    return [_row(name, figures) for name in SEED_MS]


def _pair(name: str, bench: Bench) -> dict[str, float]:
    import torch

    from lvm_core import forecast
    from lvm_core.nets import build_model
    from lvm_core.vectors.geometry import cosine, unit_rows

    torch.manual_seed(0)
    model = build_model(name, DIM, residual=True).eval()
    torch.nn.init.normal_(model.last_layer().weight, std=0.02)  # an untrained one is zero and could be skipped
    context = unit_rows(np.random.default_rng(0).standard_normal((CONTEXT, DIM), dtype=np.float32))
    n = 5 if bench.small else 30

    def plain() -> torch.Tensor:
        predictions: torch.Tensor = model(torch.from_numpy(context)[None])
        return predictions[0, -1]

    ways = {
        "ours": lambda: median_ms(lambda: forecast.after(model, context), n),
        "theirs": lambda: median_ms(plain, n),
    }
    agreement = cosine(forecast.after(model, context).vectors, plain().detach().numpy())
    return {**alternate(ways, bench.n_rounds), "cosine": float(agreement)}


def _row(name: str, figures: dict[str, dict[str, float]]) -> Row:
    net, amn = figures[name], figures["amn"]
    note = (
        f"cosine to the plain prediction {net['cosine']:.5f}; x AMN: plain {net['theirs'] / amn['theirs']:.2f},"
        f" ours {net['ours'] / amn['ours']:.2f}, seeds {SEED_MS[name] / SEED_MS['amn']:.2f}"
    )
    reached = net["ours"] <= MOST_SHARE * net["theirs"]
    bar = f"at most {MOST_SHARE:g} of the plain module"
    return Row("nets", f"{name}, one query of {CONTEXT} chunks", net["ours"], net["theirs"], "ms", bar, reached, note)

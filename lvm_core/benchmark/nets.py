"""One query through each of the seeds' nets: the fast predictor against the plain module, on one thread."""

from lvm_core.benchmark.measure import Bench, Row, alternate, median_ms

DIM = 384
CONTEXT = 5
SEED_MS = {"amn": 0.49, "lstm": 0.56, "gru": 2.08, "transformer": 2.68}
"""Milliseconds a query that the seeds publish, at D = 768 on a GPU: read the ratios."""

MOST_SHARE = 0.5


def nets(bench: Bench) -> list[Row]:
    """Return one pair a net, with its ratio to the AMN beside the seeds' in the note."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        found = {name: _pair(name, bench) for name in SEED_MS}
    finally:
        torch.set_num_threads(threads)
    return [_row(name, found) for name in SEED_MS]


def _pair(name: str, bench: Bench) -> dict[str, float]:
    import torch

    from lvm_core.nets import build_model
    from lvm_core.nets.fast import fast_predictor

    torch.manual_seed(0)
    model = build_model(name, DIM, residual=True).eval()
    torch.nn.init.normal_(model.last_layer().weight, std=0.02)  # an untrained one is zero and could be skipped
    context = torch.nn.functional.normalize(torch.randn(1, CONTEXT, DIM), dim=-1)
    fast = fast_predictor(model)
    n = 5 if bench.small else 30
    ways = {
        "ours": lambda: median_ms(lambda: fast.predict_next(context), n),
        "theirs": lambda: median_ms(lambda: model.predict_next(context), n),
    }
    turn = torch.cosine_similarity(fast.predict_next(context), model.predict_next(context)).item()
    return {**alternate(ways, bench.n_rounds), "cosine": turn}


def _row(name: str, found: dict[str, dict[str, float]]) -> Row:
    own, amn = found[name], found["amn"]
    note = (
        f"cosine to the plain prediction {own['cosine']:.5f}; x AMN: plain {own['theirs'] / amn['theirs']:.2f},"
        f" fast {own['ours'] / amn['ours']:.2f}, seeds {SEED_MS[name] / SEED_MS['amn']:.2f}"
    )
    reached = own["ours"] <= MOST_SHARE * own["theirs"]
    bar = f"at most {MOST_SHARE:g} of the plain module"
    return Row("nets", f"{name}, one query of {CONTEXT} chunks", own["ours"], own["theirs"], "ms", bar, reached, note)

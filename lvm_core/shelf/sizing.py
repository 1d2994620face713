"""Options of each net with which all have about the same number of parameters."""

import time
from typing import Any

import torch

from lvm_core.config import fields_of
from lvm_core.json_shapes import Values
from lvm_core.losses import LOSSES, BalancedLoss
from lvm_core.nets import MODELS, build_model
from lvm_core.nets.base import SequenceModel, unit

WIDTHS = tuple(range(32, 1025, 32))
HEAD = 32
OWN: dict[str, Values] = {
    "hybrid": {"every": 2},
    "gpt2": {"n_positions": 128},
    "llama": {"weights": "none", "n_kv_heads": 1},
}
"""What a net of two layers needs besides: attention in the second one, positions for a hundred chunks, no weights of
another size.
"""


def sized(net: str, dim: int, parameters: int, context: int) -> Values:
    """Return options of `net` with two layers and the width that comes nearest to `parameters`."""
    best: tuple[int, Values] = (1 << 62, {})
    for width in WIDTHS:
        options = _of_width(net, width, context)
        with torch.device("meta"):
            n = build_model(net, dim, None, residual=True, **options).n_parameters()
        best = min(best, (abs(n - parameters), options), key=lambda one: one[0])
        if n > 2 * parameters:
            break
    return best[1]


def _of_width(net: str, width: int, context: int) -> Values:
    cls = MODELS[net]
    names = {f.name for f in fields_of(cls.Options)} if cls.Options else set()
    wanted: dict[str, Any] = {
        "d_model": width,
        "d_hidden": 2 * width if "d_model" in names else width,
        "n_layers": 2,
        "n_denoising": 2,
        "n_blocks": 2,
        "n_heads": width // HEAD,
        "d_ff": 2 * width,
        "context": min(context, 100),
        "dropout": 0.1,
    }
    return {name: value for name, value in wanted.items() if name in names} | OWN.get(net, {})


def training_rate(net: SequenceModel, context: int, n_windows: int, steps: int = 6) -> float:
    """Return the windows that a training step of `net` handles in a CPU second, on random vectors.

    CPU seconds of this process, so that other work on the machine hardly matters.
    """
    length = max(32, 4 * context) if net.sliding else context
    n_texts = max(1, n_windows // length)
    x = unit(torch.randn(n_texts, length + 1, net.dim, generator=torch.Generator().manual_seed(0)))
    real = torch.ones(n_texts, length, dtype=torch.bool)
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-6)
    loss = BalancedLoss(LOSSES["cosine"])
    net.train()
    begun = 0.0
    for step in range(steps + 1):
        if step == 1:  # the first one lays out memory
            begun = time.process_time()
        own = net.training_loss(x[:, :-1], x[:, 1:], real)
        if own is None:
            loss.backward(net(x[:, :-1]), x[:, 1:], real)
        else:
            torch.autograd.backward(own)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        if step and time.process_time() - begun > 20.0:
            break
    return step * n_texts * length / max(time.process_time() - begun, 1e-9)


def query_ms(net: SequenceModel, context: int, n: int = 12) -> float:
    """Return the median CPU milliseconds of one question of `context` chunks, as Predict asks it."""
    from lvm_core import forecast
    from lvm_core.device import one_thread

    x = unit(torch.randn(1, context, net.dim, generator=torch.Generator().manual_seed(0))).numpy()
    took = []
    with one_thread():
        for _ in range(n):
            begun = time.process_time()
            forecast.after(net, x)
            took.append(time.process_time() - begun)
            if sum(took) > 10.0:
                break
    return 1000 * sorted(took)[len(took) // 2]

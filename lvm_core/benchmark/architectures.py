"""Training speed of the nets: beside the layers of the package each is tested against, and beside the Transformer."""

import time
import warnings
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from lvm_core.benchmark.measure import Bench, Row, alternate, rate

WIDTH, LAYERS, TEXTS, LENGTH = 256, 2, 8, 100
PARAMETERS = 600_000
DIM = 384
SLOWEST = 1 / 1.5
"""Share of the reference's windows a second that ours must reach."""

Body = Callable[[Tensor], Tensor]


def architectures(bench: Bench) -> list[Row]:
    """Return a pair a net against its reference's layers at equal size, then each against the Transformer."""
    return [*_references(bench), *_against_the_transformer(bench)]


def _references(bench: Bench) -> list[Row]:
    texts, length = (2, 16) if bench.small else (TEXTS, LENGTH)
    rows = []
    for name, (options, reference) in REFERENCES.items():
        try:
            theirs = reference()
        except ImportError as error:
            note = f"{error}; pip install -r requirements-dev.txt"
            rows.append(Row("architectures", name, None, None, "windows/s", "", None, note))
            continue
        ours = _ours(name, options)
        ways = {"ours": partial(_training, ours, texts, length), "theirs": partial(_training, theirs, texts, length)}
        found = alternate(ways, bench.n_rounds)
        note = f"{LAYERS} layers {WIDTH} wide, {texts} texts of {length} chunks, CPU seconds of this process"
        what = f"{name}, layers of the reference"
        rows.append(rate("architectures", what, found["ours"], found["theirs"], "windows/s", round(SLOWEST, 2), note))
    return rows


def _against_the_transformer(bench: Bench) -> list[Row]:
    from lvm_core.nets import MODELS, build_model
    from lvm_core.shelf.sizing import sized, training_rate

    length, windows, steps = (16, 64, 1) if bench.small else (LENGTH, TEXTS * LENGTH, 4)
    nets = ["gru"] if bench.small else [name for name in MODELS if name != "transformer"]
    made = {
        name: build_model(name, DIM, None, residual=True, **sized(name, DIM, PARAMETERS, length))
        for name in ["transformer", *nets]
    }
    rows = []
    for name in nets:
        ways = {
            "ours": partial(training_rate, made[name], length, windows, steps),
            "theirs": partial(training_rate, made["transformer"], length, windows, steps),
        }
        found = alternate(ways, 1 if bench.small else 3)
        note = f"{made[name].n_parameters():,} and {made['transformer'].n_parameters():,} parameters, CPU seconds"
        what = f"{name} beside the Transformer at {length} chunks"
        rows.append(rate("architectures", what, found["ours"], found["theirs"], "windows/s", 1.0, note))
    return rows


def _training(body: Body, texts: int, length: int) -> float:
    """Return the positions a CPU second of one forward and backward pass through layers alone."""
    h = torch.randn(texts, length, WIDTH, generator=torch.Generator().manual_seed(0)).requires_grad_()
    torch.autograd.backward(body(h).square().mean())  # lays out memory
    begun = time.process_time()
    for _ in range(2):
        torch.autograd.backward(body(h).square().mean())
    return 2 * texts * length / max(time.process_time() - begun, 1e-9)


def _ours(name: str, options: dict[str, int]) -> Body:
    from lvm_core.nets import build_model
    from lvm_core.nets.stack import Stack

    torch.manual_seed(0)
    given = {"d_model": WIDTH, "n_layers": LAYERS, "dropout": 0.0, **options}
    net = build_model(name, DIM, None, **given)
    assert isinstance(net, Stack)
    layers, norm = net.layers, net.norm

    def run(h: Tensor) -> Tensor:
        for layer in layers:
            h = layer(h)
        out: Tensor = norm(h)
        return out

    return run


def _hidden(model: nn.Module) -> Body:
    """Return the body of a model of transformers, on vectors."""

    def run(h: Tensor) -> Tensor:
        out: Tensor = model(inputs_embeds=h).last_hidden_state
        return out

    return run


def _mamba2() -> Body:
    from transformers import Mamba2Config, Mamba2Model

    return _hidden(Mamba2Model(Mamba2Config(
        hidden_size=WIDTH, num_hidden_layers=LAYERS, state_size=16, head_dim=64, num_heads=2 * WIDTH // 64, n_groups=1,
        expand=2, conv_kernel=4, vocab_size=3, chunk_size=64, use_cache=False,
    )))  # fmt: skip


def _mamba() -> Body:
    from transformers import MambaConfig, MambaModel

    return _hidden(MambaModel(MambaConfig(
        hidden_size=WIDTH, num_hidden_layers=LAYERS, state_size=16, expand=2, conv_kernel=4, vocab_size=3,
        use_cache=False,
    )))  # fmt: skip


def _rwkv() -> Body:
    from transformers import RwkvConfig, RwkvModel

    config = RwkvConfig(hidden_size=WIDTH, num_hidden_layers=LAYERS, vocab_size=3, rescale_every=0, use_cache=False)
    return _hidden(RwkvModel(config))


def _gpt2() -> Body:
    from transformers import GPT2Config, GPT2Model

    return _hidden(GPT2Model(GPT2Config(
        n_embd=WIDTH, n_layer=LAYERS, n_head=4, n_positions=128, vocab_size=3, use_cache=False, resid_pdrop=0.0,
        attn_pdrop=0.0, embd_pdrop=0.0,
    )))  # fmt: skip


def _llama() -> Body:
    from transformers import LlamaConfig, LlamaModel

    return _hidden(LlamaModel(LlamaConfig(
        hidden_size=WIDTH, intermediate_size=3 * WIDTH, num_hidden_layers=LAYERS, num_attention_heads=4,
        vocab_size=3, max_position_embeddings=128, use_cache=False,
    )))  # fmt: skip


def _retnet() -> Body:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the package records its graph when it is imported
        from yet_another_retnet.retnet import RetNetDecoderLayer  # type: ignore[import-untyped,unused-ignore]

    layers = nn.ModuleList(RetNetDecoderLayer(WIDTH, 4, dim_feedforward=2 * WIDTH, dropout=0.0) for _ in range(LAYERS))

    def run(h: Tensor) -> Tensor:
        for layer in layers:
            h = layer.forward_parallel(h)  # type: ignore[operator]
        return h

    return run


REFERENCES: dict[str, tuple[dict[str, int], Callable[[], Body]]] = {
    "mamba2": ({"d_state": 16, "d_head": 64}, _mamba2),
    "mamba": ({"d_state": 16}, _mamba),
    "rwkv": ({}, _rwkv),
    "gpt2": ({"n_heads": 4, "n_positions": 128}, _gpt2),
    "lcm": ({"n_heads": 4, "d_ff": 3 * WIDTH}, _llama),
    "retnet": ({"n_heads": 4, "d_ff": 2 * WIDTH}, _retnet),
}
"""Each net whose package has layers of its own, the options that make both alike, and the reference."""

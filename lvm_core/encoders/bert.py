"""The embedded default in plain torch: BERT (Devlin et al. 2019, section 3), mean over the tokens, unit norm.

It needs neither transformers nor sentence-transformers, whose import alone takes several seconds of each command,
and gives their vectors (a test compares). Query, key and value are one product, and only attention sees padding: all
else is computed of the tokens alone, which of 16 sentences takes two thirds of the time, with equal bits.
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


@dataclass(frozen=True, slots=True)
class _Batch:
    """Where N tokens of B texts lie among the B x T places of a padded batch.

    Attributes:
        shape: (B, T).
        lengths: (B,) tokens of each text.
        position: (N,) of each token in its text.
        places: (N,) of each token in the padded batch, None where nothing is padded.
        mask: (B, 1, 1, T) True at tokens, None likewise.
    """

    shape: tuple[int, int]
    lengths: Tensor
    position: Tensor
    places: Tensor | None
    mask: Tensor | None

    @classmethod
    def of(cls, ids: Sequence[Sequence[int]], device: torch.device) -> "_Batch":
        lengths = np.fromiter((len(row) for row in ids), dtype=np.int64, count=len(ids))
        is_token = np.arange(int(lengths.max())) < lengths[:, None]
        shape = len(ids), is_token.shape[1]
        counts, position = (torch.from_numpy(part).to(device) for part in (lengths, np.nonzero(is_token)[1]))
        if is_token.all():
            return cls(shape, counts, position, None, None)
        places, mask = torch.from_numpy(np.flatnonzero(is_token)), torch.from_numpy(is_token[:, None, None, :])
        return cls(shape, counts, position, places.to(device), mask.to(device))

    def padded(self, x: Tensor) -> Tensor:
        """Return tokens (N, D) as texts (B, T, D), zeros where there is no token."""
        if self.places is None:
            return x.view(*self.shape, -1)
        whole = x.new_zeros(self.shape[0] * self.shape[1], x.shape[-1])
        whole[self.places] = x
        return whole.view(*self.shape, -1)

    def tokens(self, x: Tensor) -> Tensor:
        """Return texts (B, T, D) as their tokens (N, D)."""
        flat = x.flatten(0, 1)
        return flat if self.places is None else flat[self.places]


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
        batch = _Batch.of(ids, self.device)
        tokens = torch.from_numpy(np.concatenate(ids).astype(np.int64)).to(self.device)
        x = self._norm_of(self._words[tokens] + self._positions[batch.position], self._norm)  # (N, D)
        for layer in self._layers:
            x = self._block(x, layer, batch)
        means = batch.padded(x).sum(dim=1, dtype=torch.float32) / batch.lengths[:, None]  # (B, D)
        vectors: Vectors = F.normalize(means, dim=-1).cpu().numpy()
        return vectors

    def _block(self, x: Tensor, layer: Layer, batch: "_Batch") -> Tensor:
        qkv = batch.padded(F.linear(x, *layer.qkv))  # (B, T, 3 D)
        heads = qkv.view(*batch.shape, 3, self._heads, -1).permute(2, 0, 3, 1, 4)
        attention = F.scaled_dot_product_attention(heads[0], heads[1], heads[2], attn_mask=batch.mask)  # (B, H, T, D/H)
        x = self._norm_of(F.linear(batch.tokens(attention.transpose(1, 2).flatten(2)), *layer.out) + x, layer.norm)
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

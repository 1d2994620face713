"""The inverter's net: SmolLM2 (a Llama) conditioned on a vector by soft tokens and by the words it names.

The prompt is [<|endoftext|>, S soft tokens, H hint tokens, <|im_start|>], then the text, then <|im_end|>. Soft
tokens are made of the vector by a small net (prefix tuning, Li and Liang 2021, section 4); hint tokens are the
vocabulary entries that the word head (`words.py`) finds most telling in the vector, as ordinary
tokens the language model already knows how to use. The language model is adapted by LoRA (Hu et al. 2021,
section 4); its own weights stay frozen in bfloat16 and are never written to a checkpoint.

Letters: B batch, T positions, D embedding dimension, W width of the language model, P prompt length.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lvm_core.inverter.llama import Block, Cache, rms_norm
from lvm_core.inverter.words import WordHead

if TYPE_CHECKING:
    from lvm_core.inverter.smollm import LanguageModel

START, SEPARATOR, END = 0, 1, 2
"""<|endoftext|>, <|im_start|> and <|im_end|> of SmolLM2's vocabulary."""


@dataclass(frozen=True)
class NetSize:
    """What must be known to build the net again; stored in the checkpoint's config."""

    dim: int
    n_soft: int = 4
    n_hints: int = 16
    rank: int = 16
    hidden: int = 1024
    word_hidden: int = 1024


class InverterNet(nn.Module):
    """Word head, soft prefix and adapted language model; only what is trained is in its state dict."""

    embedding: Tensor
    norm: Tensor
    angles: Tensor

    def __init__(self, language: "LanguageModel", size: NetSize, layers: bool = True) -> None:
        """Build on the frozen weights of `language`; without `layers` for who has them packed, see `packed`."""
        super().__init__()
        config, weights = language.config, language.weights
        self.size, self.eps = size, float(config["rms_norm_eps"])
        self.width = int(config["hidden_size"])
        head_size = self.width // int(config["num_attention_heads"])
        self.register_buffer("embedding", weights["model.embed_tokens.weight"], persistent=False)
        self.register_buffer("norm", weights["model.norm.weight"], persistent=False)
        steps = torch.arange(0, head_size, 2, dtype=torch.float32) / head_size
        self.register_buffer("angles", float(config["rope_theta"]) ** -steps, persistent=False)
        self.blocks = nn.ModuleList(adapted_layers(language, size.rank) if layers else ())
        self.soft = nn.Sequential(
            nn.Linear(size.dim, size.hidden), nn.GELU(), nn.Linear(size.hidden, size.n_soft * self.width)
        )
        self.soft_scale = nn.Parameter(torch.tensor(float(self.embedding.float().std())))
        self.words = WordHead(size.dim, size.word_hidden, self.embedding)

    @property
    def prompt_length(self) -> int:
        """P: positions before the first token of the text."""
        return self.size.n_soft + self.size.n_hints + 2

    def rotation(self, positions: Tensor) -> tuple[Tensor, Tensor]:
        """Return cosine and sine (..., T, d) of `positions` (..., T)."""
        angles = positions[..., None].float() * self.angles
        both = torch.cat([angles, angles], -1)
        return both.cos().to(self.embedding.dtype), both.sin().to(self.embedding.dtype)

    def prompt(self, vectors: Tensor, hints: Tensor) -> Tensor:
        """Return the prompt's input (B, P, W) for unit vectors (B, D) and hint tokens (B, H)."""
        soft = self.soft(vectors * vectors.shape[-1] ** 0.5).unflatten(-1, (self.size.n_soft, self.width))
        soft = F.layer_norm(soft, (self.width,)) * self.soft_scale
        n = len(vectors)
        ends = self.embedding[[START, SEPARATOR]].expand(n, 2, self.width)
        return torch.cat([ends[:, :1], soft.to(self.embedding.dtype), self.embedding[hints], ends[:, 1:]], 1)

    def hidden(
        self,
        x: Tensor,
        blocks: Iterable[nn.Module] | None = None,
        caches: Sequence[Cache] | None = None,
        mask: Tensor | None = None,
    ) -> Tensor:
        """Return the normalised last layer (B, T, W) of inputs (B, T, W).

        Args:
            x: at positions 0 .. T - 1, or at those behind what is in `caches`.
            blocks: packed layers, to write with; by default those that are trained.
            caches: one a layer.
            mask: (T, past + T), see `Block.forward`.
        """
        past = caches[0].past if caches else 0
        cos, sin = self.rotation(torch.arange(past, past + x.shape[1], device=x.device))
        for i, block in enumerate(blocks or self.blocks):
            x = block(x, cos, sin, caches[i] if caches else None, mask)
        return rms_norm(x, self.norm, self.eps)

    def logits(self, hidden: Tensor) -> Tensor:
        """Return next-token logits (..., V) in float32."""
        return F.linear(hidden, self.embedding).float()

    def losses(self, vectors: Tensor, hints: Tensor, tokens: Tensor, lengths: Tensor) -> Tensor:
        """Return the negative log-likelihood of each text token and of its end, flat over the batch.

        Args:
            vectors: (B, D) float32.
            hints: (B, H) int64.
            tokens: (B, T) int64, END after each text, anything behind.
            lengths: (B,) int64, text tokens including END.
        """
        x = torch.cat([self.prompt(vectors, hints), self.embedding[tokens[:, :-1]]], 1)
        hidden = self.hidden(x)[:, self.prompt_length - 1 :]
        is_text = torch.arange(tokens.shape[1], device=tokens.device) < lengths[:, None]
        return F.cross_entropy(self.logits(hidden[is_text]), tokens[is_text], reduction="none")


def adapted_layers(language: "LanguageModel", rank: int) -> Iterator[Block]:
    """Yield the layers of `language`, each with a low-rank addition that changes nothing yet."""
    config, weights = language.config, language.weights
    n_heads, n_kv = int(config["num_attention_heads"]), int(config["num_key_value_heads"])
    heads = (n_heads, n_kv, int(config["hidden_size"]) // n_heads)
    for i in range(int(config["num_hidden_layers"])):
        start = f"model.layers.{i}."
        layer = {name.removeprefix(start): weights[name] for name in weights if name.startswith(start)}
        yield Block.adapted(layer, heads, float(config["rms_norm_eps"]), rank)


def packed(language: "LanguageModel", size: NetSize, trained: Mapping[str, Tensor]) -> tuple[InverterNet, list[Block]]:
    """Return a net to read with, and its layers to write with, each packed before the next one is read.

    All layers at once took twice the memory of what remains.

    Raises:
        RuntimeError: if `trained` is not the state of such a net.
    """
    net, layers, rest = InverterNet(language, size, layers=False), list[Block](), dict(trained)
    with torch.no_grad():
        for i, layer in enumerate(adapted_layers(language, size.rank)):
            start = f"blocks.{i}."
            own = {name.removeprefix(start): rest.pop(name) for name in trained if name.startswith(start)}
            layer.load_state_dict(own)
            layers.append(layer.packed())
    net.load_state_dict(rest)
    return net.eval(), layers

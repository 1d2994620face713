"""The inverter's net: SmolLM2 (a Llama) conditioned on a vector by soft tokens and by the words it names.

The prompt is [<|endoftext|>, S soft tokens, H hint tokens, <|im_start|>], then the text, then <|im_end|>. Soft
tokens are made of the vector by a small net (prefix tuning, Li and Liang 2021, section 4); hint tokens are the
vocabulary entries that the word head (`inverter_words.py`) finds most telling in the vector, as ordinary
tokens the language model already knows how to use. The language model is adapted by LoRA (Hu et al. 2021,
section 4); its own weights stay frozen in bfloat16 and are never written to a checkpoint.

Letters: B batch, T positions, D embedding dimension, W width of the language model, P prompt length.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F

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


class LowRank(nn.Module):
    """A frozen linear map (out, in) with a trained low-rank addition, both without bias."""

    weight: Tensor

    def __init__(self, weight: Tensor, rank: int) -> None:
        """Start as the frozen map: the second factor is zero."""
        super().__init__()
        self.register_buffer("weight", weight, persistent=False)
        self.down = nn.Parameter(torch.randn(rank, weight.shape[1]) / weight.shape[1] ** 0.5)
        self.up = nn.Parameter(torch.zeros(weight.shape[0], rank))

    def forward(self, x: Tensor) -> Tensor:
        """Return (..., out) of (..., in) in the dtype of the frozen weight."""
        low = F.linear(F.linear(x, self.down.to(x.dtype)), self.up.to(x.dtype))
        return F.linear(x, self.weight) + low

    def merged(self) -> Tensor:
        """Return the one matrix (out, in) that does the same."""
        return (self.weight.float() + self.up.float() @ self.down.float()).to(self.weight.dtype)


class Block(nn.Module):
    """One Llama layer with query, key and value in one matrix, and gate and up in another."""

    norm_1: Tensor
    norm_2: Tensor

    def __init__(self, weights: dict[str, Tensor], heads: tuple[int, int, int], eps: float, rank: int) -> None:
        """Take the layer's frozen `weights` under their Hugging Face names; `heads` = (query, key, head size)."""
        super().__init__()
        self.heads, self.eps = heads, eps
        qkv = torch.cat([weights[f"self_attn.{n}_proj.weight"] for n in "qkv"])
        self.qkv = LowRank(qkv, rank)
        self.out = LowRank(weights["self_attn.o_proj.weight"], rank)
        self.gate_up = LowRank(torch.cat([weights["mlp.gate_proj.weight"], weights["mlp.up_proj.weight"]]), rank)
        self.down = LowRank(weights["mlp.down_proj.weight"], rank)
        self.register_buffer("norm_1", weights["input_layernorm.weight"], persistent=False)
        self.register_buffer("norm_2", weights["post_attention_layernorm.weight"], persistent=False)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        """Return (B, T, W) of (B, T, W), causal."""
        q, k, v = self.project(x, cos, sin)
        repeat = self.heads[0] // self.heads[1]
        k, v = k.repeat_interleave(repeat, 1), v.repeat_interleave(repeat, 1)
        return self.finish(x, attend(q, k, v).transpose(1, 2).flatten(2))

    def project(self, x: Tensor, cos: Tensor, sin: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return rotated queries (B, h, T, d), rotated keys and values (B, h_kv, T, d)."""
        n_q, n_kv, size = self.heads
        heads = self.qkv(rms_norm(x, self.norm_1, self.eps)).unflatten(-1, (n_q + 2 * n_kv, size)).transpose(1, 2)
        rotated = rotate(heads[:, : n_q + n_kv], cos, sin)
        return rotated[:, :n_q], rotated[:, n_q:], heads[:, n_q + n_kv :]

    def finish(self, x: Tensor, attended: Tensor) -> Tensor:
        """Return the layer's output of its input (B, T, W) and its attention (B, T, W)."""
        x = x + self.out(attended)
        gate, up = self.gate_up(rms_norm(x, self.norm_2, self.eps)).chunk(2, -1)
        result: Tensor = x + self.down(F.silu(gate) * up)
        return result


def attend(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Return causal attention (B, h, T, d) of queries, keys and values (B, h, T, d)."""
    if q.device.type != "cpu":
        return F.scaled_dot_product_attention(q, k, v, is_causal=True)
    # torch's fused kernel takes three times as long on a CPU: its backward pass in bfloat16 is slow at 50 positions
    scores = (q @ k.transpose(-1, -2)).float() * q.shape[-1] ** -0.5
    future = torch.ones(q.shape[2], q.shape[2], dtype=torch.bool).triu(1)
    weights = scores.masked_fill(future, -torch.inf).softmax(-1)
    attended: Tensor = weights.to(q.dtype) @ v
    return attended


def rms_norm(x: Tensor, weight: Tensor, eps: float) -> Tensor:
    """Return `x` (..., W) at unit root mean square, times `weight`."""
    return F.rms_norm(x, (x.shape[-1],), weight, eps)


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Return heads (B, h, T, d) turned by their position (RoPE, Su et al. 2021, section 3.4.2)."""
    a, b = x.chunk(2, -1)
    return x * cos + torch.cat([-b, a], -1) * sin


class InverterNet(nn.Module):
    """Word head, soft prefix and adapted language model; only what is trained is in its state dict."""

    embedding: Tensor
    norm: Tensor
    angles: Tensor

    def __init__(self, language: "LanguageModel", size: NetSize) -> None:
        """Build on the frozen weights of `language`."""
        super().__init__()
        config, weights = language.config, language.weights
        self.size, self.eps = size, float(config["rms_norm_eps"])
        self.width = int(config["hidden_size"])
        heads = (int(config["num_attention_heads"]), int(config["num_key_value_heads"]))
        head_size = self.width // heads[0]
        self.register_buffer("embedding", weights["model.embed_tokens.weight"], persistent=False)
        self.register_buffer("norm", weights["model.norm.weight"], persistent=False)
        steps = torch.arange(0, head_size, 2, dtype=torch.float32) / head_size
        self.register_buffer("angles", float(config["rope_theta"]) ** -steps, persistent=False)
        self.blocks = nn.ModuleList()
        for i in range(int(config["num_hidden_layers"])):
            start = f"model.layers.{i}."
            own = {k.removeprefix(start): v for k, v in weights.items() if k.startswith(start)}
            self.blocks.append(Block(own, (*heads, head_size), self.eps, size.rank))
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

    def hidden(self, x: Tensor) -> Tensor:
        """Return the normalised last layer (B, T, W) of inputs (B, T, W) at positions 0 .. T - 1."""
        cos, sin = self.rotation(torch.arange(x.shape[1], device=x.device))
        for block in self.blocks:
            x = block(x, cos, sin)
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
        there = torch.arange(tokens.shape[1], device=tokens.device) < lengths[:, None]
        return F.cross_entropy(self.logits(hidden[there]), tokens[there], reduction="none")

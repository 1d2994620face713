"""A masked denoiser: the hidden word pieces of a text from the others and from the text's vector.

A bidirectional transformer (BERT, Devlin et al. 2019, section 3) that begins as the layers of all-MiniLM-L6-v2, on that
encoder's own word pieces, whose embeddings stay frozen and tied to the output and are in no checkpoint. The vector is
added to every position and scales and shifts every layer norm (adaptive layer norm: Peebles and Xie 2023, section 3.2,
here of low rank). How many word pieces a text has is read from the vector
alone (Ghazvininejad et al. 2019, section 3.3).

Letters: B batch, T positions, D embedding dimension, W width, V vocabulary, M positions that are scored.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

MAX_POSITIONS = 128
CONDITION, RANK = 512, 64
EPS = 1e-12
"""Of MiniLM's layer norms."""


@dataclass(frozen=True)
class DenoiserSize:
    """What must be known to build the net again; stored in the checkpoint's config."""

    dim: int
    n_layers: int = 10
    width: int = 384
    n_heads: int = 12
    inner: int = 1536
    max_tokens: int = 48


class Linear(nn.Linear):
    """A linear map with weights in float32 that computes in the dtype of its input."""

    def forward(self, x: Tensor) -> Tensor:
        """Return (..., out) of (..., in)."""
        assert self.bias is not None
        return F.linear(x, self.weight.to(x.dtype), self.bias.to(x.dtype))


class AdaptiveNorm(nn.Module):
    """A layer norm (W) whose gain and shift the vector moves."""

    def __init__(self, width: int) -> None:
        """Begin as a plain one."""
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width))
        self.moves = nn.Linear(RANK, 2 * width, bias=False)
        nn.init.zeros_(self.moves.weight)

    def moved(self, condition: Tensor, dtype: torch.dtype) -> "Affine":
        """Return gain and shift (B, 1, W) for a condition (B, RANK)."""
        gain, shift = self.moves(condition)[:, None].chunk(2, -1)
        return (self.weight * (1 + gain)).to(dtype), (self.bias + shift).to(dtype)


Affine = tuple[Tensor, Tensor]
"""Gain and shift (B, 1, W)."""


def norm(x: Tensor, affine: Affine) -> Tensor:
    """Return the layer norm (B, T, W) of (B, T, W)."""
    gain, shift = affine
    return torch.addcmul(shift, F.layer_norm(x, (x.shape[-1],), eps=EPS), gain)


@dataclass(frozen=True)
class Reading:
    """What the net takes of vectors.

    Attributes:
        entry: (B, 1, W) added to what every position begins with.
        topic: (B, 1, W) added to what every position ends with: the words that the vector speaks of, anywhere.
        norms: gain and shift of each norm.
    """

    entry: Tensor
    topic: Tensor
    norms: list[Affine]

    def rows(self, index: Tensor) -> "Reading":
        """Return the reading of the vectors at `index`."""
        return Reading(
            self.entry[index], self.topic[index], [(gain[index], shift[index]) for gain, shift in self.norms]
        )


class Layer(nn.Module):
    """Attention over the whole text and feed-forward, each with residual and norm behind it."""

    def __init__(self, width: int, n_heads: int, inner: int) -> None:
        """Begin at random; `Denoiser.begin_as` gives the weights of an encoder."""
        super().__init__()
        self.n_heads = n_heads
        self.qkv, self.out = Linear(width, 3 * width), Linear(width, width)
        self.up, self.down = Linear(width, inner), Linear(inner, width)
        self.norm_1, self.norm_2 = AdaptiveNorm(width), AdaptiveNorm(width)

    def forward(self, x: Tensor, first: Affine, second: Affine, mask: Tensor | None) -> Tensor:
        """Return (B, T, W) of (B, T, W); `mask` (B, 1, 1, T) is added to the scores."""
        q, k, v = self.qkv(x).unflatten(-1, (3, self.n_heads, -1)).permute(2, 0, 3, 1, 4)  # (B, h, T, d)
        x = norm(x + self.out(attend(q, k, v, mask).transpose(1, 2).flatten(2)), first)
        return norm(x + self.down(F.gelu(self.up(x))), second)


def attend(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None) -> Tensor:
    """Return attention (B, h, T, d) over all positions."""
    if q.device.type != "cpu" or not q.requires_grad:
        return F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
    # plain products: the fused kernel's backward pass takes five to nine times as long in bfloat16 on a CPU
    scores = (q * q.shape[-1] ** -0.5) @ k.transpose(-1, -2)
    if mask is not None:
        scores = scores + mask
    attended: Tensor = scores.softmax(-1) @ v
    return attended


class Denoiser(nn.Module):
    """Word pieces (B, T), some of them masked, and vectors (B, D) to logits; only what is trained is in its state."""

    words: Tensor

    def __init__(self, size: DenoiserSize, words: Tensor) -> None:
        """Build on frozen embeddings `words` (V, W), whose dtype the net computes in."""
        super().__init__()
        self.size = size
        self.register_buffer("words", words, persistent=False)
        self.positions = nn.Parameter(torch.randn(MAX_POSITIONS, size.width) * 0.02)
        self.hidden = nn.Sequential(nn.Linear(size.dim, CONDITION), nn.GELU())
        self.entry, self.condition = nn.Linear(CONDITION, size.width), nn.Linear(CONDITION, RANK)
        self.length, self.topic = nn.Linear(CONDITION, size.max_tokens), nn.Linear(CONDITION, size.width)
        nn.init.zeros_(self.topic.weight)
        self.norm = AdaptiveNorm(size.width)  # norms are read in the order of their declaration
        self.layers = nn.ModuleList(Layer(size.width, size.n_heads, size.inner) for _ in range(size.n_layers))
        self.last, self.last_norm = Linear(size.width, size.width), AdaptiveNorm(size.width)
        self.bias = nn.Parameter(torch.zeros(len(words)))

    def forward(self, tokens: Tensor, reading: Reading, lengths: Tensor | None = None) -> Tensor:
        """Return the last hidden state (B, T, W).

        Args:
            tokens: (B, T) int64, the mask's id where one is hidden.
            reading: of the B vectors.
            lengths: (B,) positions that count; None where all do, which is a little quicker, with other last bits.
        """
        dtype, n = self.words.dtype, tokens.shape[1]
        before, *within, last = reading.norms
        x = norm(self.words[tokens] + self.positions[:n].to(dtype) + reading.entry, before)
        mask = None
        if lengths is not None:
            behind = torch.arange(n, device=tokens.device) >= lengths[:, None]
            mask = torch.zeros(behind.shape, dtype=dtype, device=x.device).masked_fill(behind, -1e4)[:, None, None]
        for i, layer in enumerate(self.layers):
            x = layer(x, within[2 * i], within[2 * i + 1], mask)
        return norm(F.gelu(self.last(x)), last) + reading.topic

    def read(self, vectors: Tensor) -> Reading:
        """Return what the net takes of unit vectors (B, D) float32."""
        hidden = self.hidden(vectors * vectors.shape[-1] ** 0.5)
        condition, dtype = F.gelu(self.condition(hidden)), self.words.dtype
        norms = [module for module in self.modules() if isinstance(module, AdaptiveNorm)]
        entry, topic = self.entry(hidden).to(dtype)[:, None], self.topic(hidden).to(dtype)[:, None]
        return Reading(entry, topic, [module.moved(condition, dtype) for module in norms])

    def word_log_p(self, vectors: Tensor, tokens: Tensor, raised: Tensor) -> Tensor:
        """Return the log-probabilities (B, M) float32 of words of a text anywhere, from its unit vector (B, D) alone.

        Args:
            vectors: (B, D).
            tokens: (M,) word pieces, whose probabilities sum to 1 among themselves.
            raised: (M,) added to their logits.
        """
        topic = self.topic(self.hidden(vectors * vectors.shape[-1] ** 0.5)).to(self.words.dtype)
        return torch.log_softmax(self.logits(topic, tokens).float() + raised, -1)

    @torch.no_grad()
    def begin_with_topics(self, vectors: Tensor) -> None:
        """Let every position begin with the words that its vector speaks of, as long as a word's embedding.

        Args:
            vectors: (B, D) some unit vectors, to measure how long the topics are.
        """
        topic = self.topic(self.hidden(vectors * vectors.shape[-1] ** 0.5))
        length = self.words[: len(vectors)].float().norm(dim=-1).mean() / topic.norm(dim=-1).mean().clamp(min=1e-6)
        self.entry.weight.copy_(self.topic.weight * length)
        self.entry.bias.copy_(self.topic.bias * length)

    def logits(self, hidden: Tensor, tokens: Tensor | None = None) -> Tensor:
        """Return logits (M, V) of hidden states (M, W), or (M, K) of the word pieces `tokens` (K,) alone."""
        words, bias = (self.words, self.bias) if tokens is None else (self.words[tokens], self.bias[tokens])
        return F.linear(hidden, words, bias.to(hidden.dtype))

    def length_logits(self, vectors: Tensor) -> Tensor:
        """Return logits (B, max_tokens) of 1, 2 .. word pieces."""
        logits: Tensor = self.length(self.hidden(vectors * vectors.shape[-1] ** 0.5))
        return logits

    @torch.no_grad()
    def begin_as(self, weights: dict[str, Tensor], n_layers: int) -> None:
        """Take the weights of a BERT of `n_layers` layers under their Hugging Face names, some layers twice."""
        self.last_norm.weight.fill_(0.5)  # at first the topic speaks louder
        kind = weights["embeddings.token_type_embeddings.weight"][0]
        self.positions.copy_(weights["embeddings.position_embeddings.weight"][1 : MAX_POSITIONS + 1] + kind)
        _copy(self.norm, weights, "embeddings.LayerNorm")
        for i, layer in enumerate(self.layers):
            assert isinstance(layer, Layer)
            base = f"encoder.layer.{i * n_layers // len(self.layers)}."
            for kind_of in ("weight", "bias"):
                thirds = [weights[f"{base}attention.self.{part}.{kind_of}"] for part in ("query", "key", "value")]
                getattr(layer.qkv, kind_of).copy_(torch.cat(thirds))
            _copy(layer.out, weights, f"{base}attention.output.dense")
            _copy(layer.norm_1, weights, f"{base}attention.output.LayerNorm")
            _copy(layer.up, weights, f"{base}intermediate.dense")
            _copy(layer.down, weights, f"{base}output.dense")
            _copy(layer.norm_2, weights, f"{base}output.LayerNorm")


def _copy(module: nn.Module, weights: dict[str, Tensor], name: str) -> None:
    for part in ("weight", "bias"):
        getattr(module, part).copy_(weights[f"{name}.{part}"])

"""Which tokens a vector speaks of: a head from vectors to the language model's vocabulary.

It is hundreds of times cheaper to train than the language model, so it sees every text many times over, and
the language model need not learn from scratch what the directions of the space mean. The log-probabilities
are those of a bag of words (multinomial, Mikolov-style softmax over the distinct tokens of a text).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from lvm_core.inverter.data import TrainingTexts

N_COMMON = 150
"""So many most frequent tokens (function words, punctuation) are never hints: they tell nothing."""

RARITY = 0.3
"""Weight of rarity when hints are ranked: measured best of 0, .3, .5, .7 in recall of a text's tokens."""

UNSEEN = -30.0
"""Log-frequency of a token that no training text held."""

LEAST_TEXTS = 3
"""A token that fewer texts hold says nothing that can be learnt."""

NEGATIVES = 6_000
"""Tokens beside those of the batch that the softmax is estimated on in training (sampled softmax)."""


class WordHead(nn.Module):
    """Vectors (N, D) to log-probabilities (N, V) of the tokens of the text; tied to the frozen embedding."""

    embedding: Tensor
    prior: Tensor

    def __init__(self, dim: int, hidden: int, embedding: Tensor, dropout: float = 0.1) -> None:
        """Start from the prior alone; `embedding` is the language model's (V, W)."""
        super().__init__()
        self.register_buffer("embedding", embedding, persistent=False)
        self.register_buffer("prior", torch.full((len(embedding),), UNSEEN))
        first, last = nn.Linear(dim, hidden), nn.Linear(hidden, embedding.shape[1])
        nn.init.zeros_(last.weight)
        self.net = nn.Sequential(first, nn.GELU(), nn.Dropout(dropout), last)
        self.bias = nn.Parameter(torch.zeros(len(embedding)))

    @torch.no_grad()
    def restart(self) -> None:
        """Forget what was learnt, but the prior."""
        linear = [module for module in self.net if isinstance(module, nn.Linear)]
        for module in linear:
            module.reset_parameters()
        linear[-1].weight.zero_()
        self.bias.zero_()

    def forward(self, vectors: Tensor, tokens: Tensor | None = None, raised: Tensor | None = None) -> Tensor:
        """Return log-probabilities (N, V) float32 for unit vectors (N, D).

        Args:
            vectors: (N, D).
            tokens: (M,) where only these are wanted: (N, M), summing to 1 among themselves.
            raised: (M,) added to their logits.
        """
        hidden = self.net(vectors * vectors.shape[-1] ** 0.5).to(self.embedding.dtype)
        embedding, bias = self.embedding, self.bias + self.prior
        if tokens is not None:
            embedding, bias = embedding[tokens], bias[tokens]
        logits = F.linear(hidden, embedding).float() + bias
        return torch.log_softmax(logits if raised is None else logits + raised, -1)

    def hints(self, log_probabilities: Tensor, n: int) -> Tensor:
        """Return the `n` most telling tokens (N, n) of log-probabilities (N, V), best first."""
        barred = self.prior <= UNSEEN
        barred[self.prior.topk(min(N_COMMON, len(barred) // 4)).indices] = True
        score = log_probabilities - RARITY * self.prior
        return score.masked_fill(barred, -torch.inf).topk(n, -1).indices


@dataclass
class WordTexts:
    """The distinct tokens of each text (ragged, in `tokens` at `offsets`), and which tokens occur at all."""

    tokens: NDArray[np.int64]
    offsets: NDArray[np.int64]
    log_frequency: Tensor
    seen: NDArray[np.int64]


def word_texts(data: TrainingTexts, n_tokens: int) -> WordTexts:
    """Return what the word head learns from; tokens in fewer than `LEAST_TEXTS` texts are left out."""
    lengths = data.lengths()[: data.n_train]
    text = np.repeat(np.arange(data.n_train), lengths)
    keys = np.unique(text * n_tokens + data.tokens[: data.offsets[data.n_train]].astype(np.int64))
    text, tokens = keys // n_tokens, keys % n_tokens
    counts = np.bincount(tokens, minlength=n_tokens)
    frequent = counts[tokens] >= LEAST_TEXTS
    text, tokens = text[frequent], tokens[frequent]
    offsets = np.searchsorted(text, np.arange(data.n_train + 1))
    counts = np.where(counts >= LEAST_TEXTS, counts, 0)
    frequency = np.where(counts > 0, np.log(np.maximum(counts, 1) / max(counts.sum(), 1)), UNSEEN)
    return WordTexts(tokens, offsets, torch.from_numpy(frequency).float(), np.flatnonzero(counts))


def word_loss(
    head: Callable[[Tensor, Tensor, Tensor], Tensor],
    texts: WordTexts,
    vectors: Tensor,
    places: NDArray[np.int64],
    generator: torch.Generator,
) -> Tensor:
    """Return the mean negative log-probability of a batch's tokens, the softmax estimated on a sample.

    Args:
        head: the head in training: log-probabilities (B, M) of vectors (B, D), tokens (M,) and what is added (M,).
        texts: what it learns from.
        vectors: (B, D) of the batch, with noise, on the head's device.
        places: (B,) of the batch's texts.
        generator: of the sample.
    """
    device = vectors.device
    rows = [texts.tokens[texts.offsets[i] : texts.offsets[i + 1]] for i in places]
    wanted = np.concatenate(rows)
    tokens, raised = sampled_vocabulary(wanted, texts.seen, NEGATIVES, generator)
    log_p = head(vectors, torch.from_numpy(tokens).to(device), raised.to(device))
    line = torch.from_numpy(np.repeat(np.arange(len(rows)), [len(r) for r in rows])).to(device)
    column = torch.from_numpy(np.searchsorted(tokens[: len(np.unique(wanted))], wanted)).to(device)
    loss: Tensor = -log_p[line, column].mean()
    return loss


def sampled_vocabulary(
    wanted: NDArray[np.int64], seen: NDArray[np.int64], most: int, generator: torch.Generator
) -> tuple[NDArray[np.int64], Tensor]:
    """Return the tokens (M,) a softmax is estimated on, and what their logits are raised by (M,).

    These are the distinct `wanted` tokens in their order, then `most` others at random, raised by what they stand
    for (Jean et al. 2015, section 3: large target vocabularies).

    Args:
        wanted: tokens that must be among them.
        seen: all tokens that occur.
        most: how many others.
        generator: of the choice.
    """
    distinct = np.unique(wanted)
    rest = np.setdiff1d(seen, distinct, assume_unique=True)
    n = min(most, len(rest))
    sample = rest[torch.randperm(len(rest), generator=generator)[:n].numpy()]
    raised = torch.zeros(len(distinct) + n)
    raised[len(distinct) :] = float(np.log(len(rest) / n)) if n else 0.0
    return np.concatenate([distinct, sample]), raised

"""Which tokens a vector speaks of: a head from vectors to the language model's vocabulary.

It is hundreds of times cheaper to train than the language model, so it sees every text many times over, and
the language model need not learn from scratch what the directions of the space mean. The log-probabilities
are those of a bag of words (multinomial, Mikolov-style softmax over the distinct tokens of a text).
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

N_COMMON = 150
"""So many most frequent tokens (function words, punctuation) are never hints: they tell nothing."""

RARITY = 0.3
"""Weight of rarity when hints are ranked: measured best of 0, .3, .5, .7 in recall of a text's tokens."""

UNSEEN = -30.0
"""Log-frequency of a token that no training text held."""


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

"""Training of the inverter's two parts, a batch at a time: the word head, then the language model.

Every random choice is made from (seed, step) alone, so a training that was interrupted goes on bit for bit as if
it had not been. Noise on the vectors teaches the decoder to read predictions, which are never quite an embedding
of anything (Large Concept Models 2024, section 2.4.3: robustness of the decoder).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from lvm_core.inverter.config import InverterConfig
from lvm_core.inverter.data import TrainingTexts
from lvm_core.inverter.net import END, InverterNet

POOL = 40
"""Batches sorted by length together: little padding, and still a different mix each epoch."""

NEGATIVES = 6_000
"""Tokens beside those of the batch that the word head's softmax is estimated on (sampled softmax)."""


@dataclass(frozen=True)
class Batch:
    """Vectors (B, D), tokens (B, T) with END after each text, lengths (B,) including END."""

    vectors: Tensor
    tokens: Tensor
    lengths: Tensor


def noisy(vectors: Tensor, noise: float, generator: torch.Generator) -> Tensor:
    """Return unit vectors (B, D), half of them moved by noise of a norm up to `noise`."""
    n, dim = vectors.shape
    norm = torch.rand(n, 1, generator=generator) * noise * (torch.rand(n, 1, generator=generator) < 0.5)
    return F.normalize(vectors + torch.randn(n, dim, generator=generator) / dim**0.5 * norm, dim=-1)


def make_batch(data: TrainingTexts, places: NDArray[np.int64]) -> Batch:
    """Return the texts at `places` as one batch."""
    rows = [data.text(int(i)) for i in places]
    lengths = torch.tensor([len(row) + 1 for row in rows])
    tokens = torch.full((len(rows), int(lengths.max())), END)
    for place, row in zip(tokens, rows, strict=True):
        place[: len(row)] = torch.from_numpy(row.astype(np.int64))
    vectors = torch.from_numpy(data.vectors[places].astype(np.float32))
    return Batch(F.normalize(vectors, dim=-1), tokens, lengths)


def text_batches(data: TrainingTexts, config: InverterConfig, first: int) -> Iterator[NDArray[np.int64]]:
    """Yield the places of the language model's batches from step `first` on, without end."""
    lengths = data.lengths()
    _, own = data.shared_out(config.word_share, config.seed)
    fit = own[(lengths[own] >= 4) & (lengths[own] <= config.max_tokens)]
    epoch, step = 0, 0
    while True:
        rng = np.random.default_rng([config.seed, epoch])
        for batch in _epoch(rng.permutation(fit), lengths, config.batch_size, rng):
            if step >= first:
                yield batch
            step += 1
        epoch += 1


def _epoch(
    order: NDArray[np.int64], lengths: NDArray[np.int64], size: int, rng: np.random.Generator
) -> Iterator[NDArray[np.int64]]:
    for start in range(0, len(order), size * POOL):
        pool = order[start : start + size * POOL]
        pool = pool[np.argsort(lengths[pool], kind="stable")]
        batches = [pool[i : i + size] for i in range(0, len(pool), size)]
        for k in rng.permutation(len(batches)):
            yield batches[k]


def language_loss(net: InverterNet, batch: Batch, config: InverterConfig, step: int) -> Tensor:
    """Return the mean loss of the text tokens of one training batch."""
    generator = torch.Generator().manual_seed(config.seed * 1_000_003 + step)
    vectors = noisy(batch.vectors, config.noise, generator)
    return text_losses(net, Batch(vectors, batch.tokens, batch.lengths)).mean()


def text_losses(net: InverterNet, batch: Batch) -> Tensor:
    """Return the loss of each text token, flat; the hints are the word head's own."""
    device = net.embedding.device
    vectors = batch.vectors.to(device)
    with torch.no_grad():
        hints = net.words.hints(net.words(vectors), net.size.n_hints)
    return net.losses(vectors, hints, batch.tokens.to(device), batch.lengths.to(device))


def rate_share(step: int, total: int, warmup: int, decay: float) -> float:
    """Return the learning rate's share of its highest: rising, flat, falling to zero (Hu et al. 2024, MiniCPM)."""
    rise = min(1.0, (step + 1) / max(warmup, 1))
    return rise * min(1.0, (total - step) / max(total * decay, 1))


@dataclass
class WordTexts:
    """The distinct tokens of each text (ragged, in `tokens` at `offsets`), and which tokens occur at all."""

    tokens: NDArray[np.int64]
    offsets: NDArray[np.int64]
    log_frequency: Tensor
    seen: NDArray[np.int64]


def word_texts(data: TrainingTexts, n_tokens: int, least: int, unseen: float) -> WordTexts:
    """Return what the word head learns from; tokens in fewer than `least` texts are left out."""
    lengths = data.lengths()[: data.n_train]
    text = np.repeat(np.arange(data.n_train), lengths)
    keys = np.unique(text * n_tokens + data.tokens[: data.offsets[data.n_train]].astype(np.int64))
    text, tokens = keys // n_tokens, keys % n_tokens
    counts = np.bincount(tokens, minlength=n_tokens)
    kept = counts[tokens] >= least
    text, tokens = text[kept], tokens[kept]
    offsets = np.searchsorted(text, np.arange(data.n_train + 1))
    counts = np.where(counts >= least, counts, 0)
    frequency = np.where(counts > 0, np.log(np.maximum(counts, 1) / max(counts.sum(), 1)), unseen)
    return WordTexts(tokens, offsets, torch.from_numpy(frequency).float(), np.flatnonzero(counts))


def word_loss(
    net: InverterNet,
    data: TrainingTexts,
    texts: WordTexts,
    places: NDArray[np.int64],
    config: InverterConfig,
    step: int,
) -> Tensor:
    """Return the mean negative log-probability of the batch's tokens, the softmax estimated on a sample.

    The sample holds every token of the batch, and others at random whose logits are raised by what they stand
    for (Jean et al. 2015, section 3: large target vocabularies).
    """
    device = net.embedding.device
    generator = torch.Generator().manual_seed(config.seed * 1_000_003 + step)
    vectors = torch.from_numpy(data.vectors[places].astype(np.float32))
    vectors = noisy(F.normalize(vectors, dim=-1), config.noise, generator)
    rows = [texts.tokens[texts.offsets[i] : texts.offsets[i + 1]] for i in places]
    own = np.unique(np.concatenate(rows))
    rest = np.setdiff1d(texts.seen, own, assume_unique=True)
    n = min(NEGATIVES, len(rest))
    sample = rest[torch.randperm(len(rest), generator=generator)[:n].numpy()]
    tokens = torch.from_numpy(np.concatenate([own, sample])).to(device)
    raised = torch.zeros(len(tokens), device=device)
    raised[len(own) :] = float(np.log(len(rest) / n)) if n else 0.0
    log_p = net.words(vectors.to(device), tokens, raised)
    line = torch.from_numpy(np.repeat(np.arange(len(rows)), [len(r) for r in rows])).to(device)
    place = torch.from_numpy(np.searchsorted(own, np.concatenate(rows))).to(device)
    loss: Tensor = -log_p[line, place].mean()
    return loss

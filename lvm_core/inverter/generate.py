"""Text from vectors by the inverter's language model: a lean loop with merged weights and a key-value cache.

A step costs one pass over the weights however many rows it has, so all texts of a batch grow together. Sampling
takes its random numbers from the vector and the place in the text alone: a text never depends on its neighbours
in the batch.

Letters: N vectors, B rows (texts being written), P prompt length, V vocabulary.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lvm_core import abandoned
from lvm_core.inverter.llama import MORE_ROOM, Block, Cache
from lvm_core.inverter.net import END, InverterNet
from lvm_core.inverter.packed import PackedLinear
from lvm_core.inverter.words import UNSEEN, WordHead

if TYPE_CHECKING:
    from tokenizers import Tokenizer

MAX_TOKENS = 56

N_SPECIAL = 17
"""SmolLM2's first tokens are marks, not text."""

TOP_P = 0.9

MOST, RAMBLING = 0.7, 1.4
"""When this share of a vector's texts have ended, the others may become this many times as long as the median."""

LEAN = (-4.0, 6.0)
"""Limits of the word head's log-ratio, in nats, before it leans on the logits."""


@dataclass(frozen=True, slots=True)
class Written:
    """One text: its tokens without the end, and the mean log-probability of a token, the end included."""

    text: str
    tokens: tuple[int, ...]
    fluency: float


@dataclass(frozen=True)
class Prompts:
    """The prompts of N vectors, read: a cache of P positions a layer, the last state (N, 1, W), and how much each
    token leans to the vector (N, V).
    """

    caches: list[Cache]
    last: Tensor
    lean: Tensor


class Generator:
    """The net with LoRA merged into its weights, ready to write."""

    def __init__(
        self,
        net: InverterNet,
        tokenizer: "Tokenizer",
        layers: Sequence[Block] = (),
        align: Callable[[Tensor], Tensor] | None = None,
    ) -> None:
        """Merge the weights of the net's layers (a copy of 270 MB at real size), or take `layers` that are packed.

        `align` takes vectors of another encoder (N, D) to where they lie in the net's own space.
        """
        self.net, self.tokenizer, self._align = net, tokenizer, align
        self.device = net.embedding.device
        with torch.no_grad():
            self.blocks = list(layers) or [block.packed() for block in net.blocks if isinstance(block, Block)]
        self._head = PackedLinear(net.embedding)

    @torch.inference_mode()
    def read(self, vectors: Tensor) -> Prompts:
        """Return the prompts of unit vectors (N, D)."""
        # one by one: products in fp32 differ in the last bit with the size of the batch, those in bf16 do not
        parts = [self._prompt(self._own(vector[None])) for vector in vectors]
        caches = [Cache() for _ in self.blocks]
        hidden = self.hidden(torch.cat([part[0] for part in parts]), caches)
        return Prompts(caches, hidden[:, -1:], torch.cat([part[1] for part in parts]))

    def _prompt(self, vector: Tensor) -> tuple[Tensor, Tensor]:
        words = self.net.words
        log_p = words(vector)
        return self.net.prompt(vector, words.hints(log_p, self.net.size.n_hints)), _log_ratio(words, log_p)

    def _own(self, vectors: Tensor) -> Tensor:
        return (vectors if self._align is None else self._align(vectors)).to(self.device)

    def logits(self, hidden: Tensor) -> Tensor:
        """Return next-token logits (..., V) in float32 of last states (..., W)."""
        logits: Tensor = self._head(hidden)
        return logits.float()

    @torch.inference_mode()
    def lean(self, vector: Tensor) -> Tensor:
        """Return how much each token leans to a unit vector (D,): (V,) in nats."""
        words = self.net.words
        return _log_ratio(words, words(self._own(vector[None])))[0]

    def hidden(self, x: Tensor, caches: Sequence[Cache], mask: Tensor | None = None) -> Tensor:
        """Return the normalised last layer (B, T, W) for inputs (B, T, W) behind what is in `caches`."""
        return self.net.hidden(x, self.blocks, caches, mask)

    @torch.inference_mode()
    def write(
        self,
        prompts: Prompts,
        which: Sequence[int],
        seeds: Sequence[int],
        temperature: float = 0.7,
        bias: float = 0.0,
        starts: Sequence[Sequence[int]] | None = None,
        max_tokens: int = MAX_TOKENS,
    ) -> list[Written]:
        """Return a text for each of B rows.

        Args:
            prompts: those of N vectors.
            which: (B,) the vector of each row.
            seeds: (B,) of the random numbers of each row; negative: greedy.
            temperature: of sampling within the most probable `TOP_P`.
            bias: weight of the word head's log-ratios added to the logits.
            starts: the tokens that each row begins with.
            max_tokens: longest text.
        """
        rows = _Rows(self, prompts, which, starts or [()] * len(which), max_tokens)
        rows.write(prompts.lean if bias else None, bias, temperature, list(seeds))
        return [self.written(tokens, scores) for tokens, scores in zip(rows.tokens, rows.scores, strict=True)]

    def written(self, tokens: Sequence[int], scores: Sequence[float]) -> Written:
        """Return tokens and their log-probabilities as a text."""
        body = tuple(t for t in tokens if t != END)
        text = " ".join(self.tokenizer.decode(list(body)).split())
        return Written(text, body, sum(scores) / max(len(scores), 1))


def _log_ratio(words: WordHead, log_p: Tensor) -> Tensor:
    return torch.where(words.prior > UNSEEN, (log_p - words.prior).clamp(*LEAN), 0)


class _Rows:
    """The B texts being written, all at the same position; finished ones are dropped from the work."""

    def __init__(
        self,
        generator: Generator,
        prompts: Prompts,
        which: Sequence[int],
        starts: Sequence[Sequence[int]],
        longest: int,
    ) -> None:
        self.generator, self.starts, self.longest = generator, starts, longest
        self.which = torch.tensor(list(which), device=generator.device)
        self.tokens: list[list[int]] = [[] for _ in which]
        self.scores: list[list[float]] = [[] for _ in which]
        self.of: dict[int, list[int]] = {}
        for row, vector in enumerate(which):
            self.of.setdefault(vector, []).append(row)
        self.active = list(range(len(self.tokens)))
        if len(self.active) == 1:
            self.active = [0, 0]  # products of one row take another path than those of many, and differ in the last bit
        index = self.which[self.active]
        self.caches = [cache.rows(index, MORE_ROOM) for cache in prompts.caches]
        self.hidden = prompts.last[index]

    def write(self, lean: Tensor | None, bias: float, temperature: float, seeds: list[int]) -> None:
        """Write until every text has ended or is at its longest."""
        draws = [np.random.default_rng(max(seed, 0)).random(self.longest, dtype=np.float32) for seed in seeds]
        drawn = torch.from_numpy(np.stack(draws))
        greedy = torch.tensor([seed < 0 for seed in seeds])
        for step in range(self.longest):
            abandoned.check()
            logits = self.generator.logits(self.hidden[:, 0])
            leaning = None if lean is None else bias * lean[self.which[self.active]]
            tokens, scores = choose(logits, leaning, temperature, drawn[self.active, step], greedy[self.active])
            self._append(step, tokens, scores, logits)
            self._abandon(step, seeds)
            if step == self.longest - 1 or not self._drop():
                return
            last = torch.tensor([self.tokens[row][-1] for row in self.active], device=logits.device)
            x = self.generator.net.embedding[last][:, None]
            self.hidden = self.generator.hidden(x, self.caches)

    def _append(self, step: int, tokens: list[int], scores: list[float], logits: Tensor) -> None:
        for i, row in enumerate(self.active):
            if len(self.tokens[row]) > step or self._ended(row):
                continue
            token, score = tokens[i], scores[i]
            if step < len(self.starts[row]):
                token = self.starts[row][step]
                score = float(torch.log_softmax(logits[i], -1)[token])
            self.tokens[row].append(token)
            self.scores[row].append(score)

    def _abandon(self, step: int, seeds: list[int]) -> None:
        """Give up samples that ramble on long after most others of their vector have ended: they come out empty."""
        for rows in self.of.values():
            lengths = sorted(len(self.tokens[row]) for row in rows if self._ended(row))
            if len(lengths) < max(4, MOST * len(rows)) or step < RAMBLING * lengths[len(lengths) // 2]:
                continue
            for row in rows:
                if not self._ended(row) and seeds[row] >= 0:
                    self.tokens[row], self.scores[row] = [END], [0.0]

    def _ended(self, row: int) -> bool:
        return bool(self.tokens[row]) and self.tokens[row][-1] == END

    def _drop(self) -> bool:
        """Forget finished rows where that saves a good deal; return whether any is left. At least two rows stay."""
        left = [i for i, row in enumerate(self.active) if not self._ended(row)]
        if not left:
            return False
        if len(left) <= 0.7 * len(self.active) and len(self.active) > 2:
            left = left if len(left) > 1 else left * 2
            index = torch.tensor(left, device=self.hidden.device)
            self.caches = [cache.rows(index) for cache in self.caches]
            self.active = [self.active[i] for i in left]
        return True


def choose(
    logits: Tensor, lean: Tensor | None, temperature: float, drawn: Tensor, greedy: Tensor
) -> tuple[list[int], list[float]]:
    """Return for each row the next token and its plain log-probability."""
    wanted = logits.clone() if lean is None else logits + lean
    wanted[:, :N_SPECIAL] = -torch.inf
    wanted[:, END] = logits[:, END]
    values, tokens = wanted.topk(min(64, wanted.shape[1]), -1)
    p = torch.softmax(values / max(temperature, 1e-3), -1)
    before = p.cumsum(-1) - p
    p = torch.where(before < TOP_P, p, 0)
    edges = p.cumsum(-1)
    sampled = (edges < (drawn.to(p.device) * edges[:, -1])[:, None]).sum(-1).clamp(max=p.shape[1] - 1)
    pick = torch.where(greedy.to(p.device), 0, sampled)[:, None]
    token = tokens.gather(1, pick)
    plain = logits.gather(1, token) - torch.logsumexp(logits, -1, keepdim=True)
    return token[:, 0].tolist(), plain[:, 0].tolist()


def vector_seeds(vectors: NDArray[np.float32]) -> list[int]:
    """Return a seed for each vector (N, D), the same for the same vector up to rounding."""
    digests = [hashlib.sha256(np.round(v, 4).astype(np.float32).tobytes()).digest() for v in vectors]
    return [int.from_bytes(d[:6], "little") for d in digests]

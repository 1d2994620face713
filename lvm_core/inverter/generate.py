"""Text from vectors by the inverter's language model: a lean loop with merged weights and a key-value cache.

A step costs one pass over the weights however many rows it has, so all texts of a batch grow together. Sampling
takes its random numbers from the vector and the place in the text alone: a text never depends on its neighbours
in the batch.

Letters: N vectors, B rows (texts being written), P prompt length, V vocabulary.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from lvm_core.inverter.net import END, Block, InverterNet, rms_norm, rotate
from lvm_core.inverter.packed_linear import Linear, packed_linear
from lvm_core.inverter.sampling import choose
from lvm_core.inverter.words import UNSEEN, WordHead

if TYPE_CHECKING:
    from tokenizers import Tokenizer

MAX_TOKENS = 56

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
    """The prompts of N vectors, read: keys and values of each layer (N, h_kv, P, d), last state (N, 1, W), and how
    much each token leans to the vector (N, V).
    """

    keys: list[Tensor]
    values: list[Tensor]
    last: Tensor
    lean: Tensor


class Generator:
    """The net with LoRA merged into its weights, ready to write."""

    def __init__(self, net: InverterNet, tokenizer: "Tokenizer") -> None:
        """Merge the weights (a copy of 270 MB at real size)."""
        self.net, self.tokenizer = net, tokenizer
        self.device = net.embedding.device
        with torch.no_grad():
            self.layers = [_packed(block) for block in net.blocks if isinstance(block, Block)]
        self.heads = self.layers[0][0].heads
        self._head = packed_linear(net.embedding)

    @torch.inference_mode()
    def read(self, vectors: Tensor) -> Prompts:
        """Return the prompts of unit vectors (N, D)."""
        # one by one: products in fp32 differ in the last bit with the size of the batch, those in bf16 do not
        parts = [self._prompt(vector[None]) for vector in vectors.to(self.device)]
        keys: list[Tensor] = []
        values: list[Tensor] = []
        hidden = self.forward(torch.cat([part[0] for part in parts]), keys, values, 0)
        return Prompts(keys, values, hidden[:, -1:], torch.cat([part[1] for part in parts]))

    def _prompt(self, vector: Tensor) -> tuple[Tensor, Tensor]:
        words = self.net.words
        log_p = words(vector)
        return self.net.prompt(vector, words.hints(log_p, self.net.size.n_hints)), _log_ratio(words, log_p)

    def logits(self, hidden: Tensor) -> Tensor:
        """Return next-token logits (..., V) in float32 of last states (..., W)."""
        return self._head(hidden).float()

    @torch.inference_mode()
    def lean(self, vector: Tensor) -> Tensor:
        """Return how much each token leans to a unit vector (D,): (V,) in nats."""
        words = self.net.words
        return _log_ratio(words, words(vector[None].to(self.device)))[0]

    def forward(
        self, x: Tensor, keys: list[Tensor], values: list[Tensor], past: int, mask: Tensor | None = None
    ) -> Tensor:
        """Return the normalised last layer (B, T, W) for inputs (B, T, W) at positions `past` .. `past` + T - 1.

        Keys and values (B, h_kv, room, d) of each layer are written at these positions; empty lists are filled.
        """
        net = self.net
        n_q, n_kv, size = self.heads
        stop = past + x.shape[1]
        cos, sin = net.rotation(torch.arange(past, stop, device=x.device))
        for i, (block, qkv, out, gate_up, down) in enumerate(self.layers):
            heads = qkv(rms_norm(x, block.norm_1, block.eps))
            heads = heads.reshape(*x.shape[:2], n_q + 2 * n_kv, size).transpose(1, 2)
            rotated = rotate(heads[:, : n_q + n_kv], cos, sin)
            q, k, v = rotated[:, :n_q], rotated[:, n_q:], heads[:, n_q + n_kv :]
            if len(keys) <= i:
                keys.append(k)
                values.append(v)
            else:
                keys[i][:, :, past:stop] = k
                values[i][:, :, past:stop] = v
            attended = _attend(q, keys[i][:, :, :stop], values[i][:, :, :stop], mask)
            x = x + out(attended)
            gate, up = gate_up(rms_norm(x, block.norm_2, block.eps)).chunk(2, -1)
            x = x + down(F.silu(gate) * up)
        return rms_norm(x, net.norm, net.eps)

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


def _packed(block: Block) -> tuple[Block, Linear, Linear, Linear, Linear]:
    qkv, out, gate_up, down = (packed_linear(m.merged()) for m in (block.qkv, block.out, block.gate_up, block.down))
    return block, qkv, out, gate_up, down


def _log_ratio(words: WordHead, log_p: Tensor) -> Tensor:
    return torch.where(words.prior > UNSEEN, (log_p - words.prior).clamp(*LEAN), 0)


def _attend(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None) -> Tensor:
    """Return the attention (B, T, W) of queries (B, h, T, d) to keys (B, h_kv, S, d)."""
    n, n_q, steps, size = q.shape
    n_kv = k.shape[1]
    if steps == 1:
        # the queries that share a key stand in for positions, so keys need not be copied for each
        shared = q.reshape(n, n_kv, n_q // n_kv, size)
        return F.scaled_dot_product_attention(shared, k, v).reshape(n, 1, n_q * size)
    k, v = k.repeat_interleave(n_q // n_kv, 1), v.repeat_interleave(n_q // n_kv, 1)
    attended = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=mask is None)
    return attended.transpose(1, 2).flatten(2)


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
        self.past = prompts.keys[0].shape[2]
        self.keys = [_roomy(k[index], longest) for k in prompts.keys]
        self.values = [_roomy(v[index], longest) for v in prompts.values]
        self.hidden = prompts.last[index]

    def write(self, lean: Tensor | None, bias: float, temperature: float, seeds: list[int]) -> None:
        """Write until every text has ended or is at its longest."""
        draws = [np.random.default_rng(max(seed, 0)).random(self.longest, dtype=np.float32) for seed in seeds]
        drawn = torch.from_numpy(np.stack(draws))
        greedy = torch.tensor([seed < 0 for seed in seeds])
        for step in range(self.longest):
            logits = self.generator.logits(self.hidden[:, 0])
            leaning = None if lean is None else bias * lean[self.which[self.active]]
            chosen, scores = choose(logits, leaning, temperature, drawn[self.active, step], greedy[self.active])
            self._append(step, chosen, scores, logits)
            self._abandon(step, seeds)
            if step == self.longest - 1 or not self._drop():
                return
            last = torch.tensor([self.tokens[row][-1] for row in self.active], device=logits.device)
            x = self.generator.net.embedding[last][:, None]
            self.hidden = self.generator.forward(x, self.keys, self.values, self.past)
            self.past += 1

    def _append(self, step: int, chosen: list[int], scores: list[float], logits: Tensor) -> None:
        for i, row in enumerate(self.active):
            if len(self.tokens[row]) > step or self._ended(row):
                continue
            token, score = chosen[i], scores[i]
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
            self.keys = [k[index] for k in self.keys]
            self.values = [v[index] for v in self.values]
            self.active = [self.active[i] for i in left]
        return True


def _roomy(x: Tensor, more: int) -> Tensor:
    """Return (B, h, P + more, d) that begins with (B, h, P, d)."""
    return torch.cat([x, x.new_zeros(x.shape[0], x.shape[1], more, x.shape[3])], 2)

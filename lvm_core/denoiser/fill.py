"""Hidden word pieces filled in a few passes: all of them predicted at once, the surest stay.

Source: Ghazvininejad et al. 2019 (Mask-Predict), section 3; the schedule and the noise on the certainty: Chang et al.
2022 (MaskGIT), section 3.2. Random numbers come from a text's seed alone, and texts are padded to a length that depends
on their own alone, so a text never depends on its neighbours in the batch.

Letters: R texts, T positions, M hidden positions, V vocabulary.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from lvm_core.denoiser.net import Denoiser, Linear, Reading
from lvm_core.denoiser.pieces import WordPieces
from lvm_core.inverter.packed import PackedLinear

STEP = 8
"""Texts are padded to a multiple of so many positions."""

TOP_K, TOP_P = 32, 0.9

VOCABULARY = 2_048
"""Word pieces that a vector's texts are made of, those it makes likeliest: of all 30,522, drawing takes three times as
long as the net."""

COLUMNS = 384

LEAST_LIKELY = -20.0
"""Log-probability of a word piece outside the vocabulary."""


@dataclass(frozen=True)
class Draft:
    """A text in the making.

    Attributes:
        vector: number of the vector it is of.
        pieces: (T,) word pieces, the mask's id where one is hidden.
        certainty: (T,) the log-probability that each was put there with.
        seed: of its random numbers; negative: none, the likeliest word pieces.
    """

    vector: int
    pieces: NDArray[np.int64]
    certainty: NDArray[np.float32]
    seed: int


@dataclass(frozen=True)
class Sight:
    """What the net takes of N vectors, and the word pieces that texts of each are made of (K,)."""

    reading: Reading
    vocabularies: list[Tensor]


class Proposals(NamedTuple):
    """For each hidden position a word piece (M,), its log-probability (M,)."""

    pieces: Tensor
    certainty: Tensor


class FixedLinear(nn.Module):
    """A trained linear map, laid out once; the bits of a row do not depend on the other rows.

    A product of many columns is summed in parts: oneDNN shares a long sum out in another way for other numbers of rows.
    """

    def __init__(self, trained: Linear, dtype: torch.dtype) -> None:
        """Copy the map's weights in `dtype`."""
        super().__init__()
        weights = torch.split(trained.weight.to(dtype), COLUMNS, dim=1)
        biases = [trained.bias.to(dtype), *[None] * (len(weights) - 1)]
        self.parts = nn.ModuleList(PackedLinear(w.contiguous(), b) for w, b in zip(weights, biases, strict=True))

    def forward(self, x: Tensor) -> Tensor:
        """Return (..., out) of (..., in)."""
        columns = torch.split(x, COLUMNS, dim=-1)
        result: Tensor = self.parts[0](columns[0])
        for part, piece in zip(self.parts[1:], columns[1:], strict=True):
            result = result + part(piece)
        return result


class Filler:
    """A trained net, ready to write."""

    def __init__(self, net: Denoiser, pieces: WordPieces) -> None:
        """Take the net; its large maps are laid out for writing."""
        self.net, self.pieces, self.mask = net.eval().requires_grad_(False), pieces, pieces.mask
        self.device = net.words.device
        for module in list(net.modules()):
            for name, child in module.named_children():
                if isinstance(child, Linear):
                    setattr(module, name, FixedLinear(child, net.words.dtype))
        names = [pieces.tokenizer.id_to_token(i) or "" for i in range(len(net.words))]
        self._never = torch.tensor([len(n) > 2 and n[0] == "[" and n[-1] == "]" for n in names], device=self.device)
        self._goes_on = torch.tensor([n.startswith("##") for n in names], device=self.device)

    @torch.inference_mode()
    def read(self, vectors: Tensor) -> Reading:
        """Return the reading of unit vectors (N, D), one by one: fp32 products differ with the size of a batch."""
        parts = [self.net.read(vector[None]) for vector in vectors.to(self.device)]
        norms = [
            (torch.cat([part.norms[k][0] for part in parts]), torch.cat([part.norms[k][1] for part in parts]))
            for k in range(len(parts[0].norms))
        ]
        entry, topic = torch.cat([part.entry for part in parts]), torch.cat([part.topic for part in parts])
        return Reading(entry, topic, norms)

    @torch.inference_mode()
    def vocabulary(self, vector: NDArray[np.float32]) -> Tensor:
        """Return the word pieces (K,) that a unit vector (D,) makes likeliest anywhere in a text."""
        reading = self.read(torch.from_numpy(vector)[None])
        tokens = torch.full((1, self.lengths(vector, 1)[0]), self.mask, device=self.device)
        p = torch.softmax(self.net.logits(self.net(tokens, reading)[0]).float(), -1).sum(0)
        return p.masked_fill(self._never, -1.0).topk(min(VOCABULARY, len(p) - int(self._never.sum()))).indices

    @torch.inference_mode()
    def lengths(self, vector: NDArray[np.float32], n: int) -> list[int]:
        """Return `n` lengths for a vector (D,), spread over its distribution, the middle one first."""
        logits = self.net.length_logits(torch.from_numpy(vector)[None].to(self.device))[0]
        reached = torch.softmax(logits, -1).cumsum(-1).cpu().numpy()
        quantiles = sorted((np.arange(n) + 0.5) / n, key=lambda q: abs(q - 0.5))
        return [min(max(2, int(np.searchsorted(reached, q)) + 1), len(reached)) for q in quantiles]

    def blank(self, vector: int, length: int, seed: int) -> Draft:
        """Return a text of `length` hidden word pieces."""
        return Draft(vector, np.full(length, self.mask), np.zeros(length, dtype=np.float32), seed)

    def fill(self, sight: Sight, drafts: Sequence[Draft], passes: int, temperature: float) -> list[Draft]:
        """Return the drafts with every hidden word piece filled.

        Args:
            sight: of the vectors that the drafts are of.
            drafts: texts, some of their word pieces hidden.
            passes: through the net.
            temperature: of drawing word pieces, and of the noise on their certainty.
        """
        filled: dict[int, Draft] = {}
        for rows in self._groups(drafts):
            group = _Group(self, sight, [drafts[i] for i in rows])
            for number in range(passes):
                group.step(number, passes, temperature)
            filled.update(zip(rows, group.drafts(), strict=True))
        return [filled[i] for i in range(len(drafts))]

    def look(self, sight: Sight, drafts: Sequence[Draft]) -> list[NDArray[np.float32]]:
        """Return for each whole text the log-probability (T,) that the net gives each of its word pieces in sight."""
        looked: dict[int, NDArray[np.float32]] = {}
        for rows in self._groups(drafts):
            group = _Group(self, sight, [drafts[i] for i in rows])
            looked.update(zip(rows, group.look(), strict=True))
        return [looked[i] for i in range(len(drafts))]

    def words_of(self, vocabulary: Tensor) -> "_Words":
        """Return the output layer of a vocabulary (K,)."""
        words, bias = self.net.words[vocabulary], self.net.bias[vocabulary]
        return _Words(vocabulary, words, bias.to(words.dtype), self._goes_on[vocabulary])

    @staticmethod
    def _groups(drafts: Sequence[Draft]) -> list[list[int]]:
        groups: dict[int, list[int]] = {}
        for i, draft in enumerate(drafts):
            groups.setdefault(-(-len(draft.pieces) // STEP), []).append(i)
        return list(groups.values())


class _Words(NamedTuple):
    """The output layer over word pieces (K,): embeddings (K, W), biases (K,), and which go on with a word."""

    pieces: Tensor
    weight: Tensor
    bias: Tensor
    goes_on: Tensor


class _Group:
    """Drafts that are padded to one length."""

    def __init__(self, filler: Filler, sight: Sight, drafts: list[Draft]) -> None:
        self.filler, self.before, device = filler, drafts, filler.device
        lengths = [len(draft.pieces) for draft in drafts]
        shape = (len(drafts), -(-max(lengths) // STEP) * STEP)
        self.pieces = torch.zeros(shape, dtype=torch.long)
        self.certainty = torch.zeros(shape)
        for row, draft in enumerate(drafts):
            self.pieces[row, : lengths[row]] = torch.from_numpy(draft.pieces)
            self.certainty[row, : lengths[row]] = torch.from_numpy(draft.certainty)
        self.pieces, self.certainty = self.pieces.to(device), self.certainty.to(device)
        self.lengths = torch.tensor(lengths, device=device)
        self.reading = sight.reading.rows(torch.tensor([draft.vector for draft in drafts], device=device))
        self.rows: dict[int, list[int]] = {}
        for row, draft in enumerate(drafts):
            self.rows.setdefault(draft.vector, []).append(row)
        self.words = {vector: filler.words_of(sight.vocabularies[vector]) for vector in self.rows}
        self.n_hidden = (self.pieces == filler.mask).sum(1)
        self.greedy = torch.tensor([draft.seed < 0 for draft in drafts], device=device)
        self.rngs = [np.random.default_rng(max(draft.seed, 0)) for draft in drafts]

    @torch.inference_mode()
    def step(self, number: int, passes: int, temperature: float) -> None:
        """Fill what is to be filled in pass `number` of `passes`."""
        hidden = self.pieces == self.filler.mask
        if not bool(hidden.any()):
            return
        numbers = [rng.random((2, hidden.shape[1]), dtype=np.float32) for rng in self.rngs]
        drawn = torch.from_numpy(np.stack(numbers)).to(hidden.device)  # (R, 2, T)
        states = self.filler.net(self.pieces, self.reading, self.lengths)
        put, certainty = torch.zeros_like(self.pieces), torch.zeros_like(self.certainty)
        for vector, rows in self.rows.items():
            of = torch.zeros_like(hidden)
            of[rows] = hidden[rows]
            put[of], certainty[of] = self._propose(states[of], of, drawn[:, 0][of], self.words[vector], temperature)
        noise = -torch.log(-torch.log(drawn[:, 1].clamp(1e-6, 1 - 1e-6)))
        noise = torch.where(self.greedy[:, None], 0, temperature * (1 - (number + 1) / passes) * noise)
        sure = (certainty + noise).masked_fill(~hidden, -torch.inf)
        left = (self.n_hidden * math.cos(math.pi / 2 * (number + 1) / passes)).long() if number + 1 < passes else 0
        n_filled = (hidden.sum(1) - left).clamp(min=1)
        rank = sure.argsort(dim=1, descending=True, stable=True).argsort(dim=1)
        settled = hidden & (rank < n_filled[:, None])
        self.pieces = torch.where(settled, put, self.pieces)
        self.certainty = torch.where(settled, certainty, self.certainty)

    def _propose(self, states: Tensor, of: Tensor, drawn: Tensor, words: _Words, temperature: float) -> Proposals:
        """Return proposals for the hidden positions `of` (R, T), M of them, with states (M, W) and numbers (M,)."""
        row, position = of.nonzero(as_tuple=True)
        logits = F.linear(states, words.weight, words.bias).float()
        logits = logits.masked_fill((position == 0)[:, None] & words.goes_on, -torch.inf)
        pick, certainty = _draw(logits, drawn, self.greedy[row], temperature)
        return Proposals(words.pieces[pick], certainty)

    @torch.inference_mode()
    def look(self) -> list[NDArray[np.float32]]:
        """Return the log-probability of each word piece (T,) of each text, all of them in sight."""
        states = self.filler.net(self.pieces, self.reading, self.lengths)
        looked = []
        for row, draft in enumerate(self.before):
            n, words = len(draft.pieces), self.words[draft.vector]
            log_p = torch.log_softmax(F.linear(states[row, :n], words.weight, words.bias).float(), -1)
            same = words.pieces == self.pieces[row, :n, None]  # (n, K), at most one a row
            looked.append(torch.where(same, log_p, LEAST_LIKELY).amax(-1).cpu().numpy())
        return looked

    def drafts(self) -> list[Draft]:
        """Return the texts as they are now."""
        pieces, certainty = self.pieces.cpu().numpy(), self.certainty.cpu().numpy()
        return [
            Draft(d.vector, pieces[i, : len(d.pieces)], certainty[i, : len(d.pieces)], d.seed)
            for i, d in enumerate(self.before)
        ]


def _draw(logits: Tensor, drawn: Tensor, greedy: Tensor, temperature: float) -> tuple[Tensor, Tensor]:
    """Return for each row of logits (M, K) a column, drawn by `drawn` (M,) unless `greedy`, and its log-probability."""
    values, columns = logits.topk(min(TOP_K, logits.shape[1]), -1)
    p = torch.softmax(values / max(temperature, 1e-3), -1)
    before = p.cumsum(-1) - p
    edges = torch.where(before < TOP_P, p, 0).cumsum(-1)
    sampled = (edges < (drawn * edges[:, -1])[:, None]).sum(-1).clamp(max=p.shape[1] - 1)
    pick = torch.where(greedy, 0, sampled)[:, None]
    certainty = values.gather(1, pick) - torch.logsumexp(logits, -1, keepdim=True)
    return columns.gather(1, pick)[:, 0], certainty[:, 0]

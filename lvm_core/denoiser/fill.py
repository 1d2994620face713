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
from torch import Tensor

from lvm_core.denoiser.net import Denoiser, Linear, Reading
from lvm_core.denoiser.pieces import WordPieces

STEP = 8
"""Texts are padded to a multiple of so many positions."""

TOP_K, TOP_P = 32, 0.9


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


class Proposals(NamedTuple):
    """For each hidden position a word piece (M,), its log-probability (M,)."""

    pieces: Tensor
    certainty: Tensor


class Filler:
    """A trained net, ready to write."""

    def __init__(self, net: Denoiser, pieces: WordPieces) -> None:
        """Take the net; its large maps are turned to the dtype that it computes in."""
        self.net, self.pieces, self.mask = net.eval(), pieces, pieces.mask
        self.device = net.words.device
        for module in net.modules():
            if isinstance(module, Linear):
                module.to(net.words.dtype)
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
        return Reading(torch.cat([part.entry for part in parts]), norms)

    @torch.inference_mode()
    def lengths(self, vector: NDArray[np.float32], n: int) -> list[int]:
        """Return `n` lengths for a vector (D,), spread over its distribution, the middle one first."""
        logits = self.net.length_logits(torch.from_numpy(vector)[None].to(self.device))[0]
        reached = torch.softmax(logits, -1).cumsum(-1).cpu().numpy()
        quantiles = sorted((np.arange(n) + 0.5) / n, key=lambda q: abs(q - 0.5))
        return [max(2, int(np.searchsorted(reached, q)) + 1) for q in quantiles]

    def blank(self, vector: int, length: int, seed: int) -> Draft:
        """Return a text of `length` hidden word pieces."""
        return Draft(vector, np.full(length, self.mask), np.zeros(length, dtype=np.float32), seed)

    def fill(self, reading: Reading, drafts: Sequence[Draft], passes: int, temperature: float) -> list[Draft]:
        """Return the drafts with every hidden word piece filled.

        Args:
            reading: of the vectors that the drafts are of.
            drafts: texts, some of their word pieces hidden.
            passes: through the net.
            temperature: of drawing word pieces, and of the noise on their certainty.
        """
        filled: dict[int, Draft] = {}
        for rows in self._groups(drafts):
            group = _Group(self, reading, [drafts[i] for i in rows])
            for number in range(passes):
                group.step(number, passes, temperature)
            filled.update(zip(rows, group.drafts(), strict=True))
        return [filled[i] for i in range(len(drafts))]

    def look(self, reading: Reading, drafts: Sequence[Draft]) -> list[NDArray[np.float32]]:
        """Return for each whole text the log-probability (T,) that the net gives each of its word pieces in sight."""
        looked: dict[int, NDArray[np.float32]] = {}
        for rows in self._groups(drafts):
            group = _Group(self, reading, [drafts[i] for i in rows])
            looked.update(zip(rows, group.look(), strict=True))
        return [looked[i] for i in range(len(drafts))]

    def logits(self, hidden: Tensor, first: Tensor) -> Tensor:
        """Return logits (M, V) float32 of states (M, W), without marks, and whole words only at `first` (M,)."""
        logits = self.net.logits(hidden).float().masked_fill(self._never, -torch.inf)
        if first.any():
            logits[first] = logits[first].masked_fill(self._goes_on, -torch.inf)
        return logits

    @staticmethod
    def _groups(drafts: Sequence[Draft]) -> list[list[int]]:
        groups: dict[int, list[int]] = {}
        for i, draft in enumerate(drafts):
            groups.setdefault(-(-len(draft.pieces) // STEP), []).append(i)
        return list(groups.values())


class _Group:
    """Drafts that are padded to one length."""

    def __init__(self, filler: Filler, reading: Reading, drafts: list[Draft]) -> None:
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
        self.reading = reading.rows(torch.tensor([draft.vector for draft in drafts], device=device))
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
        first = (torch.arange(hidden.shape[1], device=hidden.device) == 0).expand_as(hidden)
        greedy = self.greedy[:, None].expand_as(hidden)[hidden]
        logits = self.filler.logits(states[hidden], first[hidden])
        proposals = _propose(logits, drawn[:, 0][hidden], greedy, temperature)
        sure = torch.full(hidden.shape, -torch.inf, device=hidden.device)
        noise = -torch.log(-torch.log(drawn[:, 1][hidden].clamp(1e-6, 1 - 1e-6)))
        sure[hidden] = proposals.certainty + torch.where(greedy, 0, temperature * (1 - (number + 1) / passes) * noise)
        left = (self.n_hidden * math.cos(math.pi / 2 * (number + 1) / passes)).long() if number + 1 < passes else 0
        n_filled = (hidden.sum(1) - left).clamp(min=1)
        rank = sure.argsort(dim=1, descending=True, stable=True).argsort(dim=1)
        chosen = hidden & (rank < n_filled[:, None])
        put, certainty = torch.zeros_like(self.pieces), torch.zeros_like(self.certainty)
        put[hidden], certainty[hidden] = proposals.pieces, proposals.certainty
        self.pieces = torch.where(chosen, put, self.pieces)
        self.certainty = torch.where(chosen, certainty, self.certainty)

    @torch.inference_mode()
    def look(self) -> list[NDArray[np.float32]]:
        """Return the log-probability of each word piece (T,) of each text, all of them in sight."""
        states = self.filler.net(self.pieces, self.reading, self.lengths)
        looked = []
        for row, draft in enumerate(self.before):
            n = len(draft.pieces)
            log_p = torch.log_softmax(self.filler.net.logits(states[row, :n]).float(), -1)
            looked.append(log_p.gather(1, self.pieces[row, :n, None])[:, 0].cpu().numpy())
        return looked

    def drafts(self) -> list[Draft]:
        """Return the texts as they are now."""
        pieces, certainty = self.pieces.cpu().numpy(), self.certainty.cpu().numpy()
        return [
            Draft(d.vector, pieces[i, : len(d.pieces)], certainty[i, : len(d.pieces)], d.seed)
            for i, d in enumerate(self.before)
        ]


def _propose(logits: Tensor, drawn: Tensor, greedy: Tensor, temperature: float) -> Proposals:
    """Return for each row of logits (M, V) a word piece, drawn from the likeliest by `drawn` (M,) unless `greedy`."""
    values, pieces = logits.topk(min(TOP_K, logits.shape[1]), -1)
    p = torch.softmax(values / max(temperature, 1e-3), -1)
    before = p.cumsum(-1) - p
    edges = torch.where(before < TOP_P, p, 0).cumsum(-1)
    sampled = (edges < (drawn * edges[:, -1])[:, None]).sum(-1).clamp(max=p.shape[1] - 1)
    pick = torch.where(greedy, 0, sampled)[:, None]
    certainty = values.gather(1, pick) - torch.logsumexp(logits, -1, keepdim=True)
    return Proposals(pieces.gather(1, pick)[:, 0], certainty[:, 0])

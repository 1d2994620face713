"""From one vector to ever better texts: hypotheses, re-embedding, edits (search at test time).

Step 0 is the greedy text; step 1 the best of several samples by the cosine of their re-embedding. Every further
step corrects in the manner of vec2text (Morris et al. 2023, section 4): what the best text so far lacks of the
target is added to the target once more, and the language model writes on from the places where a word was
changed for the better; which words to change is asked of the language model and the word head together, and
judged by re-embedding (guided search: Zhang, Morris and Shmatikov 2025). A text that people would not take for
a sentence is no candidate, however near it is: the language model must find it about as likely as its own.

The best text never gets farther from the vector from one step to the next.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import combinations, islice

import numpy as np
import torch
from numpy.typing import NDArray

from lvm_core import abandoned
from lvm_core.inverter.generate import Generator, Prompts, Written
from lvm_core.inverter.score import Change, alternatives, changed, fluencies
from lvm_core.types import Vectors
from lvm_core.vectors.geometry import unit_rows

Encode = Callable[[Sequence[str]], Vectors]

POOL = 16
"""Texts of a vector that a later step may go on from."""

FLUENCY = 0.06
"""Cosine that a nat a token of log-probability is worth: a keyword salad is no text, however near it is."""


@dataclass(frozen=True)
class SearchSettings:
    """How hard the search looks; the defaults take about two seconds a step and vector on two cores."""

    n_samples: int = 8
    temperature: float = 0.7
    bias: float = 0.3
    n_alternatives: int = 16
    n_tried: int = 128
    n_rounds: int = 4
    n_checked: int = 6
    n_continued: int = 4
    overshoot: float = 0.7
    n_combined: int = 4
    """So many of the best changes are tried together, in all pairs and triples."""


@dataclass
class Candidate:
    """A text with its round-trip cosine, its embedding and its worth: cosine and fluency together."""

    written: Written
    cosine: float
    vector: NDArray[np.float32]
    edited: bool = False

    @property
    def worth(self) -> float:
        """Cosine, plus what the language model thinks of the text."""
        return self.cosine + FLUENCY * self.written.fluency


@dataclass
class Target:
    """One vector under search, its best text so far, the worthiest texts to go on from, and what was tried."""

    vector: NDArray[np.float32]
    seed: int
    first: Candidate | None = None
    leader: Candidate | None = None
    pool: list[Candidate] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)

    def best(self) -> Candidate:
        """Return the best text so far."""
        assert self.leader is not None
        return self.leader

    def others(self, n: int) -> tuple[str, ...]:
        """Return the `n` worthiest texts beside the best one."""
        texts = (candidate.written.text for candidate in self.pool if candidate is not self.leader)
        return tuple(islice(texts, n))

    def parent(self) -> Candidate:
        """Return the worthiest text that was not edited yet: the best, and when its edits led nowhere the next."""
        return next((c for c in self.pool if not c.edited), self.best())

    def consider(self, candidates: Sequence[Candidate]) -> None:
        """Take the worthiest candidate that is nearer than the best so far, and worth more."""
        self.pool = sorted([*self.pool, *candidates], key=lambda c: -c.worth)[:POOL]
        for candidate in sorted(candidates, key=lambda c: -c.worth):
            if self.leader is None or (candidate.cosine > self.leader.cosine and candidate.worth > self.leader.worth):
                self.leader = candidate
                return

    def add(self, texts: Sequence[Written], encode: Encode) -> list[Candidate]:
        """Re-embed the texts that are new, and return them."""
        fresh = [w for w in texts if w.text and w.text not in self.seen]
        fresh = list({w.text: w for w in fresh}.values())
        self.seen.update(w.text for w in fresh)
        return [
            Candidate(w, c, v) for w, (c, v) in zip(fresh, self.measure([w.text for w in fresh], encode), strict=True)
        ]

    def measure(self, texts: Sequence[str], encode: Encode) -> list[tuple[float, NDArray[np.float32]]]:
        """Return cosine to the target, and embedding, of each text."""
        if not texts:
            return []
        # texts of one target alone, so that its numbers are the same in every batch of targets
        vectors = unit_rows(encode(texts))
        return list(zip((vectors @ self.vector).tolist(), vectors, strict=True))


class Search:
    """The search over a batch of vectors, one step at a time."""

    def __init__(self, generator: Generator, encode: Encode, settings: SearchSettings) -> None:
        """Hold the parts; vectors come with `start`."""
        self.generator, self.encode, self.settings = generator, encode, settings
        self.targets: list[Target] = []
        self.prompts: Prompts | None = None

    def start(self, vectors: Vectors, seeds: Sequence[int], n_samples: int) -> None:
        """Write the first texts of unit vectors (N, D): one greedy, the others sampled."""
        self.targets = [Target(v, seed) for v, seed in zip(vectors, seeds, strict=True)]
        self.prompts = self.generator.read(torch.from_numpy(vectors))
        which = [i for i in range(len(vectors)) for _ in range(n_samples)]
        draws = [-1 if k == 0 else t.seed + k for t in self.targets for k in range(n_samples)]
        written = self._write(self.prompts, which, draws, None)
        for i, target in enumerate(self.targets):
            greedy, *samples = written[i * n_samples : (i + 1) * n_samples]
            target.consider(target.add([greedy if greedy.text else Written("...", (), -10.0)], self.encode))
            target.first = target.leader
            target.consider(target.add(samples, self.encode))

    def resume(self, targets: list[Target]) -> None:
        """Go on with targets of earlier searches."""
        self.targets = targets
        self.prompts = self.generator.read(torch.from_numpy(np.stack([t.vector for t in targets])))

    def step(self, number: int) -> None:
        """Correct a text of each target: change words, then write on from the best changes; then change once more."""
        parents = [t.parent() for t in self.targets]
        starts = [self._edit(i, parent) for i, parent in enumerate(parents)]
        vectors = np.stack([self._overshot(t, p) for t, p in zip(self.targets, parents, strict=True)])
        prompts = self.generator.read(torch.from_numpy(vectors))
        n = self.settings.n_continued
        which = [i for i in range(len(self.targets)) for _ in range(n)]
        draws = [t.seed + 1000 * number + k for t in self.targets for k in range(n)]
        beginnings = [of[k % len(of)] if of and k % 2 else () for of in starts for k in range(n)]
        written = self._write(prompts, which, draws, beginnings)
        for i, target in enumerate(self.targets):
            self._judge(i, target.add(written[i * n : (i + 1) * n], self.encode))
            for _ in range(self.settings.n_rounds - 1):
                self._edit(i, target.parent())

    def _write(
        self, prompts: Prompts, which: list[int], draws: list[int], starts: list[tuple[int, ...]] | None
    ) -> list[Written]:
        settings = self.settings
        return self.generator.write(prompts, which, draws, settings.temperature, settings.bias, starts)

    def _overshot(self, target: Target, parent: Candidate) -> NDArray[np.float32]:
        lacking = target.vector - parent.vector
        overshot: NDArray[np.float32] = unit_rows((target.vector + self.settings.overshoot * lacking)[None])[0]
        return overshot

    def _judge(self, i: int, candidates: list[Candidate]) -> None:
        """Give the nearest of the texts their fluency under the target itself, and take the best."""
        assert self.prompts is not None
        near = sorted(candidates, key=lambda c: -c.cosine)[: self.settings.n_checked]
        values = fluencies(self.generator, self.prompts, i, [c.written.tokens for c in near])
        for c, value in zip(near, values, strict=True):
            c.written = Written(c.written.text, c.written.tokens, value)
        self.targets[i].consider(near)

    def _edit(self, i: int, parent: Candidate) -> list[tuple[int, ...]]:
        """Try changes of one word each, then the best of them together; return the best beginnings."""
        assert self.prompts is not None
        abandoned.check()
        target, settings = self.targets[i], self.settings
        parent.edited = True
        tokens = parent.written.tokens
        lean = self.generator.lean(torch.from_numpy(self._overshot(target, parent)))
        options = alternatives(self.generator, self.prompts, i, tokens, lean, settings.n_alternatives, settings.n_tried)
        single = self._try(target, options)
        leading = [change for change, _ in single[: settings.n_combined]]
        together = [
            change
            for n in (2, 3)
            for some in combinations(leading, n)
            if (change := changed(self.generator, tokens, [(c.start, c.stop, c.put) for c in some])) is not None
        ]
        tried = single + self._try(target, together)
        self._judge(i, [candidate for _, candidate in tried])
        return [change.beginning() for change, _ in single[: settings.n_checked]]

    def _try(self, target: Target, changes: Sequence[Change]) -> list[tuple[Change, Candidate]]:
        """Return the changes that are new with their candidates, nearest first."""
        fresh = list({c.text: c for c in changes if c.text not in target.seen}.values())
        target.seen.update(change.text for change in fresh)
        measured = target.measure([change.text for change in fresh], self.encode)
        candidates = [
            (change, Candidate(Written(change.text, change.tokens, -np.inf), cosine, vector))
            for change, (cosine, vector) in zip(fresh, measured, strict=True)
        ]
        return sorted(candidates, key=lambda pair: -pair[1].cosine)

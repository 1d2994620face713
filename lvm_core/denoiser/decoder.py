"""The denoiser as a decoder: several drafts of a text at once, the encoder choosing, the least certain words again.

Step 0 is one draft by the likeliest words. Step 1 fills several drafts of likely lengths and takes the one whose
re-embedding is nearest. Every further step corrects the best drafts in the manner of vec2text (Morris et al. 2023,
section 4): what a draft lacks of the target is added to the target once more, the words that fit this least are hidden,
now and then one is added or left out, and all are filled again. The text never gets farther from its vector.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from lvm_core import abandoned
from lvm_core.denoiser.fill import Draft, Filler, Sight
from lvm_core.denoiser.net import Denoiser, DenoiserSize
from lvm_core.denoiser.pieces import WordPieces, load_pieces
from lvm_core.denoiser.spelling import read_forms, spelled
from lvm_core.device import pick_device
from lvm_core.encoders.precision import quick_at_bf16
from lvm_core.errors import DecoderError, SpaceMismatch
from lvm_core.inverter.files import DENOISER, find_inverter, inverters, read_weights
from lvm_core.inverter.generate import vector_seeds
from lvm_core.inverter.stepwise import Stepwise
from lvm_core.types import Decoded, Encoder, Vectors
from lvm_core.vectors.geometry import unit_rows
from lvm_core.vectors.runs import distinct
from lvm_core.workspace import Workspace

RUNS_REMEMBERED = 64
FLUENCY = 0.02
"""Cosine that a nat a word piece of log-probability is worth: a list of keywords is no text, however near it is."""


@dataclass(frozen=True)
class DenoiseSettings:
    """How hard it looks; the defaults take about half a second for the first step on one core."""

    n_drafts: int = 16
    passes: int = 8
    temperature: float = 0.7
    n_parents: int = 4
    corrected_passes: int = 3
    overshoot: float = 0.7
    hidden: tuple[float, ...] = (0.15, 0.3, 0.5, 0.7)
    """Shares of the word pieces that are hidden, one variant of a draft each."""


@dataclass(frozen=True, eq=False)
class Candidate:
    """A filled draft, its text, its cosine to the target, its embedding."""

    draft: Draft
    text: str
    cosine: float
    vector: NDArray[np.float32]

    @property
    def worth(self) -> float:
        """Cosine, plus what the net thinks of the text."""
        return self.cosine + FLUENCY * self.fluency

    @property
    def fluency(self) -> float:
        """The mean log-probability that the net put a word piece there with."""
        return float(self.draft.certainty.mean())


@dataclass(eq=False)
class Run:
    """One vector: its best text, the worthiest to go on from, and its text after each step."""

    target: NDArray[np.float32]
    seed: int
    vocabulary: torch.Tensor
    texts: list[Decoded] = field(default_factory=list)
    leader: Candidate | None = None
    pool: list[Candidate] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)

    def note(self, step: int) -> None:
        """Add the best text after `step`."""
        assert self.leader is not None
        self.texts.append(Decoded(self.leader.text, "denoiser", step, self.leader.cosine, self.leader.fluency))

    def consider(self, candidates: Sequence[Candidate], size: int) -> None:
        """Keep the `size` worthiest; the worthiest that is nearer than the best so far, and worth more, leads."""
        self.pool = sorted([*self.pool, *candidates], key=lambda c: -c.worth)[:size]
        for candidate in self.pool:
            if self.leader is None or (candidate.cosine > self.leader.cosine and candidate.worth > self.leader.worth):
                self.leader = candidate
                return


class DenoisingDecoder(Stepwise[Run]):
    """Texts by a masked denoiser, from vectors of one encoder."""

    def __init__(
        self, id: str, filler: Filler, encoder: Encoder, forms: dict[str, str], settings: DenoiseSettings | None = None
    ) -> None:
        """Join the net to the encoder whose vectors it says, and which judges what it says."""
        super().__init__(id, encoder, RUNS_REMEMBERED)
        self._filler, self._forms = filler, forms
        self._settings = settings or DenoiseSettings()

    def _decode_batch(self, targets: Vectors, steps: int) -> list[list[Decoded]]:
        def begin(rows: list[int]) -> list[Run]:
            seeds = vector_seeds(targets[rows])
            vocabularies = [self._filler.vocabulary(targets[i]) for i in rows]
            return [Run(targets[i], seed, words) for i, seed, words in zip(rows, seeds, vocabularies, strict=True)]

        runs = self._runs.take(targets, begin)
        while short := [run for run in distinct(runs) if len(run.texts) <= steps]:
            abandoned.check()
            number = min(len(run.texts) for run in short)
            behind = [run for run in short if len(run.texts) == number]
            (self._first, self._drafts, self._correct)[min(number, 2)](behind, number)
            for run in behind:
                run.note(number)
        return [run.texts[: steps + 1] for run in runs]

    def _first(self, runs: Sequence[Run], _number: int) -> None:
        blanks = [self._filler.blank(i, self._filler.lengths(run.target, 1)[0], -1) for i, run in enumerate(runs)]
        self._fill(runs, self._sight(runs), blanks, max(1, self._settings.passes // 2))

    def _drafts(self, runs: Sequence[Run], _number: int) -> None:
        n = self._settings.n_drafts
        blanks = [
            self._filler.blank(i, length, -1 if k == 0 else run.seed + k)
            for i, run in enumerate(runs)
            for k, length in enumerate(self._filler.lengths(run.target, n))
        ]
        self._fill(runs, self._sight(runs), blanks, self._settings.passes)

    def _correct(self, runs: Sequence[Run], number: int) -> None:
        """Hide the words of the best drafts that fit least to what they lack, and fill them again."""
        parents = [(run, n, parent) for run in runs for n, parent in enumerate(run.pool[: self._settings.n_parents])]
        targets = np.stack([run.target for run, _, _ in parents])
        lacking = targets - np.stack([parent.vector for _, _, parent in parents])
        overshot: Vectors = targets + np.float32(self._settings.overshoot) * lacking
        sight = self._sight([run for run, _, _ in parents], unit_rows(overshot))
        drafts = [replace(parent.draft, vector=i) for i, (_, _, parent) in enumerate(parents)]
        certainty = self._filler.look(sight, drafts)
        variants = [
            self._hide(draft, sure, np.random.default_rng([run.seed, number, n, k]), share)
            for (run, n, _), draft, sure in zip(parents, drafts, certainty, strict=True)
            for k, share in enumerate(self._settings.hidden)
        ]
        self._fill([run for run, _, _ in parents], sight, variants, self._settings.corrected_passes)

    def _hide(self, draft: Draft, sure: NDArray[np.float32], rng: np.random.Generator, share: float) -> Draft:
        """Return the draft with the least certain word pieces hidden, sometimes one more or one less."""
        n = len(draft.pieces)
        order = np.argsort(sure + rng.gumbel(size=n))
        hidden = order[: max(1, round(share * n))]
        pieces, certainty = draft.pieces.copy(), draft.certainty.copy()
        pieces[hidden] = self._filler.mask
        change = rng.integers(3)
        place, longest = int(hidden[0]), self._filler.net.size.max_tokens
        if change == 1 and n < longest:
            pieces, certainty = np.insert(pieces, place, self._filler.mask), np.insert(certainty, place, 0.0)
        elif change == 2 and n > 3 and len(hidden) > 1:
            pieces, certainty = np.delete(pieces, place), np.delete(certainty, place)
        seed = int(rng.integers(2**40))
        return Draft(draft.vector, pieces, certainty.astype(np.float32), seed)

    def _sight(self, runs: Sequence[Run], vectors: Vectors | None = None) -> Sight:
        """Return what the net takes of the runs' targets, or of other `vectors` of the same runs."""
        wanted = np.stack([run.target for run in runs]) if vectors is None else vectors
        return Sight(self._filler.read(torch.from_numpy(wanted)), [run.vocabulary for run in runs])

    def _fill(self, runs: Sequence[Run], sight: Sight, drafts: Sequence[Draft], passes: int) -> None:
        """Fill drafts, each of a vector and its run; take the new texts among the candidates of the runs."""
        filled = self._filler.fill(sight, drafts, passes, self._settings.temperature)
        for run in distinct(runs):
            fresh: dict[str, Draft] = {}
            for draft in filled:
                if runs[draft.vector] is run and (text := self._text(draft)) not in run.seen:
                    fresh.setdefault(text, draft)
            if not fresh:
                continue
            run.seen.update(fresh)
            # texts of one target alone, so that its numbers are the same in every batch of targets
            again = unit_rows(self._encoder.encode([text or "." for text in fresh]))
            candidates = [
                Candidate(draft, text, float(vector @ run.target), vector)
                for (text, draft), vector in zip(fresh.items(), again, strict=True)
            ]
            run.consider(candidates, self._settings.n_parents)

    def _text(self, draft: Draft) -> str:
        tokenizer = self._filler.pieces.tokenizer
        return spelled([tokenizer.id_to_token(int(piece)) or "" for piece in draft.pieces], self._forms)


def load_denoiser(workspace: Workspace, encoder: Encoder) -> DenoisingDecoder:
    """Return the denoiser for vectors of `encoder`: the newest of the workspace, else the shipped one.

    Raises:
        SpaceMismatch: if there are denoisers, but of other encoders only.
        DecoderError: if there is none at all, or its files are damaged.
    """
    folder = find_inverter(workspace, encoder.id, DENOISER)
    if folder is not None:
        return open_denoiser(folder, encoder)
    name = encoder.id.partition("@")[0]
    remedy = f"train one with: python -m lvm_core train-inverter --kind denoiser --corpus NAME --encoder {name}"
    if spaces := sorted({encoder_id for _, encoder_id in inverters(workspace, DENOISER)}):
        raise SpaceMismatch("the denoiser", encoder.id, ", ".join(spaces), remedy)
    raise DecoderError(
        f"There is no denoiser for '{encoder.id}' in {workspace.inverter('x').parent}", "one for this encoder", remedy
    )


def open_denoiser(folder: Path, encoder: Encoder, pieces: WordPieces | None = None) -> DenoisingDecoder:
    """Return the denoiser in `folder`.

    Args:
        folder: with config.json and weights.
        encoder: the space; its id must be the one the denoiser was trained for.
        pieces: other word pieces than those of the bundled encoder, for tests.

    Raises:
        SpaceMismatch: if it was trained for another encoder.
        DecoderError: if its files are damaged.
    """
    config, weights = read_weights(folder)
    if config["encoder_id"] != encoder.id:
        raise SpaceMismatch(f"denoiser '{folder.name}'", encoder.id, config["encoder_id"], "choose another denoiser.")
    pieces = pieces or load_pieces()
    device = pick_device("auto")
    dtype = torch.bfloat16 if quick_at_bf16(device) else torch.float32
    net = Denoiser(DenoiserSize(**config["size"]), pieces.words.to(dtype))
    try:
        net.load_state_dict(weights)
    except (RuntimeError, TypeError) as error:
        raise DecoderError(
            f"{folder} does not hold the weights its config.json speaks of: {str(error)[:300]}",
            "whole weights of that size",
            f"Restore it from a copy, or train it anew with: {config['command']}",
        ) from error
    return DenoisingDecoder(
        f"{folder.name}:{config['samples']}", Filler(net.to(device), pieces), encoder, read_forms(folder)
    )

"""vec2text: text from the vectors of GTR-T5 by hypothesis and correction.

Source: Morris et al., "Text Embeddings Reveal (Almost) As Much As Text" (2023), sections 3 and 4; the library
vec2text 0.0.13 and its published checkpoints.
"""

import threading
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lvm_core import abandoned
from lvm_core.decode.vec2text_files import EMBEDDER, PAIRS, Pair, fingerprint, locate
from lvm_core.errors import DecoderError, SettingsError, SpaceMismatch
from lvm_core.types import Decoded, Encoder, Vectors
from lvm_core.vectors.checks import check_steps, check_vectors
from lvm_core.vectors.geometry import unit_rows
from lvm_core.vectors.runs import Runs, distinct

MAX_LENGTH = 32
"""Tokens. The checkpoints were trained at 32; the library's hard-coded 128 only adds stutter and time."""

BATCH = 16
RUNS_REMEMBERED = 64
PROBES = ("The first railway in the county opened in 1841 and carried coal to the harbour.",)
MIN_ROUND_TRIP = 0.5
"""A wrong pair of encoder and decoder comes back at about .09, the right one at about .89."""


@dataclass(slots=True)
class Run:
    """One vector's hypotheses so far, the state of the last, and whether a correction left it unchanged."""

    target: Any
    texts: list[Decoded] = field(default_factory=list)
    ids: Any = None
    embedding: Any = None
    settled: bool = False


class Vec2TextDecoder:
    """A `Decoder` over the library's corrector; continues a vector's run where it was left."""

    def __init__(self, pair: Pair, corrector: Any, encoder_id: str, norm: float, fingerprint: str) -> None:
        """Wrap a loaded corrector.

        Args:
            pair: which checkpoints.
            corrector: the library's `Corrector`.
            encoder_id: the space whose vectors it says.
            norm: length that every vector is given: 1 for unit spaces, else the mean norm of real vectors,
                because a model predicts a direction.
            fingerprint: of the weights, for the id.
        """
        self.id = f"vec2text-{pair.name}@{fingerprint}"
        self.encoder_id = encoder_id
        self.norm = norm
        self.dim = int(corrector.inversion_trainer.model.embedder_dim)
        self._corrector = corrector
        self._length = min(MAX_LENGTH, int(corrector.model.config.max_seq_length))
        self._runs: Runs[Run] = Runs(RUNS_REMEMBERED)
        self._lock = threading.Lock()

    def decode_all(self, vectors: Vectors, steps: int) -> list[list[Decoded]]:
        """Return for each of the (N, D) vectors its texts after 0, 1 .. `steps` corrections, from one run.

        A run ends when a correction changes nothing: every later one would say the same.

        Raises:
            DecoderError: for vectors that are NaN, zero or of another dimension.
            SettingsError: for steps out of bounds.
        """
        check_steps(steps)
        scaled = unit_rows(check_vectors(vectors, self.dim)) * np.float32(self.norm)
        with self._lock:
            runs = self._runs.take(scaled, lambda rows: [self._begin(scaled[row]) for row in rows])
            once = distinct(runs)
            for start in range(0, len(once), BATCH):
                self._advance(once[start : start + BATCH], steps)
        return [[_at(run.texts, step) for step in range(steps + 1)] for run in runs]

    def _begin(self, row: Vectors) -> Run:
        import torch

        return Run(torch.from_numpy(row.copy()).to(self._corrector.model.device))

    def _advance(self, runs: list[Run], steps: int) -> None:
        import torch

        with torch.no_grad():
            fresh = [run for run in runs if not run.texts]
            if fresh:
                self._hypothesise(fresh)
            while waiting := [run for run in runs if not run.settled and len(run.texts) <= steps]:
                abandoned.check()
                self._correct(waiting)

    def _hypothesise(self, runs: list[Run]) -> None:
        import torch

        targets = torch.stack([run.target for run in runs])  # (B, D)
        _, ids, _, embeddings = self._corrector._get_hypothesis_uncached({"frozen_embeddings": targets})
        self._note(runs, ids, embeddings)

    def _correct(self, runs: list[Run]) -> None:
        """One correction of each hypothesis, the target, its embedding and their difference in sight."""
        import torch
        from torch.nn.utils.rnn import pad_sequence

        pad = self._corrector.model.encoder_decoder.config.pad_token_id
        ids = pad_sequence([run.ids for run in runs], batch_first=True, padding_value=pad)  # (B, L)
        inputs = {
            "frozen_embeddings": torch.stack([run.target for run in runs]),
            "hypothesis_input_ids": ids,
            "hypothesis_attention_mask": (ids != pad).int(),
            "hypothesis_embedding": torch.stack([run.embedding for run in runs]),
        }
        options = {**self._corrector.gen_kwargs, "min_length": 1, "max_length": self._length}
        ids, embeddings, _ = self._corrector._generate_with_beam(
            inputs=inputs,
            generation_kwargs=options,
            num_recursive_steps=1,
            num_recursive_steps_so_far=0,
            sequence_beam_width=1,
        )
        self._note(runs, ids, embeddings)

    def _note(self, runs: list[Run], ids: Any, embeddings: Any) -> None:
        import torch

        pad = self._corrector.model.encoder_decoder.config.pad_token_id
        texts = self._corrector.tokenizer.batch_decode(ids, skip_special_tokens=True)
        targets = torch.stack([run.target for run in runs])
        cosines = torch.cosine_similarity(embeddings.float(), targets.float(), dim=1).tolist()
        for run, row, embedding, text, cosine in zip(runs, ids, embeddings, texts, cosines, strict=True):
            trimmed = row[: int((row != pad).nonzero().max()) + 1] if bool((row != pad).any()) else row[:1]
            run.settled = run.ids is not None and torch.equal(run.ids, trimmed)
            run.ids, run.embedding = trimmed, embedding
            run.texts.append(Decoded(text.strip(), "vec2text", len(run.texts), float(cosine)))


def _at(texts: list[Decoded], step: int) -> Decoded:
    """The text after `step` corrections; a settled run stays as it is."""
    last = texts[min(step, len(texts) - 1)]
    return Decoded(last.text, last.method, step, last.round_trip_cosine)


def load_vec2text(name: str, encoder: Encoder, norm: float | None = None, self_test: bool = True) -> Vec2TextDecoder:
    """Return the vec2text decoder `name` for vectors of `encoder`.

    Args:
        name: jxm or ielab.
        encoder: whose vectors it will say.
        norm: mean norm of the corpus's vectors, for a space that is not normalised; None measures it on a sentence.
        self_test: send a sentence there and back, and refuse a pair that does not find it again. Off only for
            weights that were never trained.

    Raises:
        SpaceMismatch: if encoder and decoder do not belong together.
        DecoderError: if weights are missing or damaged, or the round trip fails.
        SettingsError: for an unknown name.
    """
    if name not in PAIRS:
        raise SettingsError([f"vec2text decoder is {name!r}; expected one of {', '.join(PAIRS)}."])
    pair = PAIRS[name]
    if encoder.id.partition("@")[0] != pair.encoder:
        raise _mismatch(pair, encoder.id, pair.encoder)
    from lvm_core.decode.vec2text_load import load_corrector
    from lvm_core.encoders import encoder_id

    folders = locate(pair)
    expected = encoder_id(f"{pair.encoder}:{folders[EMBEDDER]}")
    if expected != encoder.id:
        raise _mismatch(pair, encoder.id, expected)
    probes = encoder.encode(PROBES)
    length = 1.0 if encoder.unit_norm else norm or float(np.linalg.norm(probes, axis=1).mean())
    mark = fingerprint([folders[pair.hypothesizer], folders[pair.corrector]])
    decoder = Vec2TextDecoder(pair, load_corrector(pair, folders), encoder.id, length, mark)
    if self_test:
        _round_trip(decoder, encoder, probes)
    return decoder


def _mismatch(pair: Pair, given: str, expected: str) -> SpaceMismatch:
    remedy = f"encode with '{pair.encoder}', or choose the decoder of the encoder you have."
    return SpaceMismatch(f"Decoder 'vec2text-{pair.name}'", given, expected, remedy)


def _round_trip(decoder: Vec2TextDecoder, encoder: Encoder, probes: Vectors) -> None:
    texts = [run[-1].text or "." for run in decoder.decode_all(probes, 1)]
    cosines = (unit_rows(encoder.encode(texts)) * unit_rows(probes)).sum(axis=1)
    if cosines.min() < MIN_ROUND_TRIP:
        raise DecoderError(
            f"The decoder {decoder.id} does not find its way back: {PROBES[0]!r} came back as {texts[0]!r}, cosine"
            f" {cosines.min():.2f}",
            f"at least {MIN_ROUND_TRIP}",
            "Its weights are damaged, of another space, or loaded with another transformers than 4.49.0: fetch"
            " them again, and install that version.",
        )

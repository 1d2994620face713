"""Vectors to text with the best decoder there is; real chunks where there is none, and the reason why."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from lvm_core import opened
from lvm_core.decode.adaptive import Decoding, Ladder, at_step, decode_hypotheses
from lvm_core.decode.cache import DecodeCache
from lvm_core.decode.checks import Checks
from lvm_core.decode.decoders import DECODERS, available_decoders
from lvm_core.decode.smoothing import smooth_text
from lvm_core.encoders.stored import StoredSpace
from lvm_core.errors import DecoderError, LvmError
from lvm_core.predict.corpus import OpenCorpus
from lvm_core.predict.prediction import Note, Prediction
from lvm_core.predict.settings import NO_DECODER, PredictSettings
from lvm_core.types import Decoder, Encoder, Progress, Vectors, no_progress
from lvm_core.vectors.geometry import unit_rows
from lvm_core.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Answerer:
    """What answers one question.

    Attributes:
        decoder: None where only real chunks can be given, or no text at all.
        nearest: real chunks, as the last rung; None without a corpus.
        id: of what answers, "" where no text was asked for.
        notes: what was done instead of what was asked.
        load_ms: what was loaded for it, for the first time.
    """

    decoder: Decoder | None
    nearest: Decoder | None
    id: str
    notes: tuple[Note, ...] = ()
    load_ms: float = 0.0


class Texts:
    """The decoders and the cache of one encoder's space; safe to share between requests."""

    def __init__(self, workspace: Workspace, encoder: Encoder, progress: Progress = no_progress) -> None:
        """Remember the space; decoders load with the first text that is asked for, and tell `progress`."""
        self.cache = DecodeCache(workspace)
        self._workspace, self._encoder, self._progress = workspace, encoder, progress

    def answerer(self, name: str, corpus: OpenCorpus | None, nearest: Decoder | None) -> Answerer:
        """Return what answers where the decoder `name` is asked for: a name of `DECODERS`, auto, or none.

        Raises:
            DecoderError: if a decoder was asked for by name and cannot be loaded.
        """
        begun = time.perf_counter()
        if name == NO_DECODER:
            return Answerer(None, None, "")
        if name == "auto":
            answerer = self._best(corpus, nearest)
        elif name in DECODERS and not DECODERS[name].writes:
            if nearest is None:
                raise DecoderError(
                    f"The {name} decoder needs a corpus, and none is encoded with this encoder yet",
                    "one that is",
                    "Run: python -m lvm_core encode --corpus NAME",
                )
            answerer = Answerer(None, nearest, name)
        else:
            decoder = self._load(name, corpus)
            answerer = Answerer(decoder, nearest, decoder.id)
        return replace(answerer, load_ms=(time.perf_counter() - begun) * 1000)

    def _best(self, corpus: OpenCorpus | None, nearest: Decoder | None) -> Answerer:
        notes = []
        for name in available_decoders(self._workspace, self._encoder.id):
            if not DECODERS[name].writes:
                continue
            try:
                decoder = self._load(name, corpus)
            except LvmError as error:
                notes.append(Note("decoder", f"Decoder '{name}' cannot be used, so another answers: {error}"))
                continue
            return Answerer(decoder, nearest, decoder.id, tuple(notes))
        if nearest is None:
            text = "There is no text: no decoder is here for this encoder, and no corpus to take a chunk from."
            notes.append(Note("decoder", text))
        return Answerer(None, nearest, "extractive", tuple(notes))

    def _load(self, name: str, corpus: OpenCorpus | None) -> Decoder:
        return opened.decoder(
            self._workspace, name, self._encoder, corpus.info.name if corpus else None, self._progress
        )

    def decode(
        self, answerer: Answerer, vectors: Vectors, checks: Checks, settings: PredictSettings, watch: bool = False
    ) -> Iterator[tuple[int, Decoding]]:
        """Yield (row, decoding) for each of the (N, D) vectors as soon as its text is ready.

        Args:
            answerer: what answers.
            vectors: what is to be said.
            checks: what a text must pass.
            settings: steps, cache.
            watch: also yield texts that may still be replaced, the first hypotheses at once.
        """
        cache = self.cache if settings.use_cache else None
        if not answerer.id:
            yield from ((row, Decoding(cached=False, done=True)) for row in range(len(vectors)))
        elif answerer.decoder is not None and settings.steps is not None:
            yield from _exactly(answerer.decoder, vectors, checks, settings.steps, cache)
        else:
            yield from Ladder(checks, answerer.decoder, answerer.nearest, cache).climb(vectors, watch)


def _exactly(
    decoder: Decoder, vectors: Vectors, checks: Checks, steps: int, cache: DecodeCache | None
) -> Iterator[tuple[int, Decoding]]:
    """The text after just so many steps, its checks beside it, whether it passes them or not."""
    begun = time.perf_counter()
    runs = decode_hypotheses(decoder, vectors, steps, cache)
    ms = (time.perf_counter() - begun) * 1000 / len(vectors)
    attempts = checks.attempts([at_step(texts, steps) for texts, _ in runs], ms)
    for row, (attempt, (texts, cached)) in enumerate(zip(attempts, runs, strict=True)):
        batch = 1 if cached else len(vectors)
        yield row, Decoding(attempt.decoded, (attempt,), tuple(texts), ms, batch, cached, done=True)


def smoothed(prediction: Prediction, kind: str) -> Prediction:
    """Return `prediction` with its text rewritten by a language model, or with a note why there is no such text."""
    if kind == "off" or not prediction.text:
        return prediction
    begun = time.perf_counter()
    rewritten = smooth_text(kind, prediction.text, prediction.context.texts)
    ms = (time.perf_counter() - begun) * 1000
    notes = (Note("smoothing", rewritten.note),) if rewritten.note else ()
    timings = prediction.timings
    return replace(
        prediction,
        smoothed=rewritten.text,
        smoothed_by=rewritten.by,
        timings=replace(timings, smooth=ms, waited=timings.waited + ms),
        notes=(*prediction.notes, *notes),
    )


def topic(encoder: Encoder, context: Vectors) -> Callable[[Sequence[str]], Sequence[float]] | None:
    """Return how near texts are to the mean of a context (T, D), by the encoder; None where that is not here."""
    if isinstance(encoder, StoredSpace):
        return None
    mean = unit_rows(context.mean(axis=0))

    def cosines(texts: Sequence[str]) -> list[float]:
        return [float(cosine) for cosine in unit_rows(encoder.encode(list(texts))) @ mean]

    return cosines

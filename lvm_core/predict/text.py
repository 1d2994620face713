"""Vectors to text with the best decoder there is; real chunks where there is none, and the reason why."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from lvm_core import opened
from lvm_core.decode.adaptive import Decoding, Ladder, Saying, Wanted, at_step, decode_hypotheses, everybody
from lvm_core.decode.cache import DecodeCache
from lvm_core.decode.checks import Topic, judge
from lvm_core.decode.decoders import DECODERS, available_decoders
from lvm_core.decode.improve import improve
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


def writes(settings: PredictSettings) -> bool:
    """Return whether texts have to be written, which takes seconds each; real chunks are only looked up."""
    name = settings.decoder
    return settings.smooth != "off" or (name != NO_DECODER and (name not in DECODERS or DECODERS[name].writes))


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

    def decode(self, telling: "Sequence[Telling]", wanted: Wanted = everybody) -> Iterator[tuple[int, Decoding]]:
        """Yield (row, decoding) of each of `telling` as soon as its text is ready.

        What the same decoder answers in the same way is decoded together, quick answers before slow ones.

        Args:
            telling: what is to be said.
            wanted: rows that nobody waits for are left out.
        """
        for way, rows in _ways(telling).items():
            cache = self.cache if way.use_cache else None
            sayings = [telling[row].saying for row in rows]
            if way.decoder is None and not telling[rows[0]].answerer.id:
                decoded: Iterator[tuple[int, Decoding]] = (
                    (i, Decoding(cached=False, done=True)) for i in range(len(rows))
                )
            elif way.decoder is not None and way.steps is not None:
                decoded = _exactly(way.decoder, sayings, way.steps, cache)
            elif way.decoder is not None and way.budget_ms is not None:
                decoded = improve(
                    way.decoder,
                    sayings,
                    way.budget_ms,
                    cache,
                    way.watch,
                    lambda i, rows=rows: wanted(rows[i]),  # type: ignore[misc]
                )
            else:
                ladder = Ladder(way.ladder, way.decoder, cache)
                decoded = ladder.climb(sayings, way.watch, lambda i, rows=rows: wanted(rows[i]))  # type: ignore[misc]
            for i, decoding in decoded:
                yield rows[i], decoding


@dataclass(frozen=True, slots=True)
class Telling:
    """A vector to be said, what answers, and how; `watch` asks for texts that may still be replaced too."""

    saying: Saying
    answerer: Answerer
    settings: PredictSettings
    watch: bool = False


@dataclass(frozen=True)
class _Way:
    """What must be the same of vectors that are decoded together."""

    slow: bool
    decoder: Decoder | None
    answered: bool
    steps: int | None
    budget_ms: int | None
    ladder: tuple[int, ...]
    use_cache: bool
    watch: bool


def _ways(telling: Sequence[Telling]) -> dict[_Way, list[int]]:
    """Return the rows of each way, the quick ones first."""
    ways: dict[_Way, list[int]] = {}
    for row, one in enumerate(telling):
        answerer, settings = one.answerer, one.settings
        writes = answerer.decoder is not None
        way = _Way(
            writes, answerer.decoder, bool(answerer.id), settings.steps if writes else None,
            settings.budget_ms if writes else None, one.saying.checks.settings.ladder, settings.use_cache,
            one.watch,
        )  # fmt: skip
        ways.setdefault(way, []).append(row)
    return dict(sorted(ways.items(), key=lambda pair: pair[0].slow))


def _exactly(
    decoder: Decoder, sayings: Sequence[Saying], steps: int, cache: DecodeCache | None
) -> Iterator[tuple[int, Decoding]]:
    """The text after just so many steps, its checks beside it, whether it passes them or not."""
    begun = time.perf_counter()
    runs = decode_hypotheses(decoder, np.stack([saying.vector for saying in sayings]), steps, cache)
    ms = (time.perf_counter() - begun) * 1000 / len(sayings)
    attempts = judge([saying.checks for saying in sayings], [at_step(texts, steps) for texts, _ in runs], ms)
    for row, (attempt, (texts, cached)) in enumerate(zip(attempts, runs, strict=True)):
        batch = 1 if cached else len(sayings)
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


def topic(encoder: Encoder, context: Vectors) -> Topic | None:
    """Return what texts after a context (T, D) are held against; None where the encoder is not here."""
    if isinstance(encoder, StoredSpace):
        return None
    mean: Vectors = unit_rows(context.mean(axis=0))
    return Topic(encoder.encode, mean)

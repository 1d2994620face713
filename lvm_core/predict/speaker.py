"""Vectors to text with the best decoder there is; real chunks where there is none, and the reason why."""

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lvm_core.decode.adaptive import AdaptiveResult, Fallback, adaptive_decode, at_step, attempt, decode_hypotheses
from lvm_core.decode.cache import DecodeCache
from lvm_core.decode.decoders import available_decoders, load_decoder
from lvm_core.decode.extractive import Extract, nearest_chunks
from lvm_core.decode.smoothing import smooth_text
from lvm_core.errors import DecoderError, LvmError
from lvm_core.predict.settings import PredictSettings
from lvm_core.predict.sources import Ground
from lvm_core.types import Decoded, Decoder, Encoder, Prediction, Progress, Rows, Vectors, no_progress
from lvm_core.workspace import Workspace

EXTRACTIVE = "extractive"


@dataclass(frozen=True, slots=True)
class Voice:
    """What answers a request: a decoder, None for real chunks; `note` says what was done instead of what was asked."""

    decoder: Decoder | None
    id: str
    note: str = ""
    silent: bool = False


class Speaker:
    """Keeps the decoders and the cache of one encoder's space; safe to share between requests."""

    def __init__(self, workspace: Workspace, encoder: Encoder, progress: Progress = no_progress) -> None:
        """Remember the space; decoders load with the first text that is asked for, and tell `progress`."""
        self.cache = DecodeCache(workspace)
        self._workspace, self._encoder, self._progress = workspace, encoder, progress
        self._decoders: dict[str, Decoder] = {}
        self._lock = threading.Lock()

    def voice(self, name: str, ground: Ground | None) -> Voice:
        """Return what answers where the decoder `name` is asked for: a name of `DECODERS`, auto, or none.

        Raises:
            DecoderError: if a decoder was asked for by name and cannot be loaded.
        """
        if name == "none":
            return Voice(None, "", silent=True)
        if name == "auto":
            return self._best_voice(ground)
        if name != EXTRACTIVE:
            decoder = self._load(name, ground)
            return Voice(decoder, decoder.id)
        if ground is None:
            raise DecoderError("The extractive decoder needs a corpus, and none is encoded with this encoder yet.")
        return Voice(None, EXTRACTIVE)

    def _best_voice(self, ground: Ground | None) -> Voice:
        notes = []
        for name in available_decoders(self._workspace, self._encoder.id):
            if name == EXTRACTIVE:
                continue
            try:
                decoder = self._load(name, ground)
            except LvmError as error:
                notes.append(f"Decoder '{name}' cannot be used, so another answers: {error}")
                continue
            return Voice(decoder, decoder.id, " ".join(notes))
        if ground is None:
            notes.append("There is no text: no decoder is here for this encoder, and no corpus to take a chunk from.")
        return Voice(None, EXTRACTIVE, " ".join(notes))

    def _load(self, name: str, ground: Ground | None) -> Decoder:
        with self._lock:
            if name not in self._decoders:
                corpus = ground.info.name if ground else None
                self._decoders[name] = load_decoder(
                    self._workspace, name, self._encoder, corpus, progress=self._progress
                )
            return self._decoders[name]

    def say(
        self,
        voice: Voice,
        vectors: Vectors,
        context: Sequence[str],
        settings: PredictSettings,
        ground: Ground | None,
        exclude: Rows,
    ) -> Iterator[tuple[int, AdaptiveResult]]:
        """Yield (place, result) for each of the (N, D) vectors as soon as its text is ready.

        Args:
            voice: what answers.
            vectors: what is to be said.
            context: the chunks before, the same for all.
            settings: steps and checks.
            ground: the corpus that real chunks come from, if there is one.
            exclude: rows that must not be answers.
        """
        if voice.silent:
            for place in range(len(vectors)):
                yield place, AdaptiveResult(Decoded("", "none", 0, 0.0), [])
            return
        cache = self.cache if settings.use_cache else None
        if voice.decoder is not None and settings.steps is not None:
            yield from self._exactly(vectors, context, settings, voice.decoder, cache)
            return
        fallback = _real_chunks(vectors, context, ground, exclude)
        contexts = [context] * len(vectors)
        yield from adaptive_decode(vectors, contexts, voice.decoder, fallback, settings.adaptive, cache)

    @staticmethod
    def _exactly(
        vectors: Vectors,
        context: Sequence[str],
        settings: PredictSettings,
        decoder: Decoder,
        cache: DecodeCache | None,
    ) -> Iterator[tuple[int, AdaptiveResult]]:
        """The text after just so many steps, its checks beside it, whether it passes them or not."""
        begun = time.perf_counter()
        steps = settings.steps or 0
        runs = decode_hypotheses(decoder, vectors, steps, cache)
        ms = (time.perf_counter() - begun) * 1000
        for place, (texts, cached) in enumerate(runs):
            text = at_step(texts, steps)
            yield place, AdaptiveResult(text, [attempt(text, context, settings.adaptive, ms)], texts, ms, cached)

    @staticmethod
    def smooth(prediction: Prediction, context: Sequence[str], settings: PredictSettings) -> None:
        """Add the smoothed text and its time to `prediction`, or a note why there is none."""
        if settings.smooth == "off" or not prediction.text:
            return
        begun = time.perf_counter()
        smoothed = smooth_text(settings.smooth, prediction.text, context)
        prediction.details["smoothed"] = smoothed.text
        prediction.details["smoothed_by"] = smoothed.by
        prediction.timings_ms["smooth"] = (time.perf_counter() - begun) * 1000
        prediction.timings_ms["total"] += prediction.timings_ms["smooth"]
        prediction.note = " ".join(note for note in (prediction.note, smoothed.note) if note)


def _real_chunks(vectors: Vectors, context: Sequence[str], ground: Ground | None, exclude: Rows) -> Fallback:
    """Return the nearest real chunk by place; one search answers for all, when the first is asked for."""
    found: list[Extract | None] = []

    def fallback(place: int) -> Decoded | None:
        if ground is None:
            return None
        if not found:
            found.extend(nearest_chunks(vectors, ground.index, ground.chunks, exclude, context))
        extract = found[place]
        return None if extract is None else Decoded(extract.chunk.text, EXTRACTIVE, 0, extract.cosine)

    return fallback

"""From chunks of text to what each model says comes next, every intermediate vector, neighbour and timing kept."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from lvm_core.decode.adaptive import Decoding
from lvm_core.decode.checks import Checks
from lvm_core.errors import SettingsError, SpaceMismatch
from lvm_core.predict.context import Question, read_context, rows_kept_out
from lvm_core.predict.corpus import OpenCorpus, Snapped, open_corpus
from lvm_core.predict.language import unknown_note
from lvm_core.predict.model import PredictingModel, load_predicting_model
from lvm_core.predict.prediction import PASSTHROUGH, Context, Note, Prediction, Timings
from lvm_core.predict.settings import PredictSettings
from lvm_core.predict.text import Answerer, Texts, smoothed, topic
from lvm_core.types import Encoder, Progress, Rows, no_progress
from lvm_core.workspace import Workspace


@dataclass(slots=True)
class Outlook:
    """One question, as far as all models share it, and the clock that started with it."""

    context: Context
    corpus: OpenCorpus | None
    exclude: Rows
    notes: tuple[Note, ...]
    begun: float
    encode_ms: float
    load_ms: float = 0.0

    def waited(self) -> float:
        """Return the milliseconds since the question."""
        return _ms(self.begun)


class Predictor:
    """One encoder, one corpus and the models of its space; keeps what it has loaded, so later requests are quick."""

    def __init__(
        self,
        workspace: Workspace,
        encoder_id: str | None = None,
        corpus: str | None = None,
        encoder: Encoder | None = None,
        progress: Progress = no_progress,
        texts: Texts | None = None,
    ) -> None:
        """Name what to predict with; nothing is loaded yet.

        Args:
            workspace: where models, corpora and texts lie.
            encoder_id: the space; None takes the embedded default's.
            corpus: what the snap stands on; None takes the largest corpus of that space, if there is one.
            encoder: a loaded encoder of that space, where the caller has one.
            progress: told while a decoder loads for the first time, where that takes seconds.
            texts: the decoders of that space, where the caller has some loaded.

        Raises:
            SpaceMismatch: if `encoder` is of another space than `encoder_id`.
        """
        if encoder is not None and encoder_id not in (None, encoder.id):
            raise SpaceMismatch("The encoder", str(encoder_id), encoder.id, "give the encoder of that id.")
        self.workspace = workspace
        self._corpus_name = corpus
        self._why_no_corpus = ""
        self._encoder = encoder
        self._encoder_id = encoder_id
        self._corpus: OpenCorpus | None = None
        self._models: dict[str, PredictingModel] = {}
        self._texts = texts
        self._progress = progress

    @property
    def encoder(self) -> Encoder:
        """The encoder, loaded at first use."""
        if self._encoder is None:
            from lvm_core.encoders import DEFAULT_ENCODER, load_encoder
            from lvm_core.spaces import encoder_of_space

            space = self._encoder_id
            self._encoder = encoder_of_space(self.workspace, space) if space else load_encoder(DEFAULT_ENCODER)
        return self._encoder

    @property
    def corpus(self) -> OpenCorpus | None:
        """The corpus, looked for again while there is none (it may be being read) and when it has changed."""
        if self._corpus is None or not self._corpus.is_current():
            self._corpus, self._why_no_corpus = open_corpus(self.workspace, self.encoder.id, self._corpus_name)
        return self._corpus

    @property
    def texts(self) -> Texts:
        """What turns vectors into text."""
        if self._texts is None:
            self._texts = Texts(self.workspace, self.encoder, self._progress)
        return self._texts

    def default_models(self) -> list[str]:
        """Return every shipped model of the encoder, or two baselines where none is shipped."""
        from lvm_core.shipped import shipped_models

        return shipped_models(self.workspace, self.encoder.id)

    def load(self, models: Sequence[str], settings: PredictSettings) -> None:
        """Load what every question with these `models` and `settings` needs, so that none fails for want of it.

        Raises:
            ModelError: if a model is unknown.
            SpaceMismatch: if a model was trained with another encoder.
            SettingsError: for settings out of bounds, or without a model.
            DecoderError: if a decoder was asked for by name and cannot be loaded.
        """
        checked = settings.checked()
        if not models:
            raise SettingsError(
                ["No model was chosen; expected one or more. Name one, such as 'amn' or 'context-mean'."]
            )
        self._load_models(models)
        corpus = self.corpus
        nearest = corpus.decoder(np.zeros(0, np.int64), ()) if corpus else None
        self.texts.answerer(checked.decoder, corpus, nearest)

    def predict(
        self,
        context: Sequence[str],
        models: Sequence[str],
        settings: PredictSettings | None = None,
        target_row: int | None = None,
        context_rows: Sequence[int] | None = None,
        exclude: Rows | None = None,
        target_text: str = "",
    ) -> Iterator[Prediction]:
        """Yield what each of `models` predicts, each as soon as it is final; see `watch`."""
        question = Question(context, context_rows, target_row, target_text, exclude)
        return (prediction for prediction in self.watch(question, models, settings, False) if prediction.done)

    def watch(
        self,
        question: Question,
        models: Sequence[str],
        settings: PredictSettings | None = None,
        unfinished: bool = True,
    ) -> Iterator[Prediction]:
        """Yield what each of `models` predicts, raw, snapped or both; every model runs once.

        Args:
            question: the context, and what is known of the chunk after it.
            models: refs, baselines by name, or "passthrough".
            settings: snap, decoder, steps, checks.
            unfinished: also yield predictions without a final text: at first all vectors and neighbours, then each
                text as it gets better.

        Raises:
            EncoderError: if the context holds no text.
            CorpusError: if rows are given but not in the corpus.
            ModelError: if a model is unknown.
            SpaceMismatch: if a model was trained with another encoder.
            SettingsError: for settings out of bounds.
        """
        checked = (settings or PredictSettings()).checked()
        if not models:
            raise SettingsError(
                ["No model was chosen; expected one or more. Name one, such as 'amn' or 'context-mean'."]
            )
        outlook = self._open(question, list(dict.fromkeys(models)), checked)
        predictions = self._forecast(outlook, list(dict.fromkeys(models)), checked)
        return self._put_into_words(predictions, outlook, checked, unfinished)

    def _load_models(self, models: Sequence[str]) -> None:
        for ref in models:
            if ref not in self._models:
                self._models[ref] = load_predicting_model(self.workspace, ref, self.encoder)

    def _open(self, question: Question, models: list[str], settings: PredictSettings) -> Outlook:
        begun = time.perf_counter()
        encoder = self.encoder
        self._load_models(models)
        load_ms = _ms(begun)
        encoding = time.perf_counter()
        corpus = self.corpus
        context = read_context(question, encoder, corpus, self._why_no_corpus)
        exclude = context.rows
        notes = context.notes
        unknown = unknown_note(context.texts, encoder.id)
        if unknown:
            notes = (*notes, Note("language", unknown))
        if corpus is None:
            notes = (*notes, Note("corpus", self._why_no_corpus))
        else:
            exclude = rows_kept_out(context, settings.exclude, question.exclude, corpus)
        return Outlook(context, corpus, exclude, notes, begun, _ms(encoding), load_ms)

    def _forecast(self, outlook: Outlook, models: list[str], settings: PredictSettings) -> list[Prediction]:
        """Return the raw and snapped predictions that were asked for, without text; one search serves all models."""
        raws, queries, notes, recalled, spent = [], [], [], [], []
        for ref in models:
            begun = time.perf_counter()
            forecast, note = self._models[ref].predict(outlook.context.vectors)
            raws.append(forecast.vectors)
            queries.append(forecast.queries)
            notes.append((*outlook.notes, *note))
            recalled.append(self._models[ref].remembered(self.workspace, outlook.context.vectors))
            spent.append(_ms(begun))
        begun = time.perf_counter()
        if outlook.corpus is None:
            snapped = [Snapped(raw, False, (), ()) for raw in raws]
        else:
            snapped = outlook.corpus.snap(
                np.stack(raws), np.stack(queries), outlook.context, outlook.exclude, settings.snapping
            )
        snap_ms = _ms(begun) if outlook.corpus else 0.0
        predictions = []
        for ref, raw, note, places, predict_ms, pulled in zip(
            models, raws, notes, recalled, spent, snapped, strict=True
        ):
            timings = Timings(outlook.encode_ms, predict_ms, snap_ms, load=outlook.load_ms, waited=outlook.waited())
            name = outlook.corpus.info.name if outlook.corpus else None
            kind = self._models[ref].kind
            for on in _variants(settings, kind, outlook.corpus):
                vector = pulled.vector if on else raw
                near = pulled.neighbours if on else pulled.searched
                predictions.append(
                    Prediction(ref, kind, outlook.context, raw, vector, on, on and pulled.drift_clamped, near,
                               Decoding(), timings, name, notes=note, remembered=places)
                )  # fmt: skip
        return predictions

    def _put_into_words(
        self, predictions: list[Prediction], outlook: Outlook, settings: PredictSettings, unfinished: bool
    ) -> Iterator[Prediction]:
        if unfinished:
            yield from predictions
        corpus, context = outlook.corpus, outlook.context
        nearest = corpus.decoder(outlook.exclude, context.texts) if corpus else None
        answerer = self.texts.answerer(settings.decoder, corpus, nearest)
        limits = settings.adaptive
        if answerer.decoder is not None and any(note.about == "language" for note in outlook.notes):
            answerer = replace(answerer, nearest=None)
            limits = replace(limits, ladder=limits.ladder[:1])
        checks = Checks(limits, context.texts, topic(self.encoder, context.vectors))
        vectors = np.stack([prediction.vector for prediction in predictions])
        for row, decoding in self.texts.decode(answerer, vectors, checks, settings, unfinished):
            prediction = with_text(predictions[row], decoding, answerer, outlook.waited())
            yield smoothed(prediction, settings.smooth) if decoding.done else prediction


def _variants(settings: PredictSettings, kind: str, corpus: OpenCorpus | None) -> tuple[bool, ...]:
    """Return whether to show a model's prediction raw (False), snapped (True) or both; passthrough is never pulled."""
    if corpus is None or kind == PASSTHROUGH:
        return (False,)
    return {"off": (False,), "on": (True,), "both": (False, True)}[settings.snap]


def with_text(prediction: Prediction, decoding: Decoding, answerer: Answerer, waited: float) -> Prediction:
    """Return `prediction` with its text."""
    timings = replace(
        prediction.timings,
        decode=decoding.ms,
        batch=decoding.batch,
        cached=decoding.cached and bool(decoding.decoded.text),
        load=prediction.timings.load + answerer.load_ms,
        waited=waited,
    )
    notes = (*prediction.notes, *answerer.notes)
    return replace(prediction, decoding=decoding, timings=timings, decoder=answerer.id, notes=notes)


def _ms(begun: float) -> float:
    return (time.perf_counter() - begun) * 1000

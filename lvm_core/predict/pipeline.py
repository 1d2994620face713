"""From chunks of text to what each model says comes next, every intermediate vector, neighbour and timing kept."""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain

import numpy as np

from lvm_core.corpus.tmd.codes import told_vector
from lvm_core.decode.adaptive import Decoding, Saying, Wanted, everybody
from lvm_core.decode.checks import Checks
from lvm_core.errors import SpaceMismatch
from lvm_core.predict.context import Question, read_contexts, rows_kept_out
from lvm_core.predict.corpus import OpenCorpus, Pull, Snapped, open_corpus
from lvm_core.predict.language import unknown_note
from lvm_core.predict.model import PredictingModel, load_predicting_model
from lvm_core.predict.prediction import PASSTHROUGH, Note, Prediction, Timings
from lvm_core.predict.settings import PredictSettings
from lvm_core.predict.stages import Ask, Forecasted, Foreseen, Outlook, check_ask, elapsed_ms
from lvm_core.predict.text import Answerer, Telling, Texts, smoothed, topic
from lvm_core.types import Encoder, Progress, Rows, no_progress
from lvm_core.workspace import Workspace


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

    def load(self, models: Sequence[str], settings: PredictSettings) -> None:
        """Load what every question with these `models` and `settings` needs, so that none fails for want of it.

        Raises:
            ModelError: if a model is unknown.
            SpaceMismatch: if a model was trained with another encoder.
            SettingsError: for settings out of bounds, or without a model.
            DecoderError: if a decoder was asked for by name and cannot be loaded.
        """
        self._load_models(check_ask(models, settings))
        corpus = self.corpus
        nearest = corpus.decoder(np.zeros(0, np.int64), ()) if corpus else None
        self.texts.answerer(settings.decoder, corpus, nearest)

    def default_models(self) -> list[str]:
        """Return every shipped model of the encoder, or two baselines where none is shipped."""
        from lvm_core.shipped import shipped_models

        return shipped_models(self.workspace, self.encoder.id)

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
        (foreseen,) = self.foresee([Ask(question, models, settings or PredictSettings(), unfinished)])
        return chain(
            foreseen.predictions if unfinished else (), (prediction for _, prediction in self.tell([foreseen]))
        )

    def foresee(self, asks: Sequence[Ask]) -> list[Foreseen]:
        """Return what each of `asks` comes to before it is put into words.

        All texts are encoded in one call, contexts of one length go through a net together, and one search serves all.

        Raises:
            LvmError: as `watch`, of the first that cannot be answered; none is, then.
        """
        for ask in asks:
            check_ask(ask.models, ask.settings)
        outlooks = self._open(asks)
        forecasts = self._forecast(asks, outlooks)
        begun = time.perf_counter()
        snapped = self._snap(asks, outlooks, forecasts)
        snap_ms = elapsed_ms(begun) if self._corpus else 0.0
        together = zip(asks, outlooks, forecasts, snapped, strict=True)
        return [Foreseen(ask, outlook, self._predictions(ask, outlook, own, near, snap_ms))
                for ask, outlook, own, near in together]  # fmt: skip

    def tell(self, foreseen: Sequence[Foreseen], wanted: Wanted = everybody) -> Iterator[tuple[int, Prediction]]:
        """Yield (which of `foreseen`, one of its predictions with a text), each as soon as it is ready.

        Args:
            foreseen: what is put into words, together where one decoder writes it.
            wanted: of which of them somebody still waits for the texts.
        """
        telling, origin = [], []
        for number, one in enumerate(foreseen):
            for prediction, saying in zip(one.predictions, self._tellings(one), strict=True):
                telling.append(saying)
                origin.append((number, prediction))
        for row, decoding in self.texts.decode(telling, lambda row: wanted(origin[row][0])):
            number, prediction = origin[row]
            one = foreseen[number]
            told = with_text(prediction, decoding, telling[row].answerer, one.outlook.waited())
            yield number, smoothed(told, one.ask.settings.smooth) if decoding.done else told

    def _load_models(self, models: Iterable[str]) -> None:
        for ref in models:
            if ref not in self._models or not self._models[ref].is_current():
                self._models[ref] = load_predicting_model(self.workspace, ref, self.encoder)

    def _open(self, asks: Sequence[Ask]) -> list[Outlook]:
        begun = time.perf_counter()
        encoder = self.encoder
        self._load_models(dict.fromkeys(ref for ask in asks for ref in ask.refs))
        load_ms = elapsed_ms(begun)
        encoding = time.perf_counter()
        corpus = self.corpus
        contexts = read_contexts([ask.question for ask in asks], encoder, corpus, self._why_no_corpus)
        encode_ms = elapsed_ms(encoding)
        outlooks = []
        for ask, context in zip(asks, contexts, strict=True):
            exclude, notes = context.rows, context.notes
            unknown = unknown_note(context.texts, encoder.id)
            if unknown:
                notes = (*notes, Note("language", unknown))
            if corpus is None:
                notes = (*notes, Note("corpus", self._why_no_corpus))
            else:
                exclude = rows_kept_out(context, ask.settings.exclude, ask.question.exclude, corpus)
            outlooks.append(Outlook(context, corpus, exclude, notes, begun, encode_ms, load_ms))
        return outlooks

    def _forecast(self, asks: Sequence[Ask], outlooks: Sequence[Outlook]) -> list[dict[str, Forecasted]]:
        """Return what each model says after each context, by its ref."""
        found: list[dict[str, Forecasted]] = [{} for _ in asks]
        for ref in dict.fromkeys(ref for ask in asks for ref in ask.refs):
            members = [i for i, ask in enumerate(asks) if ref in ask.refs]
            begun = time.perf_counter()
            said = self._models[ref].predict(
                [outlooks[i].context.vectors for i in members], [told_vector(asks[i].settings.tmd) for i in members]
            )
            ms = elapsed_ms(begun)
            for i, (forecast, notes) in zip(members, said, strict=True):
                places = self._models[ref].remembered(self.workspace, forecast)
                found[i][ref] = Forecasted(self._models[ref].kind, forecast, notes, places, ms)
        return found

    def _snap(
        self, asks: Sequence[Ask], outlooks: Sequence[Outlook], forecasts: Sequence[dict[str, Forecasted]]
    ) -> list[list[Snapped]]:
        """Return the predictions of each ask pulled onto the corpus; one search serves all models of all asks."""
        corpus = outlooks[0].corpus
        if corpus is None:
            return [[Snapped(one.forecast.vectors, False, (), ()) for one in own.values()] for own in forecasts]
        return corpus.snap([
            Pull(
                np.stack([one.forecast.vectors for one in own.values()]),
                np.stack([one.forecast.queries for one in own.values()]),
                outlook.context, outlook.exclude, ask.settings.snapping,
            )
            for ask, outlook, own in zip(asks, outlooks, forecasts, strict=True)
        ])  # fmt: skip

    def _predictions(
        self, ask: Ask, outlook: Outlook, forecasts: dict[str, Forecasted], snapped: Sequence[Snapped], snap_ms: float
    ) -> list[Prediction]:
        """Return the raw and snapped predictions that were asked for, without text."""
        predictions = []
        name = outlook.corpus.info.name if outlook.corpus else None
        for (ref, said), pulled in zip(forecasts.items(), snapped, strict=True):
            timings = Timings(outlook.encode_ms, said.ms, snap_ms, load=outlook.load_ms, waited=outlook.waited())
            raw = said.forecast.vectors
            for on in _variants(ask.settings, said.kind, outlook.corpus):
                vector = pulled.vector if on else raw
                near = pulled.neighbours if on else pulled.searched
                predictions.append(
                    Prediction(ref, said.kind, outlook.context, raw, vector, on, on and pulled.drift_clamped, near,
                               Decoding(), timings, name, notes=(*outlook.notes, *said.notes),
                               remembered=said.remembered)
                )  # fmt: skip
        return predictions

    def _tellings(self, one: Foreseen) -> list[Telling]:
        outlook, settings = one.outlook, one.ask.settings
        corpus, context = outlook.corpus, outlook.context
        nearest = corpus.decoder(outlook.exclude, context.texts) if corpus else None
        answerer = self.texts.answerer(settings.decoder, corpus, nearest)
        limits = settings.adaptive
        if answerer.decoder is not None and any(note.about == "language" for note in outlook.notes):
            answerer = replace(answerer, nearest=None)
            limits = replace(limits, ladder=limits.ladder[:1])
        checks = Checks(limits, context.texts, topic(self.encoder, context.vectors))
        return [
            Telling(Saying(p.vector, checks, answerer.nearest), answerer, settings, one.ask.unfinished)
            for p in one.predictions
        ]


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

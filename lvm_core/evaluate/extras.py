"""What is measured where asked for: the snap, the drift, the decoded text, ten windows in full."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from lvm_core.checkpoint import LoadedModel, ModelInfo
from lvm_core.corpus.store import CorpusStore
from lvm_core.evaluate import measures
from lvm_core.evaluate.candidates import EncodedCorpus
from lvm_core.evaluate.rows import Ends, Example, flat
from lvm_core.evaluate.said import Texts
from lvm_core.evaluate.settings import EvaluateSettings
from lvm_core.evaluate.testset import FIRST_POSITION, TestSet
from lvm_core.json_shapes import Json
from lvm_core.metrics import text
from lvm_core.predict import Prediction, Predictor
from lvm_core.types import Decoder, Encoder, Index, Rows, Vectors
from lvm_core.vectors.geometry import unit_rows

DRIFT_WINDOWS = 128
"""Rollouts whose drift is averaged, spread evenly over the windows that have enough text after them."""


def evenly(places: Rows, n: int) -> Rows:
    """Return at most `n` of `places`, spread evenly and always the same."""
    if len(places) <= n:
        return places
    return places[np.linspace(0, len(places) - 1, n).round().astype(np.int64)]


@dataclass(frozen=True, slots=True)
class Decodings:
    """The means over `n` decoded predictions of every measure of texts, with their intervals."""

    decoder: str
    n: int
    values: dict[str, float | None]
    intervals: dict[str, Ends]


class Extras:
    """Opens the index, the encoder and the decoder when they are first asked for, once for all models."""

    def __init__(self, encoded: EncodedCorpus, test: TestSet, settings: EvaluateSettings) -> None:
        self.encoded, self.test, self.settings = encoded, test, settings
        self._store = CorpusStore(encoded.workspace)

    @cached_property
    def index(self) -> Index:
        from lvm_core.vectors.index import open_index

        return open_index(self.encoded.workspace, self.encoded.corpus.name, self.encoded.encoder_id)

    @cached_property
    def encoder(self) -> Encoder:
        from lvm_core.encoders import encoder_for

        return encoder_for(self.encoded.encoder_id)

    @cached_property
    def decoder_name(self) -> str:
        from lvm_core.decode.decoders import available_decoders

        if self.settings.decoder != "auto":
            return self.settings.decoder
        return available_decoders(self.encoded.workspace, self.encoded.encoder_id)[0]

    @cached_property
    def decoder(self) -> Decoder:
        from lvm_core.decode.decoders import load_decoder

        articles = [self._rows_of_article(line) for line in self._decoded_lines.tolist()]
        return load_decoder(
            self.encoded.workspace, self.decoder_name, self.encoder, self.encoded.corpus.name, exclude=articles
        )

    @cached_property
    def _decoded_lines(self) -> Rows:
        return evenly(np.arange(self.test.n_windows), self.settings.decode)

    # ------------------------------------------------------------ snap

    def _rows_of_article(self, line: int) -> Rows:
        return self.test.documents[int(self.test.article[line])].rows

    def snapped(self, context: int, predictions: Vectors) -> Json | None:
        """Return the measures of the predictions after the seeds' full snap, no neighbour of the article under test.

        None where they were not asked for.
        """
        if not self.settings.snap:
            return None
        from lvm_core.snap import SEEDS, snap_batch

        windows = self.test.windows(context)
        vectors = np.empty_like(predictions)
        clamped = 0
        for number in np.unique(self.test.article):
            lines = np.flatnonzero(self.test.article == number)
            contexts = [self.test.vectors[windows.contexts[i, : windows.lengths[i]]] for i in lines]
            excluded = self._rows_of_article(int(lines[0]))
            results = snap_batch(predictions[lines], contexts, self.index, self.encoded.matrix.rows, excluded, SEEDS)
            vectors[lines] = np.stack([result.vector for result in results])
            clamped += sum(result.drift_clamped for result in results)
        sums = measures.sums_by_article(measures.window_measures(vectors, self.test), self.test)
        gain = measures.gain(sums["cosine"], measures.cosine_sums(predictions, self.test))
        return {
            **flat(*measures.means(sums)),
            "drift_clamped": clamped / self.test.n_windows,
            "vs_raw": {"cosine": gain.cosine, "ci": gain.ci},
        }

    # ------------------------------------------------------------ drift

    def drift(self, loaded: LoadedModel, context: int) -> Json | None:
        """Return the mean cosines of each step of rollouts from real contexts.

        None where they were not asked for, or no article is long enough.
        """
        if not self.settings.drift:
            return None
        from lvm_core.rollout import drift, rollout

        steps = self.settings.drift
        sizes = np.array([d.n_chunks for d in self.test.documents])[self.test.article]
        length = min(context, int(self.test.position.max()))
        places = np.flatnonzero((self.test.position >= length) & (self.test.position + steps <= sizes))
        if not len(places):
            return None
        lines = evenly(places, DRIFT_WINDOWS)
        contexts = self.test.vectors[self.test.windows(length).contexts[lines]]
        truth = self.test.vectors[self.test.targets[lines][:, None] + np.arange(steps)]
        drifts = drift(rollout(loaded.model, contexts, steps, max_context=context), contexts, truth)
        curves = {name: np.nanmean(getattr(drifts, name), axis=0) for name in ("to_truth", "to_start", "to_previous")}
        return {"steps": steps, "n_rollouts": len(lines), **{k: [float(x) for x in v] for k, v in curves.items()}}

    # ------------------------------------------------------------ text

    def decoded(self, predictions: Vectors) -> Decodings | None:
        """Return the measures of the decoded predictions; None where they were not asked for."""
        if not self.settings.decode:
            return None
        lines = self._decoded_lines
        texts = [run[-1].text for run in self.decoder.decode_all(predictions[lines], self.settings.steps)]
        truths = [chunk.text for chunk in self._store.chunks(self.encoded.corpus.name, self._rows(lines))]
        again = unit_rows(self.encoder.encode([one or " " for one in texts]))
        answers = Texts(texts, truths, again, predictions[lines], self.test.truths[lines])
        values, intervals = measures.means(measures.text_sums(answers, self.test.article[lines]))
        return Decodings(self.decoder_name, len(lines), values, intervals)

    def _rows(self, lines: Rows) -> Rows:
        rows: Rows = self.test.corpus_rows[self.test.targets[lines]]
        return rows

    # ------------------------------------------------------------ windows in full

    @cached_property
    def _predictor(self) -> Predictor:
        return Predictor(self.encoded.workspace, self.encoded.encoder_id, self.encoded.corpus.name, self.encoder)

    def examples(self, info: ModelInfo, context: int) -> list[Example]:
        """Return windows spread evenly over the test, each with context, target, predicted text, scores and timings."""
        from lvm_core.predict.settings import PredictSettings

        settings = PredictSettings(decoder=self.settings.decoder)
        examples = []
        for line in evenly(np.arange(self.test.n_windows), self.settings.examples).tolist():
            row = int(self._rows(np.array([line]))[0])
            length = min(context, int(self.test.position[line]))
            rows = list(range(row - length, row))
            (prediction,) = self._predictor.predict([], [info.ref], settings, target_row=row, context_rows=rows)
            examples.append(_example(prediction, line))
        return examples


def _example(prediction: Prediction, line: int) -> Example:
    target, context = prediction.context.target, list(prediction.context.texts)
    assert target is not None  # every window of a test has its chunk
    cosine = prediction.raw_cosine_to_target
    assert cosine is not None
    return Example(
        window=line,
        article=target.article,
        position=target.position,
        context=context[-FIRST_POSITION:],
        n_context=len(context),
        target=target.text,
        text=prediction.text,
        method=prediction.method,
        steps=prediction.steps,
        cosine=cosine,
        snapped_cosine=prediction.cosine_to_target if prediction.snap_on else None,
        round_trip_cosine=prediction.round_trip_cosine,
        scores=text.text_scores([prediction.text], [target.text])[0],
        timings_ms={name: round(ms, 2) for name, ms in prediction.timings.stages().items()},
    )

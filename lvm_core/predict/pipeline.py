"""From chunks of text to what each model says comes next, every intermediate vector, neighbour and timing kept."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from lvm_core.decode.adaptive import AdaptiveResult
from lvm_core.decode.extractive import same_text
from lvm_core.errors import SettingsError, SpaceMismatch
from lvm_core.predict.scene import Scene, need_ground, scene_of_rows, scene_of_text
from lvm_core.predict.settings import PASSTHROUGH, PredictSettings
from lvm_core.predict.sources import Forecaster, Ground, load_forecaster, open_ground
from lvm_core.predict.speaker import Speaker, Voice
from lvm_core.snap import search_excluding, snap_onto
from lvm_core.types import Encoder, Hit, Neighbour, Prediction, Progress, Rows, SnapResult, Vectors, no_progress
from lvm_core.vectors.geometry import unit_rows
from lvm_core.workspace import Workspace


@dataclass(slots=True)
class Outcome:
    """What one model said, before it became text."""

    model: Forecaster
    raw: Vectors
    snapped: Vectors
    snap: SnapResult | None
    neighbours: list[Neighbour]
    note: str
    predict_ms: float


class Predictor:
    """One encoder, one corpus and the models of its space; keeps what it has loaded, so later requests are quick."""

    def __init__(
        self,
        workspace: Workspace,
        encoder_id: str | None = None,
        corpus: str | None = None,
        encoder: Encoder | None = None,
        progress: Progress = no_progress,
    ) -> None:
        """Name what to predict with; nothing is loaded yet.

        Args:
            workspace: where models, corpora and texts lie.
            encoder_id: the space; None takes the embedded default's.
            corpus: what the snap stands on; None takes the largest corpus of that space, if there is one.
            encoder: a loaded encoder of that space, where the caller has one.
            progress: told while a decoder loads for the first time, where that takes seconds.

        Raises:
            SpaceMismatch: if `encoder` is of another space than `encoder_id`.
        """
        if encoder is not None and encoder_id not in (None, encoder.id):
            raise SpaceMismatch("The encoder", str(encoder_id), encoder.id, "give the encoder of that id.")
        self.workspace = workspace
        self.corpus = corpus
        self.ground_note = ""
        self._encoder = encoder
        self._encoder_id = encoder_id
        self._ground: Ground | None = None
        self._forecasters: dict[str, Forecaster] = {}
        self._speaker: Speaker | None = None
        self._progress = progress

    @property
    def encoder(self) -> Encoder:
        """The encoder, loaded at first use."""
        if self._encoder is None:
            from lvm_core.encoders import DEFAULT_ENCODER, encoder_for, load_encoder

            self._encoder = encoder_for(self._encoder_id) if self._encoder_id else load_encoder(DEFAULT_ENCODER)
        return self._encoder

    @property
    def ground(self) -> Ground | None:
        """The corpus, looked for again while there is none (it may be being read) and when it has changed."""
        if self._ground is None or not self._ground.is_current():
            self._ground, self.ground_note = open_ground(self.workspace, self.encoder.id, self.corpus)
        return self._ground

    @property
    def speaker(self) -> Speaker:
        """What turns vectors into text."""
        if self._speaker is None:
            self._speaker = Speaker(self.workspace, self.encoder, self._progress)
        return self._speaker

    def default_models(self) -> list[str]:
        """Return every shipped model of the encoder, or two baselines where none is shipped."""
        from lvm_core.checkpoint import list_models

        shipped = [info.ref for info in list_models(self.workspace, self.encoder.id) if info.shipped]
        return shipped or ["context-mean", "copy-last"]

    def predict(
        self,
        context: Sequence[str],
        models: Sequence[str],
        settings: PredictSettings | None = None,
        target_row: int | None = None,
        context_rows: Sequence[int] | None = None,
        exclude: Rows | None = None,
    ) -> Iterator[Prediction]:
        """Yield what each of `models` predicts, each as soon as it is ready.

        Args:
            context: the chunks, oldest first; may be empty where `context_rows` says which they are.
            models: refs, baselines by name, or "passthrough".
            settings: snap, decoder, steps, checks.
            target_row: row of the true next chunk, where it is known.
            context_rows: rows of the context, where it comes from the corpus.
            exclude: further rows that must not be neighbours or answers; in an evaluation the whole article.

        Raises:
            EncoderError: if the context holds no text.
            CorpusError: if rows are given but not in the corpus.
            ModelError: if a model is unknown.
            SpaceMismatch: if a model was trained with another encoder.
            SettingsError: for settings out of bounds.
        """
        chosen = (settings or PredictSettings()).checked()
        if not models:
            raise SettingsError(["No model was chosen; name one or more, such as 'amn' or 'context-mean'."])
        forecasters = [self._forecaster(ref) for ref in dict.fromkeys(models)]
        scene = self._scene(context, chosen, target_row, context_rows, exclude)
        return self._say(self._outcomes(forecasters, scene, chosen), scene, chosen)

    def _forecaster(self, ref: str) -> Forecaster:
        if ref not in self._forecasters:
            self._forecasters[ref] = load_forecaster(self.workspace, ref, self.encoder.id, self.encoder.dim)
        return self._forecasters[ref]

    def _scene(
        self,
        context: Sequence[str],
        settings: PredictSettings,
        target_row: int | None,
        context_rows: Sequence[int] | None,
        exclude: Rows | None,
    ) -> Scene:
        begun = time.perf_counter()
        ground = self.ground
        if context_rows is None:
            scene = scene_of_text(context, self.encoder)
        else:
            scene = scene_of_rows(context_rows, need_ground(ground, self.ground_note))
        scene.ground, scene.encode_ms = ground, _ms(begun)
        if ground is None:
            scene.notes.append(self.ground_note)
        if target_row is not None:
            scene.aim(target_row, need_ground(ground, self.ground_note))
        if ground is not None:
            scene.keep_out(settings.exclude, exclude, ground)
        return scene

    def _outcomes(self, models: list[Forecaster], scene: Scene, settings: PredictSettings) -> list[Outcome]:
        outcomes = []
        for model in models:
            begun = time.perf_counter()
            raw, note = model.predict(scene.vectors)
            outcomes.append(Outcome(model, unit_rows(raw), unit_rows(raw), None, [], note, _ms(begun)))
        if scene.ground is not None:
            begun = time.perf_counter()
            self._snap(outcomes, scene, scene.ground, settings)
            scene.snap_ms = _ms(begun)
        return outcomes

    def _snap(self, outcomes: list[Outcome], scene: Scene, ground: Ground, settings: PredictSettings) -> None:
        """One search for all models; hits that read like the context are dropped, wherever they stand."""
        k = settings.snapping.k
        raws = np.stack([outcome.raw for outcome in outcomes])
        hits = search_excluding(ground.index, raws, k + 2 * len(scene.texts), scene.exclude)
        rows = sorted({hit.row for own in hits for hit in own})
        chunks = dict(zip(rows, ground.chunks(rows), strict=True))
        known = {same_text(text) for text in scene.texts}
        kept: list[list[Hit]] = [[h for h in own if same_text(chunks[h.row].text) not in known][:k] for own in hits]
        snaps = snap_onto(raws, [scene.vectors] * len(raws), kept, ground.vectors, settings.snapping)
        for outcome, result in zip(outcomes, snaps, strict=True):
            on = settings.snap and outcome.model.name != PASSTHROUGH
            outcome.snap = result if on else None
            outcome.snapped = result.vector if on else outcome.raw
            weights = result.weights if on else [0.0] * len(result.neighbours)
            outcome.neighbours = [
                Neighbour(chunks[hit.row], hit.cosine, weight)
                for hit, weight in zip(result.neighbours, weights, strict=True)
            ]

    def _say(self, outcomes: list[Outcome], scene: Scene, settings: PredictSettings) -> Iterator[Prediction]:
        vectors = np.stack([outcome.snapped for outcome in outcomes])
        voice = self.speaker.voice(settings.decoder, scene.ground)
        spoken = self.speaker.say(voice, vectors, scene.texts, settings, scene.ground, scene.exclude)
        for place, result in spoken:
            prediction = self._prediction(outcomes[place], scene, result, voice)
            self.speaker.smooth(prediction, scene.texts, settings)
            yield prediction

    @staticmethod
    def _prediction(outcome: Outcome, scene: Scene, result: AdaptiveResult, voice: Voice) -> Prediction:
        timings = {
            "encode": scene.encode_ms,
            "predict": outcome.predict_ms,
            "snap": scene.snap_ms,
            "decode": result.ms,
        }
        timings["total"] = sum(timings.values())
        aim = scene.target_vector
        return Prediction(
            model=outcome.model.name,
            raw=outcome.raw,
            snapped=outcome.snapped,
            text=result.decoded.text,
            method=PASSTHROUGH if outcome.model.name == PASSTHROUGH and result.decoded.text else result.decoded.method,
            steps=result.decoded.steps,
            round_trip_cosine=result.decoded.round_trip_cosine if result.decoded.text else None,
            cosine_to_target=None if aim is None else float(outcome.snapped @ aim),
            snap_on=outcome.snap is not None,
            drift_clamped=outcome.snap is not None and outcome.snap.drift_clamped,
            neighbours=outcome.neighbours,
            attempts=result.attempts,
            timings_ms=timings,
            note=" ".join(note for note in (*scene.notes, outcome.note, voice.note) if note),
            details=_details(outcome, scene, result, voice),
        )


def _details(outcome: Outcome, scene: Scene, result: AdaptiveResult, voice: Voice) -> dict[str, object]:
    aim = scene.target_vector
    return {
        "kind": outcome.model.kind,
        "corpus": scene.ground.info.name if scene.ground else None,
        "context": scene.texts,
        "context_vectors": scene.vectors,
        "target": scene.target,
        "target_vector": aim,
        "raw_cosine_to_target": None if aim is None else float(outcome.raw @ aim),
        "cosine_to_last": float(outcome.snapped @ scene.vectors[-1]),
        "snap": outcome.snap,
        "hypotheses": result.hypotheses,
        "cached": result.cached,
        "decoder": voice.id,
    }


def _ms(begun: float) -> float:
    return (time.perf_counter() - begun) * 1000

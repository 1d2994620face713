"""The verbs that take a while: the commands of the same names, run here or as jobs of a service."""

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

from lvm_core.boundary.json_values import from_json
from lvm_core.corpus.ingest import IngestReport
from lvm_core.errors import CorpusError, SettingsError
from lvm_core.json_shapes import Json, RunResult, Value
from lvm_core.library.backend import Backend
from lvm_core.library.given import checked, names_of, texts_of
from lvm_core.library.results import Evaluated, Map
from lvm_core.types import Progress

if TYPE_CHECKING:
    from lvm_core.study.drift import DriftStudy
    from lvm_core.study.rollouts import Rollouts


@checked
class Work:
    """What a `Studio` does besides answering."""

    _backend: Backend
    _progress: Progress

    def ingest(self, source: str | os.PathLike[str], corpus: str | None = None, **settings: Value) -> IngestReport:
        """Read a source into a corpus of chunks; a path is one of the machine that the studio is on.

        Args:
            source: a file, a folder, hf:NAME, or a corpus that comes along ("enwiki-sample").
            corpus: its name; None takes that of the source.
            **settings: of `IngestSettings`, by name.

        Raises:
            SourceError: if the source cannot be read.
            CorpusError: if the name is taken or no article remains.
        """
        result = self._run("ingest", {"source": os.fspath(source), "corpus": corpus, **settings})
        return from_json(IngestReport, result, "The report", error=CorpusError)

    def encode_corpus(self, corpus: str, encoder: str | None = None) -> Json:
        """Make the vectors and the index of a corpus; it goes on where it was interrupted.

        Raises:
            CorpusError: if there is no such corpus.
        """
        return self._run("encode", {"corpus": corpus, "encoder": encoder})

    def train(
        self, model: str = "amn", corpus: str = "enwiki-sample", run: str | None = None, resume: bool = False,
        **settings: Value,
    ) -> RunResult:  # fmt: skip
        """Train a net, or fit a baseline, on articles of a corpus; the model is then asked by the name of its `run`.

        Args:
            model: a net or baseline by name.
            corpus: one corpus, or several with commas between.
            run: its name; None takes the model's and the time.
            resume: go on from the last checkpoint of `run`.
            **settings: of `TrainConfig`, by name; `options` are the net's own, a dict.

        Raises:
            CorpusError: if a corpus is missing or not encoded.
            SettingsError: for settings out of bounds.
            ModelError: if the run exists, cannot be resumed, or diverged.
        """
        if "options" in settings:
            settings["option"] = settings.pop("options")
        named = {} if resume and not settings else {"model": model, "corpus": corpus}
        return cast(RunResult, self._run("train", {**named, "run": run, "resume": resume, **settings}))

    def evaluate(
        self, models: Sequence[str] | str = "all", corpus: str = "enwiki-sample", encoder: str | None = None,
        **settings: Value,
    ) -> Evaluated:  # fmt: skip
        """Measure models on articles they have not seen, with 95 % intervals over articles; rows go to the board.

        Args:
            models: refs, or "all": shipped ones, runs and baselines of the encoder.
            corpus: what to measure on.
            encoder: the space; None takes the models' own.
            **settings: of `EvaluateSettings`, by name.

        Raises:
            CorpusError: if the corpus is missing, not encoded, or holds no window.
            ModelError: if a model is unknown or was trained on articles of the test.
        """
        result = self._run(
            "evaluate", {"models": names_of(models, "models"), "corpus": corpus, "encoder": encoder, **settings}
        )
        return Evaluated.read(result)

    def rollout(
        self, chunks: Sequence[str] = (), models: Sequence[str] = (), corpus: str = "enwiki-sample",
        row: int | None = None, steps: int = 20, **settings: Value,
    ) -> "Rollouts":  # fmt: skip
        """Feed predictions back, from `chunks` or from a `row` of the corpus; each step with the nearest real chunk.

        Raises:
            CorpusError: if the corpus is missing or not encoded, or there is nothing before the row.
            SettingsError: unless there is one of `chunks` and `row`.
        """
        if bool(chunks) == (row is not None):
            raise SettingsError(["A rollout was given both chunks and a row, or neither; expected one of them."])
        texts: Value = [" ".join(text.split()) for text in texts_of(chunks, "chunks")]
        start: dict[str, Value] = {"chunk": texts} if chunks else {"row": row}
        values = {"model": names_of(models, "models"), "corpus": corpus, "steps": steps, **start, **settings}
        return cast("Rollouts", self._run("rollout", values))

    def drift(
        self, models: Sequence[str] = (), corpus: str = "enwiki-sample", steps: int = 20, **settings: Value
    ) -> "DriftStudy":
        """Roll out over the articles of a split and return how far that drifts, at each step, with intervals.

        Raises:
            CorpusError: if the corpus is missing, not encoded, or has no article that is long enough.
        """
        values = {"model": names_of(models, "models"), "corpus": corpus, "steps": steps, **settings}
        return cast("DriftStudy", self._run("rollout", values))

    def project(self, models: Sequence[str] = (), corpus: str = "enwiki-sample", **settings: Value) -> Map:
        """Lay out predicted and target vectors in 2-D or 3-D, with the numbers that a map cannot say.

        Raises:
            CorpusError: if the corpus is missing or not encoded.
        """
        made = self._run("project", {"models": ",".join(names_of(models, "models")), "corpus": corpus, **settings})
        kept = self._backend.map(made["key"])
        coordinates = {str(group): xy for group, xy in kept.coordinates.items()} if kept else {}
        about = {name: made[name] for name in ("corpus", "encoder", "method")}
        return Map(coordinates, made["axes"], made["numbers"], made["note"], about)

    def _run(self, name: str, values: Mapping[str, Value]) -> Json:
        return self._backend.command(name, values, self._progress)

"""Measuring models on unseen articles: the test set is made once, every model passes over it in batches."""

import dataclasses
import time
from collections.abc import Sequence
from dataclasses import dataclass

from lvm_core import forecast
from lvm_core.checkpoint import LoadedModel
from lvm_core.config import check
from lvm_core.corpus.store import CorpusStore
from lvm_core.evaluate import measures
from lvm_core.evaluate.candidates import (
    Candidate,
    EncodedCorpus,
    choose_candidates,
    open_encoded,
    state_digest,
)
from lvm_core.evaluate.extras import Extras
from lvm_core.evaluate.filters import Filters
from lvm_core.evaluate.guards import Refused, admit
from lvm_core.evaluate.measures import MEASURES
from lvm_core.evaluate.results import ResultStore
from lvm_core.evaluate.rows import ArticleSums, Coherence, Example, Gain, Row, Twin
from lvm_core.evaluate.settings import EvaluateSettings
from lvm_core.evaluate.testset import TestSet, make_test_set
from lvm_core.evaluate.twins import find_twins
from lvm_core.executors import Executor, Outcome, Task
from lvm_core.metrics import timing
from lvm_core.metrics.bootstrap import Sums
from lvm_core.spaces import space_to_measure_in
from lvm_core.types import Progress, no_progress
from lvm_core.version import __version__
from lvm_core.workspace import Workspace

Measured = tuple[Row, ArticleSums, list[Example] | None]
"""A row that is not stored yet, its sums by article, and the windows in full where they were asked for."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What an evaluation found: `rows` of the board, models `refused` with the reason, and near-duplicates.

    `examples` are the windows in full by the id of their row.
    """

    rows: list[Row]
    refused: list[Refused]
    near_duplicates: list[Twin]
    examples: dict[int | None, list[Example]]


def evaluate(
    workspace: Workspace,
    refs: Sequence[str] | str,
    corpus: str,
    settings: EvaluateSettings | None = None,
    encoder_id: str | None = None,
    progress: Progress = no_progress,
    elsewhere: Executor | None = None,
) -> Evaluation:
    """Measure models on the articles of a split, store their rows and return them.

    Args:
        workspace: holds the corpus, the runs and the results.
        refs: models by name, or "all": shipped ones, runs and baselines of the encoder.
        corpus: what to measure on.
        settings: which split, and what beyond the standard measures.
        encoder_id: the space; by default the models' own.
        progress: told the model at hand and the time left.
        elsewhere: who measures the models, one a task; None: this process, one after the other.

    Raises:
        CorpusError: if the corpus is missing, not encoded, or holds no window.
        ModelError: if a model is unknown, diverged, or was trained on articles of the test.
        SpaceMismatch: if a model belongs to another encoder.
        SettingsError: for settings out of bounds.
        ExecutorLost: if nobody is left who measures; the rows measured before are stored.
    """
    settings = check(settings or EvaluateSettings())
    space = encoder_id or space_to_measure_in(workspace, [] if refs == "all" else refs, corpus)
    encoded = open_encoded(workspace, corpus, space, settings.split_seed)
    admitted = admit(encoded, choose_candidates(encoded, refs), settings, strict=refs != "all")
    test = make_test_set(
        admitted.documents,
        encoded.matrix.rows,
        corpus,
        encoded.corpus.digest,
        space,
        str(settings.tested),
        settings.split_seed,
        settings.max_chunks,
    )
    run = Measuring(encoded, test, admitted.candidates, settings, progress)
    progress(0.0, "looking for near-duplicate articles")
    twins = find_twins(encoded, test, admitted.candidates, settings) if settings.twins else []
    rows = run.measure_elsewhere(twins, elsewhere) if elsewhere else run.measure_all(twins)
    return Evaluation(rows, admitted.refused, twins, run.examples)


class Measuring:
    """One evaluation, with what its models share."""

    def __init__(
        self,
        encoded: EncodedCorpus,
        test: TestSet,
        candidates: list[Candidate],
        settings: EvaluateSettings,
        progress: Progress,
    ) -> None:
        self.encoded, self.test, self.candidates, self.settings = encoded, test, candidates, settings
        self.store = ResultStore(encoded.workspace)
        self.corpora = CorpusStore(encoded.workspace)
        self._progress, self._share, self._note = progress, 0.0, ""
        self.filters = Filters(encoded, lambda _share, message: progress(self._share, f"{self._note}: {message}"))
        self.examples: dict[int | None, list[Example]] = {}
        self._filter_sums: dict[tuple[str, int], Sums] = {}
        self._extras = Extras(encoded, test, settings)

    def measure_all(self, twins: list[Twin]) -> list[Row]:
        """Measure every model, store its row and return the rows."""
        began = time.monotonic()
        rows = []
        for number, candidate in enumerate(self.candidates):
            spent = time.monotonic() - began
            left = f", {spent / number * (len(self.candidates) - number):.0f} s left" if number else ""
            self._share, self._note = (
                number / len(self.candidates),
                f"{candidate.info.ref} ({number + 1} of {len(self.candidates)}{left})",
            )
            self._progress(self._share, self._note)
            rows.append(self._keep(self.measure(candidate, twins)))
        self._conclude(rows, began)
        return rows

    def measure_elsewhere(self, twins: list[Twin], executor: Executor) -> list[Row]:
        """Measure every model as a task of its own, store each row as it comes and return the rows.

        Raises:
            LvmError: what the first model that cannot be measured is refused for, once the others are stored.
        """
        began = time.monotonic()
        tasks = {c.info.ref: self._task(c, twins) for c in self.candidates}
        rows: dict[str, Row] = {}
        refused: list[Outcome] = []

        def tell(ref: str, _share: float, message: str) -> None:
            note = f"{len(rows)} of {len(tasks)} models measured; {ref}: {message}"
            self._progress(min(len(rows) / len(tasks), 0.999), note)

        for outcome in executor.run(list(tasks.values()), tell):
            if outcome.error is not None:
                refused.append(outcome)
                continue
            rows[outcome.task.name] = self._keep(outcome.worth())
            tell(outcome.task.name, 1.0, f"measured on {outcome.where} in {outcome.seconds:.0f} s")
        for outcome in refused:
            outcome.worth()
        ordered = [rows[ref] for ref in tasks]
        self._conclude(ordered, began)
        return ordered

    def _task(self, candidate: Candidate, twins: list[Twin]) -> Task:
        test = self.test
        given = {"ref": candidate.info.ref, "corpus": test.corpus, "encoder_id": test.encoder_id, "twins": twins,
                 "settings": self.settings, "ordinals": tuple(d.ordinal for d in test.documents)}  # fmt: skip
        return Task(candidate.info.ref, "lvm_core.evaluate.elsewhere:measure_one", given)

    def _conclude(self, rows: list[Row], began: float) -> None:
        models = "1 model" if len(rows) == 1 else f"{len(rows)} models"
        took = time.monotonic() - began
        self._progress(1.0, f"{models} on {self.test.n_windows:,} windows in {took:.1f} s")

    def measure(self, candidate: Candidate, twins: list[Twin]) -> Measured:
        """Measure one model; nothing is stored."""
        extras = self._extras
        loaded = self.filters.load(candidate)
        context = self.settings.context or candidate.context
        windows = self.test.windows(context)
        forecasts = forecast.over_windows(loaded.model, self.test, windows, candidate.info.ref, self._inner)
        predictions = forecasts.vectors
        by_window = measures.window_measures(predictions, self.test, forecasts)
        sums = measures.sums_by_article(by_window, self.test)
        values, intervals = measures.means(sums)
        speed = measures.speed(loaded.model, self.test, context)
        decodings = extras.decoded(predictions)
        row = dataclasses.replace(
            self._identity(candidate, loaded, context),
            values={
                **values,
                **speed,
                "parameters": loaded.model.n_parameters() or _n_fitted(loaded),
                "efficiency": timing.efficiency(values["cosine"] or 0.0, speed["latency_ms"]),
                "train_s": loaded.info.result.get("train_s"),
                **(decodings.values if decodings else {}),
            },
            intervals={**intervals, **(decodings.intervals if decodings else {})},
            vs_filter=self._against_filter(candidate, loaded, context, sums["cosine"]),
            near_duplicates=_twins_of(candidate, twins),
            snapped=extras.snapped(context, predictions),
            drift=extras.drift(loaded, context),
            decoder=decodings.decoder if decodings else None,
            n_decoded=decodings.n if decodings else None,
        )
        examples = extras.examples(loaded.info, context) if self._shows(candidate) else None
        paired = {name: sums[name] for name, measure in MEASURES.items() if measure.paired}
        articles = ArticleSums([d.title for d in self.test.documents], paired)
        return row, articles, examples

    def _keep(self, measured: Measured) -> Row:
        """Store what was measured and return its row."""
        row, articles, examples = measured
        stored = dataclasses.replace(row, id=self.store.save(row, articles, examples))
        if examples is not None:
            self.examples[stored.id] = examples
        return stored

    def _shows(self, candidate: Candidate) -> bool:
        return bool(self.settings.examples) and not candidate.fitted_here  # Predict knows models on disk only

    def _inner(self, share: float, message: str) -> None:
        self._progress(self._share + share / len(self.candidates), f"{self._note}: {message}")

    def _identity(self, candidate: Candidate, loaded: LoadedModel, context: int) -> Row:
        """Return the row of a model before anything is measured."""
        info, test = candidate.info, self.test
        return Row(
            model=info.ref,
            net=info.name,
            kind=info.kind,
            corpus=test.corpus,
            encoder=test.encoder_id,
            split=self.settings.tested,
            context=context,
            n_windows=test.n_windows,
            n_articles=test.n_articles,
            shipped=info.shipped,
            trained_on=[c["name"] for c in info.config.get("corpora", [])],
            n_train_articles=None if candidate.titles is None else len(candidate.titles),
            n_train_windows=info.result.get("n_windows"),
            weights_digest=state_digest(loaded.model),
            coherence=Coherence(test.coherence, self._trained_coherence(candidate)),
            comparable=test.comparable,
            key=test.key,
            split_seed=test.split_seed,
            index_digest=test.index_digest,
            other={"corpus_digest": test.corpus_digest, "code_version": __version__},
            created=time.time(),
            values={},
            intervals={},
        )

    def _trained_coherence(self, candidate: Candidate) -> dict[str, float]:
        """Return the mean cosine of neighbouring chunks of each corpus a model was trained on, where it is here."""
        coherences = {}
        digests = {info.name: info.digest for info in self.corpora.corpora()}
        for corpus in candidate.info.config.get("corpora", []):
            if digests.get(corpus["name"]) == corpus["digest"]:
                articles = [(d.coherence, d.n_chunks) for d in self.corpora.documents(corpus["name"]) if d.coherence]
                weight = sum(n for _, n in articles)
                if weight:
                    coherences[corpus["name"]] = sum(c * n for c, n in articles) / weight
        return coherences

    def _against_filter(self, candidate: Candidate, loaded: LoadedModel, context: int, cosine: Sums) -> Gain | None:
        fitted = self.filters.of(candidate, loaded, context)
        if fitted is None:
            return None
        model, fitted_on = fitted
        key = (state_digest(model), context)
        if key not in self._filter_sums:
            filtered = forecast.over_windows(model, self.test, self.test.windows(context)).vectors
            self._filter_sums[key] = measures.cosine_sums(filtered, self.test)
        return measures.gain(cosine, self._filter_sums[key], context, fitted_on)


def _n_fitted(loaded: LoadedModel) -> int:
    """Return how many numbers a closed form was fitted with."""
    return sum(int(t.numel()) for t in loaded.model.state_dict().values())


def _twins_of(candidate: Candidate, twins: list[Twin]) -> list[Twin]:
    titles = set(candidate.titles or [])
    return [twin for twin in twins if twin.train in titles]

"""Which models are measured, each with the articles it was trained on and the linear filter it is held against."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from lvm_core.baselines import BASELINES, LinearFilter, build_baseline
from lvm_core.baselines.base import Baseline
from lvm_core.checkpoint import UNFITTED, LoadedModel, ModelInfo, find_model, list_models, load_model, training_titles
from lvm_core.corpus.store import CorpusStore
from lvm_core.dataset import open_corpora, split_documents
from lvm_core.errors import CorpusError, LvmError
from lvm_core.evaluate.testset import FIRST_POSITION
from lvm_core.nets.base import SequenceModel
from lvm_core.types import CorpusInfo, DocumentInfo, Progress
from lvm_core.vectors.matrix import VectorMatrix, encoded_with, open_matrix
from lvm_core.workspace import Workspace

FITTED_HERE = ("weighted-mean", "linear-filter", "corpus-mean")
"""Baselines that are fitted on the corpus's own training articles where none of the space was shipped."""

LONGEST_FILTER = 100


@dataclass(frozen=True, slots=True)
class Subject:
    """A model to measure. `titles` are its training articles, None where nobody wrote them down."""

    info: ModelInfo
    titles: list[str] | None
    fitted_here: bool = False

    @property
    def context(self) -> int:
        """The chunks it reads by itself; a rule that needs no more than one is shown the five of the windows."""
        return max(self.info.context, FIRST_POSITION) if self.info.kind == "baseline" else self.info.context


@dataclass(frozen=True)
class Stage:
    """The corpus under test with its vectors and its articles by split."""

    workspace: Workspace
    corpus: CorpusInfo
    matrix: VectorMatrix
    splits: dict[str, list[DocumentInfo]]

    @property
    def encoder_id(self) -> str:
        return self.matrix.encoder_id

    def documents(self, split: str) -> list[DocumentInfo]:
        """Return the articles of a split, or all of them."""
        if split == "all":
            return sorted((d for own in self.splits.values() for d in own), key=lambda d: d.ordinal)
        return self.splits[split]


def open_stage(workspace: Workspace, corpus: str, encoder_id: str, split_seed: int) -> Stage:
    """Return the corpus under test.

    Raises:
        CorpusError: if there is none of that name, or it has no vectors of this encoder.
    """
    store = CorpusStore(workspace)
    info = store.corpus(corpus)
    matrix = open_matrix(workspace, corpus, encoder_id)
    return Stage(workspace, info, matrix, split_documents(store.documents(corpus), split_seed))


def choose_encoder(workspace: Workspace, refs: Sequence[str] | str, corpus: str) -> str:
    """Return the encoder to evaluate in: the models' own, else the one the corpus is encoded with, the default first.

    Raises:
        CorpusError: if the corpus is missing or not encoded.
        ModelError: if a model is unknown.
    """
    from lvm_core.encoders import DEFAULT_ENCODER

    CorpusStore(workspace).corpus(corpus)
    there = encoded_with(workspace, corpus)
    if not there:
        raise CorpusError(f"Corpus '{corpus}' has no vectors yet. Run: python -m lvm_core encode --corpus {corpus}")
    named = [] if refs == "all" else [r for r in refs if r not in BASELINES or r in _listed(workspace)]
    own = next((i for i in (find_model(workspace, ref).encoder_id for ref in named) if i), None)
    default = next((i for i in there if i.startswith(f"{DEFAULT_ENCODER}@")), there[0])
    return own or default


def _listed(workspace: Workspace) -> set[str]:
    return {info.ref for info in list_models(workspace)}


def choose_subjects(stage: Stage, refs: Sequence[str] | str) -> list[Subject]:
    """Return the models to measure, baselines first.

    "all" is every shipped model, every run and every baseline of the space. A baseline that is named, or missing
    among the shipped ones, is fitted on the training articles of the corpus under test.

    Raises:
        ModelError: if a model is unknown.
        SpaceMismatch: if a model belongs to another encoder.
    """
    listed = list_models(stage.workspace, stage.encoder_id)
    if refs == "all":
        have = {info.name for info in listed if info.shipped}
        missing = [name for name in FITTED_HERE if name not in have] if stage.splits["train"] else []
        infos = [find_model(stage.workspace, name, stage.encoder_id) for name in UNFITTED]
        found = [Subject(info, training_titles(info)) for info in infos + listed]
        found += [_fitted_here(stage, name) for name in missing]
    else:
        found = [_named(stage, ref, {info.ref for info in listed}) for ref in dict.fromkeys(refs)]
    return sorted(found, key=lambda subject: subject.info.kind != "baseline")


def _named(stage: Stage, ref: str, listed: set[str]) -> Subject:
    if ref in FITTED_HERE and ref not in listed:
        return _fitted_here(stage, ref)
    info = find_model(stage.workspace, ref, stage.encoder_id)
    return Subject(info, training_titles(info))


def _fitted_here(stage: Stage, name: str) -> Subject:
    config = {"model": name, "corpora": [{"name": stage.corpus.name, "digest": stage.corpus.digest}]}
    path = stage.workspace.runs
    info = ModelInfo(name, name, "baseline", stage.encoder_id, FIRST_POSITION, 0, False, path, config, {}, 0.0)
    return Subject(info, [d.title for d in stage.splits["train"]], fitted_here=True)


@dataclass
class Filters:
    """The linear filter each model is held against: fitted on the same articles with the same context.

    A net in residual form carries that filter; for others it is looked for among the models, then fitted on the
    corpora the model was trained on, then on the training articles of the corpus under test.
    """

    stage: Stage
    progress: Progress
    _fitted: dict[Any, Baseline] = field(default_factory=dict)

    def load(self, subject: Subject) -> LoadedModel:
        """Return the model of a subject, fitted first where it is fitted here."""
        if not subject.fitted_here:
            return load_model(self.stage.workspace, subject.info.ref, self.stage.encoder_id, self.stage.matrix.dim)
        return LoadedModel(subject.info, self._fit_here(subject.info.name, subject.info.context))

    def of(self, subject: Subject, loaded: LoadedModel, context: int) -> tuple[Baseline, str] | None:
        """Return the filter to hold `loaded` against at `context` chunks and what it was fitted on; None for none."""
        reach = min(context, LONGEST_FILTER)
        own = loaded.model if isinstance(loaded.model, LinearFilter) else loaded.model.filter
        if isinstance(own, LinearFilter) and own.options.context == reach:
            return own, "the same articles"
        if subject.fitted_here:
            return self._fit_here("linear-filter", reach), "the same articles"
        if subject.titles:
            found = self._listed(subject.titles, reach) or self._fit_on_its_corpora(subject.info, reach)
            if found is not None:
                return found, "the same articles"
        return self._stand_in(reach)

    def _stand_in(self, context: int) -> tuple[Baseline, str] | None:
        """Return a filter of other articles than the model's: for rules that need no fit, and where all else fails."""
        info = next((i for i, _ in self._known if i.context == context), None)
        if info is not None:
            return self._loaded(info), f"the articles of '{info.ref}'"
        if self.stage.splits["train"]:
            return self._fit_here("linear-filter", context), f"the training articles of {self.stage.corpus.name}"
        return None

    @cached_property
    def _known(self) -> list[tuple[ModelInfo, set[str]]]:
        listed = list_models(self.stage.workspace, self.stage.encoder_id)
        return [(i, set(training_titles(i) or [])) for i in listed if i.name == "linear-filter"]

    def _listed(self, titles: list[str], context: int) -> Baseline | None:
        wanted = set(titles)
        return next((self._loaded(i) for i, own in self._known if i.context == context and own == wanted), None)

    def _loaded(self, info: ModelInfo) -> Baseline:
        if info.ref not in self._fitted:
            model = load_model(self.stage.workspace, info.ref, self.stage.encoder_id).model
            assert isinstance(model, Baseline)
            self._fitted[info.ref] = model
        return self._fitted[info.ref]

    def _fit_here(self, name: str, context: int) -> Baseline:
        key = (name, context)
        if key not in self._fitted:
            model = _build(name, self.stage.matrix.dim, context)
            model.fit(self.stage.matrix, self.stage.splits["train"], self.progress)
            self._fitted[key] = model.eval()
        return self._fitted[key]

    def _fit_on_its_corpora(self, info: ModelInfo, context: int) -> Baseline | None:
        names = [corpus["name"] for corpus in info.config.get("corpora", [])]
        seed = int(info.config.get("split_seed", 0))
        key = (tuple(names), seed, context)
        if key in self._fitted:
            return self._fitted[key]
        if not names or not self._unchanged(info):
            return None
        try:
            corpora = open_corpora(self.stage.workspace, names, self.stage.encoder_id, seed)
        except LvmError:
            return None
        model = _build("linear-filter", self.stage.matrix.dim, context)
        model.fit(corpora.vectors, corpora.splits["train"], self.progress)
        self._fitted[key] = model.eval()
        return model

    def _unchanged(self, info: ModelInfo) -> bool:
        there = {corpus.name: corpus.digest for corpus in CorpusStore(self.stage.workspace).corpora()}
        return all(there.get(corpus["name"]) == corpus["digest"] for corpus in info.config["corpora"])


def _build(name: str, dim: int, context: int) -> Baseline:
    return build_baseline(name, dim, **({"context": context} if BASELINES[name].Options is not None else {}))


def weights_digest(model: SequenceModel) -> str:
    """Return 16 hex digits that change with any weight of a model."""
    sha = hashlib.sha256(model.name.encode())
    for name, tensor in sorted(model.state_dict().items()):
        sha.update(name.encode())
        sha.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return sha.hexdigest()[:16]

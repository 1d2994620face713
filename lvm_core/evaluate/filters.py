"""The linear filter that each model is held against."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from lvm_core.baselines import BASELINES, LinearFilter, build_baseline
from lvm_core.baselines.base import Baseline
from lvm_core.checkpoint import LoadedModel, ModelInfo, list_models, load_model
from lvm_core.corpus.store import CorpusStore
from lvm_core.dataset import open_corpora, title_key
from lvm_core.errors import LvmError
from lvm_core.evaluate.candidates import Candidate, EncodedCorpus
from lvm_core.train.opening import FIT_ROWS, at_most
from lvm_core.training_titles import training_titles
from lvm_core.types import Progress

LONGEST_FILTER = 100


@dataclass
class Filters:
    """The linear filter each model is held against: fitted on the same articles with the same context.

    A net in residual form carries that filter; for others it is looked for among the models, then fitted on the
    corpora the model was trained on, then on the training articles of the corpus under test.
    """

    encoded: EncodedCorpus
    progress: Progress
    _fitted: dict[Any, Baseline] = field(default_factory=dict)

    def load(self, candidate: Candidate) -> LoadedModel:
        """Return the model of a candidate, fitted first where it is fitted here."""
        if not candidate.fitted_here:
            return load_model(
                self.encoded.workspace, candidate.info.ref, self.encoded.encoder_id, self.encoded.matrix.dim
            )
        return LoadedModel(candidate.info, self._fit_here(candidate.info.name, candidate.info.context))

    def of(self, candidate: Candidate, loaded: LoadedModel, context: int) -> tuple[Baseline, str] | None:
        """Return the filter to hold `loaded` against at `context` chunks and what it was fitted on; None for none."""
        reach = min(context, LONGEST_FILTER)
        inside = loaded.model if isinstance(loaded.model, LinearFilter) else loaded.model.filter
        if isinstance(inside, LinearFilter) and inside.options.context == reach:
            return inside, "the same articles"
        if candidate.fitted_here:
            return self._fit_here("linear-filter", reach), "the same articles"
        if candidate.titles:
            titles = {title_key(title) for title in candidate.titles}
            fitted = self._of_articles(candidate.titles, reach) or self._fit_on_its_corpora(
                candidate.info, titles, reach
            )
            if fitted is not None:
                return fitted, "the same articles"
        return self._stand_in(reach)

    def _stand_in(self, context: int) -> tuple[Baseline, str] | None:
        """Return a filter of other articles than the model's: for rules that need no fit, and where all else fails."""
        info = next((info for info, _ in self._on_disk if info.context == context), None)
        if info is not None:
            return self._loaded(info), f"the articles of '{info.ref}'"
        if self.encoded.splits["train"]:
            return self._fit_here("linear-filter", context), f"the training articles of {self.encoded.corpus.name}"
        return None

    @cached_property
    def _on_disk(self) -> list[tuple[ModelInfo, set[str]]]:
        listed = list_models(self.encoded.workspace, self.encoded.encoder_id)
        return [(i, set(training_titles(i) or [])) for i in listed if i.name == "linear-filter"]

    def _of_articles(self, titles: list[str], context: int) -> Baseline | None:
        fitted = [info for info, articles in self._on_disk if info.context == context and articles == set(titles)]
        return self._loaded(fitted[0]) if fitted else None

    def _loaded(self, info: ModelInfo) -> Baseline:
        if info.ref not in self._fitted:
            model = load_model(self.encoded.workspace, info.ref, self.encoded.encoder_id).model
            assert isinstance(model, Baseline)
            self._fitted[info.ref] = model
        return self._fitted[info.ref]

    def _fit_here(self, name: str, context: int) -> Baseline:
        key = (name, context)
        if key not in self._fitted:
            model = _build(name, self.encoded.matrix.dim, context)
            model.fit(self.encoded.matrix, self.encoded.splits["train"], self.progress)
            self._fitted[key] = model.eval()
        return self._fitted[key]

    def _fit_on_its_corpora(self, info: ModelInfo, titles: set[str], context: int) -> Baseline | None:
        """Return the filter of the training articles `titles`, which may be a part of the corpora; None where gone."""
        names = [corpus["name"] for corpus in info.config.get("corpora", [])]
        seed = int(info.config.get("split_seed", 0))
        key = (tuple(names), seed, context, hash(frozenset(titles)))
        if key in self._fitted:
            return self._fitted[key]
        if not names or not self._unchanged(info):
            return None
        try:
            corpora = open_corpora(self.encoded.workspace, names, self.encoded.encoder_id, seed)
        except LvmError:
            return None
        model = _build("linear-filter", self.encoded.matrix.dim, context)
        articles = [d for d in corpora.splits["train"] if title_key(d.title) in titles]
        if not articles:
            return None
        model.fit(corpora.vectors, at_most(articles, FIT_ROWS), self.progress)
        self._fitted[key] = model.eval()
        return model

    def _unchanged(self, info: ModelInfo) -> bool:
        digests = {corpus.name: corpus.digest for corpus in CorpusStore(self.encoded.workspace).corpora()}
        return all(digests.get(corpus["name"]) == corpus["digest"] for corpus in info.config["corpora"])


def _build(name: str, dim: int, context: int) -> Baseline:
    return build_baseline(name, dim, **({"context": context} if BASELINES[name].Options is not None else {}))

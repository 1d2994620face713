"""Which models are measured on which corpus, each with the articles it was trained on."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from lvm_core.checkpoint import UNFITTED, ModelInfo, find_model, list_models
from lvm_core.corpus.store import CorpusStore
from lvm_core.dataset import split_documents
from lvm_core.evaluate.testset import FIRST_POSITION
from lvm_core.json_shapes import RunConfig
from lvm_core.nets.base import SequenceModel
from lvm_core.training_titles import training_titles
from lvm_core.types import CorpusInfo, DocumentInfo
from lvm_core.vectors.matrix import VectorMatrix, open_matrix
from lvm_core.workspace import Workspace

FITTED_HERE = ("weighted-mean", "linear-filter", "corpus-mean")
"""Baselines that are fitted on the corpus's own training articles where none of the space was shipped."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model to measure. `titles` are its training articles, None where nobody can say which they were."""

    info: ModelInfo
    titles: list[str] | None
    fitted_here: bool = False

    @property
    def context(self) -> int:
        """The chunks it reads by itself; a rule that needs no more than one is shown the five of the windows."""
        return max(self.info.context, FIRST_POSITION) if self.info.kind == "baseline" else self.info.context


@dataclass(frozen=True)
class EncodedCorpus:
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
            return sorted((d for documents in self.splits.values() for d in documents), key=lambda d: d.ordinal)
        return self.splits[split]


def open_encoded(workspace: Workspace, corpus: str, encoder_id: str, split_seed: int) -> EncodedCorpus:
    """Return the corpus under test.

    Raises:
        CorpusError: if there is none of that name, or it has no vectors of this encoder.
    """
    store = CorpusStore(workspace)
    info = store.corpus(corpus)
    matrix = open_matrix(workspace, corpus, encoder_id)
    return EncodedCorpus(workspace, info, matrix, split_documents(store.documents(corpus), split_seed))


def choose_candidates(encoded: EncodedCorpus, refs: Sequence[str] | str) -> list[Candidate]:
    """Return the models to measure, baselines first.

    "all" is every shipped model, every run and every baseline of the space. A baseline that is named, or missing
    among the shipped ones, is fitted on the training articles of the corpus under test.

    Raises:
        ModelError: if a model is unknown.
        SpaceMismatch: if a model belongs to another encoder.
    """
    listed = list_models(encoded.workspace, encoded.encoder_id)
    if refs == "all":
        shipped = {info.name for info in listed if info.shipped}
        missing = [name for name in FITTED_HERE if name not in shipped] if encoded.splits["train"] else []
        infos = [find_model(encoded.workspace, name, encoded.encoder_id) for name in UNFITTED]
        candidates = [Candidate(info, training_titles(info)) for info in infos + listed]
        candidates += [_fitted_here(encoded, name) for name in missing]
    else:
        candidates = [_named(encoded, ref, {info.ref for info in listed}) for ref in dict.fromkeys(refs)]
    return sorted(candidates, key=lambda candidate: candidate.info.kind != "baseline")


def _named(encoded: EncodedCorpus, ref: str, listed: set[str]) -> Candidate:
    if ref in FITTED_HERE and ref not in listed:
        return _fitted_here(encoded, ref)
    info = find_model(encoded.workspace, ref, encoded.encoder_id)
    return Candidate(info, training_titles(info))


def _fitted_here(encoded: EncodedCorpus, name: str) -> Candidate:
    config: RunConfig = {"model": name, "corpora": [{"name": encoded.corpus.name, "digest": encoded.corpus.digest}]}
    path = encoded.workspace.runs
    info = ModelInfo(name, name, "baseline", encoded.encoder_id, FIRST_POSITION, 0, False, path, config, {}, 0.0)
    return Candidate(info, [d.title for d in encoded.splits["train"]], fitted_here=True)


def state_digest(model: SequenceModel) -> str:
    """Return 16 hex digits that change with any weight of a model."""
    sha = hashlib.sha256(model.name.encode())
    for name, tensor in sorted(model.state_dict().items()):
        sha.update(name.encode())
        sha.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return sha.hexdigest()[:16]

"""Concept chains from end to end: made of WordNet or read, encoded, trained on, and tested beside the baselines."""

import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TypedDict

from lvm_core.baselines import BASELINES, build_baseline
from lvm_core.checkpoint import load_model
from lvm_core.config import check
from lvm_core.corpus.store import CorpusStore
from lvm_core.dataset import Corpora, open_corpora, split_documents
from lvm_core.dataset.order_notes import figures, order_of
from lvm_core.encoders import load_encoder
from lvm_core.evaluate.chains import score_chains, unseen_rows
from lvm_core.exchange.chains import chains_jsonl, wordnet_chains
from lvm_core.exchange.files import import_chains
from lvm_core.nets.base import SequenceModel
from lvm_core.nets.build import from_config
from lvm_core.spaces import first_installed
from lvm_core.study.chain_settings import BEST, BUILT_IN, ChainSettings
from lvm_core.train import TrainConfig, train
from lvm_core.types import Progress, no_progress
from lvm_core.vectors.encode import encode_corpus
from lvm_core.workspace import Workspace, write_text

HELD_OUT = 0.15
"""Share of the chains that validate, and again that test: 70/15/15."""

CONTEXT = 5
COMPARED = ("copy-last", "corpus-mean", "context-mean", "weighted-mean", "linear-filter")
"""Baselines that a net on chains stands beside."""


Scores = dict[str, dict[str, dict[str, float]]]
"""Of the net and each baseline, by split and of the unseen test steps, its `ChainScore`."""


class ChainsMade(TypedDict):
    """A file of chains, and the first of them."""

    path: str
    n_chains: int
    n_concepts: int
    example: Sequence[str]


class ChainsTrained(TypedDict):
    """A training on chains and its scores; `n_unseen` steps of the test are in no training chain."""

    corpus: str
    encoder: str
    dim: int
    verdict: str
    order: str
    n_chains: dict[str, int]
    run: str
    n_parameters: int
    epochs: int | None
    scores: Scores
    n_unseen: int
    seconds: float


def make_chains(path: Path, settings: ChainSettings, wordnet: str | None = None) -> ChainsMade:
    """Write chains of WordNet to `path` and return how many, with an example.

    Raises:
        SourceError: if there is no WordNet in the folder `wordnet`.
    """
    chains = wordnet_chains(wordnet, settings.n, settings.seed)
    write_text(path, chains_jsonl(chains))
    return {"path": str(path), "n_chains": len(chains), "n_concepts": sum(map(len, chains)), "example": chains[0]}


def train_on_chains(
    workspace: Workspace,
    settings: ChainSettings,
    corpus: str = "wordnet",
    file: Path | None = None,
    replace: bool = False,
    wordnet: str | None = None,
    progress: Progress = no_progress,
) -> ChainsTrained:
    """Make or read the chains, encode them, train on them and return the scores of the net and the baselines.

    Args:
        workspace: takes the corpus and the run.
        settings: which chains, and which net.
        corpus: name of the corpus; one that is there already is used as it is.
        file: chains to read in place of WordNet's.
        replace: make the corpus anew where it is there.
        wordnet: folder of a WordNet 3.x.
        progress: told of the encoding and the training.
    """
    began = time.monotonic()
    encoder = load_encoder(settings.encoder or first_installed((BEST, BUILT_IN)))
    from_config({"model": settings.model, "dim": encoder.dim, "options": settings.options})  # refused before any work
    _make_corpus(workspace, settings, corpus, file, replace, wordnet)
    encode_corpus(workspace, corpus, encoder, progress)
    order = order_of(workspace, corpus, encoder.id)
    result = train(workspace, _config(workspace, settings, corpus, encoder.id), progress=progress)
    corpora = open_corpora(workspace, [corpus], encoder.id, held_out=HELD_OUT)
    scores, n_unseen = _scores(workspace, corpus, corpora, result["run"], settings.model)
    return {
        "corpus": corpus, "encoder": encoder.id, "dim": encoder.dim, "verdict": order.verdict, "order": figures(order),
        "n_chains": {split: len(chains) for split, chains in corpora.splits.items()}, "run": result["run"],
        "n_parameters": result["n_parameters"], "epochs": result.get("epochs"), "scores": scores,
        "n_unseen": n_unseen, "seconds": round(time.monotonic() - began, 1),
    }  # fmt: skip


def _make_corpus(
    workspace: Workspace, settings: ChainSettings, corpus: str, file: Path | None, replace: bool, wordnet: str | None
) -> None:
    if any(info.name == corpus for info in CorpusStore(workspace).corpora()) and not file and not replace:
        return
    path = file or workspace.upload(f"wordnet-{settings.n}-{settings.seed}.jsonl")
    if file is None:
        make_chains(path, settings, wordnet)
    import_chains(workspace, path, corpus, replace)


def _config(workspace: Workspace, settings: ChainSettings, corpus: str, encoder_id: str) -> TrainConfig:
    """Return a training on whole chains; yes is said to data that is a tree, since that is what was asked for."""
    documents = CorpusStore(workspace).documents(corpus)
    longest = max(d.n_chunks for d in documents)
    validation = max((d.n_chunks for d in split_documents(documents, 0, HELD_OUT)["validation"]), default=longest)
    return check(
        TrainConfig(
            model=settings.model,
            corpus=corpus,
            encoder=encoder_id,
            context=max(1, min(CONTEXT, validation - 1)),
            segment=longest - 1,
            residual=not settings.plain,
            epochs=settings.epochs,
            seed=settings.seed,
            held_out=HELD_OUT,
            yes=True,
            options=settings.options,
        )
    )


def _scores(workspace: Workspace, corpus: str, corpora: Corpora, run: str, net: str) -> tuple[Scores, int]:
    """Return the scores of the net and the baselines by split, and how many test steps no training chain makes."""
    training, test = corpora.splits["train"], corpora.splits["test"]
    unseen = unseen_rows(CorpusStore(workspace).texts(corpus), training, test)
    models: dict[str, SequenceModel] = {net: load_model(workspace, run, corpora.encoder_id).model}
    for name in COMPARED:
        options = {"context": CONTEXT} if BASELINES[name].Options is not None else {}
        models[name] = baseline = build_baseline(name, corpora.dim, **options)
        if baseline.needs_fit:
            baseline.fit(corpora.vectors, training)
    scores: Scores = {}
    for name, model in models.items():
        scores[name] = {split: asdict(score_chains(model, corpora.vectors, d)) for split, d in corpora.splits.items()}
        scores[name]["unseen"] = asdict(score_chains(model, corpora.vectors, test, unseen))
    return scores, len(unseen)

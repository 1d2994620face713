"""Near-duplicates of the test articles among the articles that the models were trained on."""

from collections.abc import Sequence
from typing import Any

from lvm_core.corpus.store import CorpusStore
from lvm_core.dataset import split_documents
from lvm_core.evaluate.guards import TwinFinder
from lvm_core.evaluate.settings import EvaluateSettings
from lvm_core.evaluate.subjects import Stage, Subject
from lvm_core.evaluate.testset import TestSet
from lvm_core.types import DocumentInfo


def find_twins(
    stage: Stage, test: TestSet, subjects: Sequence[Subject], settings: EvaluateSettings
) -> list[dict[str, Any]]:
    """Return the near-duplicates, each with the corpus of the training article.

    Looked through are the training articles of the corpus under test and of every corpus that a model names and
    that is in the workspace unchanged; one article's text is in memory at a time.
    """
    store = CorpusStore(stage.workspace)

    def text(corpus: str, document: DocumentInfo) -> str:
        return " ".join(store.texts(corpus, document.first_row, document.first_row + document.n_chunks))

    finder = TwinFinder((d.title, text(stage.corpus.name, d)) for d in test.documents)
    under_test = {d.document_id for d in test.documents}
    found = []
    for corpus, seed in _training_corpora(stage, store, subjects, settings).items():
        for document in split_documents(store.documents(corpus), seed)["train"]:
            if document.document_id not in under_test:
                own = finder.twins_of(document.title, text(corpus, document))
                found += [{**twin.to_json(), "corpus": corpus} for twin in own]
    return found


def _training_corpora(
    stage: Stage, store: CorpusStore, subjects: Sequence[Subject], settings: EvaluateSettings
) -> dict[str, int]:
    """Return the corpora whose training articles are looked through, with the seed of their split."""
    there = {info.name: info.digest for info in store.corpora()}
    wanted = {stage.corpus.name: settings.split_seed} if settings.split != "all" else {}
    for subject in subjects:
        for corpus in subject.info.config.get("corpora", []):
            if there.get(corpus["name"]) == corpus["digest"]:
                wanted[corpus["name"]] = int(subject.info.config.get("split_seed", 0))
    return wanted

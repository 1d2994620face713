"""Splits by article, and windows as index arrays over the vector matrices: nothing is ever materialised."""

from lvm_core.dataset.batches import Batch, TrainingSet
from lvm_core.dataset.corpora import Corpora, JointVectors, open_corpora
from lvm_core.dataset.splits import (
    SPLITS,
    Windows,
    at_most_windows,
    evaluation_windows,
    split_documents,
    title_key,
)

__all__ = [
    "SPLITS",
    "Batch",
    "Corpora",
    "JointVectors",
    "TrainingSet",
    "Windows",
    "at_most_windows",
    "evaluation_windows",
    "open_corpora",
    "split_documents",
    "title_key",
]

"""What an NPZ holds, read as passages of consecutive chunks. Three layouts, under the names that projects use:

vectors     vectors (N, D), and texts, ids and TMD codes (N,) where they were kept. Articles come of article_indices,
            article_ids, doc_ids or batch_ids (N,), their order of chunk_indices, positions or seq_in_article (N,).
sequences   context_vectors, context_sequences or contexts (N, T, D) with target_vectors or targets (N, D), and
            context_texts (N, T), target_texts (N,), article_ids or doc_ids (N,), positions (N,) where they were kept;
            in any order, and perhaps with further windows under val_ and test_.
splits      train_, val_ and test_ contexts (N, T, D), targets (N, D), masks (N, T): windows, or padded chains.

Pickled objects are never loaded, and disturb nobody where they are not needed (metadata, dates).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from lvm_core.errors import SourceError
from lvm_core.exchange.npz.archive import Archive
from lvm_core.exchange.npz.columns import named
from lvm_core.types import Vectors

VECTORS = ("vectors", "concept_vectors", "concept_vecs", "concept_vec", "embeddings")
CONTEXTS = ("context_vectors", "context_sequences", "contexts")
TARGETS = ("target_vectors", "targets")
SPLITS = {"": "", "train_": "train", "val_": "validation", "validation_": "validation", "test_": "test"}
"""What stands before the names of the windows of each split."""


@dataclass(frozen=True, slots=True)
class Passage:
    """Consecutive chunks with their vectors (n, D): an article, a run of windows, or a chain."""

    title: str
    texts: list[str]
    vectors: Vectors
    ids: list[str | None]
    tmd: list[int | None]


@dataclass(frozen=True, slots=True)
class Contents:
    """What a file holds.

    `ordered`: whether it tells the order of its chunks. `has_texts`: whether texts were kept, else passages name their
    chunks by number. `notes`: what a reader must know of its order, as sentences.
    """

    layout: str
    dim: int
    ordered: bool
    has_texts: bool
    passages: Iterator[Passage]
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class WindowKeys:
    """The names under which a file holds one set of windows."""

    prefix: str
    contexts: str
    targets: str

    @property
    def split(self) -> str:
        return SPLITS[self.prefix]


def window_sets(arrays: Archive) -> list[WindowKeys]:
    """Return the sets of windows in the file, in the order of the splits."""
    sets = []
    for prefix in SPLITS:
        contexts = named(arrays, [prefix + name for name in CONTEXTS])
        targets = named(arrays, [prefix + name for name in TARGETS])
        if contexts and targets:
            sets.append(WindowKeys(prefix, contexts, targets))
    return sets


def layout_of(arrays: Archive) -> str:
    """Return "vectors", "sequences" or "splits".

    Raises:
        SourceError: if the names are of none of the three.
    """
    sets = window_sets(arrays)
    if sets:
        return "splits" if all(windows.prefix for windows in sets) else "sequences"
    if named(arrays, VECTORS):
        return "vectors"
    raise SourceError(
        f"The NPZ holds {', '.join(sorted(arrays.headers)[:40]) or 'nothing'}",
        "vectors with concept_texts and cpe_ids, or context_vectors with target_vectors, or train_/val_/test_"
        " contexts, targets and masks",
        "Rename its arrays so: np.savez(FILE, vectors=..., concept_texts=..., cpe_ids=...).",
    )

"""Several encoded corpora opened as one."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lvm_core.dataset.splits import HELD_OUT, SPLITS, split_documents, title_key
from lvm_core.errors import CorpusError, SpaceMismatch
from lvm_core.types import CorpusInfo, DocumentInfo, Rows, Vectors, VectorSource
from lvm_core.workspace import Workspace


class JointVectors:
    """Several matrices under one row numbering, in the order given."""

    def __init__(self, parts: Sequence[VectorSource], sizes: Sequence[int]) -> None:
        """Number the rows of `parts` through."""
        self.parts = list(parts)
        self.offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)

    def rows(self, idx: Rows) -> Vectors:
        """Return the rows (n, D) float32 in the order of `idx`."""
        if len(self.parts) == 1:
            return self.parts[0].rows(idx)
        part = np.searchsorted(self.offsets, idx, side="right") - 1
        out: Vectors | None = None
        for number in np.unique(part):
            chosen = np.flatnonzero(part == number)
            part_rows = self.parts[number].rows(idx[chosen] - self.offsets[number])
            if out is None:
                out = np.empty((len(idx), part_rows.shape[1]), dtype=np.float32)
            out[chosen] = part_rows
        assert out is not None
        return out

    def slice(self, start: int, stop: int) -> Vectors:
        """Return rows start .. stop - 1, which must lie in one part."""
        number = int(np.searchsorted(self.offsets, start, side="right")) - 1
        offset = int(self.offsets[number])
        return self.parts[number].slice(start - offset, stop - offset)


@dataclass(frozen=True)
class Corpora:
    """Several encoded corpora as one: their vectors, and their articles by split, numbered through."""

    infos: list[CorpusInfo]
    vectors: JointVectors
    splits: dict[str, list[DocumentInfo]]
    encoder_id: str
    dim: int
    unit_norm: bool
    mean_norm: float
    n_rows: int
    n_left_out: int


def open_corpora(
    workspace: Workspace, names: Sequence[str], encoder_id: str, split_seed: int = 0, held_out: float = HELD_OUT
) -> Corpora:
    """Return the corpora `names` in the space of `encoder_id`, split by article.

    An article that is held out in one corpus is held out in all of them: training articles whose title is in
    the validation or test split of another corpus are left out (and counted).

    Raises:
        CorpusError: if a corpus is missing or is not encoded.
        SpaceMismatch: if the matrices are not all of `encoder_id`.
    """
    from lvm_core.corpus.store import CorpusStore
    from lvm_core.vectors.matrix import open_matrix

    store = CorpusStore(workspace)
    infos = [store.corpus(name) for name in names]
    matrices = [open_matrix(workspace, name, encoder_id) for name in names]
    for name, matrix in zip(names, matrices, strict=True):
        if matrix.encoder_id != encoder_id:
            raise SpaceMismatch(f"corpus '{name}'", encoder_id, matrix.encoder_id, "encode it with one encoder.")
    splits: dict[str, list[DocumentInfo]] = {name: [] for name in SPLITS}
    offset = 0
    for name, matrix in zip(names, matrices, strict=True):
        for split, documents in split_documents(store.documents(name), split_seed, held_out).items():
            splits[split] += [dataclasses.replace(d, first_row=d.first_row + offset) for d in documents]
        offset += matrix.n_rows
    held = {title_key(d.title) for split in ("validation", "test") for d in splits[split]}
    train = [d for d in splits["train"] if title_key(d.title) not in held]
    n_left_out = len(splits["train"]) - len(train)
    splits["train"] = train
    if not any(d.n_chunks >= 2 for d in train):
        raise CorpusError(
            f"{', '.join(names)}: no training article has two chunks",
            "at least one, since else there is nothing to predict",
            "Ingest more or longer articles.",
        )
    joint = JointVectors(matrices, [m.n_rows for m in matrices])
    norms = [m.mean_norm for m in matrices]
    first = matrices[0]
    return Corpora(
        infos, joint, splits, encoder_id, first.dim, all(m.unit_norm for m in matrices), float(np.mean(norms)),
        offset, n_left_out,
    )  # fmt: skip

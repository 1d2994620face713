"""Vector matrices: one float16 .npy a corpus and encoder, mapped into memory, with a JSON beside it."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lvm_core.boundary.arrays import map_array
from lvm_core.boundary.files import is_regular
from lvm_core.boundary.json_values import from_json
from lvm_core.corpus.store import CorpusStore
from lvm_core.errors import CorpusError, SpaceMismatch, WorkspaceError
from lvm_core.types import CorpusInfo, Rows, Vectors
from lvm_core.workspace import Workspace, read_json

FORMAT = 1
STRETCH = 256
"""Rows in a row that are looked at where not all are."""

ROWS_AT_ONCE = 16_384


@dataclass(frozen=True, slots=True)
class MatrixInfo:
    """What the JSON beside a matrix says.

    Attributes:
        digest: content digest of the corpus that was encoded.
        mean_norm: mean L2 norm of the rows; 1 where `unit_norm`.
        encode_s: seconds the encoding took, over all its attempts.
    """

    corpus: str
    digest: str
    encoder_id: str
    n_rows: int
    dim: int
    unit_norm: bool
    mean_norm: float
    encode_s: float = 0.0
    format: int = FORMAT


class VectorMatrix:
    """The vectors of a corpus, (n_rows, dim); line i is chunk i. Opens in about a millisecond, at any size."""

    def __init__(self, info: MatrixInfo, data: NDArray[np.float16]) -> None:
        """Wrap the mapped float16 array."""
        self.info = info
        self._data = data

    @property
    def corpus(self) -> str:
        return self.info.corpus

    @property
    def digest(self) -> str:
        """Content digest of the corpus that was encoded."""
        return self.info.digest

    @property
    def encoder_id(self) -> str:
        return self.info.encoder_id

    @property
    def n_rows(self) -> int:
        return self.info.n_rows

    @property
    def dim(self) -> int:
        return self.info.dim

    @property
    def unit_norm(self) -> bool:
        return self.info.unit_norm

    @property
    def mean_norm(self) -> float:
        return self.info.mean_norm

    def __len__(self) -> int:
        return self.info.n_rows

    def rows(self, idx: Rows | Sequence[int]) -> Vectors:
        """Return the vectors (N, D) float32 at the rows `idx`, in their order.

        Raises:
            CorpusError: if a row lies outside the corpus.
        """
        wanted = np.asarray(idx, dtype=np.int64).reshape(-1)
        outside = wanted[(wanted < 0) | (wanted >= self.n_rows)]
        if len(outside):
            raise CorpusError(
                f"Row {outside[0]} was asked for in corpus '{self.corpus}'",
                f"rows 0 to {self.n_rows - 1}",
                "The vectors belong to another state of the corpus: encode it again.",
            )
        return self._data[wanted].astype(np.float32)

    def slice(self, start: int, stop: int) -> Vectors:
        """Return the vectors (stop - start, D) float32 of rows `start` to before `stop`."""
        return self._data[start:stop].astype(np.float32)

    def n_unusable(self, most: int | None = None) -> tuple[int, int]:
        """Return how many rows hold NaN or infinite numbers, and how many were looked at.

        Args:
            most: about so many rows are looked at, in stretches spread evenly; None for all of them.
        """
        sampled = most is not None and self.n_rows > most
        length = STRETCH if sampled else ROWS_AT_ONCE
        step = -(-self.n_rows * length // (most or 1)) if sampled else length
        n_found = n_seen = 0
        for start in range(0, self.n_rows, step):
            part = self._data[start : start + length]
            n_found += int((~np.isfinite(part).all(axis=1)).sum())
            n_seen += len(part)
        return n_found, n_seen


def open_matrix(workspace: Workspace, corpus: str, encoder_id: str) -> VectorMatrix:
    """Return the matrix of `corpus` in the space of `encoder_id`.

    Raises:
        CorpusError: if the corpus is missing, was never encoded, or was read in anew since.
        SpaceMismatch: if it is encoded, but with other encoders only.
        WorkspaceError: if the file is damaged.
    """
    stored = CorpusStore(workspace).corpus(corpus)
    path = workspace.vectors(corpus, encoder_id)
    info = read_info(path)
    if info is None or info.encoder_id != encoder_id:
        raise _not_there(workspace, stored, encoder_id)
    if info.digest != stored.digest:
        raise CorpusError(
            f"The vectors of corpus '{corpus}' were made of an earlier state of it",
            "vectors of its chunks as they are now",
            _remedy(corpus, encoder_id),
        )
    return VectorMatrix(info, map_data(path, info.n_rows, info.dim))


def encoded_with(workspace: Workspace, corpus: str) -> list[str]:
    """Return the ids of the encoders whose vectors of `corpus` are there and of its present state, newest first.

    Raises:
        CorpusError: if the corpus is missing.
    """
    stored = CorpusStore(workspace).corpus(corpus)
    return [info.encoder_id for info in _infos(workspace, corpus) if info.digest == stored.digest]


def _infos(workspace: Workspace, corpus: str) -> list[MatrixInfo]:
    infos = []
    for path in matrix_files(workspace, corpus):
        with contextlib.suppress(WorkspaceError):  # one damaged file must not hide the others; `doctor` names it
            infos.append(read_info(path))
    return [info for info in infos if info is not None]


def matrix_files(workspace: Workspace, corpus: str) -> list[Path]:
    """Return the files of a corpus's matrices, of any state, the newest first."""
    paths = [path for path in workspace.corpus_dir(corpus).glob("vectors.*.f16.npy") if is_regular(path)]
    return sorted(paths, key=lambda path: path.stat().st_mtime_ns, reverse=True)


def read_info(path: Path) -> MatrixInfo | None:
    """Return what the JSON beside the matrix `path` says, None where either is missing.

    Raises:
        WorkspaceError: if it is damaged.
    """
    beside = path.with_suffix(".json")
    if not path.exists() or not beside.exists():
        return None
    return from_json(MatrixInfo, read_json(beside), str(beside), "Delete it and encode again.", error=WorkspaceError)


def map_data(path: Path, n_rows: int, dim: int) -> NDArray[np.float16]:
    """Return the (n_rows, dim) float16 array in `path`, mapped read-only.

    Raises:
        WorkspaceError: if the file is damaged or of another shape.
    """
    return map_array(path, np.float16, (n_rows, dim), "The matrix", "Delete it and encode again.", error=WorkspaceError)


def _not_there(workspace: Workspace, corpus: CorpusInfo, encoder_id: str) -> CorpusError | SpaceMismatch:
    others = [i.encoder_id for i in _infos(workspace, corpus.name) if i.digest == corpus.digest]
    if others:
        remedy = _remedy(corpus.name, encoder_id)
        return SpaceMismatch(f"The matrix of corpus '{corpus.name}'", encoder_id, others[0], remedy)
    return CorpusError(
        f"Corpus '{corpus.name}' has no vectors yet", "a matrix for this encoder", _remedy(corpus.name, encoder_id)
    )


def _remedy(corpus: str, encoder_id: str) -> str:
    return f"Encode it with: python -m lvm_core encode --corpus {corpus} --encoder {encoder_id.rpartition('@')[0]}"

"""Vectors that come with their chunks (a table, an NPZ file): written in row order, complete or not at all."""

import contextlib
import dataclasses
from types import TracebackType
from typing import Self

import numpy as np

from lvm_core.errors import SourceError
from lvm_core.types import CorpusInfo, Vectors
from lvm_core.vectors.matrix import MatrixInfo
from lvm_core.workspace import Workspace, disk_errors, need_space, replacing, write_json

UNIT_ERROR = 0.01
BLOCK = 65_536


class MatrixWriter:
    """Use it as a context manager within the writing of the corpus, and call `finish` once that is there.

    What a killed process left waiting is written over by the next one of the same corpus.
    """

    def __init__(self, workspace: Workspace, corpus: str, encoder_id: str) -> None:
        self._workspace, self._encoder_id = workspace, encoder_id
        self._path = workspace.vectors(corpus, encoder_id)
        # The corpus's own folder goes when an older corpus of its name is replaced, so the rows wait outside it.
        self._temporary = workspace.incoming(corpus) / "vectors.f16"
        self._n_rows = self._dim = 0
        self._norms = self._furthest = 0.0

    def __enter__(self) -> Self:
        self._workspace.make(self._temporary.parent)
        with disk_errors(self._temporary):
            self._file = self._temporary.open("wb")
        return self

    def append(self, vectors: Vectors) -> None:
        """Add the next rows (n, D).

        Raises:
            SourceError: if D changes on the way.
        """
        if self._dim and vectors.shape[1] != self._dim:
            raise SourceError(
                f"Vectors of {vectors.shape[1]} and of {self._dim} dimensions cannot stand in one matrix."
            )
        self._dim = vectors.shape[1]
        norms = np.linalg.norm(vectors, axis=1)
        self._norms += float(norms.sum())
        self._furthest = max(self._furthest, float(np.abs(norms - 1).max(initial=0.0)))
        self._n_rows += len(vectors)
        with disk_errors(self._path):
            self._file.write(np.ascontiguousarray(vectors, dtype=np.float16).tobytes())

    def finish(self, corpus: CorpusInfo) -> None:
        """Give the matrix its place beside `corpus`, which is stored by now; its description comes last."""
        with disk_errors(self._path):
            self._file.flush()
        need_space(self._path.parent, self._n_rows * self._dim * 2)
        raw = np.memmap(self._temporary, dtype=np.float16, mode="r", shape=(self._n_rows, self._dim))
        with replacing(self._path) as target, target.open("wb") as out:
            np.lib.format.write_array_header_1_0(
                out, {"descr": np.lib.format.dtype_to_descr(raw.dtype), "fortran_order": False, "shape": raw.shape}
            )
            for start in range(0, self._n_rows, BLOCK):
                out.write(raw[start : start + BLOCK].tobytes())
        unit = self._furthest < UNIT_ERROR
        mean_norm = 1.0 if unit else self._norms / max(self._n_rows, 1)
        info = MatrixInfo(corpus.name, corpus.digest, self._encoder_id, self._n_rows, self._dim, unit, mean_norm)
        write_json(self._path.with_suffix(".json"), {f.name: getattr(info, f.name) for f in dataclasses.fields(info)})

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        self._temporary.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # what else waits for this corpus stays
            self._temporary.parent.rmdir()

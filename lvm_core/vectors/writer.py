"""Vectors that come with their chunks (a table, an NPZ file): written in row order, complete or not at all."""

import contextlib
import dataclasses
import os
from types import TracebackType
from typing import Self

import numpy as np

from lvm_core.errors import SourceError
from lvm_core.types import CorpusInfo, Vectors
from lvm_core.vectors.matrix import MatrixInfo
from lvm_core.workspace import Workspace, disk_errors, write_json

UNIT_ERROR = 0.01


class MatrixWriter:
    """Use it as a context manager within the writing of the corpus: `seal` before that is shown, `finish` after.

    What a killed process left waiting is written over by the next one of the same corpus.
    """

    def __init__(self, workspace: Workspace, corpus: str, encoder_id: str) -> None:
        self._encoder_id = encoder_id
        self._path = workspace.vectors(corpus, encoder_id)
        # The corpus's own folder goes when an older corpus of its name is replaced, so the rows wait outside it.
        self._temporary = workspace.make(workspace.incoming(corpus)) / "vectors.f16.npy"
        self._n_rows = self._dim = 0
        self._norms = self._furthest = 0.0

    def __enter__(self) -> Self:
        with disk_errors(self._temporary):
            self._file = self._temporary.open("wb")
        return self

    def append(self, vectors: Vectors) -> None:
        """Add the next rows (n, D).

        Raises:
            SourceError: if D changes on the way.
            WorkspaceError: if the disk refuses.
        """
        if self._dim and vectors.shape[1] != self._dim:
            raise SourceError(
                f"Vectors of {vectors.shape[1]} dimensions were given",
                f"{self._dim}, as those before",
                "Put those of each encoder into a corpus of their own.",
            )
        with disk_errors(self._temporary):
            if not self._dim:
                self._dim = vectors.shape[1]
                self._write_header()
            self._file.write(np.ascontiguousarray(vectors, dtype=np.float16).tobytes())
        norms = np.linalg.norm(vectors, axis=1)
        self._norms += float(norms.sum())
        self._furthest = max(self._furthest, float(np.abs(norms - 1).max(initial=0.0)))
        self._n_rows += len(vectors)

    def _write_header(self) -> None:
        """Say how many rows there are; numpy leaves room for the number to grow, so the header's length stays."""
        header = {"descr": np.lib.format.dtype_to_descr(np.dtype(np.float16)), "fortran_order": False,
                  "shape": (self._n_rows, self._dim)}  # fmt: skip
        np.lib.format.write_array_header_1_0(self._file, header)

    def seal(self) -> None:
        """Bring the whole matrix to the disk, so that nothing can fail once the corpus is shown.

        Raises:
            WorkspaceError: if the disk refuses.
        """
        with disk_errors(self._temporary):
            self._file.seek(0)
            self._write_header()
            self._file.flush()
            os.fsync(self._file.fileno())

    def finish(self, corpus: CorpusInfo) -> None:
        """Give the matrix its place beside `corpus`, which is stored by now; its description comes last."""
        with disk_errors(self._path):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._temporary.replace(self._path)
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

"""Rows of a table on disk, between the server and the corpus: what was read once is never read again.

Memory stays small whatever the table's size, and an import that was killed, or whose server died, goes on after the
last batch that is whole. The file is a run of batches, each with its lengths and a checksum before it; a batch that
a kill cut short fails its checksum and is cut off.
"""

import contextlib
import json
import os
import shutil
import struct
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import numpy as np

from lvm_core.corpus.locks import corpus_lock
from lvm_core.exchange.postgres.read import Row
from lvm_core.workspace import Workspace, disk_errors, read_json, write_json

BATCH = 2_000
"""Rows written at once; a kill loses no more than these."""

_HEAD = struct.Struct("<4sIQI")
"""Mark, bytes of JSON, bytes of vectors, CRC-32 of both."""

_MARK = b"LVM1"


class Staging:
    """Rows read so far for one corpus; use it as a context manager, which holds the corpus's lock for reading in.

    Attributes:
        key: digest of the state of the source that the rows are of, "" where it cannot be known.
        n_rows: rows here.
        n_found: how many of them were here before.
        changed: whether rows of another state were here, and were dropped.
        seconds: what the reading of the rows took, over all attempts.
    """

    def __init__(self, workspace: Workspace, corpus: str, key: str) -> None:
        """Say which rows are wanted: of `key`'s state of the source; "" begins anew each time."""
        self.key = key
        self.n_rows = self.n_found = 0
        self.changed = False
        self.seconds = 0.0
        self._workspace, self._corpus = workspace, corpus
        self._folder = workspace.incoming(corpus)
        self._path, self._about = self._folder / "rows.bin", self._folder / "source.json"
        self._batch: list[Row] = []
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            stack.enter_context(corpus_lock(self._workspace, self._corpus, "reading"))
            there = staged_key(self._workspace, self._corpus)
            if there is not None and (there != self.key or not self.key):
                self.changed = bool(self.key)
                self.drop()
            self._workspace.make(self._folder)
            write_json(self._about, {"key": self.key, "corpus": self._corpus})
            with disk_errors(self._path):
                self._file = stack.enter_context(self._path.open("a+b"))
                self._file.truncate(self._whole())
                self._file.seek(0, os.SEEK_END)
            self.n_found = self.n_rows
            self._since = time.perf_counter()
            self._stack = stack.pop_all()
        return self

    def _whole(self) -> int:
        """Count the rows of the batches that are whole and return where the last one ends."""
        ends = [0]
        for about, _, end in self._batches():
            self.n_rows += len(about["texts"])
            self.seconds += about["seconds"]
            ends.append(end)
        return ends[-1]

    def put(self, row: Row) -> bool:
        """Add a row; return whether its batch was full with it, and is on disk for good."""
        self._batch.append(row)
        full = len(self._batch) >= BATCH
        if full:
            self.flush()
        return full

    def flush(self) -> None:
        """Write what waits, so that no kill can lose it.

        Raises:
            WorkspaceError: if the disk refuses.
        """
        rows, self._batch = self._batch, []
        if not rows:
            return
        now = time.perf_counter()
        took, self._since = now - self._since, now
        about = json.dumps({
            "ids": [row.cpe_id for row in rows], "texts": [row.text for row in rows], "tmd": [row.tmd for row in rows],
            "articles": [row.article for row in rows], "positions": [row.position for row in rows],
            "dims": [None if row.vector is None else len(row.vector) for row in rows], "seconds": took,
        }, ensure_ascii=False).encode()  # fmt: skip
        vectors = b"".join(row.vector.tobytes() for row in rows if row.vector is not None)
        check = zlib.crc32(vectors, zlib.crc32(about))
        with disk_errors(self._path):
            self._file.write(_HEAD.pack(_MARK, len(about), len(vectors), check))
            self._file.write(about)
            self._file.write(vectors)
            self._file.flush()
            os.fsync(self._file.fileno())
        self.n_rows += len(rows)
        self.seconds += took

    def rows(self) -> Iterator[Row]:
        """Yield all rows in the order in which they came, a batch in memory at a time."""
        for about, data, _ in self._batches():
            dims = about["dims"]
            vectors = np.frombuffer(data, dtype=np.float32)
            at = 0
            columns = (about[name] for name in ("ids", "texts", "tmd", "articles", "positions"))
            for dim, (cpe_id, text, tmd, article, position) in zip(dims, zip(*columns, strict=True), strict=True):
                vector = None if dim is None else vectors[at : at + dim]
                at += dim or 0
                yield Row(cpe_id, text, vector, tmd, article, position)

    def _batches(self) -> Iterator[tuple[dict[str, Any], bytes, int]]:
        """Yield description, vectors and end of each batch up to the first that is not whole."""
        with self._path.open("rb") as file:
            while len(head := file.read(_HEAD.size)) == _HEAD.size:
                mark, n_about, n_vectors, check = _HEAD.unpack(head)
                about, vectors = file.read(n_about), file.read(n_vectors)
                if mark != _MARK or zlib.crc32(vectors, zlib.crc32(about)) != check:
                    return
                yield json.loads(about), vectors, file.tell()

    def drop(self) -> None:
        """Remove the rows; the description goes first, so that half a removal is never taken for rows."""
        with disk_errors(self._folder):
            self._about.unlink(missing_ok=True)
            shutil.rmtree(self._folder, ignore_errors=True)
        self.n_rows = 0

    def __exit__(self, *_: object) -> None:
        with self._stack:
            if not self.key:
                self.drop()


def staged_key(workspace: Workspace, corpus: str) -> str | None:
    """Return of which state of a source rows are kept for `corpus`; None where none are."""
    path: Path = workspace.incoming(corpus) / "source.json"
    return str(read_json(path)["key"]) if path.exists() else None

"""An index of inverted lists on disk, with a JSON beside it: of what it is, what it finds, how its file was written."""

import dataclasses
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lvm_core.errors import WorkspaceError
from lvm_core.vectors.ivf import IvfIndex, n_lists
from lvm_core.vectors.ivf_pq import CODE_BYTES, IvfPqIndex
from lvm_core.vectors.matrix import VectorMatrix
from lvm_core.vectors.probe import Probe
from lvm_core.workspace import need_space, read_json, replacing, write_json

FORMAT = 3
"""Format 2 knew one kind, whose recall was measured on the corpus's own chunks; such an index is built again."""

BLOCK_BYTES = 1 << 22


@dataclass(frozen=True, slots=True)
class IndexNote:
    """What the JSON says. The file's digest is read again only where its size or time of change differs."""

    kind: str
    digest: str
    encoder_id: str
    n_rows: int
    dim: int
    n_lists: int
    n_probe: int
    n_candidates: int
    recall: float
    file_bytes: int
    file_mtime_ns: int
    file_sha256: str
    format: int = FORMAT

    @property
    def about(self) -> str:
        """How it searches and what that finds, as people read it."""
        again = f", {self.n_candidates:,} candidates compared again" if self.n_candidates else ""
        return (
            f"{self.kind}, {self.n_probe:,} of {self.n_lists:,} lists a search{again}: {self.recall:.1%} of the true"
            " neighbours of held-out queries"
        )

    def is_of(self, matrix: VectorMatrix) -> bool:
        """Return whether the index was built of the rows of `matrix`, into as many lists as today."""
        identity = (self.digest, self.encoder_id, self.n_rows, self.dim, self.n_lists)
        return identity == (matrix.digest, matrix.encoder_id, matrix.n_rows, matrix.dim, n_lists(matrix.n_rows))

    def is_unchanged(self, path: Path) -> bool:
        """Return whether the file is there, as it was written."""
        if not path.is_file():
            return False
        stat = path.stat()
        if (stat.st_size, stat.st_mtime_ns) == (self.file_bytes, self.file_mtime_ns):
            return True
        return stat.st_size == self.file_bytes and _sha256(path) == self.file_sha256


def write_index(index: IvfIndex | IvfPqIndex, matrix: VectorMatrix, path: Path) -> None:
    """Write the index of `matrix` to `path`; its description comes last.

    Raises:
        WorkspaceError: if the disk is full or read-only.
    """
    import faiss

    row_bytes = CODE_BYTES if isinstance(index, IvfPqIndex) else matrix.dim * 4
    need_space(path.parent, matrix.n_rows * (row_bytes + 8))
    path.with_suffix(".json").unlink(missing_ok=True)
    with replacing(path) as temporary:
        faiss.write_index(index.faiss_index, str(temporary))
    stat = path.stat()
    note = IndexNote(
        index.kind,
        matrix.digest,
        matrix.encoder_id,
        matrix.n_rows,
        matrix.dim,
        index.n_lists,
        index.probe.n_probe,
        index.probe.n_candidates,
        index.probe.recall,
        stat.st_size,
        stat.st_mtime_ns,
        _sha256(path),
    )
    write_json(path.with_suffix(".json"), dataclasses.asdict(note))


def read_index(matrix: VectorMatrix, path: Path, kind: str) -> IvfIndex | IvfPqIndex | None:
    """Return the stored index; None where there is none of this kind and matrix, or where its file was changed."""
    import faiss

    note = read_note(path)
    if note is None or note.kind != kind or not note.is_of(matrix) or not note.is_unchanged(path):
        return None
    index = _loaded(path)
    if index is None or (index.ntotal, index.d, index.nlist) != (matrix.n_rows, matrix.dim, note.n_lists):
        return None
    probe = Probe(note.n_probe, note.recall, note.n_candidates)
    if kind == IvfIndex.kind and isinstance(index, faiss.IndexIVFFlat):
        return IvfIndex(index, matrix.encoder_id, probe)
    if kind == IvfPqIndex.kind and isinstance(index, faiss.IndexIVFPQFastScan):
        return IvfPqIndex(index, matrix, matrix.encoder_id, probe)
    return None


def read_note(path: Path) -> IndexNote | None:
    """Return what the JSON beside the index at `path` says; None where it is missing, damaged or of an older format."""
    try:
        note = IndexNote(**read_json(path.with_suffix(".json")))
    except (WorkspaceError, TypeError):
        return None
    types_are_right = all(
        isinstance(getattr(note, f.name), (int, float) if f.type is float else f.type)  # type: ignore[arg-type]
        for f in dataclasses.fields(note)
    )
    return note if types_are_right and note.format == FORMAT else None


def _loaded(path: Path) -> Any:
    """Return what FAISS reads in `path`, None where that is no index of inverted lists."""
    import faiss

    try:
        index = faiss.read_index(str(path))
    except RuntimeError:  # a damaged file
        return None
    return index if isinstance(index, faiss.IndexIVF) else None


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()

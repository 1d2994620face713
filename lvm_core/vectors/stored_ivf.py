"""An IVF index on disk, with a JSON beside it that says of what it is and how the file was when it was written."""

import dataclasses
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lvm_core.errors import WorkspaceError
from lvm_core.vectors.ivf import IvfIndex, Probe, n_lists
from lvm_core.vectors.matrix import VectorMatrix
from lvm_core.workspace import need_space, read_json, replacing, write_json

FORMAT = 2
"""Format 1 did not say how many lists to look into; such an index is built again."""

BLOCK_BYTES = 1 << 22


@dataclass(frozen=True, slots=True)
class _Description:
    """What the JSON says. The file's digest is read again only where its size or time of change differs."""

    digest: str
    encoder_id: str
    n_rows: int
    dim: int
    n_lists: int
    n_probe: int
    recall: float
    file_bytes: int
    file_mtime_ns: int
    file_sha256: str
    format: int = FORMAT

    def is_of(self, matrix: VectorMatrix) -> bool:
        identity = (self.digest, self.encoder_id, self.n_rows, self.dim, self.n_lists)
        return identity == (matrix.digest, matrix.encoder_id, matrix.n_rows, matrix.dim, n_lists(matrix.n_rows))

    def is_unchanged(self, path: Path) -> bool:
        stat = path.stat()
        if (stat.st_size, stat.st_mtime_ns) == (self.file_bytes, self.file_mtime_ns):
            return True
        return stat.st_size == self.file_bytes and _sha256(path) == self.file_sha256


def write_ivf(index: IvfIndex, matrix: VectorMatrix, path: Path) -> None:
    """Write the index of `matrix` to `path`; its description comes last.

    Raises:
        WorkspaceError: if the disk is full or read-only.
    """
    import faiss

    need_space(path.parent, matrix.n_rows * (matrix.dim * 4 + 8))
    path.with_suffix(".json").unlink(missing_ok=True)
    with replacing(path) as temporary:
        faiss.write_index(index.faiss_index, str(temporary))
    stat = path.stat()
    description = _Description(
        matrix.digest,
        matrix.encoder_id,
        matrix.n_rows,
        matrix.dim,
        index.n_lists,
        index.probe.n_probe,
        index.probe.recall,
        stat.st_size,
        stat.st_mtime_ns,
        _sha256(path),
    )
    write_json(path.with_suffix(".json"), dataclasses.asdict(description))


def read_ivf(matrix: VectorMatrix, path: Path) -> IvfIndex | None:
    """Return the stored index; None where there is none of this very matrix, or where its file was changed."""
    description = _description(path.with_suffix(".json"))
    if description is None or not path.is_file():
        return None
    if not description.is_of(matrix) or not description.is_unchanged(path):
        return None
    index = _loaded(path)
    if index is None or (index.ntotal, index.d, index.nlist) != (matrix.n_rows, matrix.dim, description.n_lists):
        return None
    return IvfIndex(index, matrix.encoder_id, Probe(description.n_probe, description.recall))


def _description(path: Path) -> _Description | None:
    try:
        values = read_json(path)
        description = _Description(**values)
    except (WorkspaceError, TypeError):  # missing, damaged or of an older format
        return None
    types_are_right = all(
        isinstance(getattr(description, f.name), (int, float) if f.type is float else f.type)  # type: ignore[arg-type]
        for f in dataclasses.fields(description)
    )
    return description if types_are_right and description.format == FORMAT else None


def _loaded(path: Path) -> Any:
    """Return the faiss.IndexIVFFlat in `path`, None where it holds anything else."""
    import faiss

    try:
        index = faiss.read_index(str(path))
    except RuntimeError:  # a damaged file
        return None
    return index if isinstance(index, faiss.IndexIVFFlat) else None


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()

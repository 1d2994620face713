"""What is open in this process: one copy of each encoder, matrix, index, model and decoder, however many ask for it.

An entry serves as long as the files that it was read from stay as they are; of each kind the one that nobody has asked
for longest goes when there are more than a few. What is given is shared: read it, never change it.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Generic, TypeVar

from lvm_core.checkpoint import CONFIG, WEIGHTS, LoadedModel, ModelInfo, find_model, load_model, members_of
from lvm_core.decode.decoders import DECODERS, load_decoder
from lvm_core.spaces import encoder_of_space
from lvm_core.types import Decoder, Encoder, Progress, no_progress
from lvm_core.vectors.index import StoredIndex, open_index
from lvm_core.vectors.matrix import VectorMatrix, open_matrix
from lvm_core.workspace import SHIPPED, Workspace

T = TypeVar("T")


class Shelf(Generic[T]):
    """At most `most` things by key, the one used longest ago going first; two who ask at once open it once."""

    def __init__(self, most: int) -> None:
        """Start empty."""
        self.most = most
        self._lock = threading.Lock()
        self._opening: dict[Hashable, threading.Lock] = {}
        self._things: OrderedDict[Hashable, T] = OrderedDict()

    def get(self, key: Hashable, open_it: Callable[[], T]) -> T:
        """Return what is open under `key`, opened now where there is nothing; what fails to open is not remembered."""
        with self._lock:
            if key in self._things:
                self._things.move_to_end(key)
                return self._things[key]
            opening = self._opening.setdefault(key, threading.Lock())
        with opening:
            with self._lock:
                if key in self._things:
                    return self._things[key]
            try:
                thing = open_it()
            finally:
                with self._lock:
                    self._opening.pop(key, None)
            with self._lock:
                self._things[key] = thing
                while len(self._things) > self.most:
                    self._things.popitem(last=False)
            return thing

    def __len__(self) -> int:
        """Return how many are open."""
        return len(self._things)


ENCODERS: Shelf[Encoder] = Shelf(2)
MATRICES: Shelf[VectorMatrix] = Shelf(16)
INDEXES: Shelf[StoredIndex] = Shelf(3)
"""Exact ones hold their corpus in float32, up to 30 MB at D = 384."""

MODELS: Shelf[LoadedModel] = Shelf(24)
DECODERS_OPEN: Shelf[tuple[Encoder, Decoder]] = Shelf(2)
"""Each holds a language model; the encoder stays beside it, so that no other can take its identity."""


def encoder(workspace: Workspace, encoder_id: str) -> Encoder:
    """Return the encoder of exactly this id, or what stands for it; see `encoder_of_space`."""
    return ENCODERS.get((workspace.root, encoder_id), lambda: encoder_of_space(workspace, encoder_id))


def matrix(workspace: Workspace, corpus: str, encoder_id: str) -> VectorMatrix:
    """Return the vectors of a corpus; see `open_matrix`."""
    key = (workspace.root, corpus, encoder_id, stamp(workspace.vectors(corpus, encoder_id)))
    return MATRICES.get(key, lambda: open_matrix(workspace, corpus, encoder_id))


def index(workspace: Workspace, corpus: str, encoder_id: str) -> StoredIndex:
    """Return the nearest-chunk index of a corpus; see `open_index`."""
    files = (workspace.vectors(corpus, encoder_id), workspace.index(corpus, encoder_id))
    key = (workspace.root, corpus, encoder_id, *map(stamp, files))
    return INDEXES.get(key, lambda: open_index(workspace, corpus, encoder_id))


def model(workspace: Workspace, ref: str, encoder_id: str, dim: int) -> LoadedModel:
    """Return a model ready to predict; see `load_model`."""
    key = (workspace.root, ref, encoder_id, dim, files_of(workspace, find_model(workspace, ref, encoder_id)))
    return MODELS.get(key, lambda: load_model(workspace, ref, encoder_id, dim))


def decoder(
    workspace: Workspace, name: str, space: Encoder, corpus: str | None = None, progress: Progress = no_progress
) -> Decoder:
    """Return a decoder for vectors of the encoder `space`; see `load_decoder`.

    What writes vectors of unit norm is the same on every corpus.
    """
    kind = DECODERS.get(name)
    if kind is not None and kind.writes and space.unit_norm:
        corpus = None
    trained = workspace.inverter("x").parent
    folders = [path for root in (trained, SHIPPED) for path in sorted(root.glob(f"*/{CONFIG}"))]
    vectors = stamp(workspace.vectors(corpus, space.id)) if corpus else None
    key = (workspace.root, name, kind, id(space), corpus, vectors, *((path, stamp(path)) for path in folders))
    return DECODERS_OPEN.get(key, lambda: (space, load_decoder(workspace, name, space, corpus, progress=progress)))[1]


def stamp(path: Path) -> tuple[int, int]:
    """Return modification time (ns) and size of a file, zeros where there is none: it changes with the file."""
    try:
        status = path.stat()
    except OSError:
        return (0, 0)
    return (status.st_mtime_ns, status.st_size)


Files = tuple[tuple[Path, tuple[int, int]], ...]
"""Files and what changes with them."""


def files_of(workspace: Workspace, info: ModelInfo) -> Files:
    """Return the files of a model as they are; an ensemble's are its members' too.

    Raises:
        ModelError: if a member is gone, or a description is damaged.
    """
    found: dict[Path, ModelInfo] = {}
    left = [info]
    while left:
        one = left.pop()
        if one.path not in found:  # a damaged description may name the model itself
            found[one.path] = one
            left += [find_model(workspace, member["ref"], info.encoder_id) for member in members_of(one)]
    paths = [folder / name for folder in found for name in (CONFIG, WEIGHTS)]
    return tuple((path, stamp(path)) for path in paths)

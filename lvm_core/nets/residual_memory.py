"""A model that remembers what it missed: where the text went like this before, what the prediction lacked then.

The k-nearest-neighbour language model (Khandelwal et al. 2020, 1911.00172, section 2) carried over to vectors. The key
of a place in the text is the prediction there and the last chunk, its value what the prediction missed, the residual
y - c p of the true next chunk y and the unit prediction p, whose least-squares length c is the model's mean cosine.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lvm_core.boundary.arrays import map_array
from lvm_core.boundary.files import is_regular
from lvm_core.config import from_dict, setting
from lvm_core.errors import ModelError
from lvm_core.json_shapes import Values
from lvm_core.nets.base import SequenceModel, unit
from lvm_core.types import Rows, Vectors
from lvm_core.vectors.geometry import unit_rows

INDEX, RESIDUALS, ROWS = "memory.faiss", "memory.residuals.npy", "memory.rows.npy"
FILES = (INDEX, RESIDUALS, ROWS)
MAKE_AGAIN = (
    "Restore the folder from a copy, or make the memory again: python -m lvm_core train --model residual-memory"
)

BANDS = 4
"""How many ranges of nearness have a share of their own."""

EXACT = 20_000
"""Places up to which the memory is searched exactly; an index of product codes needs more to be trained."""

PLACES_AT_ONCE = 1024


@dataclass
class ResidualMemoryOptions:
    """What a residual memory is made of.

    With 780,525 places an `mlp` that had seen none of their articles gains .0042 of cosine on validation articles by 32
    neighbours and .0053 by 64. The shipped `ensemble`, trained on the very articles of 2,427,688 places, still gains
    .0020 on test articles by 128.
    """

    member: str = setting("", "run or shipped model that is given a memory", always=True)
    neighbours: int = setting(64, "places that are remembered at once", low=1, high=1024)
    last: float = setting(0.5, "weight of the last chunk in the key, beside the prediction's 1", low=0.0, high=10.0)
    temperature: float = setting(0.05, "softmax temperature of the neighbours' cosines", low=0.001, high=10.0)


@dataclass(frozen=True, slots=True)
class Recalled:
    """Places that are like each of N others, nearest first.

    Attributes:
        places: (N, K) their numbers in the memory, -1 where it has fewer.
        rows: (N, K) of the chunks that came there in what the memory was filled from, -1 likewise.
        cosines: (N, K) of the keys.
        weights: (N, K) their shares in the mean residual.
    """

    places: Rows
    rows: Rows
    cosines: Vectors
    weights: Vectors

    def changed(self, change: Callable[[Any], Any]) -> "Recalled":
        """Return the same with each array as `change` makes it, such as the part at some place."""
        return Recalled(change(self.places), change(self.rows), change(self.cosines), change(self.weights))


@runtime_checkable
class Recalling(Protocol):
    """A model that may go by places that it remembers, and can say which."""

    def recalled_at(self, x: Tensor, last: Tensor) -> tuple[Tensor, Recalled | None]:
        """Return the predictions (B, D) at the position `last` (B,) of each text in `x` (B, T, D), unscaled, and the
        places of one memory that they go by; None where there is none.
        """
        ...


class Store:
    """The memory on disk: an index of keys, and for each place its residual and the row of the chunk that came."""

    def __init__(self, index: Any, residuals: NDArray[np.float16], rows: Rows) -> None:
        """Take a faiss index of N keys, residuals (N, D) and rows (N,)."""
        self.index, self.residuals, self.rows = index, residuals, rows

    @classmethod
    def open(cls, folder: Path) -> "Store":
        """Return the memory in `folder`; residuals stay on disk until they are asked for.

        Raises:
            ModelError: if a file is missing or they do not belong together.
        """
        missing = [name for name in FILES if not is_regular(folder / name)]
        if missing:
            raise ModelError(f"The memory in {folder} lacks {', '.join(missing)}", ", ".join(FILES), MAKE_AGAIN)
        index = _index(folder)
        shape = (index.ntotal, index.d // 2)
        residuals = map_array(folder / RESIDUALS, np.float16, shape, "The memory", MAKE_AGAIN, error=ModelError)
        rows = map_array(folder / ROWS, np.int64, shape[:1], "The memory", MAKE_AGAIN, error=ModelError)
        return cls(index, residuals, rows)

    def __len__(self) -> int:
        """Return the number of places."""
        return len(self.rows)

    def search(self, keys: Vectors, k: int, temperature: float) -> Recalled:
        """Return the `k` places nearest to each of the unit keys (N, 2 D)."""
        squares, places = self.index.search(np.ascontiguousarray(keys, dtype=np.float32), min(k, len(self)))
        there = places >= 0
        cosines = np.where(there, 1 - squares / 2, 0.0).astype(np.float32)
        weights = np.where(there, np.exp((cosines - cosines[:, :1]) / temperature), 0.0)
        weights /= np.maximum(weights.sum(axis=1, keepdims=True), 1e-12)
        rows = np.where(there, self.rows[np.maximum(places, 0)], -1)
        return Recalled(places, rows, cosines, weights.astype(np.float32))

    def missed(self, recalled: Recalled) -> Vectors:
        """Return the weighted mean residual (N, D) of the places recalled."""
        means = np.empty((len(recalled.places), self.residuals.shape[1]), dtype=np.float32)
        for lines in _blocks(len(means)):
            found = self.residuals[np.maximum(recalled.places[lines], 0)].astype(np.float32)  # (n, K, D)
            means[lines] = np.einsum("nk,nkd->nd", recalled.weights[lines], found)
        return means


def _index(folder: Path) -> Any:
    import faiss

    try:
        index = faiss.read_index(str(folder / INDEX))
    except (RuntimeError, MemoryError) as error:
        raise _damaged(folder, str(error).splitlines()[0] if str(error) else "it does not fit into memory") from error
    if index.metric_type != faiss.METRIC_L2 or not index.is_trained:
        raise _damaged(folder, f"{type(index).__name__} is no index of distances")
    return index


def _damaged(folder: Path, why: str) -> ModelError:
    return ModelError(
        f"The memory in {folder} is damaged: {why}", "an index and residuals that its training wrote", MAKE_AGAIN
    )


def _blocks(n: int) -> Iterator[slice]:
    return (slice(start, start + PLACES_AT_ONCE) for start in range(0, n, PLACES_AT_ONCE))


def keys(predictions: Vectors, last: Vectors, weight: float) -> Vectors:
    """Return the unit keys (N, 2 D) of places with these predictions and last chunks, (N, D) unit norm each."""
    return unit_rows(np.concatenate([predictions, weight * last], axis=1))


class ResidualMemory(SequenceModel):
    """Another model's prediction, plus what it missed at the places of its memory that are most like this one.

    p' = c p + a r, where r is the mean residual of the nearest places, weighted by a softmax of their cosines, and a
    the least-squares share of r for places so near: one for each of four ranges of nearness, fitted on validation
    articles. Where nothing like the text is remembered, a is small and the prediction stays as it is.
    """

    name = "residual-memory"
    Options = ResidualMemoryOptions
    length: Tensor
    edges: Tensor
    shares: Tensor
    options: ResidualMemoryOptions

    def __init__(self, member: SequenceModel, options: ResidualMemoryOptions, store: Store | None = None) -> None:
        """Wrap `member`; without a store, or before it is fitted, the prediction is the member's.

        Raises:
            ModelError: if the memory is one of vectors of other dimensions.
        """
        super().__init__(member.dim, options)
        if store is not None and store.residuals.shape[1:] != (member.dim,):
            raise ModelError(
                f"The memory holds vectors of {store.residuals.shape[-1]} dimensions", f"{member.dim}", MAKE_AGAIN
            )
        self.member, self.store = member, store
        self.sliding = member.sliding
        self.register_buffer("length", torch.ones(()))
        self.register_buffer("edges", torch.full((BANDS - 1,), 1.0))  # of nearness, ascending
        self.register_buffer("shares", torch.zeros(BANDS))

    @classmethod
    def of(cls, members: Sequence[SequenceModel], options: Values, folder: Path) -> "ResidualMemory":
        """Return the model whose memory lies in the run's `folder`."""
        return cls(members[0], from_dict(ResidualMemoryOptions, options), Store.open(folder))

    @property
    def reach(self) -> int:
        """The number of chunks that a position sees at most; asked only of a member that slides."""
        return int(getattr(self.member, "reach", 0))

    def recall(self, x: Tensor, predictions: Tensor) -> Recalled:
        """Return the places most like each of N, for last chunks and unit predictions (N, D).

        Raises:
            ModelError: if the model has no memory yet.
        """
        if self.store is None:
            raise ModelError("The model has no memory yet", "one in its folder", MAKE_AGAIN)
        wanted = keys(predictions.cpu().numpy(), x.float().cpu().numpy(), self.options.last)
        return self.store.search(wanted, self.options.neighbours, self.options.temperature)

    def unscaled(self, x: Tensor) -> Tensor:
        """Return the predictions (B, T, D) for the vectors (B, T, D) before they are brought to unit norm."""
        flat = self.member(x).reshape(-1, self.dim)
        return self._mended(x.reshape(-1, self.dim), flat)[0].view(x.shape)

    def unscaled_at(self, x: Tensor, last: Tensor) -> Tensor:
        return self.recalled_at(x, last)[0]

    def recalled_at(self, x: Tensor, last: Tensor) -> tuple[Tensor, Recalled | None]:
        """Return the predictions (B, D) at one position of each text, and the places that they go by: one search."""
        return self._mended(x[torch.arange(len(x), device=x.device), last], unit(self.member.unscaled_at(x, last)))

    def _mended(self, x: Tensor, predictions: Tensor) -> tuple[Tensor, Recalled | None]:
        """Return unit predictions (N, D) after the last chunks `x` (N, D) with what is missed at places like these."""
        if self.store is None or not len(self.store):
            return self.length * predictions, None
        recalled = self.recall(x, predictions)
        missed = torch.from_numpy(self.store.missed(recalled)).to(predictions)
        band = torch.bucketize(torch.from_numpy(nearness(recalled)).to(predictions), self.edges)
        return self.length * predictions + self.shares[band][:, None] * missed, recalled

    def adapt(self, length: float, edges: Sequence[float], shares: Sequence[float]) -> None:
        """Set what is fitted: c, the edges (BANDS - 1,) of the ranges of nearness, and a share (BANDS,) for each."""
        self.length.fill_(length)
        self.edges.copy_(torch.tensor(edges))
        self.shares.copy_(torch.tensor(shares))


def nearness(recalled: Recalled) -> Vectors:
    """Return the weighted mean cosine (N,) of the places recalled."""
    near: Vectors = (recalled.weights * recalled.cosines).sum(axis=1, dtype=np.float32)
    return near


def empty_index(dim: int, n_places: int, sample: Vectors) -> Any:
    """Return an index of distances for `n_places` keys of `dim` numbers, trained on `sample` (n, dim), exact for few.

    Beyond that the keys' 128 principal components as 64 product codes of a byte in inverted lists (IVF-PQ, Jegou et
    al. 2011): 72 bytes a place, and a hundredth of the lists are looked into.
    """
    import faiss

    if n_places <= EXACT:
        return faiss.IndexFlatL2(dim)
    small, n_lists = min(128, dim), max(16, int(2 * np.sqrt(n_places)))
    codes = faiss.IndexIVFPQ(faiss.IndexFlatL2(small), small, n_lists, max(n for n in (64, 8, 1) if small % n == 0), 8)
    codes.nprobe = max(16, n_lists // 100)
    codes.cp.min_points_per_centroid = 1
    index = faiss.IndexPreTransform(faiss.PCAMatrix(dim, small), codes)
    index.train(np.ascontiguousarray(sample, dtype=np.float32))
    return index

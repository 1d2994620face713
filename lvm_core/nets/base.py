"""The one base class: what every net and every baseline is."""

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, runtime_checkable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lvm_core.config import setting
from lvm_core.json_shapes import NetConfig
from lvm_core.nets.query import QueryHead


@dataclass
class NetOptions:
    """What every net can be told."""

    dropout: float = setting(0.1, "share of hidden units left out while training", low=0.0, high=0.9)
    residual: bool = setting(False, "start as the fitted linear filter and learn only a correction to it")


class SequenceModel(nn.Module):
    """Predicts at every position the chunk that comes next.

    `forward(x)` takes vectors (B, T, D), unit norm, padded on the right, and returns (B, T, D), unit norm:
    position t is the prediction of chunk t + 1 from chunks 0 .. t alone (causal), so one forward trains
    every context length, and padding behind a position never changes it. A model may have a `query` besides: a second
    vector a position, made of the prediction and what stands before it, which search uses instead.

    A subclass gives `correction(x)`, and `start(x)` where it has a starting point of its own; the prediction
    is the unit vector of their sum. A rule that has no such parts gives that sum, `unscaled(x)`, itself. In residual
    form the starting point is a fitted filter (its weights are buffers, not parameters) and the last layer begins at
    zero, so that the untrained net is the filter.
    """

    name: ClassVar[str] = ""
    kind: ClassVar[str] = "net"
    sliding: bool = False
    """True where a position looks at no more than the last `reach` chunks, wherever the sequence began."""
    Options: ClassVar[type[Any] | None] = None
    filter: "SequenceModel | None"
    query: QueryHead | None
    scale: Tensor

    def __init__(self, dim: int, options: Any = None) -> None:
        """Remember the dimension and the options dataclass, from which a checkpoint rebuilds the net."""
        super().__init__()
        self.dim = dim
        self.options = options
        self.filter = None
        self.query = None

    def config(self) -> NetConfig:
        """Return what `lvm_core.nets.from_config` needs to make this net again."""
        options = dataclasses.asdict(self.options) if self.options is not None else {}
        described: NetConfig = {"model": self.name, "dim": self.dim, "options": options}
        if self.filter is not None:
            described["filter"] = self.filter.config()
        if self.query is not None:
            described["query"] = {"context": self.query.context}
        return described

    def n_parameters(self) -> int:
        """Return the number of trainable parameters."""
        return sum(p.numel() for p in self.parameters() if p.requires_grad)

    def attach(self, filter: "SequenceModel", last: nn.Linear) -> None:
        """Make this the residual form: start from `filter`, with the layer `last` set to zero."""
        self.filter = filter
        self.register_buffer("scale", torch.ones(()))
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)

    def last_layer(self) -> nn.Linear:
        """Return the layer whose output is added to the starting point."""
        raise NotImplementedError(f"{self.name} has no residual form")

    def correction(self, x: Tensor) -> Tensor:
        """Return what is added to the starting point, (B, T, D) -> (B, T, D)."""
        raise NotImplementedError

    def start(self, x: Tensor) -> Tensor | None:
        """Return the net's own starting point (B, T, D) for `x` of that shape, or None for zero."""
        del x
        return None

    def onto_start(self, change: Tensor, start: Tensor | None) -> Tensor:
        """Return the starting point (..., D), where there is one, with the `change` (..., D) added to it."""
        if start is None:
            return change.float()
        return start + (change.float() if self.filter is None else self.scale * change.float())

    def starting_point(self, x: Tensor) -> Tensor | None:
        """Return what `correction` is added to, (B, T, D): the filter's prediction in residual form."""
        return self.start(x) if self.filter is None else self.filter(x)

    def unscaled(self, x: Tensor) -> Tensor:
        """Return the predictions (B, T, D) for the vectors (B, T, D) before they are brought to unit norm."""
        return self.onto_start(self.correction(x), self.starting_point(x))

    def unscaled_at(self, x: Tensor, last: Tensor) -> Tensor:
        """Return of the same (B, D), one position of each text alone: that of `last` (B,)."""
        return self.unscaled(x)[torch.arange(len(x), device=x.device), last]

    def prepare(self, pairs: Iterable[tuple[Tensor, Tensor, Tensor]]) -> None:
        """Look at some training data, x and y (B, T, D) and a mask (B, T), before the first step; most need not."""

    def training_loss(self, x: Tensor, y: Tensor, mask: Tensor) -> Tensor | None:
        """Return a loss of the net's own for vectors `x` and the next ones `y` (B, T, D), where `mask` (B, T) says so.

        None where it is trained by what the settings say of its predictions.
        """
        del x, y, mask
        return None

    def forward(self, x: Tensor) -> Tensor:
        """Return the predictions (B, T, D), unit norm, for the vectors (B, T, D)."""
        return unit(self.unscaled(x))

    def queries(self, x: Tensor, predictions: Tensor) -> Tensor:
        """Return what to search with (B, T, D), unit norm; the predictions where the model has no query of its own."""
        return unit(predictions) if self.query is None else self.query(x, predictions)


@runtime_checkable
class Recurrent(Protocol):
    """A net that can go on from what it remembers: `step(x (B, D), state) -> (correction (B, D), state)`.

    The state of an empty text is None; `recurrent` says whether this net has steps all through.
    """

    @property
    def recurrent(self) -> bool: ...

    def step(self, x: Tensor, state: Any = None) -> tuple[Tensor, Any]: ...


def unit(x: Tensor) -> Tensor:
    """Return `x` (..., D) scaled to unit norm in float32; zero stays zero."""
    return F.normalize(x.float(), dim=-1)


def causal_mean(x: Tensor) -> Tensor:
    """Return for each position the mean of the vectors up to and with it, (B, T, D) -> (B, T, D)."""
    counts = torch.arange(1, x.shape[1] + 1, device=x.device, dtype=torch.float32)
    return x.float().cumsum(dim=1) / counts[:, None]


def causal_mask(length: int, device: torch.device) -> Tensor:
    """Return (T, T) bool, True where position i must not look at position j > i."""
    return torch.ones(length, length, dtype=torch.bool, device=device).triu(1)

"""The one base class: what every net and every baseline is."""

import dataclasses
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class SequenceModel(nn.Module):
    """Predicts at every position the chunk that comes next.

    `forward(x)` takes vectors (B, T, D), unit norm, padded on the right, and returns (B, T, D), unit norm:
    position t is the prediction of chunk t + 1 from chunks 0 .. t alone (causal), so one forward trains
    every context length, and padding behind a position never changes it.
    """

    name: str = ""
    kind: str = "net"

    def __init__(self, dim: int, options: Any = None) -> None:
        """Remember the dimension and the options dataclass, from which a checkpoint rebuilds the net."""
        super().__init__()
        self.dim = dim
        self.options = options

    def config(self) -> dict[str, Any]:
        """Return what `build_model` needs to make this net again."""
        options = dataclasses.asdict(self.options) if self.options is not None else {}
        return {"model": self.name, "dim": self.dim, "options": options}

    def n_parameters(self) -> int:
        """Return the number of trainable parameters."""
        return sum(p.numel() for p in self.parameters() if p.requires_grad)

    @torch.inference_mode()
    def predict_next(self, context: Tensor) -> Tensor:
        """Return the prediction (B, D) after contexts (B, T, D) of equal length."""
        predictions: Tensor = self(context)
        return predictions[:, -1]


def unit(x: Tensor) -> Tensor:
    """Return `x` (..., D) scaled to unit norm; zero stays zero."""
    return F.normalize(x, dim=-1)

"""Several trained models as one: the direction of the weighted mean of what they say."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn

from lvm_core.errors import ModelError
from lvm_core.json_shapes import NetConfig, Values
from lvm_core.nets.base import SequenceModel, unit
from lvm_core.nets.residual_memory import Recalled, Recalling


class Ensemble(SequenceModel):
    """The direction of the members' weighted mean prediction.

    Members that err independently cancel part of their errors (Hansen and Salamon 1990, section 3). With the rule
    that repeats the last chunk as one of the members, retrieval gains what cosine loses.
    """

    name = "ensemble"
    weights: Tensor

    def __init__(self, members: Sequence[SequenceModel], weights: Sequence[float] | None = None) -> None:
        """Join `members`, which must be of one dimension, with `weights` or alike.

        Raises:
            ModelError: if there is none, their dimensions differ, or the weights are not one for each.
        """
        dims = sorted({member.dim for member in members})
        shares = list(weights) if weights else [1.0] * len(members)
        if len(dims) != 1 or len(shares) != len(members):
            raise ModelError(
                f"{len(members)} members of dimensions {dims} and {len(shares)} weights make no ensemble",
                "members of one dimension and a weight for each",
                "Choose trained models of one encoder.",
            )
        super().__init__(dims[0])
        self.members = nn.ModuleList(members)
        self.register_buffer("weights", torch.tensor(shares))

    @classmethod
    def of(cls, members: Sequence[SequenceModel], options: Values, folder: Path) -> "Ensemble":
        """Return the ensemble that a run's options describe; its `folder` has nothing more to say."""
        del folder
        return cls(members, cast("list[float]", options["weights"]))

    def config(self) -> NetConfig:
        return {**super().config(), "options": {"weights": self.weights.tolist()}}

    def unscaled(self, x: Tensor) -> Tensor:
        weighted = [weight * member(x) for weight, member in zip(self.weights, self.members, strict=True)]
        return torch.stack(weighted).sum(0)

    def unscaled_at(self, x: Tensor, last: Tensor) -> Tensor:
        return self.recalled_at(x, last)[0]

    def recalled_at(self, x: Tensor, last: Tensor) -> tuple[Tensor, Recalled | None]:
        """Return the predictions (B, D) at one position of each text, and what the first that has a memory recalls."""
        weighted, first = [], None
        for weight, member in zip(self.weights, cast("Iterable[SequenceModel]", self.members), strict=True):
            if isinstance(member, Recalling):
                said, recalled = member.recalled_at(x, last)
                first = first or recalled
            else:
                said = member.unscaled_at(x, last)
            weighted.append(weight * unit(said))
        return torch.stack(weighted).sum(0), first

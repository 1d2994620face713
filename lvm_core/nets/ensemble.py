"""Several trained models as one: the mean of what they say."""

from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from lvm_core.errors import ModelError
from lvm_core.nets.base import SequenceModel, unit


class Ensemble(SequenceModel):
    """The direction of the members' mean prediction.

    Members that err independently cancel part of their errors (Hansen and Salamon 1990, section 3); weights are
    equal, because weights fitted on validation articles gained nothing that could be measured.
    """

    name = "ensemble"
    kind: ClassVar[str] = "net"

    def __init__(self, members: Sequence[SequenceModel]) -> None:
        """Join `members`, which must be of one dimension.

        Raises:
            ModelError: if there is none, or their dimensions differ.
        """
        dims = sorted({member.dim for member in members})
        if len(dims) != 1:
            raise ModelError(
                f"An ensemble needs members of one dimension; given {len(members)} of dimensions {dims}."
                " Choose trained models of one encoder."
            )
        super().__init__(dims[0])
        self.members = nn.ModuleList(members)

    def config(self) -> dict[str, Any]:
        members = [member.config() for member in self.members if isinstance(member, SequenceModel)]
        return {"model": self.name, "dim": self.dim, "options": {}, "members": members}

    def forward(self, x: Tensor) -> Tensor:
        """Return the predictions (B, T, D), unit norm, for the vectors (B, T, D)."""
        return unit(torch.stack([member(x) for member in self.members]).mean(0))

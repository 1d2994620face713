"""The identity matrix, without what `torch.eye` brings along."""

import torch
from torch import Tensor


def identity(dim: int) -> Tensor:
    """Return the identity (dim, dim).

    Where a net is laid out without memory, `torch.eye` first imports a computer algebra system: a second and more of
    a page's first visit.
    """
    return torch.zeros(dim, dim).fill_diagonal_(1.0)

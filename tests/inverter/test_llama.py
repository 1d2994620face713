"""A packed linear map gives what the plain one gives, and a row's result does not depend on the others."""

import torch
from torch.nn import functional as F

from lvm_core.inverter.llama import PackedLinear


def test_it_is_the_plain_map() -> None:
    weight = torch.randn(48, 32, generator=torch.Generator().manual_seed(0))
    x = torch.randn(2, 5, 32, generator=torch.Generator().manual_seed(1))
    assert torch.equal(PackedLinear(weight)(x), F.linear(x, weight))
    half = PackedLinear(weight.bfloat16())(x.bfloat16())
    assert half.shape == (2, 5, 48)
    assert torch.allclose(half.float(), F.linear(x, weight), atol=0.15)


def test_a_row_is_the_same_alone_and_among_others() -> None:
    weight = torch.randn(64, 32, generator=torch.Generator().manual_seed(0)).bfloat16()
    apply, x = PackedLinear(weight), torch.randn(40, 32, generator=torch.Generator().manual_seed(1)).bfloat16()
    everything = apply(x)
    for n in (1, 2, 7, 16):
        assert torch.equal(apply(x[:n]), everything[:n])

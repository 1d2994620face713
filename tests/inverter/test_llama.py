"""A packed linear map gives what the plain one gives, and a row's result does not depend on the others."""

import pytest
import torch
from torch.nn import functional as F

from lvm_core.inverter.llama import Cache
from lvm_core.inverter.packed import PackedLinear


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


@pytest.mark.parametrize("room", [0, 3, 40])
def test_a_cache_makes_room_and_keeps_what_it_holds(room: int) -> None:
    keys = torch.randn(2, 3, 40, 4, generator=torch.Generator().manual_seed(2))
    cache = Cache()
    cache.add(keys[:, :, :5], -keys[:, :, :5])
    cache = cache.rows(torch.tensor([1, 0]), room)
    for place in range(5, 40):
        found, values = cache.add(keys[[1, 0], :, place : place + 1], -keys[[1, 0], :, place : place + 1])
        assert torch.equal(found, keys[[1, 0], :, : place + 1])
        assert torch.equal(values, -found)
    assert cache.past == 40

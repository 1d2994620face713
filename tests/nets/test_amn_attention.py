"""The AMN's attention is causal and adds up."""

import torch

from lvm_core.nets import build_model
from lvm_core.nets.amn import Amn


def test_attention_is_causal_and_sums_to_one() -> None:
    torch.manual_seed(0)
    net = build_model("amn", 16, d_model=8, d_hidden=16)
    assert isinstance(net, Amn)
    weights = net.attention(torch.randn(2, 5, 16))
    assert weights.shape == (2, 5, 5)
    torch.testing.assert_close(weights.sum(dim=-1), torch.ones(2, 5))
    assert bool((weights.triu(1) == 0).all())

"""Frozen linear maps laid out once for a CPU: in bfloat16, or in eight bits where it is quick at those."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

PACKED_ROWS = 8
"""Rows that the layout of packed maps is best for; it serves any number."""

ZERO = 128
"""What stands for 0 among the unsigned numbers that oneDNN multiplies quickest."""

LARGEST = 127.0

PART = 4096
"""Rows that are rounded together: those of a vocabulary at once take a third of a gigabyte for a moment."""


def frozen_linear(weight: Tensor) -> nn.Module:
    """Return a module that maps (..., in) to (..., out) as `weight` (out, in) does, as quickly as this machine can.

    Maps to fewer numbers stay in bfloat16: rounding their inputs takes the time that is won, and those of a Llama's way
    down are the ones with outliers.
    """
    rounds = weight.dtype == torch.bfloat16 and weight.shape[0] >= weight.shape[1]
    if rounds and weight.device.type == "cpu" and _has_vnni():
        return EightBitLinear(weight)
    return PackedLinear(weight)


class PackedLinear(nn.Module):
    """A frozen linear map laid out once for the few rows at a time that generation has.

    On a CPU with bfloat16 instructions oneDNN's own layout is used, as TorchInductor does when it freezes a net:
    8 rows through SmolLM2's weights took .56 of `F.linear`'s time, with equal results. Elsewhere it is `F.linear`.
    """

    def __init__(self, weight: Tensor, bias: Tensor | None = None) -> None:
        """Copy `weight` (out, in); `bias` (out,) is added."""
        super().__init__()
        self.bias = bias
        self.packed = weight.device.type == "cpu" and weight.dtype == torch.bfloat16 and _has_bf16()
        if self.packed:
            weight = torch.ops.mkldnn._reorder_linear_weight(weight.detach().contiguous(), PACKED_ROWS)
        self.weight = weight  # no buffer: oneDNN's layout is no tensor that could be saved or moved

    def forward(self, x: Tensor) -> Tensor:
        """Return (..., out) of (..., in); the bits of a row do not depend on the other rows."""
        if self.packed:
            result: Tensor = torch.ops.mkldnn._linear_pointwise(x, self.weight, self.bias, "none", [], "")
            return result
        return F.linear(x, self.weight, self.bias)


def _has_bf16() -> bool:
    has_mkldnn = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    return bool(has_mkldnn and torch.ops.mkldnn._is_mkldnn_bf16_supported())


class EightBitLinear(nn.Module):
    """A frozen linear map whose weights and inputs are rounded to eight bits, each row by a scale of its own.

    Half the memory of bfloat16, and up to twice as quick on a CPU that multiplies bytes (VNNI). Weights have one scale
    for each output, inputs one for each row (LLM.int8(), Dettmers et al. 2022, section 2.1); sums are exact, so the
    bits of a row do not depend on the other rows. SmolLM2 with the shipped adapter says chunks .03 nats a token less.
    """

    def __init__(self, weight: Tensor) -> None:
        """Round `weight` (out, in)."""
        super().__init__()
        parts = [_rounded(part) for part in torch.split(weight, PART)]
        rounded, scale = torch.cat([part for part, _ in parts]), torch.cat([own for _, own in parts])
        # no buffers: oneDNN's layout is no tensor that could be saved or moved
        self.weight = torch.ops.onednn.qlinear_prepack(rounded, None)
        self.scale, self.zeros = scale, torch.zeros(len(scale), dtype=torch.int32)

    def forward(self, x: Tensor) -> Tensor:
        """Return (..., out) of (..., in), in the dtype of `x`."""
        rows = x.reshape(-1, x.shape[-1])
        largest = rows.abs().amax(-1, keepdim=True).clamp_min_(1e-12)  # quicker than the norm that says the same
        whole = (rows * (LARGEST / largest.float())).round_().add_(ZERO).to(torch.uint8)
        result: Tensor = torch.ops.onednn.qlinear_pointwise(
            whole, 1 / LARGEST, ZERO, self.weight, self.scale, self.zeros, None, 1.0, 0, x.dtype, "none", [], ""
        )
        return result.mul_(largest).view(*x.shape[:-1], -1)


def _rounded(weight: Tensor) -> tuple[Tensor, Tensor]:
    scale = weight.float().abs().amax(1).clamp_min(1e-12) / LARGEST
    return (weight.float() / scale[:, None]).round().to(torch.int8), scale


def _has_vnni() -> bool:
    has_mkldnn = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    return bool(has_mkldnn and torch.cpu._is_vnni_supported())

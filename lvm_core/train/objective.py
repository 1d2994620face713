"""What a training step minimises: a loss on the predictions as the settings say, or one that the net brings itself."""

from typing import Protocol

import torch
from torch import Tensor

from lvm_core.dataset import Batch
from lvm_core.losses import LOSSES, BalancedLoss
from lvm_core.nets.base import SequenceModel
from lvm_core.nets.stack import Stack
from lvm_core.train.config import TrainConfig

OWN = "own"
"""What metrics call the loss that a net brings itself."""


class Objective(Protocol):
    """Runs forward and backward of one batch, whose tensors lie where the model does."""

    names: list[str]
    norms: dict[str, Tensor]
    """What is remembered from step to step, kept over a resume."""

    def backward(self, model: SequenceModel, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return value and gradient norm of each of `names`, two tensors (terms,), not waited for."""
        ...


class OnPredictions:
    """The loss of the settings, its terms balanced by their gradients with respect to the predictions."""

    def __init__(self, config: TrainConfig, bf16: bool) -> None:
        """Take the terms of the loss that `config` names."""
        self._bf16 = bf16
        self._loss = BalancedLoss(LOSSES[config.loss], config.share, config.balance, config.temperature)
        self.names = list(self._loss.terms)

    @property
    def norms(self) -> dict[str, Tensor]:
        """Running means of the terms' gradients."""
        return self._loss.norms

    @norms.setter
    def norms(self, norms: dict[str, Tensor]) -> None:
        self._loss.norms = norms

    def backward(self, model: SequenceModel, batch: Batch) -> tuple[Tensor, Tensor]:
        """Run the net, then the backward pass of the summed terms."""
        told = batch.tmd is not None and isinstance(model, Stack)
        with torch.autocast(batch.x.device.type, torch.bfloat16, enabled=self._bf16):
            output = model(batch.x, batch.tmd) if told else model(batch.x)
        return self._loss.backward(output, batch.y, batch.mask)


class OfTheNet:
    """The net's own `training_loss`, and its gradient's norm with respect to the net's last layer."""

    def __init__(self, bf16: bool) -> None:
        """Nothing is remembered."""
        self._bf16 = bf16
        self.names: list[str] = [OWN]
        self.norms: dict[str, Tensor] = {}

    def backward(self, model: SequenceModel, batch: Batch) -> tuple[Tensor, Tensor]:
        """Run both passes."""
        with torch.autocast(batch.x.device.type, torch.bfloat16, enabled=self._bf16):
            loss = model.training_loss(batch.x, batch.y, batch.mask)
        assert loss is not None  # `objective_of` asked
        torch.autograd.backward(loss)
        grad = model.last_layer().weight.grad
        norm = torch.zeros_like(loss) if grad is None else grad.norm()
        return loss.detach()[None], norm.detach()[None]


def objective_of(config: TrainConfig, model: SequenceModel, bf16: bool) -> Objective:
    """Return what `model` is trained by, its forward pass in bfloat16 where `bf16`."""
    own = type(model).training_loss is not SequenceModel.training_loss
    return OfTheNet(bf16) if own else OnPredictions(config, bf16)

"""What a training step minimises: a loss on the predictions as the settings say, or one that the net brings itself."""

from typing import Protocol

import torch
from torch import Tensor, nn

from lvm_core.dataset import Batch
from lvm_core.losses import LOSSES, BalancedLoss
from lvm_core.nets.base import SequenceModel
from lvm_core.nets.stack import Stack
from lvm_core.train.config import TrainConfig
from lvm_core.train.together import Alone

OWN = "own"
"""What metrics call the loss that a net brings itself."""


class Objective(Protocol):
    """Runs forward and backward of one batch, whose tensors lie where the model does."""

    names: list[str]
    norms: dict[str, Tensor]
    """What is remembered from step to step, kept over a resume."""

    def backward(self, model: SequenceModel, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return value and gradient norm of each of `names`, two tensors (terms,), not waited for.

        The gradients are those of the whole batch, of which this process may run a share.
        """
        ...


class OnPredictions:
    """The loss of the settings, its terms balanced by their gradients with respect to the predictions."""

    def __init__(self, config: TrainConfig, bf16: bool, group: Alone) -> None:
        """Take the terms of the loss that `config` names."""
        self._bf16, self._group = bf16, group
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
        own = self._group.share(batch)
        with torch.autocast(batch.x.device.type, torch.bfloat16, enabled=self._bf16):
            output = model(own.x, own.tmd) if told else model(own.x)
        measured = self._loss.backward(self._group.joined(output, len(batch.x)), batch.y, batch.mask)
        self._group.sum_gradients(trained(model))
        return measured


class OfTheNet:
    """The net's own `training_loss`, and its gradient's norm with respect to the net's last layer."""

    def __init__(self, bf16: bool, group: Alone) -> None:
        """Nothing is remembered."""
        self._bf16, self._group = bf16, group
        self.names: list[str] = [OWN]
        self.norms: dict[str, Tensor] = {}

    def backward(self, model: SequenceModel, batch: Batch) -> tuple[Tensor, Tensor]:
        """Run both passes; a share of the batch counts by its share of the targets."""
        own = self._group.share(batch)
        weight = 1.0 if own is batch else float(own.mask.sum() / batch.mask.sum())
        loss = batch.x.new_zeros(())
        if weight > 0:
            with torch.autocast(batch.x.device.type, torch.bfloat16, enabled=self._bf16):
                whole = model.training_loss(own.x, own.y, own.mask)
            assert whole is not None  # `objective_of` asked
            loss = weight * whole
            torch.autograd.backward(loss)
        self._group.sum_gradients(trained(model))
        grad = model.last_layer().weight.grad
        norm = torch.zeros_like(loss) if grad is None else grad.norm()
        return self._group.total(loss)[None].detach(), norm.detach()[None]


def objective_of(config: TrainConfig, model: SequenceModel, bf16: bool, group: Alone) -> Objective:
    """Return what `model` is trained by, its forward pass in bfloat16 where `bf16`, by the processes of `group`."""
    own = type(model).training_loss is not SequenceModel.training_loss
    return OfTheNet(bf16, group) if own else OnPredictions(config, bf16, group)


def trained(model: SequenceModel) -> list[nn.Parameter]:
    """Return the parameters that steps change."""
    return [parameter for parameter in model.parameters() if parameter.requires_grad]

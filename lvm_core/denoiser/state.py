"""What a training of a denoiser holds beside its net, and how well it does so far."""

from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional as F

from lvm_core.denoiser.batches import masked_batch
from lvm_core.denoiser.config import DenoiserConfig, arguments
from lvm_core.denoiser.net import Denoiser
from lvm_core.denoiser.pieces import WordPieces
from lvm_core.inverter.files import DENOISER, InverterFile
from lvm_core.inverter.training import Training

N_VALIDATION = 256
AVERAGE, AVERAGE_EVERY = 0.996, 4
"""Weights are averaged over about the last thousand steps."""


@dataclass
class DenoiserTraining(Training[DenoiserConfig, Denoiser]):
    """Everything the training of a denoiser holds in memory."""

    pieces: WordPieces

    def restart(self) -> None:
        """Begin the average and the optimizer anew with the weights of now."""
        self.restart_average()
        self.optimizers = [new_optimizer(self.net)]
        self.place.losses = []


@torch.no_grad()
def average(training: DenoiserTraining) -> None:
    """Move the averaged weights towards those of now."""
    if training.place.step % AVERAGE_EVERY:
        return
    n = training.place.step // AVERAGE_EVERY
    share = 1 - min(AVERAGE, n / (n + 10))
    for key, value in training.net.state_dict().items():
        training.average[key].lerp_(value, share)


def new_optimizer(net: Denoiser) -> torch.optim.Optimizer:
    """Return a fresh optimizer; the learning rate is set at each step."""
    return torch.optim.AdamW(net.parameters(), 0.0, betas=(0.9, 0.98), weight_decay=0.01, fused=True)


def checkpoint(training: DenoiserTraining) -> InverterFile:
    """Validate the averaged weights, write state and weights, return config.json."""
    config = training.config
    finished = training.place.samples >= config.samples
    return training.checkpoint(validate(training), {"kind": DENOISER}, training.net.size, arguments(config), finished)


@torch.no_grad()
def validate(training: DenoiserTraining) -> dict[str, float]:
    """Return the averaged weights' loss on validation texts, all hidden and half hidden, and on their lengths."""
    data, device = training.data, training.device
    lengths = data.lengths()
    places = np.arange(data.n_train, len(lengths))
    places = places[(lengths[places] >= 3) & (lengths[places] <= training.config.max_tokens)][:N_VALIDATION]
    places = places[np.argsort(lengths[places], kind="stable")]
    losses: dict[str, list[torch.Tensor]] = {"all_hidden": [], "half_hidden": [], "length": []}
    with training.averaged() as net:
        for part in np.array_split(places, max(1, len(places) // 32)):
            for key, share in (("all_hidden", 1.0), ("half_hidden", 0.5)):
                batch = masked_batch(data, part, training.pieces.mask, 0.0, 0, share)
                vectors, n_words = batch.vectors.to(device), batch.lengths.to(device)
                hidden = net(batch.seen.to(device), net.read(vectors), n_words)[batch.scored.to(device)]
                wanted = batch.tokens[batch.scored].to(device)
                losses[key].append(F.cross_entropy(net.logits(hidden).float(), wanted, reduction="none"))
            losses["length"].append(F.cross_entropy(net.length_logits(vectors), n_words - 1, reduction="none"))
    return {key: round(float(torch.cat(values).mean()), 4) for key, values in losses.items()}

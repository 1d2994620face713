"""What a training of an inverter holds beside its net, and how well it does so far."""

from dataclasses import dataclass

import numpy as np
import torch

from lvm_core.inverter.batches import Batch, make_batch
from lvm_core.inverter.config import InverterConfig, arguments
from lvm_core.inverter.files import InverterFile
from lvm_core.inverter.generate import Generator
from lvm_core.inverter.net import InverterNet
from lvm_core.inverter.smollm import LanguageModel
from lvm_core.inverter.training import Training
from lvm_core.vectors.geometry import unit_rows

N_LOSS, N_ROUND_TRIP = 96, 16
"""Validation texts whose loss is taken at each checkpoint, and those that are decoded."""

AVERAGE = 0.99
"""Weights are averaged over about the last hundred steps."""


@dataclass
class InverterTraining(Training[InverterConfig, InverterNet]):
    """Everything the training of an inverter holds in memory."""

    language: LanguageModel


@torch.no_grad()
def average(training: InverterTraining) -> None:
    """Move the averaged weights of the language model towards those of now."""
    weight = min(AVERAGE, training.place.step / (training.place.step + 10))
    for key, value in training.net.named_parameters():
        if not key.startswith("words."):
            training.average[key].lerp_(value, 1 - weight)


def checkpoint(training: InverterTraining) -> InverterFile:
    """Validate the averaged weights, write state and weights, return config.json."""
    config = training.config
    finished = training.place.step >= -(-config.samples // config.batch_size)
    own: InverterFile = {"language_model": training.language.id}
    return training.checkpoint(validate(training), own, training.net.size, arguments(config), finished)


@torch.no_grad()
def validate(training: InverterTraining) -> dict[str, float]:
    """Return the averaged weights' loss on validation texts and the round-trip cosine of a few of them."""
    data = training.data
    lengths = data.lengths()
    places = np.arange(data.n_train, len(lengths))
    places = places[(lengths[places] >= 4) & (lengths[places] <= training.config.max_tokens)][:N_LOSS]
    with training.averaged() as net:
        losses = [
            text_losses(net, make_batch(data, part)) for part in np.array_split(places, max(1, len(places) // 16))
        ]
        batch = make_batch(data, places[:N_ROUND_TRIP])
        generator = Generator(net, training.language.tokenizer)
        n = len(batch.vectors)
        texts = [w.text for w in generator.write(generator.read(batch.vectors), range(n), [-1] * n)]
    again = training.encoder.encode([text or "." for text in texts])
    cosines = np.sum(unit_rows(again) * batch.vectors.numpy(), axis=1)
    return {
        "validation_loss": round(float(torch.cat(losses).mean()), 4),
        "round_trip": round(float(cosines.mean()), 4),
    }


def text_losses(net: InverterNet, batch: Batch) -> torch.Tensor:
    """Return the loss of each text token, flat; the hints are the word head's own."""
    device = net.embedding.device
    vectors = batch.vectors.to(device)
    with torch.no_grad():
        hints = net.words.hints(net.words(vectors), net.size.n_hints)
    return net.losses(vectors, hints, batch.tokens.to(device), batch.lengths.to(device))

"""What a training of an inverter holds, its checkpoints, and how well it does so far."""

import dataclasses
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from lvm_core.config import typed
from lvm_core.device import describe_device
from lvm_core.inverter.batches import Batch, make_batch
from lvm_core.inverter.config import InverterConfig, arguments
from lvm_core.inverter.data import TrainingTexts
from lvm_core.inverter.files import InverterFile, Scores, export
from lvm_core.inverter.generate import Generator
from lvm_core.inverter.net import InverterNet
from lvm_core.inverter.smollm import LanguageModel
from lvm_core.train.state import read_state, write_state
from lvm_core.types import Encoder, Progress
from lvm_core.vectors.geometry import unit_rows

STATE = "state.pt"

N_LOSS, N_ROUND_TRIP = 96, 16
"""Validation texts whose loss is taken at each checkpoint, and those that are decoded."""

AVERAGE = 0.99
"""Weights are averaged over about the last hundred steps (Polyak averaging); the average is what ships."""


@dataclass
class Place:
    """Where a training is."""

    word_step: int = 0
    step: int = 0
    last_step: int = 0
    samples: int = 0
    seconds: float = 0.0
    losses: list[float] = field(default_factory=list)
    history: list[Scores] = field(default_factory=list)


@dataclass
class Training:
    """Everything one training holds in memory."""

    folder: Path
    config: InverterConfig
    data: TrainingTexts
    encoder: Encoder
    language: LanguageModel
    net: InverterNet
    average: dict[str, torch.Tensor]
    optimizers: list[torch.optim.Optimizer]
    place: Place
    progress: Progress
    saved: float = field(default_factory=time.monotonic)

    def due(self) -> bool:
        """Return whether a checkpoint is due."""
        return time.monotonic() - self.saved >= self.config.checkpoint_s


@torch.no_grad()
def average(training: Training) -> None:
    """Move the averaged weights of the language model towards those of now."""
    weight = min(AVERAGE, training.place.step / (training.place.step + 10))
    for key, value in training.net.named_parameters():
        if not key.startswith("words."):
            training.average[key].lerp_(value, 1 - weight)


def save(training: Training) -> None:
    """Write everything needed to resume, whole or not at all."""
    state = {
        "place": dataclasses.asdict(training.place),
        "net": training.net.state_dict(),
        "average": training.average,
        "optimizers": [optimizer.state_dict() for optimizer in training.optimizers],
    }
    write_state(training.folder / STATE, state)
    training.saved = time.monotonic()


def load(training: Training) -> None:
    """Bring a training back to its last checkpoint.

    Raises:
        ModelError: if the file is damaged or of another net.
    """

    def restore(state: dict[str, Any]) -> None:
        training.net.load_state_dict(state["net"])
        for optimizer, values in zip(training.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(values)
        training.average = {k: v.to(training.net.embedding.device) for k, v in state["average"].items()}
        training.place = Place(**state["place"])

    read_state(training.folder / STATE, restore, "Train the inverter again under a new name.")


def checkpoint(training: Training) -> InverterFile:
    """Validate the averaged weights, write state and weights, return config.json."""
    place, config = training.place, training.config
    scores: Scores = {"samples": place.samples, "seconds": round(place.seconds, 1), **validate(training)}
    place.history = [h for h in place.history if h["samples"] < place.samples] + [scores]
    save(training)
    about: InverterFile = {
        "encoder_id": training.encoder.id,
        "language_model": training.language.id,
        "size": dataclasses.asdict(training.net.size),
        "sources": training.data.sources,
        "n_texts": training.data.n_train,
        "settings": dataclasses.asdict(config),
        "command": typed(arguments(config)),
        "hardware": describe_device(training.net.embedding.device),
        "torch": torch.__version__,
        "samples": place.samples,
        "seconds": round(place.seconds, 1),
        "finished": place.step >= -(-config.samples // config.batch_size),
        "history": place.history,
    }
    return export(training.folder, training.average, about)


@torch.no_grad()
def validate(training: Training) -> dict[str, float]:
    """Return the loss on validation texts and the round-trip cosine of a few of them, with the averaged weights."""
    net, data = training.net, training.data
    current = {k: v.detach().clone() for k, v in net.state_dict().items()}
    net.load_state_dict(training.average)
    lengths = data.lengths()
    places = np.arange(data.n_train, len(lengths))
    places = places[(lengths[places] >= 4) & (lengths[places] <= training.config.max_tokens)][:N_LOSS]
    losses = [text_losses(net, make_batch(data, part)) for part in np.array_split(places, max(1, len(places) // 16))]
    batch = make_batch(data, places[:N_ROUND_TRIP])
    generator = Generator(net, training.language.tokenizer)
    n = len(batch.vectors)
    texts = [w.text for w in generator.write(generator.read(batch.vectors), range(n), [-1] * n)]
    again = training.encoder.encode([text or "." for text in texts])
    cosines = np.sum(unit_rows(again) * batch.vectors.numpy(), axis=1)
    net.load_state_dict(current)
    return {
        "train_loss": round(sum(training.place.losses) / max(len(training.place.losses), 1), 4),
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

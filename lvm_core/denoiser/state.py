"""What a training of a denoiser holds, its checkpoints, and how well it does so far."""

import dataclasses
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F

from lvm_core.config import typed
from lvm_core.denoiser.batches import masked_batch
from lvm_core.denoiser.config import DenoiserConfig, arguments
from lvm_core.denoiser.net import Denoiser
from lvm_core.denoiser.pieces import WordPieces
from lvm_core.device import describe_device
from lvm_core.inverter.data import TrainingTexts
from lvm_core.inverter.files import InverterFile, Scores, export
from lvm_core.train.state import read_state, write_state
from lvm_core.types import Encoder, Progress

STATE = "state.pt"

N_VALIDATION = 256
AVERAGE, AVERAGE_EVERY = 0.996, 4
"""Weights are averaged over about the last thousand steps (Polyak averaging); the average is what ships."""


@dataclass
class Place:
    """Where a training is."""

    word_step: int = 0
    step: int = 0
    samples: int = 0
    seconds: float = 0.0
    losses: list[float] = field(default_factory=list)
    history: list[Scores] = field(default_factory=list)


@dataclass
class Training:
    """Everything one training holds in memory."""

    folder: Path
    config: DenoiserConfig
    data: TrainingTexts
    encoder: Encoder
    pieces: WordPieces
    net: Denoiser
    average: dict[str, torch.Tensor]
    optimizer: torch.optim.Optimizer
    place: Place
    progress: Progress
    saved: float = field(default_factory=time.monotonic)

    def due(self) -> bool:
        """Return whether a checkpoint is due."""
        return time.monotonic() - self.saved >= self.config.checkpoint_s


@torch.no_grad()
def average(training: Training) -> None:
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


def restart(training: Training) -> None:
    """Begin the average and the optimizer anew with the weights of now."""
    training.average = {k: v.detach().clone() for k, v in training.net.state_dict().items()}
    training.optimizer = new_optimizer(training.net)
    training.place.losses = []


def save(training: Training) -> None:
    """Write everything needed to resume, whole or not at all."""
    state = {
        "place": dataclasses.asdict(training.place),
        "net": training.net.state_dict(),
        "average": training.average,
        "optimizer": training.optimizer.state_dict(),
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
        training.optimizer.load_state_dict(state["optimizer"])
        training.average = {k: v.to(training.net.words.device) for k, v in state["average"].items()}
        training.place = Place(**state["place"])

    read_state(training.folder / STATE, restore, "Train the denoiser again under a new name.")


def checkpoint(training: Training) -> InverterFile:
    """Validate the averaged weights, write state and weights, return config.json."""
    place, config = training.place, training.config
    scores: Scores = {"samples": place.samples, "seconds": round(place.seconds, 1), **validate(training)}
    place.history = [h for h in place.history if h["samples"] < place.samples] + [scores]
    save(training)
    about: InverterFile = {
        "kind": "denoiser",
        "encoder_id": training.encoder.id,
        "size": dataclasses.asdict(training.net.size),
        "sources": training.data.sources,
        "n_texts": training.data.n_train,
        "settings": dataclasses.asdict(config),
        "command": typed(arguments(config)),
        "hardware": describe_device(training.net.words.device),
        "torch": torch.__version__,
        "samples": place.samples,
        "seconds": round(place.seconds, 1),
        "finished": place.samples >= config.samples,
        "history": place.history,
    }
    return export(training.folder, training.average, about)


@torch.no_grad()
def validate(training: Training) -> dict[str, float]:
    """Return the averaged weights' loss on validation texts, all hidden and half hidden, and on their lengths."""
    net, data = training.net, training.data
    current = {k: v.detach().clone() for k, v in net.state_dict().items()}
    net.load_state_dict(training.average)
    lengths = data.lengths()
    places = np.arange(data.n_train, len(lengths))
    places = places[(lengths[places] >= 3) & (lengths[places] <= training.config.max_tokens)][:N_VALIDATION]
    places = places[np.argsort(lengths[places], kind="stable")]
    losses: dict[str, list[torch.Tensor]] = {"all_hidden": [], "half_hidden": [], "length": []}
    for part in np.array_split(places, max(1, len(places) // 32)):
        for key, share in (("all_hidden", 1.0), ("half_hidden", 0.5)):
            batch = masked_batch(data, part, training.pieces.mask, 0.0, 0, share)
            vectors, lengths_of = batch.vectors.to(net.words.device), batch.lengths.to(net.words.device)
            hidden = net(batch.seen.to(vectors.device), net.read(vectors), lengths_of)[batch.scored.to(vectors.device)]
            wanted = batch.tokens[batch.scored].to(vectors.device)
            losses[key].append(F.cross_entropy(net.logits(hidden).float(), wanted, reduction="none"))
        losses["length"].append(F.cross_entropy(net.length_logits(vectors), lengths_of - 1, reduction="none"))
    net.load_state_dict(current)
    return {
        "train_loss": round(sum(training.place.losses) / max(len(training.place.losses), 1), 4),
        **{key: round(float(torch.cat(values).mean()), 4) for key, values in losses.items()},
    }

"""What every training of a decoder of vectors is made of: where it is, its steps, its checkpoints, its average."""

import contextlib
import dataclasses
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import torch

from lvm_core.config import typed
from lvm_core.device import describe_device
from lvm_core.inverter.data import TrainingTexts
from lvm_core.inverter.files import InverterFile, Scores, export
from lvm_core.train.state import read_state, write_state
from lvm_core.types import Encoder, Progress

STATE = "state.pt"


class Settings(Protocol):
    """What the settings of every such training have."""

    checkpoint_s: float


Config = TypeVar("Config", bound=Settings)
Net = TypeVar("Net", bound=torch.nn.Module)


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

    @property
    def loss(self) -> float:
        """The mean of the losses remembered."""
        return sum(self.losses) / max(len(self.losses), 1)

    def note(self, loss: float, window: int) -> None:
        """Remember the loss of one step, and those of at most `window` steps."""
        self.losses = [*self.losses[1 - window :], loss]


@dataclass
class Training(Generic[Config, Net]):
    """Everything one training holds in memory."""

    folder: Path
    config: Config
    data: TrainingTexts
    encoder: Encoder
    net: Net
    average: dict[str, torch.Tensor]
    """The net's averaged weights (Polyak averaging), which are what ships."""
    optimizers: list[torch.optim.Optimizer]
    place: Place
    progress: Progress
    saved: float = field(default_factory=time.monotonic, kw_only=True)

    @property
    def device(self) -> torch.device:
        """Where the net computes."""
        return next(self.net.parameters()).device

    def due(self) -> bool:
        """Return whether a checkpoint is due."""
        return time.monotonic() - self.saved >= self.config.checkpoint_s

    def step(self, which: int, loss: torch.Tensor, lr: float) -> float:
        """Take one step of an optimizer, each of its groups' gradients no longer than 1, and return the loss."""
        optimizer = self.optimizers[which]
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        for group in optimizer.param_groups:
            group["lr"] = lr
            torch.nn.utils.clip_grad_norm_(group["params"], 1.0)
        optimizer.step()
        return float(loss.detach())

    def restart_average(self) -> None:
        """Begin the average anew with the weights of now."""
        self.average = {k: v.detach().clone() for k, v in self.net.state_dict().items()}

    @contextlib.contextmanager
    def averaged(self) -> Iterator[Net]:
        """Give the net its averaged weights for a while."""
        current = {k: v.detach().clone() for k, v in self.net.state_dict().items()}
        self.net.load_state_dict(self.average)
        try:
            yield self.net
        finally:
            self.net.load_state_dict(current)

    def save(self) -> None:
        """Write everything needed to resume, whole or not at all."""
        state = {
            "place": dataclasses.asdict(self.place),
            "net": self.net.state_dict(),
            "average": self.average,
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
        }
        write_state(self.folder / STATE, state)
        self.saved = time.monotonic()

    def load(self) -> None:
        """Come back to the last checkpoint, if there is one.

        Raises:
            ModelError: if the file is damaged or of another net.
        """

        def restore(state: dict[str, Any]) -> None:
            self.net.load_state_dict(state["net"])
            for optimizer, values in zip(self.optimizers, state["optimizers"], strict=True):
                optimizer.load_state_dict(values)
            self.average = {k: v.to(self.device) for k, v in state["average"].items()}
            self.place = Place(**state["place"])

        if (self.folder / STATE).exists():
            read_state(self.folder / STATE, restore, "Train it again under a new name.")

    def checkpoint(
        self, measured: dict[str, float], own: InverterFile, size: Any, command: list[str], finished: bool
    ) -> InverterFile:
        """Write state and averaged weights, and return config.json.

        Args:
            measured: scores of the averaged weights on validation texts.
            own: what config.json says of this kind of decoder alone.
            size: the net's, a dataclass.
            command: that trains so again, word by word.
            finished: whether nothing is left to train.
        """
        place, config = self.place, self.config
        seconds = round(place.seconds, 1)
        scores: Scores = {
            "samples": place.samples, "seconds": seconds, "train_loss": round(place.loss, 4), **measured
        }  # fmt: skip
        place.history = [h for h in place.history if h["samples"] < place.samples] + [scores]
        self.save()
        about: InverterFile = {
            **own,
            "encoder_id": self.encoder.id,
            "size": dataclasses.asdict(size),
            "sources": self.data.sources,
            "n_texts": self.data.n_train,
            "settings": dataclasses.asdict(config),  # type: ignore[call-overload]
            "command": typed(command),
            "hardware": describe_device(self.device),
            "torch": torch.__version__,
            "samples": place.samples,
            "seconds": seconds,
            "finished": finished,
            "history": place.history,
        }
        return export(self.folder, self.average, about)

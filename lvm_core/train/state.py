"""What a training must remember to go on as if it had never stopped."""

import dataclasses
import pickle
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import torch

from lvm_core.boundary.files import read_bytes, regular_file
from lvm_core.boundary.json_values import parse_json
from lvm_core.errors import ModelError, SourceError
from lvm_core.train.together import ALONE, Alone
from lvm_core.workspace import replacing

R = TypeVar("R")


@dataclass
class Position:
    """Where a training is: the next batch of the current epoch, and the best epoch so far."""

    epoch: int = 0
    batch: int = 0
    step: int = 0
    windows: int = 0
    seconds: float = 0.0
    best_score: float = -2.0
    best_cosine: float | None = None
    best_recall: float | None = None
    best_epoch: int = 0
    waited: int = 0
    val_cosine: float | None = None
    val_recall: float | None = None
    epoch_norms: dict[str, float] = field(default_factory=dict)
    epoch_steps: int = 0
    flags: list[str] = field(default_factory=list)


def save_state(
    path: Path,
    position: Position,
    model: torch.nn.Module,
    optimizer: torch.optim.Optimizer,
    norms: dict[str, torch.Tensor],
    group: Alone = ALONE,
) -> None:
    """Write everything needed to resume, whole or not at all; all processes of `group` call it, one of them writes."""
    (rng, cuda_rng), *others = group.of_all(_randomness())
    state = {
        "position": dataclasses.asdict(position),
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "norms": norms,
        "rng": rng,
        "cuda_rng": cuda_rng,
        "others": others,
    }
    if group.leads:
        write_state(path, state)


def _randomness() -> tuple[torch.Tensor, list[torch.Tensor]]:
    return torch.get_rng_state(), torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []


def write_state(path: Path, state: dict[str, Any]) -> None:
    """Write a state, whole or not at all."""
    with replacing(path) as temporary:
        torch.save(state, temporary)


def read_state(path: Path, restore: Callable[[dict[str, Any]], R], remedy: str) -> R:
    """Return what `restore` makes of the state at `path`.

    Raises:
        ModelError: if the file is damaged, or of something else than `restore` expects; `remedy` says what to do.
    """
    regular_file(path, "The checkpoint", error=ModelError)
    try:
        return restore(torch.load(path, map_location="cpu", weights_only=True))
    except (OSError, RuntimeError, KeyError, TypeError, ValueError, EOFError, pickle.UnpicklingError) as error:
        raise ModelError(f"{path} cannot be resumed from: {error}", "a whole checkpoint of this run", remedy) from error


def load_state(
    path: Path, model: torch.nn.Module, optimizer: torch.optim.Optimizer, device: torch.device, rank: int = 0
) -> tuple[Position, dict[str, torch.Tensor]]:
    """Bring model, optimizer and random state back to the checkpoint at `path`; return the position and loss norms.

    `rank` is that of this process where several train together.

    Raises:
        ModelError: if the file is damaged or of another net.
    """

    def restore(state: dict[str, Any]) -> tuple[Position, dict[str, torch.Tensor]]:
        head = {name: tensor for name, tensor in model.state_dict().items() if name.startswith("query.")}
        model.load_state_dict(head | state["model"])  # a query is fitted behind the last epoch, anew after each resume
        optimizer.load_state_dict(state["optimizer"])
        known = [(state["rng"], state["cuda_rng"]), *state.get("others", [])]
        if rank < len(known):  # else one of more processes than there were: it keeps its own randomness
            rng, cuda_rng = known[rank]
            torch.set_rng_state(rng)
            if len(cuda_rng) == torch.cuda.device_count():
                torch.cuda.set_rng_state_all(cuda_rng)
        norms = {name: value.to(device) for name, value in state["norms"].items()}
        return Position(**state["position"]), norms

    return read_state(path, restore, "Train the run again from the start.")


def trim_metrics(path: Path, step: int, in_epoch: bool = False) -> None:
    """Drop the lines of `path` that were written after the checkpoint at `step`, and a line cut short by a kill.

    A checkpoint `in_epoch` may stand at the epoch's last step: the line that ends it is written anew.

    Raises:
        ModelError: if it is no regular file.
    """
    if not path.exists():
        return
    kept = []
    for line in read_bytes(path, "The metrics", error=ModelError).decode("utf-8", "replace").splitlines():
        try:
            found = parse_json(line, "A line of metrics")
            ends_epoch = in_epoch and found["step"] == step and found.get("val_cosine") is not None
            if found["step"] <= step and not ends_epoch:
                kept.append(line)
        except (SourceError, KeyError, TypeError):
            continue
    with replacing(path) as temporary:
        temporary.write_text("".join(line + "\n" for line in kept), encoding="utf-8")

"""An inverter carried to another encoder by one linear map, from about a thousand texts that both encoders have read.

ALGEN (Chen, Xu and Bjerva 2025, section 3): a closed-form map takes vectors of the new encoder into the space that a
decoder knows. The decoder's weights stay as they are; what it writes is judged by the new encoder itself.

Letters: N pairs, D dimension of the new encoder, E of the one whose inverter it is.
"""

import time
from dataclasses import asdict, dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from lvm_core.config import command_line, typed
from lvm_core.device import describe_device
from lvm_core.encoders import load_encoder
from lvm_core.errors import DecoderError
from lvm_core.inverter.align_config import AlignConfig
from lvm_core.inverter.data import Piece, gather_texts
from lvm_core.inverter.files import (
    ALIGNED,
    AlignedFile,
    InverterFile,
    begin,
    export,
    find_inverter,
    read_weights,
    training_folder,
    training_lock,
)
from lvm_core.types import Encoder, Progress, Vectors, no_progress
from lvm_core.vectors.geometry import unit_rows
from lvm_core.workspace import Workspace

PREFIX = "align."
"""How the map's tensors are called among the inverter's weights."""

STRENGTHS = 10.0 ** np.arange(-4, 2.1, 0.5)
"""Ridge tried, in mean eigenvalues of the new encoder's covariance."""

N_HELD_OUT = 256


@dataclass(frozen=True)
class Alignment:
    """The affine map of unit vectors (N, D) to unit vectors (N, E)."""

    weight: Tensor
    mean: Tensor
    target_mean: Tensor

    def __call__(self, vectors: Tensor) -> Tensor:
        """Return where unit vectors (N, D) lie in the other space, unit vectors (N, E)."""
        return F.normalize((vectors - self.mean) @ self.weight + self.target_mean, dim=-1)

    def tensors(self) -> dict[str, Tensor]:
        """Return the map as tensors to be stored among the inverter's."""
        return {PREFIX + "weight": self.weight, PREFIX + "mean": self.mean, PREFIX + "target_mean": self.target_mean}


def taken_out(weights: dict[str, Tensor]) -> Alignment | None:
    """Return the map among an inverter's `weights`, and take it out of them; None where there is none."""
    own = {name.removeprefix(PREFIX): weights.pop(name) for name in list(weights) if name.startswith(PREFIX)}
    return Alignment(**own) if own else None


def fit(source: Vectors, target: Vectors) -> tuple[Alignment, float]:
    """Return the ridge map of unit vectors (N, D) to (N, E), and the ridge that predicts a left-out pair best.

    The error of each pair left out comes in closed form from the singular values of the centred `source`
    (Golub, Heath and Wahba 1979, section 2).
    """
    x, y = source.astype(np.float64), target.astype(np.float64)
    mean, target_mean = x.mean(0), y.mean(0)
    x, y = x - mean, y - target_mean
    u, s, vt = np.linalg.svd(x, full_matrices=False)  # (N, R), (R,), (R, D)
    projected, unit = u.T @ y, float((s**2).mean())

    def error(strength: float) -> float:
        shrink = s**2 / (s**2 + strength * unit)
        leverage = (u**2 * shrink).sum(1) + 1 / len(x)
        left_out = (y - (u * shrink) @ projected) / np.maximum(1 - leverage, 1e-6)[:, None]
        return float((left_out**2).mean())

    strength = float(min(STRENGTHS, key=error))
    weight = (vt.T * (s / (s**2 + strength * unit))) @ projected

    def tensor(values: NDArray[np.float64]) -> Tensor:
        return torch.from_numpy(values.astype(np.float32))

    return Alignment(tensor(weight), tensor(mean), tensor(target_mean)), strength


def align_inverter(
    workspace: Workspace,
    config: AlignConfig | None,
    name: str | None = None,
    resume: bool = False,
    progress: Progress = no_progress,
    encoder: Encoder | None = None,
    known: Encoder | None = None,
) -> InverterFile:
    """Carry the inverter of one encoder to another, into `workspace.inverter(name)`; return its config.json.

    Args:
        workspace: where the corpora lie and the inverter goes.
        config: the settings; None when resuming, which begins again: it takes seconds.
        name: folder of the inverter; made of the encoder's name and the time by default.
        resume: take the settings of `name`.
        progress: told of each stage.
        encoder: the new encoder, loaded.
        known: the encoder whose inverter it is, loaded.

    Raises:
        DecoderError: if there is no inverter to carry, or the encoder is its own.
        CorpusError: if a corpus is missing or has no text.
    """
    folder, config = training_folder(workspace, AlignConfig, config, name, resume, ALIGNED)
    with training_lock(workspace, folder):
        began = time.monotonic()
        encoder = encoder or load_encoder(config.encoder, config.device)
        known = known or load_encoder(config.align_from, config.device)
        base = find_inverter(workspace, known.id)
        about, weights = read_weights(base) if base else ({}, {})
        if base is None or encoder.id == known.id or "aligned" in about:
            raise _refusal(encoder.id, known.id)
        training, validation, sources = gather_texts(workspace, config.corpora, config.split_seed, 0.0, config.seed)
        begin(workspace, folder, config, ALIGNED)
        order = np.random.default_rng(config.seed).permutation(len(training))[: config.pairs]
        progress(0.1, f"{len(order):,} texts are read by both encoders")
        fitted = _read([training[i] for i in order], encoder, known)
        progress(0.7, "the map is fitted and measured on articles it has not seen")
        alignment, strength = fit(*fitted)
        source, target = _read(validation[:N_HELD_OUT], encoder, known)
        cosine = float((alignment(torch.from_numpy(source)).numpy() * target).sum(1).mean())
        mean_cosine = float((unit_rows(fitted[1].mean(0, keepdims=True)) * target).sum(1).mean())
        aligned: AlignedFile = {
            "inverter": base.name, "encoder_id": known.id, "texts": about["n_texts"], "sources": about["sources"],
            "pairs": len(order), "ridge": strength, "held_out": len(source), "held_out_cosine": round(cosine, 4),
            "mean_cosine": round(mean_cosine, 4),
        }  # fmt: skip
        seconds = round(time.monotonic() - began, 1)
        scores = {"samples": len(order), "seconds": seconds, "held_out_cosine": cosine}
        file: InverterFile = {
            "encoder_id": encoder.id,
            "language_model": about["language_model"],
            "size": about["size"],
            "aligned": aligned,
            "sources": sources,
            "n_texts": len(order),
            "settings": asdict(config),
            "command": typed(["train-inverter", "--kind", ALIGNED, *command_line(config, skip=("device",))]),
            "hardware": describe_device(torch.device("cpu")),
            "torch": torch.__version__,
            "samples": len(order),
            "seconds": seconds,
            "finished": True,
            "history": [scores],
        }
        return export(folder, {**weights, **alignment.tensors()}, file)


def _read(pieces: list[Piece], encoder: Encoder, known: Encoder) -> tuple[Vectors, Vectors]:
    texts = [piece.text for piece in pieces]
    return unit_rows(encoder.encode(texts)), unit_rows(known.encode(texts))


def _refusal(encoder_id: str, known_id: str) -> DecoderError:
    if encoder_id == known_id:
        return DecoderError(
            f"'{encoder_id}' is given both as the encoder and as the one whose inverter is carried over",
            "two encoders",
            "Name the other one with --encoder.",
        )
    return DecoderError(
        f"There is no inverter for '{known_id}' to carry to '{encoder_id}'",
        "one that is shipped or trained, and was not carried over itself",
        "Train one first, or name another encoder with --align-from.",
    )

"""The settings of a training, one dataclass for the command line and the app's form."""

import shlex
from dataclasses import dataclass, fields
from typing import Any

from lvm_core.config import setting

LOSS_NAMES = ("mse", "cosine", "mse+infonce", "cosine+infonce", "contrastive")


@dataclass
class TrainConfig:
    """What to train, on what, and how."""

    model: str = setting("amn", "net or baseline to train")
    corpus: str = setting("enwiki-sample", "corpus to train on; several with commas between")
    encoder: str = setting("", "encoder whose vectors to use, by name or id; empty: the one there is")
    context: int = setting(5, "chunks of context", "chunks", low=1, high=1000)
    segment: int = setting(0, "chunks predicted in one stretch; 0: chosen for the net", "chunks", low=0, high=4096)
    residual: bool = setting(True, "learn a correction to the fitted linear filter instead of starting from nothing")
    loss: str = setting("mse", "what is minimised", choices=LOSS_NAMES)
    share: float = setting(0.3, "gradient of each further loss term, as a share of the first's", low=0.0, high=100.0)
    balance: bool = setting(True, "hold the terms at that share; off: it is a plain weight")
    temperature: float = setting(0.07, "softmax temperature of contrastive terms", low=0.001, high=10.0)
    epochs: int = setting(20, "passes over the training articles", low=1, high=10000)
    batch_size: int = setting(32, "segments in a batch", "segments", low=1, high=65536)
    lr: float = setting(5e-4, "highest learning rate (AdamW)", low=0.0)
    weight_decay: float = setting(0.01, "decoupled weight decay", low=0.0, high=10.0)
    warmup: float = setting(0.05, "share of the training in which the learning rate rises", low=0.0, high=0.9)
    clip: float = setting(1.0, "gradients are scaled down to this norm", low=0.0)
    select: str = setting(
        "cosine", "what the best epoch is chosen by, on validation", choices=("cosine", "cosine+recall")
    )
    patience: int = setting(4, "epochs without a better validation cosine before stopping", "epochs", low=1, high=10000)
    seed: int = setting(0, "of weights, order and dropout", low=0, high=2**31 - 1)
    split_seed: int = setting(0, "of the split by article", low=0, high=2**31 - 1)
    held_out: float = setting(0.1, "share of the articles that validate, and again that test", low=0.01, high=0.4)
    yes: bool = setting(False, "train even on data that is taxonomic or of unknown order")
    device: str = setting("auto", "auto, cpu, cuda or mps")
    precision: str = setting("auto", "auto: bf16 on a GPU, else fp32", choices=("auto", "fp32", "bf16"))
    checkpoint_s: float = setting(60.0, "a checkpoint at least so often", "s", low=0.0)
    log_steps: int = setting(50, "a line of metrics every so many steps", "steps", low=1, high=100000)
    validation_windows: int = setting(4096, "validation windows at most", "windows", low=1, high=10**7)
    tensorboard: bool = setting(False, "write TensorBoard event files beside the metrics")
    options: dict[str, Any] = setting({}, "sizes and dropout of the net, as in its options dataclass")  # noqa: RUF009 - it is a field

    @property
    def corpora(self) -> list[str]:
        """The names in `corpus`."""
        return [name.strip() for name in self.corpus.split(",") if name.strip()]


def command_line(config: TrainConfig) -> str:
    """Return the command that trains with `config`, only what differs from the defaults spelled out."""
    words = ["python", "-m", "lvm_core", "train", "--model", config.model, "--corpus", config.corpus]
    standard = TrainConfig()
    for f in fields(config):
        value = getattr(config, f.name)
        if f.name in ("model", "corpus", "options") or value == getattr(standard, f.name):
            continue
        flag = f.name.replace("_", "-")
        words += [f"--{flag}" if value else f"--no-{flag}"] if isinstance(value, bool) else [f"--{flag}", str(value)]
    for name, value in sorted(config.options.items()):
        words += ["--option", f"{name}={value}"]
    return shlex.join(words)

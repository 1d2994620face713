"""The settings of a training, one dataclass for the command line and the app's form."""

from dataclasses import dataclass

from lvm_core.config import command_line, setting
from lvm_core.json_shapes import Value

LOSS_NAMES = ("mse", "cosine", "mse+infonce", "cosine+infonce", "contrastive")


@dataclass
class TrainConfig:
    """What to train, on what, and how."""

    model: str = setting("amn", "net or baseline to train", label="net", always=True)
    corpus: str = setting(
        "enwiki-sample", "corpus to train on; several with commas between", label="corpora", always=True
    )
    encoder: str = setting("", "encoder whose vectors to use, by name or id; empty: the one there is")
    context: int = setting(5, "chunks of context", "chunks", 1, 1000)
    segment: int = setting(0, "chunks predicted in one stretch; 0: chosen for the net", "chunks", 0, 4096)
    windows: int = setting(
        0, "training windows at most: whole articles, chosen by a hash of their titles; 0: all there are",
        "windows", 0, 10**9, label="most training windows",
    )  # fmt: skip
    tmd: bool = setting(
        False, "tell the net the TMD code of the chunk to come; the corpora must be labelled (command tmd)",
        label="tell it the TMD code",
    )  # fmt: skip
    residual: bool = setting(
        True,
        "learn a correction to the fitted linear filter instead of starting from nothing",
        label="on top of the linear filter",
    )
    loss: str = setting("mse", "what is minimised", choices=LOSS_NAMES)
    share: float = setting(
        0.3,
        "gradient of each further loss term, as a share of the first's",
        "",
        0,
        100,
        label="share of further losses",
    )
    balance: bool = setting(
        True, "hold the terms at that share; off: it is a plain weight", label="hold losses at their share"
    )
    temperature: float = setting(
        0.07, "softmax temperature of contrastive terms", "", 0.001, 10, label="contrastive temperature"
    )
    epochs: int = setting(20, "passes over the training articles", "", 1, 10000)
    batch_size: int = setting(32, "segments in a batch", "segments", 1, 65536)
    lr: float = setting(5e-4, "highest learning rate (AdamW)", low=0, label="learning rate")
    weight_decay: float = setting(0.01, "decoupled weight decay", "", 0, 10)
    warmup: float = setting(
        0.05, "share of the training in which the learning rate rises", "", 0, 0.9, label="warm-up share"
    )
    clip: float = setting(1.0, "gradients are scaled down to this norm", low=0, label="longest gradient")
    select: str = setting(
        "cosine",
        "what the best epoch is chosen by, on validation",
        choices=("cosine", "cosine+recall"),
        label="choose the epoch by",
    )
    patience: int = setting(4, "epochs without a better validation cosine before stopping", "epochs", 1, 10000)
    query: bool = setting(True, "fit a query for search to the trained net", label="fit a query")
    seed: int = setting(0, "of weights, order and dropout", "", 0, 2**31 - 1)
    split_seed: int = setting(0, "of the split by article", "", 0, 2**31 - 1, label="seed of the split")
    held_out: float = setting(
        0.1, "share of the articles that validate, and again that test", "", 0.01, 0.4, label="share held out"
    )
    yes: bool = setting(
        False, "train even on data that is taxonomic or of unknown order", label="train without an order"
    )
    device: str = setting("auto", "auto, cpu, cuda or mps")
    precision: str = setting("auto", "auto: bf16 on a GPU, else fp32", choices=("auto", "fp32", "bf16"))
    checkpoint_s: float = setting(60.0, "a checkpoint at least so often", "s", 0, label="checkpoint every")
    log_steps: int = setting(
        50, "a line of metrics every so many optimiser steps", "steps", 1, 100000, label="metrics every"
    )
    validation_windows: int = setting(4096, "validation windows at most", "windows", 1, 10**7)
    tensorboard: bool = setting(False, "write TensorBoard event files beside the metrics", label="TensorBoard files")
    options: dict[str, Value] = setting({}, "an option of the net", flag="option")  # noqa: RUF009 - it is a field

    @property
    def corpora(self) -> list[str]:
        """The names in `corpus`."""
        return [name.strip() for name in self.corpus.split(",") if name.strip()]


def arguments(config: TrainConfig) -> list[str]:
    """Return the command that trains with `config`, word by word."""
    return ["train", *command_line(config)]

"""The settings of an inverter's training, one dataclass for the command line and the app's form."""

from dataclasses import dataclass

from lvm_core.config import command_line, setting
from lvm_core.encoders import DEFAULT_ENCODER


@dataclass
class InverterConfig:
    """What to train on, and how."""

    corpus: str = setting("enwiki-sample,vital-leads", "corpora to train on, commas between", always=True)
    encoder: str = setting(DEFAULT_ENCODER, "encoder whose vectors shall become text, by name", always=True)
    samples: int = setting(24_000, "texts the language model is trained on", "texts", low=1, high=10**9)
    batch_size: int = setting(16, "texts in a batch", "texts", low=1, high=4096)
    lr: float = setting(1e-3, "highest learning rate of LoRA and prefix (AdamW)", low=0.0)
    warmup: int = setting(40, "steps in which the learning rate rises", "steps", low=0, high=10**6)
    decay: float = setting(0.3, "last share of the training in which it falls to zero", low=0.0, high=1.0)
    word_epochs: int = setting(4, "passes of the word head over its texts", "epochs", low=1, high=1000)
    word_share: float = setting(
        0.65, "share of the articles whose hints are learnt, the language model reads the others", low=0.0, high=1.0
    )
    word_batch: int = setting(256, "texts in a batch of the word head", "texts", low=1, high=65536)
    word_lr: float = setting(2e-3, "highest learning rate of the word head", low=0.0)
    noise: float = setting(1.0, "largest norm of the noise on half of the vectors (1: cosine .7)", low=0.0, high=10.0)
    extra: float = setting(0.3, "share of clauses and joined neighbours added to the chunks", low=0.0, high=1.0)
    max_tokens: int = setting(56, "longest text the language model sees", "tokens", low=4, high=512)
    n_soft: int = setting(4, "soft prefix tokens", "tokens", low=1, high=64)
    n_hints: int = setting(16, "words of the word head in the prompt", "tokens", low=0, high=64)
    rank: int = setting(16, "rank of LoRA", low=1, high=256)
    seed: int = setting(0, "of weights, order, noise and the choice of clauses", low=0, high=2**31 - 1)
    split_seed: int = setting(0, "of the split by article", low=0, high=2**31 - 1)
    device: str = setting("auto", "auto, cpu, cuda or mps")
    checkpoint_s: float = setting(240.0, "a checkpoint at least so often", "s", low=0.0)

    @property
    def corpora(self) -> list[str]:
        """The names in `corpus`."""
        return [name.strip() for name in self.corpus.split(",") if name.strip()]


def arguments(config: InverterConfig) -> list[str]:
    """Return the command that trains with `config` on any machine, word by word."""
    return ["train-inverter", *command_line(config, skip=("device", "checkpoint_s"))]

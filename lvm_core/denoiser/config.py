"""The settings of a denoiser's training, one dataclass for the command line and the app's form."""

from dataclasses import dataclass

from lvm_core.config import command_line, setting
from lvm_core.encoders import DEFAULT_ENCODER


@dataclass
class DenoiserConfig:
    """What to train on, and how."""

    corpus: str = setting("enwiki-sample,vital-leads", "corpora to train on, commas between", always=True)
    hold_out: str = setting("", "corpora whose held-out articles are not read either, commas between")
    encoder: str = setting(DEFAULT_ENCODER, "encoder whose vectors shall become text, by name", always=True)
    samples: int = setting(1_000_000, "texts to train on", "texts", low=1, high=10**10)
    word_samples: int = setting(
        800_000, "texts from which the words of a vector are learnt first, in any order", "texts", low=0, high=10**10
    )
    word_batch: int = setting(512, "texts in a batch of these", "texts", low=1, high=65536)
    word_lr: float = setting(2e-3, "highest learning rate of these", low=0.0)
    batch_tokens: int = setting(3_072, "word pieces in a batch", "tokens", low=64, high=10**6)
    lr: float = setting(5e-4, "highest learning rate (AdamW)", low=0.0)
    warmup: int = setting(300, "steps in which the learning rate rises", "steps", low=0, high=10**6)
    decay: float = setting(0.2, "last share of the training in which it falls to zero", low=0.0, high=1.0)
    noise: float = setting(0.7, "largest norm of the noise on half of the vectors (1: cosine .7)", low=0.0, high=10.0)
    extra: float = setting(0.3, "share of clauses and joined neighbours added to the chunks", low=0.0, high=1.0)
    max_tokens: int = setting(48, "longest text that is learnt", "tokens", low=4, high=128)
    n_layers: int = setting(10, "layers, begun as those of all-MiniLM-L6-v2, some of them twice", low=1, high=48)
    width: int = setting(384, "width; only 384 can begin as all-MiniLM-L6-v2", low=8, high=4096)
    seed: int = setting(0, "of weights, order, masks and noise", low=0, high=2**31 - 1)
    split_seed: int = setting(0, "of the split by article", low=0, high=2**31 - 1)
    device: str = setting("auto", "auto, cpu, cuda or mps")
    checkpoint_s: float = setting(240.0, "a checkpoint at least so often", "s", low=0.0)

    @property
    def corpora(self) -> list[str]:
        """The names in `corpus`."""
        return _names(self.corpus)

    @property
    def held_out(self) -> list[str]:
        """The names in `hold_out`."""
        return _names(self.hold_out)


def _names(listed: str) -> list[str]:
    return [name.strip() for name in listed.split(",") if name.strip()]


def arguments(config: DenoiserConfig) -> list[str]:
    """Return the command that trains with `config` on any machine, word by word."""
    return ["train-inverter", "--kind", "denoiser", *command_line(config, skip=("device", "checkpoint_s"))]

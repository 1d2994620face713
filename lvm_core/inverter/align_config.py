"""The settings of an inverter that is carried over to another encoder."""

from dataclasses import dataclass

from lvm_core.config import setting
from lvm_core.encoders import DEFAULT_ENCODER


@dataclass
class AlignConfig:
    """Which encoder to carry the inverter to, and from which texts."""

    corpus: str = setting("enwiki-sample", "corpora to take the texts from, commas between", always=True)
    encoder: str = setting(DEFAULT_ENCODER, "encoder whose vectors shall become text, by name", always=True)
    align_from: str = setting(DEFAULT_ENCODER, "encoder whose inverter is carried over, by name")
    pairs: int = setting(1_000, "texts that both encoders read", "texts", low=16, high=10**6)
    seed: int = setting(0, "of the choice of texts", low=0, high=2**31 - 1)
    split_seed: int = setting(0, "of the split by article", low=0, high=2**31 - 1)
    device: str = setting("auto", "auto, cpu, cuda or mps")

    @property
    def corpora(self) -> list[str]:
        """The names in `corpus`."""
        return [name.strip() for name in self.corpus.split(",") if name.strip()]

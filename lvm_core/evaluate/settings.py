"""Every choice of an evaluation."""

from dataclasses import dataclass

from lvm_core.config import setting

SPLITS = ("test", "validation", "all")


@dataclass(frozen=True, slots=True)
class Split:
    """The articles a row was measured on; `unseen`: those that any model was trained on were left out."""

    name: str
    unseen: bool = False

    @classmethod
    def read(cls, text: str) -> "Split":
        """Return what `str` made into text."""
        name, _, rest = text.partition(", ")
        return cls(name, rest == "unseen")

    def __str__(self) -> str:
        return f"{self.name}, unseen" if self.unseen else self.name


@dataclass(frozen=True, slots=True)
class EvaluateSettings:
    """What is measured, and on what."""

    split: str = setting(
        "test", "articles to measure on; all is for a corpus that no model was trained on", choices=SPLITS, always=True
    )
    split_seed: int = setting(0, "of the split by article: the one the models were trained with", low=0, high=2**31 - 1)
    context: int | None = setting(
        None, "chunks that every model reads; without it each reads as many as it was trained for", "chunks", 1, 1000
    )
    max_chunks: int = setting(
        60_000, "articles spread evenly are taken where the split holds more", "chunks", 10, 1_000_000
    )
    leave_out_seen: bool = setting(
        False, "leave out articles that any of the models was trained on, instead of refusing the model"
    )
    twins: bool = setting(True, "look for near-duplicates of the test articles among the training articles")
    snap: bool = setting(False, "measure the snapped prediction too, its neighbours never of the article under test")
    decode: int = setting(0, "windows whose prediction is decoded and compared word by word", "windows", 0, 100_000)
    examples: int = setting(0, "windows shown in full, evenly spaced and not chosen", "windows", 0, 1000)
    decoder: str = setting("auto", "what makes text for --decode; auto takes the best one there is")
    steps: int = setting(1, "corrections of the decoder for --decode", "steps", 0, 50)
    drift: int = setting(0, "steps of a rollout whose drift is measured", "chunks", 0, 50)

    @property
    def tested(self) -> Split:
        """The articles as a row names them."""
        return Split(self.split, self.leave_out_seen)

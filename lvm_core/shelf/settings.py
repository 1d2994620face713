"""What stands on a shelf: nets, sizes of training data, lengths of context, and what each training gets."""

from dataclasses import dataclass

from lvm_core.baselines import BASELINES
from lvm_core.config import setting
from lvm_core.errors import SettingsError
from lvm_core.nets import MODELS

FILTER = "linear-filter"
"""What every net is held against; it has a line of its own."""


@dataclass(frozen=True, slots=True)
class ShelfSettings:
    """A shelf. Every net has about `parameters`, the same loss, learning rate and passes; what it is differs."""

    corpus: str = setting("enwiki-sample", "corpus to train and test on, encoded", always=True)
    encoder: str = setting("", "encoder whose vectors to use, by name or id; empty: the one there is")
    nets: str = setting("", "nets with commas between; empty: all")
    contexts: str = setting("5,20,100", "chunks of context, with commas between")
    sizes: str = setting("20000,130000,900000", "training windows, with commas between")
    parameters: int = setting(600_000, "about so many parameters a net", low=10_000, high=10**9)
    most_epochs: int = setting(6, "passes over the training windows at most", low=1, high=1000)
    most_passes: int = setting(400_000, "windows seen in all, where that is fewer passes", "windows", 1, 10**9)
    lr: float = setting(1e-3, "highest learning rate", low=0)
    windows_a_step: int = setting(640, "windows in a batch, about", "windows", 1, 10**6)
    validation_windows: int = setting(512, "validation windows at most", "windows", 1, 10**6)
    test_chunks: int = setting(6_000, "chunks of whole test articles at most", "chunks", 10, 10**6)
    line_minutes: float = setting(
        20.0, "CPU minutes that the training of one line may take; longer ones get fewer passes, or are left out",
        "min", 0,
    )  # fmt: skip

    @property
    def lines(self) -> "list[Line]":
        """Every line, short ones first: the filter before the nets that are held against it.

        Raises:
            SettingsError: for an unknown net, or a list that holds no whole numbers.
        """
        known = [FILTER, *MODELS]
        chosen = [name.strip() for name in self.nets.split(",") if name.strip()] or known
        wrong = [f"nets has {name!r}; expected one of {', '.join(known)}." for name in chosen if name not in known]
        contexts, sizes = _numbers("contexts", self.contexts, wrong), _numbers("sizes", self.sizes, wrong)
        if wrong:
            raise SettingsError(wrong)
        nets = sorted(chosen, key=lambda name: (name not in BASELINES, _slides_at_cost(name)))
        return [Line(net, size, context) for size in sizes for context in contexts for net in nets]


def _numbers(name: str, text: str, wrong: list[str]) -> list[int]:
    words = [word.strip() for word in text.split(",") if word.strip()]
    if not words or not all(word.isdigit() and int(word) > 0 for word in words):
        wrong.append(f"{name} is {text!r}; expected whole numbers above 0 with commas between, such as 5,20,100.")
        return []
    return [int(word) for word in words]


def _slides_at_cost(name: str) -> bool:
    """A net that reads each window anew takes longest and comes last."""
    return name == "linformer"


@dataclass(frozen=True, slots=True)
class Line:
    """One training: a net, at most `size` training windows, `context` chunks."""

    net: str
    size: int
    context: int

    @property
    def title(self) -> str:
        """What it is called."""
        return f"{self.net}, {self.size:,} windows, {self.context} chunks"

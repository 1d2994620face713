"""What a chunk is before it is stored, and how articles are to be cut."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lvm_core.config import setting
from lvm_core.types import Vectors

CHUNKERS = ("sentence", "paragraph", "semantic")
MAX_CHARS = {"sentence": 240, "paragraph": 1_000, "semantic": 600}
"""Longest chunk, characters. 240 is what a decoder of 64 tokens can say; the others are for reading and search."""

EncodeTexts = Callable[[Sequence[str]], Vectors]


@dataclass(frozen=True, slots=True)
class ChunkSettings:
    """How articles become chunks."""

    chunker: str = setting("sentence", "sentence, paragraph, or semantic (episodes)", choices=CHUNKERS)
    min_chars: int = setting(20, "shorter chunks are joined to a neighbour", "characters", low=1, high=1_000)
    max_chars: int | None = setting(
        None, "longer chunks are split; 240 for sentences, 1000 for paragraphs, 600 for episodes", "characters", low=40
    )
    language: str = setting(
        "",
        "language of the text, for where sentences end; empty: what the source says, else its script",
        "ISO 639 code",
    )
    threshold: float = setting(
        0.5, "semantic: an episode ends where similarity falls this far below the article's mean",
        "standard deviations", low=-3, high=5,
    )  # fmt: skip

    @property
    def longest(self) -> int:
        """The longest chunk, characters."""
        return self.max_chars or MAX_CHARS[self.chunker]


@dataclass(frozen=True, slots=True)
class NewChunk:
    """A chunk before it is stored: `start` and `end` count characters of the article's text."""

    text: str
    section: str = ""
    start: int = 0
    end: int = 0
    coherence: float | None = None
    tmd: int | None = None
    external_id: str | None = None

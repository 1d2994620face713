"""Every choice of reading a source into a corpus."""

from dataclasses import dataclass

from lvm_core.config import setting
from lvm_core.corpus.chunks import ChunkSettings
from lvm_core.corpus.sources.base import ReadSettings


@dataclass(frozen=True, slots=True)
class IngestSettings(ChunkSettings, ReadSettings):
    """What is taken from a source, and how it is cut."""

    limit: int | None = setting(None, "stop after this many articles", "articles", low=1)
    sample: int | None = setting(None, "take a random subset of this many articles", "articles", low=1)
    seed: int = setting(0, "which random subset", low=0)
    min_chunks: int = setting(2, "articles with fewer chunks are passed over", "chunks", low=1)
    workers: int = setting(1, "processes that clean and cut; more help with a large dump", "processes", low=1, high=64)
    licence: str = setting("", "licence of the text; known for Wikipedia")
    keep_partial: bool = setting(False, "keep what comes before a damage of the file")
    replace: bool = setting(False, "replace a corpus of the same name", label="replace one of this name")

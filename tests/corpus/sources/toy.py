"""A toy source of text, added from the outside."""

import re
from collections.abc import Generator
from pathlib import Path

import pytest

from lvm_core.corpus.sources import SOURCES
from lvm_core.corpus.sources.base import RawArticle, ReadSettings, Skipped, SourceKind


class Subtitles:
    """A toy: cues of subtitles, one article a film."""

    licence = "CC0"
    share = 0.0

    def __init__(self, path: str, settings: ReadSettings) -> None:
        self.path, self.description = Path(path), "subtitles"

    def articles(self, skipped: Skipped) -> Generator[RawArticle]:
        cues = re.sub(r"^[\d:, >-]+$", "", self.path.read_text(), flags=re.M)
        yield RawArticle(self.path.stem, cues)


@pytest.fixture
def subtitles(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    kind = SourceKind("subtitles of films", Subtitles, (".srt",), looks_like=lambda start: "-->" in start)
    monkeypatch.setitem(SOURCES, "subtitles", kind)
    path = tmp_path / "film.srt"
    path.write_text(
        "1\n00:00:01,000 --> 00:00:02,000\nThe first line is said.\n\n2\n00:03 --> 00:04\nAnd then there is another.\n"
    )
    return path

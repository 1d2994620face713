"""Read JSON lines: one object a line with `text`, and `title` where there is one."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lvm_core.corpus.sources.base import RawArticle, ReadSettings, Skipped, SourceKind
from lvm_core.corpus.sources.compressed import Opened, reading
from lvm_core.errors import SourceError

MAX_TITLE_CHARS = 80


class JsonLinesSource:
    """One JSON object a line."""

    licence = ""

    def __init__(self, path: str, settings: ReadSettings | None = None) -> None:  # noqa: ARG002 - none applies
        self.path = Path(path)
        self.description = f"JSON lines {self.path.name}"
        self._opened: Opened | None = None

    @property
    def share(self) -> float:
        return self._opened.share if self._opened else 0.0

    def articles(self, skipped: Skipped) -> Iterator[RawArticle]:
        """Yield the articles in order; a bad line is counted and passed over.

        Raises:
            SourceError: if the file is damaged or no line is an article.
        """
        n_good = n_lines = 0
        with reading(self.path) as self._opened:
            for n_lines, line in enumerate(self._opened.stream, 1):
                if not line.strip():
                    continue
                article, reason = _from_line(line, n_lines)
                if article is None:
                    skipped.add(f"lines {reason}", f"line {n_lines:,} {reason}")
                    continue
                n_good += 1
                yield article
        if not n_good:
            first = skipped.examples[0] if skipped.examples else "all lines are empty"
            raise SourceError(
                f"{self.path} has no article in {n_lines:,} lines ({first})."
                ' Expected one JSON object a line: {"title": "...", "text": "..."}'
            )


def _from_line(line: bytes, number: int) -> tuple[RawArticle | None, str]:
    try:
        value = json.loads(line.decode("utf-8-sig" if number == 1 else "utf-8"))
    except UnicodeDecodeError:
        return None, "not UTF-8"
    except ValueError:
        return None, "not JSON"
    return from_record(value, number)


def from_record(value: Any, number: int) -> tuple[RawArticle | None, str]:
    """Return the article of a record with `text` and perhaps `title`, or why there is none."""
    text = value.get("text") if isinstance(value, dict) else None
    if not isinstance(text, str):
        return None, "without a text"
    if not text.strip():
        return None, "with an empty text"
    title = value.get("title")
    title = str(title).strip() if title is not None else ""
    return RawArticle(title or f"{number}: {' '.join(text.split())[:MAX_TITLE_CHARS]}", text), ""


def _looks_like(start: str) -> bool:
    """Tell an object with quoted keys in its first line from prose, wikitext and Markdown."""
    return start[:1] == "{" and start[1:].lstrip()[:1] == '"'


KIND = SourceKind(
    "JSON lines, each with a title and a text", JsonLinesSource, (".jsonl", ".ndjson"), looks_like=_looks_like
)

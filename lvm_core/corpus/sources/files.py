"""Read JSON lines, plain text and Markdown."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lvm_core.corpus.sources.base import RawArticle, Skipped
from lvm_core.corpus.sources.compressed import Opened, reading
from lvm_core.corpus.sources.prose import markdown_title
from lvm_core.errors import SourceError

TEXT_SUFFIXES = (".txt", ".text", ".md", ".markdown")
MAX_TITLE_CHARS = 80


class JsonLinesSource:
    """One JSON object a line with `text`, and `title` where there is one."""

    licence = ""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.description = f"JSON lines {path.name}"
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


class TextSource:
    """One text or Markdown file, which is one article."""

    licence = ""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.description = f"text {path.name}"
        self.share = 0.0

    def articles(self, skipped: Skipped) -> Iterator[RawArticle]:  # noqa: ARG002 - nothing to skip
        """Yield the one article.

        Raises:
            SourceError: if the file is empty or not UTF-8.
        """
        yield _read_text(self.path)
        self.share = 1.0


class FolderSource:
    """The text and Markdown files of a folder and its subfolders by name; each is an article."""

    licence = ""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.description = f"texts in {path.name}"
        self.share = 0.0

    def articles(self, skipped: Skipped) -> Iterator[RawArticle]:
        """Yield the articles in the order of their paths; a file that cannot be read is counted and passed over.

        Raises:
            SourceError: if there is no text file.
        """
        paths = sorted(path for path in self.path.rglob("*") if path.suffix.lower() in TEXT_SUFFIXES)
        if not paths:
            raise SourceError(f"{self.path} holds no .txt or .md file. Give a folder that does, or one file.")
        for i, path in enumerate(paths):
            self.share = i / len(paths)
            try:
                yield _read_text(path)
            except SourceError as error:
                skipped.add("files that cannot be read", str(error))


def _read_text(path: Path) -> RawArticle:
    with reading(path) as opened:
        content = opened.stream.read()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SourceError(
            f"{path} is not UTF-8: byte {error.start:,} is {content[error.start]:#04x}."
            f" Convert it, for example: iconv -f WINDOWS-1252 -t UTF-8 '{path.name}' > utf8.txt"
        ) from error
    if not text.strip():
        raise SourceError(f"{path} holds only spaces. Give a file with text.")
    plain = path.with_suffix("") if path.suffix.lower() in (".gz", ".bz2") else path
    if plain.suffix.lower() in (".md", ".markdown"):
        return RawArticle(markdown_title(text) or plain.stem, text, "markdown")
    return RawArticle(plain.stem, text)

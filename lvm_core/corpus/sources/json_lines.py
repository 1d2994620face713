"""Read JSON lines: one object a line with a text, and a title where there is one."""

import json
from collections.abc import Generator
from functools import partial
from pathlib import Path
from typing import Any

from lvm_core.corpus.sources.base import MAX_ARTICLE_BYTES, RawArticle, ReadSettings, Skipped, SourceKind
from lvm_core.corpus.sources.compressed import Opened, reading
from lvm_core.corpus.sources.prose import headed_sections
from lvm_core.corpus.sources.wikitext.names import dropped_sections
from lvm_core.errors import SourceError

TEXT_KEYS = ("text", "contents", "content", "article", "document", "body", "paragraphs", "passage", "page_content",
             "raw_content", "maintext")  # fmt: skip
TITLE_KEYS = ("title", "name", "headline", "id")
MAX_TITLE_CHARS, MAX_KEYS_NAMED = 80, 12


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

    def articles(self, skipped: Skipped) -> Generator[RawArticle]:
        """Yield the articles in order; a bad line is counted and passed over.

        Raises:
            SourceError: if the file is damaged or no line is an article.
        """
        n_good = n_lines = 0
        with reading(self.path) as self._opened:
            for n_lines, line in enumerate(self._opened.lines(MAX_ARTICLE_BYTES), 1):
                if line is not None and not line.strip():
                    continue
                article, reason, detail = _from_line(line, n_lines)
                if article is None:
                    skipped.add(f"lines {reason}", f"line {n_lines:,} {reason}{detail}")
                    continue
                n_good += 1
                yield article
        if not n_good:
            first = skipped.examples[0] if skipped.examples else "all lines are empty"
            raise SourceError(
                f"{self.path} has no article in {n_lines:,} lines ({first})",
                'one JSON object a line: {"title": "...", "text": "..."}',
                "Write it so; an array becomes lines with: jq -c '.[]' FILE",
            )


def _from_line(line: bytes | None, number: int) -> tuple[RawArticle | None, str, str]:
    if line is None:
        return None, f"of more than {MAX_ARTICLE_BYTES // 1_000_000} MB", ""
    try:
        value = json.loads(line.decode())
    except UnicodeDecodeError:
        return None, "not UTF-8", ""
    except ValueError:
        return None, "not JSON", ""
    except RecursionError:
        return None, "nested too deep", ""
    return from_record(value, number)


def from_record(value: Any, number: int, language: str = "", wiki: bool = False) -> tuple[RawArticle | None, str, str]:
    """Return the article of a record with a text and perhaps a title, or why there is none, and what it has instead.

    Args:
        value: the record.
        number: its place, the title where it has none.
        language: ISO 639 code of the text, "" where nobody says.
        wiki: whether it is the text of a Wikipedia; one with the address of one is.
    """
    if not isinstance(value, dict):
        return None, "without a text", ""
    key = next((key for key in TEXT_KEYS if is_text(value.get(key))), "")
    if not key:
        keys = ", ".join(map(str, list(value)[:MAX_KEYS_NAMED]))
        return None, "without a text", f" (it has {keys or 'nothing'}; expected one of {', '.join(TEXT_KEYS)})"
    text = value[key] if isinstance(value[key], str) else "\n\n".join(value[key])
    if not text.strip():
        return None, "with an empty text", ""
    title = next((str(value[name]).strip() for name in TITLE_KEYS if _is_title(value.get(name))), "")
    if key == "contents" and not _is_title(value.get("title")):
        title, text = _titled(title, text)
    title = title or f"{number}: {' '.join(text.split())[:MAX_TITLE_CHARS]}"
    address = str(value.get("url", ""))
    if wiki or ".wikipedia.org/" in address:
        language = language or address.partition("://")[2].partition(".")[0]
        clean = partial(headed_sections, dropped=dropped_sections(language))
        return RawArticle(title, text, clean, language), "", ""
    return RawArticle(title, text, language=language), "", ""


def is_text(value: Any) -> bool:
    """Tell a text, or one in paragraphs."""
    return isinstance(value, str) or (isinstance(value, list) and all(isinstance(part, str) for part in value))


def _is_title(value: Any) -> bool:
    return isinstance(value, str | int) and bool(str(value).strip())


def _titled(title: str, text: str) -> tuple[str, str]:
    """Return title and text of "title, line break, text", as search engines' collections write `contents`."""
    first, _, rest = text.partition("\n")
    short = 0 < len(first.strip()) <= 2 * MAX_TITLE_CHARS
    return (first.strip(), rest) if short and rest.strip() else (title, text)


def _looks_like(start: str) -> bool:
    """Tell an object with quoted keys in its first line from prose, wikitext and Markdown."""
    return start[:1] == "{" and start[1:].lstrip()[:1] == '"'


KIND = SourceKind(
    "JSON lines, each with a title and a text", JsonLinesSource, (".jsonl", ".ndjson"), looks_like=_looks_like
)

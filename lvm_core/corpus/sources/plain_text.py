"""Read a plain text: one article, or one a heading."""

import re
from collections.abc import Iterator
from pathlib import Path

from lvm_core.corpus.sources.base import RawArticle, ReadSettings, Skipped, SourceKind
from lvm_core.corpus.sources.compressed import COMPRESSIONS, reading
from lvm_core.corpus.sources.headings import articles_by_heading
from lvm_core.corpus.sources.prose import plain_sections
from lvm_core.errors import SourceError

HEADING = re.compile(r"^(#{1,6})[ \t]+([^\s#][^\n]*)$", re.M)


class TextSource:
    """One file, which is one article, or one for each heading of its top level."""

    licence = ""

    def __init__(self, path: str, settings: ReadSettings) -> None:
        self.path, self.settings = Path(path), settings
        self.description = f"text {self.path.name}"
        self.share = 0.0

    def articles(self, skipped: Skipped) -> Iterator[RawArticle]:  # noqa: ARG002 - nothing to skip
        """Yield the articles in order.

        Raises:
            SourceError: if the file is empty or not UTF-8.
        """
        text, name = read_text(self.path)
        if self.settings.split_headings:
            yield from articles_by_heading(text, name, list(headings(text)), plain_sections)
        else:
            yield RawArticle(name, text)
        self.share = 1.0


def headings(text: str) -> Iterator[tuple[int, int, int, str]]:
    """Yield each line of the form `# Title`: where it starts and ends, its level and its title."""
    for match in HEADING.finditer(text):
        yield match.start(), match.end(), len(match[1]), match[2].strip().rstrip("#").strip()


def read_text(path: Path) -> tuple[str, str]:
    """Return a text file's content and its name without endings.

    Raises:
        SourceError: if it is empty or not UTF-8.
    """
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
    plain = path.with_suffix("") if path.suffix.lower() in COMPRESSIONS else path
    return text.replace("\r\n", "\n"), plain.stem


KIND = SourceKind("plain text", TextSource, (".txt", ".text"), in_folders=True)

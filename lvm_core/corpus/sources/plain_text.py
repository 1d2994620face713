"""Read a plain text: one article, or one a heading."""

import re
from collections.abc import Generator, Iterator
from pathlib import Path

from lvm_core.corpus.sources.base import MAX_ARTICLE_BYTES, RawArticle, ReadSettings, Skipped, SourceKind
from lvm_core.corpus.sources.compressed import COMPRESSIONS, Opened, reading
from lvm_core.corpus.sources.headings import Heading, articles_by_heading
from lvm_core.corpus.sources.prose import plain_sections
from lvm_core.errors import SourceError

_HEADING = re.compile(r"^(#{1,6})[ \t]+([^\s#][^\n]*)$", re.M)


class TextSource:
    """One file, which is one article, or one for each heading of its top level."""

    licence = ""

    def __init__(self, path: str, settings: ReadSettings) -> None:
        self.path, self.settings = Path(path), settings
        self.description = f"text {self.path.name}"
        self._opened: Opened | None = None

    @property
    def share(self) -> float:
        return self._opened.share if self._opened else 0.0

    def articles(self, skipped: Skipped) -> Generator[RawArticle]:  # noqa: ARG002 - nothing to skip
        """Yield the articles in order; a very long text comes in several parts.

        Raises:
            SourceError: if the file is empty or not UTF-8.
        """
        with reading(self.path) as self._opened:
            for text, name in named_texts(self._opened):
                if self.settings.split_headings:
                    yield from articles_by_heading(text, name, list(_headings(text)), plain_sections)
                else:
                    yield RawArticle(name, text)


def _headings(text: str) -> Iterator[Heading]:
    """Yield each line of the form `# Title`."""
    for match in _HEADING.finditer(text):
        yield match.start(), match.end(), len(match[1]), match[2].rstrip(" \t#")


def named_texts(opened: Opened) -> Iterator[tuple[str, str]]:
    """Yield the text of a file, or the parts of a very long one, each with the file's name without its endings.

    Raises:
        SourceError: if it is empty or not UTF-8.
    """
    path = opened.path
    name = (path.with_suffix("") if path.suffix.lower() in COMPRESSIONS else path).stem
    n_parts = 0
    for text in _parts(opened):
        if text.strip():
            n_parts += 1
            yield text, name if n_parts == 1 else f"{name}, part {n_parts}"
    if not n_parts:
        raise SourceError(f"{path} holds only spaces", "a file with words in it", "Give another file.")


def _parts(opened: Opened) -> Iterator[str]:
    waiting: list[str] = []
    n_chars = 0
    for text in _decoded(opened):
        waiting.append(text)
        n_chars += len(text)
        if n_chars > MAX_ARTICLE_BYTES:
            whole = _one_kind_of_break("".join(waiting))
            cut = max(whole.rfind("\n\n"), 0) or max(whole.rfind("\n"), 0) or max(whole.rfind(" "), 0) or len(whole)
            yield whole[:cut]
            waiting, n_chars = [whole[cut:]], len(whole) - cut
    yield _one_kind_of_break("".join(waiting))


def _one_kind_of_break(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _decoded(opened: Opened) -> Iterator[str]:
    pending, place = b"", 0
    for block in opened.utf8_blocks():
        content = pending + block
        try:
            text, pending = content.decode(), b""
        except UnicodeDecodeError as error:
            if error.reason != "unexpected end of data":
                raise _not_utf8(opened.path, place + error.start, content[error.start]) from error
            text, pending = content[: error.start].decode(), content[error.start :]
        place += len(content) - len(pending)
        yield text
    if pending:
        raise _not_utf8(opened.path, place, pending[0])


def _not_utf8(path: Path, place: int, byte: int) -> SourceError:
    return SourceError(
        f"{path} is not UTF-8: byte {place:,} is {byte:#04x}",
        "text in UTF-8",
        f"Convert it, for example: iconv -f WINDOWS-1252 -t UTF-8 '{path.name}' > utf8.txt",
    )


KIND = SourceKind("plain text", TextSource, (".txt", ".text"), in_folders=True)

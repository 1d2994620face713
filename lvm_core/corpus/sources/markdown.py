"""Read Markdown (CommonMark with tables): prose under its headings; code, tables and images go."""

import html
import re
from collections.abc import Generator, Iterator
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from lvm_core.corpus.sources.base import RawArticle, Skipped, SourceKind
from lvm_core.corpus.sources.compressed import reading
from lvm_core.corpus.sources.headings import Heading, articles_by_heading
from lvm_core.corpus.sources.markup import html_text, is_html
from lvm_core.corpus.sources.plain_text import TextSource, named_texts
from lvm_core.corpus.sources.prose import clean
from lvm_core.types import Section

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

PIECE_CHARS = 50_000
"""Longest stretch parsed at once: a parser of Markdown may take quadratic time for hostile repetition."""

_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(?:(?!---[ \t]*\n)[^\n]*\n)*---[ \t]*(?:\n|\Z)")
_FENCE = re.compile(r"[ \t]*(```|~~~)")
_FOOTNOTE = re.compile(r"\[\^[^\]\s]{1,40}\]")
_CALLOUT = re.compile(r"\A\[!\w{1,20}\]\s*")


class MarkdownSource(TextSource):
    """One file, which is one article, or one for each heading of its top level."""

    def articles(self, skipped: Skipped) -> Generator[RawArticle]:  # noqa: ARG002 - nothing to skip
        """Yield the articles in order; a very long text comes in several parts.

        Raises:
            SourceError: if the file is empty or not UTF-8.
        """
        with reading(self.path) as self._opened:
            for text, name in named_texts(self._opened):
                if self.settings.split_headings:
                    text = _FRONT_MATTER.sub("", text)
                    yield from articles_by_heading(text, name, list(_headings(text)), markdown_sections)
                else:
                    yield RawArticle(markdown_title(text) or name, text, markdown_sections)


def markdown_title(text: str) -> str:
    """Return the first heading of a Markdown text, or "" if it has none."""
    return next((title for *_, title in _headings(_FRONT_MATTER.sub("", text))), "")


def markdown_sections(text: str) -> tuple[Section, ...]:
    """Return the prose of a Markdown text under its headings."""
    text = _FRONT_MATTER.sub("", text.replace("\r\n", "\n"))
    sections: list[Section] = []
    title, paragraphs, top = "", list[str](), markdown_title(text)
    for level, paragraph in [*_blocks(text), (1, "")]:
        if not level:
            paragraphs.append(paragraph)
            continue
        if paragraphs:
            sections.append(Section("" if title == top else title, "\n\n".join(paragraphs)))
        title, paragraphs = paragraph, []
    return tuple(sections)


def _blocks(text: str) -> Iterator[tuple[int, str]]:
    """Yield each heading with its level, and each paragraph with level 0."""
    for piece in _pieces(text):
        table = False
        tokens = _parser(links="]" in piece).parse(piece)
        for i, token in enumerate(tokens):
            table = token.type == "table_open" or (table and token.type != "table_close")
            if token.type == "html_block":
                yield from ((0, part) for part in _paragraphs(html_text(html.unescape(token.content))))
            elif token.type == "inline" and not table:
                opened = tokens[i - 1]
                if opened.type == "heading_open" and not opened.level:
                    yield int(opened.tag[1:]), clean(_inline(token))
                else:
                    yield from ((0, part) for part in _paragraphs(_inline(token)))


def _headings(text: str) -> Iterator[Heading]:
    for start, piece in _placed_pieces(text):
        lines = [start]
        for line in piece.split("\n"):
            lines.append(lines[-1] + len(line) + 1)
        references: dict[str, Any] = {}
        tokens = _block_parser().parse(piece, references)
        for token, inline in pairwise(tokens):
            if token.type == "heading_open" and not token.level and token.map:
                first, last = lines[token.map[0]], min(lines[token.map[1]], start + len(piece))
                (parsed,) = _parser(links=True).parseInline(inline.content, references)
                yield first, last, int(token.tag[1:]), clean(_inline(parsed))


def _paragraphs(text: str) -> Iterator[str]:
    for part in text.split("\n\n"):
        if not _FOOTNOTE.match(part) and (paragraph := clean(_CALLOUT.sub("", part))):
            yield _FOOTNOTE.sub("", paragraph)


def _inline(token: "Token") -> str:
    return "".join(_inline_parts(token.children or []))


def _inline_parts(tokens: "list[Token]") -> Iterator[str]:
    for token in tokens:
        if token.type in ("text", "code_inline"):
            yield token.content
        elif token.type in ("softbreak", "hardbreak"):
            yield "\n"
        elif token.type == "html_inline" and not token.content.startswith("<!"):
            yield html_text(token.content) if is_html(token.content) else token.content


def _pieces(text: str) -> Iterator[str]:
    return (piece for _, piece in _placed_pieces(text))


def _placed_pieces(text: str) -> Iterator[tuple[int, str]]:
    """Yield a text in pieces that can be parsed alone, each with its place: cut at a blank line outside of code."""
    start = place = 0
    blank, fence = 0, ""
    for line in text.splitlines(keepends=True):
        if match := _FENCE.match(line):
            fence = "" if fence == match[1] else fence or match[1]
        place += len(line)
        if not fence and not line.strip():
            blank = place
        while place - start > PIECE_CHARS:
            cut = blank if blank > start else min(place, start + PIECE_CHARS)
            yield start, text[start:cut]
            start = cut
    if start < len(text):
        yield start, text[start:]


@cache
def _parser(links: bool) -> "MarkdownIt":
    """Return a parser; without `links` a thousand brackets that nothing closes are not followed each to the end."""
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    return parser if links else parser.disable(["link", "image"])


@cache
def _block_parser() -> "MarkdownIt":
    """Return a parser that tells headings from paragraphs and leaves what stands in them unread."""
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark").enable("table").disable("inline")


KIND = SourceKind("Markdown", MarkdownSource, (".md", ".markdown"), in_folders=True)

"""Wikitext to clean prose: what remains reads like the article, in its order and under its headings."""

from collections.abc import Iterator
from functools import partial

from lvm_core.corpus.sources.prose import tidy
from lvm_core.corpus.sources.wikitext.blocks import without_blocks
from lvm_core.corpus.sources.wikitext.paragraphs import paragraphs
from lvm_core.corpus.sources.wikitext.parser import Renderers, plain_text
from lvm_core.corpus.sources.wikitext.site import ENGLISH, Site
from lvm_core.corpus.sources.wikitext.templates import render
from lvm_core.types import Section

MAX_HEADING_CHARS = 300


def sections(wikitext: str, site: Site = ENGLISH) -> tuple[Section, ...]:
    """Return the prose of an article, section by section; headings below the second level are joined by " / ".

    Args:
        wikitext: of the whole article.
        site: the wiki it is from: its language, names of namespaces, and titles of sections that are no prose.
    """
    titled = ((title, prose(body, site)) for title, body in _split(without_blocks(wikitext), site))
    return tuple(Section(title, text) for title, text in titled if text)


def prose(wikitext: str, site: Site = ENGLISH) -> str:
    """Return wikitext without headings as paragraphs separated by a blank line."""
    return "\n\n".join(paragraphs(plain_text(wikitext, _renderers(site))))


def _renderers(site: Site) -> Renderers:
    return Renderers(partial(render, site.language), site.link_text, site.variant if site.has_variants else None)


def _split(text: str, site: Site) -> Iterator[tuple[str, str]]:
    """Yield (heading, body) of each section that is prose."""
    path: list[tuple[int, str]] = []
    body: list[str] = []
    dropped_at = 0
    title = ""
    for line in text.split("\n"):
        level, heading = _heading(line)
        if not level:
            if not dropped_at:
                body.append(line)
            continue
        if not dropped_at:
            yield title, "\n".join(body)
        body = []
        if dropped_at and level > dropped_at:
            continue
        heading = tidy(" ".join(plain_text(heading, _renderers(site)).split()))
        dropped_at = level if site.is_dropped_section(heading) else 0
        path = [(depth, name) for depth, name in path if depth < level] + [(level, heading)]
        title = " / ".join(name for _, name in path if name)
    if not dropped_at:
        yield title, "\n".join(body)


def _heading(line: str) -> tuple[int, str]:
    """Return the level and the text of a heading, (0, "") for any other line."""
    line = line.rstrip() if line.startswith("=") else ""
    if len(line) < 3 or line[-1] != "=" or len(line) > MAX_HEADING_CHARS:
        return 0, ""
    level = min(len(line) - len(line.lstrip("=")), len(line) - len(line.rstrip("=")), (len(line) - 1) // 2, 6)
    return level, line[level:-level].strip()

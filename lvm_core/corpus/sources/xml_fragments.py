"""Elements of a large XML file one at a time, each a text that can be parsed by itself."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from lvm_core.corpus.sources.compressed import Opened

_NAMESPACE = re.compile(rb"""\sxmlns:[\w.-]+\s*=\s*(?:"[^"<]*"|'[^'<]*')""")
_LANGUAGE = re.compile(rb"""\sxml:lang\s*=\s*["']([\w-]{2,20})["']""")
_MAX_TAG_BYTES, _MAX_END_BYTES = 4_096, 100
CUT, TOO_LONG, UNCLOSED = "it ends inside of a page", "too long", "the root is not closed"


@dataclass(frozen=True, slots=True)
class Fragment:
    """One element of the file, or what is wrong with it."""

    name: str
    content: bytes
    namespaces: bytes = b""
    """Declarations of the root that the fragment may use."""
    language: str = ""
    """`xml:lang` of the root."""
    trouble: str = ""

    def wrapped(self) -> bytes:
        """Return a document of its own with the fragment as the one child of the root."""
        return b"<root" + self.namespaces + b">" + self.content + b"</root>"


def fragments(opened: Opened, names: tuple[str, ...], root: str, max_bytes: int) -> Iterator[Fragment]:
    """Yield the elements called `names` in order; what stands between them is passed over.

    One that is longer than `max_bytes` comes without content and as TOO_LONG, one that the file ends in comes last and
    as CUT, and a root that is not closed comes last and as UNCLOSED.

    Args:
        opened: the file.
        names: names of the elements that are wanted, without a prefix.
        root: name of the element around them; there may be none, or several.
        max_bytes: the longest element.
    """
    starts = re.compile(rb"<(/?)(?:[\w.-]{1,40}:)?(" + "|".join([root, *names]).encode() + rb")(?=[\s>/])[^<>]*>")
    ends = {name: re.compile(rb"</(?:[\w.-]{1,40}:)?" + name.encode() + rb"\s*>") for name in names}
    blocks, buffer, about, depth = opened.utf8_blocks(), b"", (b"", ""), 0
    for block in blocks:
        buffer, place = buffer + block, 0
        while start := starts.search(buffer, place):
            name, place = start[2].decode(), start.end()
            if name == root:
                depth += -1 if start[1] else 1
                about = about if start[1] else _about(start[0])
            elif not start[1] and not start[0].endswith(b"/>"):
                end = ends[name].search(buffer, place)
                if end:
                    yield Fragment(name, buffer[start.start() : end.end()], *about)
                    place = end.end()
                else:
                    content, buffer, trouble = _continued(buffer[start.start() :], blocks, ends[name], max_bytes)
                    yield Fragment(name, content, *about, trouble)
                    place = 0
        buffer = buffer[max(place, len(buffer) - _MAX_TAG_BYTES) :]
    if depth > 0:
        yield Fragment(root, b"", *about, trouble=UNCLOSED)


def _continued(
    window: bytes, blocks: Iterator[bytes], end: re.Pattern[bytes], max_bytes: int
) -> tuple[bytes, bytes, str]:
    """Return an element that goes on in the next blocks, what follows it, and its trouble."""
    parts: list[bytes] = []
    n_bytes = 0
    while not (match := end.search(window)):
        n_bytes += len(window) - len(window[-_MAX_END_BYTES:])
        parts.append(window[:-_MAX_END_BYTES])
        if n_bytes > max_bytes:
            parts.clear()
        block = next(blocks, None)
        if block is None:
            return b"", b"", CUT
        window = window[-_MAX_END_BYTES:] + block
    rest = window[match.end() :]
    if n_bytes > max_bytes:
        return b"", rest, TOO_LONG
    return b"".join(parts) + window[: match.end()], rest, ""


def _about(tag: bytes) -> tuple[bytes, str]:
    language = _LANGUAGE.search(tag)
    return b"".join(_NAMESPACE.findall(tag)), language[1].decode() if language else ""

"""Wikitext to plain text in one pass over its tokens: linear in time whatever is nested, repeated or left open.

What is never closed is no markup: its words stay. Quotes of bold and italics become marks until their line is whole,
because MediaWiki pairs them by line, and only those that stand in the wikitext: an apostrophe that a template or an
entity gives is text.
"""

import html
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from lvm_core.corpus.sources.markup import BLOCK_ELEMENTS, is_html
from lvm_core.corpus.sources.wikitext.arguments import Arguments
from lvm_core.corpus.sources.wikitext.quotes import mark_of, paired_quotes, without_marks

_TOKEN = re.compile(
    r"(?=[{}\[\]hf|=\n'<-])(?:"  # what a token can begin with: most characters are told by this alone
    r"(?P<open>\{\{+)|(?P<close>\}\}+)|(?P<link>\[\[)|(?P<ends>\]+)"
    r"|(?P<external>\[(?:(?:https?|ftps?|irc|ircs|news|git|svn|gopher|sftp):)?//[^\s\[\]<>\"|{}]*|\[mailto:[^\s\[\]<>\"|{}]*)"
    r"|(?P<bare>(?<![\w/])(?:https?|ftp)://[^\s\[\]<>\"|{}]+)"
    r"|(?P<variant>-\{(?!\{))|(?P<variant_end>\}-)"
    r"|(?P<pipe>\|)|(?P<equals>=)|(?P<blank>\n[ \t]*\n\s*)|(?P<newline>\n)|(?P<quotes>'{2,})"
    r"|(?P<tag></?[A-Za-z][A-Za-z0-9]*(?:[\s/][^<>]*)?>))"
)
_SUPERSCRIPT = str.maketrans("0123456789+-−n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻ⁿ")
_RAISED = re.compile(r"<(su[pb])(?:\s[^<>]*)?>([^<>{}\[\]\n]{1,60})</\1\s*>", re.I)
_RAISED_TWICE = "</sup></sup>"
_SIMPLE = re.compile(r"[0-9+\-−n]{1,20}")
_TERM = re.compile(r".*[\w)]\s?[+−=/*×·-]\s?[\w(].*|.*[⁰¹²³⁴⁵⁶⁷⁸⁹ⁿ].*")
_WIKI_TAGS = frozenset({
    "nowiki", "onlyinclude", "noinclude", "includeonly", "poem", "section", "templatestyles", "translate", "tvar",
    "languages", "ref", "references", "gallery", "math", "chem", "ce", "categorytree", "inputbox", "indicator",
    "phonos", "timeline", "score", "imagemap", "syntaxhighlight", "mapframe", "maplink", "graph", "hiero",
    "charinsert",
})  # fmt: skip
_ITEMS = frozenset({"li", "dd", "dt"})
_BREAK = "\ufdd0"
_BREAKS = re.compile(f"{_BREAK}(?:[ \\t]*\\n?[ \\t]*{_BREAK})*(?:\\n(?!\\n))?")
MAX_RAISED = 4
"""Exponents of exponents that are read, innermost first."""
MAX_DEPTH = 40
"""Templates and links nested deeper than this are text: nobody writes them."""


@dataclass(frozen=True, slots=True)
class Renderers:
    """What becomes of the parts whose words depend on the wiki."""

    template: Callable[[str, Arguments], str]
    """Name and arguments to the words it puts into the sentence."""
    link: Callable[[str, list[str]], str]
    """Target and the parts behind its pipes to the words that are read."""
    variant: Callable[[str], str] | None = None
    """The inside of `-{ }-` to one variant, for the wikis that write them."""


@dataclass(slots=True)
class _Frame:
    kind: str
    n_braces: int = 0
    names: list[str | None] = field(default_factory=lambda: [None])
    parts: list[list[str]] = field(default_factory=lambda: [[]])

    def add(self, text: str) -> None:
        self.parts[-1].append(text)

    def split(self) -> None:
        self.names.append(None)
        self.parts.append([])

    def texts(self) -> list[str]:
        return ["".join(part) for part in self.parts]

    def unparsed(self) -> str:
        """The words of something that was never closed: without its name or target where more follows."""
        texts = [
            text if name is None else f"{name}={text}" for name, text in zip(self.names, self.texts(), strict=True)
        ]
        return "|".join(texts[1:] if len(texts) > 1 and "\n" not in texts[0].strip() else texts)


def plain_text(wikitext: str, renderers: Renderers) -> str:
    """Return the words of `wikitext`, its line breaks kept, templates and links rendered."""
    text = without_marks(wikitext).replace(_BREAK, "")
    for _ in range(MAX_RAISED if _RAISED_TWICE in text else 1):
        text = _RAISED.sub(_raised, text)
    text = _Parser(renderers).parse(text)
    # One break is a space, two are the end of a paragraph.
    return paired_quotes(_BREAKS.sub(lambda match: "\n\n" if match[0].count(_BREAK) > 1 else " ", text))


def _raised(match: re.Match[str]) -> str:
    """Return a superscript or subscript as it can be read on the line: 10⁵, 19th, H2O, x^(n − 1)."""
    words = html.unescape(match[2]).replace("''", "").replace("\u00a0", " ").strip()
    above = match[1].lower() == "sup"
    if above and _SIMPLE.fullmatch(words):
        return words.translate(_SUPERSCRIPT)
    if _TERM.fullmatch(words):
        return f"{'^' if above else '_'}({words})"
    return match[0]


class _Parser:
    def __init__(self, renderers: Renderers) -> None:
        self.renderers = renderers
        self.frames = [_Frame("root")]
        self.n_open = {"{": 0, "[[": 0, "[": 0, "-{": 0}

    def parse(self, wikitext: str) -> str:
        place = 0
        for match in _TOKEN.finditer(wikitext):
            if match.start() > place:
                self.frames[-1].add(wikitext[place : match.start()])
            place = match.end()
            getattr(self, f"_{match.lastgroup}")(match[0])
        self.frames[-1].add(wikitext[place:])
        while len(self.frames) > 1:
            self._give_up()
        return "".join(self.frames[0].parts[0])

    # ------------------------------------------------------------ frames

    def _push(self, kind: str, text: str, n_braces: int = 0) -> None:
        if len(self.frames) > MAX_DEPTH:
            return
        self.frames.append(_Frame(kind, n_braces))
        self.n_open[kind] += 1
        if text:
            self.frames[-1].add(text)

    def _pop(self) -> _Frame:
        frame = self.frames.pop()
        self.n_open[frame.kind] -= 1
        return frame

    def _give_up(self) -> None:
        words = self._pop().unparsed()
        self.frames[-1].add(words)

    def _reach(self, kind: str) -> bool:
        """Make the innermost open `kind` the top, giving up what is open inside it; False if none is open."""
        if not self.n_open[kind]:
            return False
        while self.frames[-1].kind != kind:
            self._give_up()
        return True

    # ------------------------------------------------------------ tokens

    def _open(self, braces: str) -> None:
        self._push("{", "", len(braces))

    def _close(self, braces: str) -> None:
        n = len(braces)
        while n >= 2 and self._reach("{"):
            frame = self.frames[-1]
            used = 3 if n >= 3 and frame.n_braces >= 3 else 2
            words = self._parameter(frame) if used == 3 else self._template(frame)
            n, frame.n_braces = n - used, frame.n_braces - used
            if frame.n_braces >= 2:
                frame.names, frame.parts = [None], [[words]]
            else:
                self._pop()
                self.frames[-1].add("{" * frame.n_braces + words)
        if n == 1:
            self.frames[-1].add("}")

    def _parameter(self, frame: _Frame) -> str:
        """An article has no parameters: `{{{name|default}}}` is its default."""
        return frame.texts()[1] if len(frame.parts) > 1 else ""

    def _template(self, frame: _Frame) -> str:
        name, *values = frame.texts()
        arguments: Arguments = {}
        position = 0
        for key, value in zip(frame.names[1:], values, strict=True):
            if key is None:
                position += 1
                arguments[str(position)] = value
            else:
                arguments[key.strip()] = value.strip()
        return self.renderers.template(name, arguments)

    def _link(self, _: str) -> None:
        self._push("[[", "")

    def _external(self, _: str) -> None:
        self._push("[", "")

    def _ends(self, brackets: str) -> None:
        n = len(brackets)
        while n:
            if self.frames[-1].kind == "[":
                words = "|".join(self._pop().texts()).strip()
                n -= 1
            elif n >= 2 and self._reach("[["):
                target, *parts = self._pop().texts()
                words = self.renderers.link(target, parts)
                n -= 2
            else:
                words, n = "]" * (n % 2), 0
            self.frames[-1].add(words)

    def _bare(self, address: str) -> None:
        """An address is no word; the stop behind it ends the sentence."""
        self.frames[-1].add(address[len(address.rstrip(".,;:!?)")) :])

    def _variant(self, text: str) -> None:
        if self.renderers.variant:
            self._push("-{", "")
        else:
            self.frames[-1].add(text)

    def _variant_end(self, text: str) -> None:
        if not self.renderers.variant or not self._reach("-{"):
            self.frames[-1].add(text)
            return
        words = self.renderers.variant("|".join(self._pop().texts()))
        self.frames[-1].add(words)

    def _pipe(self, text: str) -> None:
        frame = self.frames[-1]
        if frame.kind in ("{", "[[", "-{"):
            frame.split()
        else:
            frame.add(text)

    def _equals(self, text: str) -> None:
        frame = self.frames[-1]
        if frame.kind == "{" and len(frame.parts) > 1 and frame.names[-1] is None:
            frame.names[-1], frame.parts[-1] = "".join(frame.parts[-1]), []
        else:
            frame.add(text)

    def _newline(self, text: str) -> None:
        while self.frames[-1].kind == "[":
            self._give_up()
        self.frames[-1].add(text)

    def _blank(self, text: str) -> None:
        while self.frames[-1].kind == "[" or (self.frames[-1].kind == "[[" and len(self.frames[-1].parts) < 3):
            self._give_up()
        self.frames[-1].add(text)

    def _quotes(self, quotes: str) -> None:
        self.frames[-1].add(mark_of(quotes))

    def _tag(self, tag: str) -> None:
        name = tag.strip("</>").split(maxsplit=1)[0].rstrip("/").lower()
        if name not in _WIKI_TAGS and not is_html(tag):
            self.frames[-1].add(tag)
        elif name == "br":
            self.frames[-1].add(_BREAK)
        elif name == "q":
            self.frames[-1].add('"')
        elif name in _ITEMS:
            self.frames[-1].add("\n* " if tag[1] != "/" else "\n")
        elif name in BLOCK_ELEMENTS:
            self.frames[-1].add("\n\n")

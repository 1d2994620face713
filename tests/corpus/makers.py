"""Small sources for tests: dumps, JSON lines, and workspaces that hold a corpus."""

import bz2
import json
from pathlib import Path
from xml.sax.saxutils import escape

from lvm_core.corpus.ingest import IngestReport, IngestSettings, ingest
from lvm_core.workspace import Workspace

HEAD = (
    '<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/" version="0.11" xml:lang="en">\n'
    "<siteinfo><sitename>Wikipedia</sitename><base>https://en.wikipedia.org/wiki/Main_Page</base></siteinfo>\n"
)


def page(title: str, text: str, ns: int = 0, redirect: bool = False) -> str:
    mark = '<redirect title="X"/>' if redirect else ""
    body = f"<revision><text>{escape(text)}</text></revision>"
    return f"<page><title>{escape(title)}</title><ns>{ns}</ns>{mark}{body}</page>\n"


def prose(name: str, n: int = 6) -> str:
    return " ".join(f"Sentence number {i} tells us something about {name} and its world." for i in range(n))


def article(name: str, n: int = 6) -> str:
    return f"'''{name}''' is one of the things.<ref>x</ref> {prose(name, n)}\n== History ==\n{prose(name + ' past', n)}"


def dump_text(names: list[str]) -> str:
    return HEAD + "".join(page(name, article(name)) for name in names) + "</mediawiki>\n"


def write_dump(path: Path, names: list[str]) -> Path:
    text = dump_text(names).encode()
    path.write_bytes(bz2.compress(text) if path.suffix == ".bz2" else text)
    return path


def write_lines(path: Path, names: list[str]) -> Path:
    lines = (json.dumps({"title": name, "text": prose(name)}) for name in names)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def read_in(workspace: Workspace, source: Path | str, corpus: str = "tiny", **settings: object) -> IngestReport:
    return ingest(workspace, str(source), corpus, IngestSettings(**settings))  # type: ignore[arg-type]

"""Read a MediaWiki XML export, page by page: memory stays the same for a dump of any size."""

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path

from lvm_core.corpus.sources import wikitext
from lvm_core.corpus.sources.base import WIKIPEDIA_LICENCE, RawArticle, ReadSettings, Skipped, SourceKind
from lvm_core.corpus.sources.compressed import Opened, reading
from lvm_core.errors import SourceError


class DumpSource:
    """The articles of a dump: pages of the main namespace that are not redirects.

    Format: https://www.mediawiki.org/xml/export-0.11.xsd
    """

    def __init__(self, path: str, settings: ReadSettings | None = None, about: str = "") -> None:  # noqa: ARG002
        self.path = Path(path)
        self.description = about or f"MediaWiki dump {self.path.name}"
        # Until the dump's own <siteinfo> says where it is from; some exports have none.
        self.licence = WIKIPEDIA_LICENCE if "wiki" in self.path.name.lower() else ""
        self._opened: Opened | None = None

    @property
    def share(self) -> float:
        return self._opened.share if self._opened else 0.0

    def articles(self, skipped: Skipped) -> Iterator[RawArticle]:
        """Yield the articles in the order of the dump.

        Raises:
            SourceError: if the file is damaged, ends too early, or is no MediaWiki export.
        """
        n_pages = 0
        with reading(self.path) as self._opened:
            try:
                for element in _elements(self._opened):
                    if _name(element) == "siteinfo":
                        self.licence = _licence(element)
                        continue
                    n_pages += 1
                    article = _article(element, skipped)
                    if article:
                        yield article
            except ElementTree.ParseError as error:
                raise SourceError(_broken(self.path, n_pages, error)) from error
        if not n_pages:
            raise SourceError(f"{self.path} has no <page>: it is no MediaWiki export. Expected a pages-articles dump.")


def _elements(opened: Opened) -> Iterator[ElementTree.Element]:
    events = ElementTree.iterparse(opened.stream, events=("start", "end"))
    root: ElementTree.Element | None = None
    for event, element in events:
        if root is None:
            root = element
        if event == "end" and _name(element) in ("siteinfo", "page"):
            yield element
            # Finished pages hang on the root until they are taken off.
            root.clear()


def _licence(siteinfo: ElementTree.Element) -> str:
    """Return the licence of Wikipedia and its sister projects; another wiki has its own, which a dump does not say."""
    address = next((child.text or "" for child in siteinfo if _name(child) == "base"), "")
    return (
        WIKIPEDIA_LICENCE
        if re.match(r"https?://[a-z-]+\.(?:m\.)?(?:wikipedia|wiktionary|wikivoyage)\.org/", address)
        else ""
    )


def _article(page: ElementTree.Element, skipped: Skipped) -> RawArticle | None:
    fields = {_name(child): child for child in page}
    title = (fields["title"].text or "").strip() if "title" in fields else ""
    if "ns" in fields and (fields["ns"].text or "0").strip() != "0":
        skipped.add("pages of another namespace")
        return None
    text = next((child.text or "" for child in fields.get("revision", ()) if _name(child) == "text"), "")
    if "redirect" in fields or text.lstrip()[:9].lower() == "#redirect":
        skipped.add("redirects")
        return None
    if not title or not text.strip():
        skipped.add("pages without title or text", title)
        return None
    return RawArticle(title, text, wikitext.sections)


def _name(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


def _broken(path: Path, n_pages: int, error: ElementTree.ParseError) -> str:
    keep = " or add --keep-partial to keep the articles before it." if n_pages else " or check that it is a dump."
    return f"{path} is not whole XML in UTF-8: {error}, after {n_pages:,} pages. Download or copy it again,{keep}"


KIND = SourceKind(
    "MediaWiki dumps",
    DumpSource,
    (".xml",),
    looks_like=lambda start: "<mediawiki" in start or start.startswith(("<page>", "<siteinfo>")),
    licence=WIKIPEDIA_LICENCE,
)

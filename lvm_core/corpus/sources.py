"""What can be read into a corpus: one class a kind, all of them giving raw articles one at a time."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from lvm_core.errors import SourceError
from lvm_core.types import Document, Section

WIKIPEDIA_LICENCE = (
    "CC BY-SA 4.0, text by the contributors to Wikipedia, https://creativecommons.org/licenses/by-sa/4.0/"
)
EXAMPLES_KEPT = 20

FORMS = ("wikitext", "plain", "markdown")


@dataclass(frozen=True, slots=True)
class RawArticle:
    """An article as it lies in the source; `form` says how `body` becomes prose."""

    title: str
    body: str
    form: str = "plain"


@dataclass(slots=True)
class Skipped:
    """What was not taken, counted by reason, with the first few examples of each mishap."""

    counts: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)

    def add(self, reason: str, example: str = "") -> None:
        """Count one more; `example` names the very thing where a user may want to mend it."""
        self.counts[reason] += 1
        if example and len(self.examples) < EXAMPLES_KEPT:
            self.examples.append(example)


class Source(Protocol):
    """Articles to read. Iterating twice gives the same articles in the same order."""

    @property
    def description(self) -> str: ...

    @property
    def licence(self) -> str: ...

    @property
    def share(self) -> float:
        """The share read so far of the iteration under way, 0 to 1; 0 where it cannot be known."""
        ...

    def articles(self, skipped: Skipped) -> Iterator[RawArticle]:
        """Yield the articles in order, one in memory at a time; count in `skipped` what is passed over."""
        ...


def open_source(source: str) -> Source:
    """Return the source that `source` names: a bundled corpus, `hf:NAME`, a file or a folder of texts.

    Raises:
        SourceError: if there is no such thing, or it is of no kind the studio reads.
    """
    from lvm_core.corpus import bundled, files, huggingface, mediawiki

    if source in bundled.BUNDLED:
        return bundled.open_bundled(source)
    if source.startswith("hf:"):
        return huggingface.HuggingFaceSource(source)
    path = Path(source).expanduser()
    if not path.exists():
        raise SourceError(
            f"There is no file or folder {source}. Give a MediaWiki dump (.xml, .xml.bz2), a .jsonl, .txt or .md file,"
            f" a folder of .txt and .md files, hf:NAME for a Hugging Face data set, or one of the corpora that come"
            f" with the studio: {', '.join(bundled.BUNDLED)}."
        )
    if path.is_dir():
        return files.FolderSource(path)
    kind = path.name.lower().removesuffix(".bz2").removesuffix(".gz").rpartition(".")[2]
    if kind == "xml":
        return mediawiki.DumpSource(path)
    if kind in ("jsonl", "ndjson"):
        return files.JsonLinesSource(path)
    if kind in ("txt", "text", "md", "markdown"):
        return files.TextSource(path)
    raise SourceError(
        f"{path} is of no kind the studio reads by its name; expected .xml, .xml.bz2, .jsonl, .txt or .md"
        " (each may end in .gz or .bz2). Rename or convert it."
    )


def to_document(raw: RawArticle) -> Document:
    """Return the clean prose of a raw article."""
    from lvm_core.corpus import prose, wikitext

    cleaners = {
        "wikitext": wikitext.sections,
        "plain": prose.plain_sections,
        "markdown": prose.markdown_sections,
    }
    found: tuple[Section, ...] = cleaners[raw.form](raw.body)
    return Document(raw.title, found)

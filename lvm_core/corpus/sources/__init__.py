"""What can be read into a corpus: one file a kind, each giving raw articles one at a time, and cleaning to prose."""

from pathlib import Path

from lvm_core.corpus.sources.base import RawArticle, Skipped, Source
from lvm_core.errors import SourceError
from lvm_core.types import Document, Section


def open_source(source: str) -> Source:
    """Return the source that `source` names: a bundled corpus, `hf:NAME`, a file or a folder of texts.

    Raises:
        SourceError: if there is no such thing, or it is of no kind the studio reads.
    """
    from lvm_core.corpus.sources import bundled, files, huggingface, mediawiki

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
    from lvm_core.corpus.sources import prose, wikitext

    cleaners = {
        "wikitext": wikitext.sections,
        "plain": prose.plain_sections,
        "markdown": prose.markdown_sections,
    }
    found: tuple[Section, ...] = cleaners[raw.form](raw.body)
    return Document(raw.title, found)


__all__ = ["RawArticle", "Skipped", "Source", "open_source", "to_document"]

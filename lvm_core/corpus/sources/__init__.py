"""What can be read into a corpus: one file a kind, each giving raw articles one at a time, and cleaning to prose.

A new kind is one file that says its `KIND` and one line in `SOURCES`.
"""

from pathlib import Path

from lvm_core.corpus.sources import bundled, folder, huggingface, json_lines, markdown, mediawiki, plain_text
from lvm_core.corpus.sources.base import RawArticle, ReadSettings, Source, SourceKind
from lvm_core.corpus.sources.compressed import COMPRESSIONS, beginning, is_compressed
from lvm_core.errors import SourceError
from lvm_core.types import Document
from lvm_core.workspace import slug

SOURCES: dict[str, SourceKind] = {
    "mediawiki": mediawiki.KIND,
    "json-lines": json_lines.KIND,
    "text": plain_text.KIND,
    "markdown": markdown.KIND,
    "huggingface": huggingface.KIND,
}


def open_source(source: str, settings: ReadSettings | None = None) -> Source:
    """Return the source that `source` names: a bundled corpus, `hf:NAME`, a file or a folder of texts.

    What a file holds is told by its content where that is plain to see, else by its name.

    Raises:
        SourceError: if there is no such thing, or it is of no kind the studio reads.
    """
    settings = settings or ReadSettings()
    if source in bundled.BUNDLED:
        return bundled.open_bundled(source)
    for kind in SOURCES.values():
        if kind.prefix and source.startswith(kind.prefix):
            return kind.open(source, settings)
    path = _existing(source)
    if path.is_dir():
        kinds = [kind for kind in SOURCES.values() if kind.in_folders]
        return folder.FolderSource(path, kinds, settings)
    return _kind_of(path).open(str(path), settings)


def to_document(raw: RawArticle) -> Document:
    """Return the clean prose of a raw article."""
    return Document(raw.title, raw.clean(raw.body), language=raw.language)


def readable() -> str:
    """Return what can be read, in words: every kind with its endings, folders, and what comes with the studio."""
    kinds = [kind.about + (f" ({', '.join(kind.endings)})" if kind.endings else "") for kind in SOURCES.values()]
    in_folders = ", ".join(ending for kind in SOURCES.values() if kind.in_folders for ending in kind.endings)
    return (
        f"{', '.join(kinds)}, a folder of such texts ({in_folders}), or a corpus that comes with the studio"
        f" ({', '.join(bundled.BUNDLED)}). Files may be compressed ({', '.join(COMPRESSIONS)})"
    )


def endings(compressed: bool = True) -> list[str]:
    """Return the endings of all files that can be read, those of compressions last."""
    return [ending for kind in SOURCES.values() for ending in kind.endings] + (list(COMPRESSIONS) if compressed else [])


def corpus_name(source: str) -> str:
    """Return the name a corpus gets when none is given: that of its source without path and endings."""
    for kind in SOURCES.values():
        source = source.removeprefix(kind.prefix)
    name = source.rstrip("/").replace("\\", "/").rpartition("/")[2].partition("@")[0]
    for ending in (*COMPRESSIONS, *endings(compressed=False)):
        name = name.removesuffix(ending)
    return slug(name)[:80]


def _existing(source: str) -> Path:
    try:
        path = Path(source).expanduser()
        if source.strip() and path.exists():
            return path
        reason = f"There is no file or folder {source or 'of an empty name'}"
    except (OSError, RuntimeError, ValueError) as error:
        reason = f"{source[:200]} cannot be a path: {getattr(error, 'strerror', None) or error}"
    raise SourceError(reason, readable(), "Give one of these.")


def _kind_of(path: Path) -> SourceKind:
    start = beginning(path)
    for kind in SOURCES.values():
        if kind.looks_like and kind.looks_like(start):
            return kind
    name = path.name.lower()
    compression = next((ending for ending in COMPRESSIONS if name.endswith(ending)), "")
    for kind in SOURCES.values():
        if name.removesuffix(compression).endswith(kind.endings):
            # Damage of a compression that can be read shows later, with its place.
            if compression and kind.looks_like and start and not is_compressed(path):
                raise SourceError(
                    f"{path} is damaged or misnamed: it is not compressed as its name says, and begins with"
                    f" {start[:20]!r}",
                    "a file that is compressed as its name says",
                    "Download or copy it again, or rename it by what it holds.",
                )
            return kind
    raise SourceError(
        f"{path} is of no kind the studio reads, neither by its content nor by its name",
        f"a name that ends in {', '.join(endings(compressed=False))} (each may be compressed:"
        f" {', '.join(COMPRESSIONS)})",
        "Rename or convert it.",
    )

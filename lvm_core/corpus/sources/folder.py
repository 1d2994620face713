"""Read a folder of texts and its subfolders: each file as its own kind says."""

from collections.abc import Generator, Sequence
from pathlib import Path

from lvm_core.corpus.sources.base import RawArticle, ReadSettings, Skipped, SourceKind
from lvm_core.errors import SourceError


class FolderSource:
    """The files of a folder whose kinds are read in folders, by the order of their paths."""

    licence = ""

    def __init__(self, path: Path, kinds: Sequence[SourceKind], settings: ReadSettings) -> None:
        self.path, self.kinds, self.settings = path, kinds, settings
        self.description = f"texts in {path.name}"
        self.share = 0.0

    def articles(self, skipped: Skipped) -> Generator[RawArticle]:
        """Yield the articles in the order of their files; a file that cannot be read is counted and passed over.

        Raises:
            SourceError: if there is no file of these kinds.
        """
        files = [(path, kind) for path in sorted(self.path.rglob("*")) if (kind := self._kind(path))]
        if not files:
            first = " or ".join(kind.endings[0] for kind in self.kinds)
            raise SourceError(
                f"{self.path} holds no {first} file", "a folder with such files", "Give another folder, or one file."
            )
        for i, (path, kind) in enumerate(files):
            self.share = i / len(files)
            try:
                yield from kind.open(str(path), self.settings).articles(skipped)
            except SourceError as error:
                skipped.add("files that cannot be read", str(error))

    def _kind(self, path: Path) -> SourceKind | None:
        name = path.name.lower()
        return next((kind for kind in self.kinds if name.endswith(kind.endings) and not path.is_dir()), None)

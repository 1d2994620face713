"""Read a Hugging Face data set: `hf:OWNER/NAME`, `hf:OWNER/NAME:CONFIG`, each with `@SPLIT`, or a local folder."""

import re
from collections.abc import Generator
from pathlib import Path
from typing import Any

from lvm_core.corpus.sources.base import RawArticle, ReadSettings, Skipped, SourceKind
from lvm_core.corpus.sources.json_lines import TEXT_KEYS, from_record, is_text
from lvm_core.errors import MissingPackage, SourceError
from lvm_core.json_shapes import Json

_OWNED = re.compile(r"[\w.-]{1,96}/[\w.-]{1,96}")
_LANGUAGE = re.compile(r"(?:\A|[._-])([a-z]{2,3})\Z")


class HuggingFaceSource:
    """A data set with a column of texts, streamed: nothing is downloaded that is not read."""

    def __init__(self, spec: str, settings: ReadSettings | None = None) -> None:  # noqa: ARG002 - none applies
        """Take `hf:NAME[:CONFIG][@SPLIT]`, such as hf:wikimedia/wikipedia:20231101.en@train.

        Raises:
            SourceError: if it is neither `OWNER/NAME` nor a folder: other names are those of builders that read, and
                may unpickle, whatever lies in the current folder.
        """
        name, _, split = spec.removeprefix("hf:").partition("@")
        self.name, _, config = name.partition(":")
        self.config, self.split = config or None, split or "train"
        self.description = f"Hugging Face data set {name}, split {self.split}"
        self.licence = ""
        self.share = 0.0
        self.wiki = "wikipedia" in self.name.lower()
        language = _LANGUAGE.search(config)
        self.language = language[1] if language else ""
        if not self.name:
            raise SourceError(
                f"'{spec}' names no data set", "hf:OWNER/NAME", "For example: hf:wikimedia/wikipedia:20231101.en"
            )
        folder = _folder(self.name)
        if folder:
            self.name = str(folder)
        elif not _OWNED.fullmatch(self.name):
            raise SourceError(
                f"'{spec}' is neither a data set of the hub nor a folder here",
                "hf:OWNER/NAME or hf:FOLDER",
                "For example: hf:wikimedia/wikipedia:20231101.en, or hf:/path/to/folder",
            )

    def articles(self, skipped: Skipped) -> Generator[RawArticle]:
        """Yield the rows in order.

        Raises:
            SourceError: if the data set cannot be loaded or has no column of texts.
            MissingPackage: without the package `datasets`.
        """
        rows = self._load()
        self.licence = getattr(rows.info, "license", "") or ""
        total = rows.info.splits[self.split].num_examples if rows.info.splits else 0
        for number, row in enumerate(rows, 1):
            if number == 1:
                self._check_columns(row)
            self.share = number / total if total else 0.0
            article, reason, _ = from_record(row, number, self.language, self.wiki)
            if article is None:
                skipped.add(f"rows {reason}", f"row {number:,} {reason}")
            else:
                yield article

    def _load(self) -> Any:
        try:
            import datasets
        except ImportError as error:
            raise MissingPackage("datasets", "A Hugging Face data set", "pip install datasets") from error
        try:
            return datasets.load_dataset(self.name, self.config, split=self.split, streaming=True)
        except Exception as error:
            # The library raises errors of a dozen unrelated classes for a wrong name, split or connection.
            raise SourceError(
                f"The data set '{self.name}' (configuration {self.config or 'default'}, split {self.split}) cannot"
                f" be loaded: {str(error).splitlines()[0] if str(error) else type(error).__name__}",
                "a data set that the library `datasets` can load",
                "Check the name and the connection, or give a local folder: hf:/path/to/folder",
            ) from error

    def _check_columns(self, row: Json) -> None:
        if not any(is_text(row.get(key)) for key in TEXT_KEYS):
            raise SourceError(
                f"The data set '{self.name}' has the columns {', '.join(row)}",
                f"one of {', '.join(TEXT_KEYS)} that holds texts",
                "Rename it, or write the rows as JSON lines with title and text.",
            )


def _folder(name: str) -> Path | None:
    try:
        path = Path(name).expanduser()
        return path.resolve() if path.is_dir() else None
    except (OSError, RuntimeError, ValueError):
        return None


KIND = SourceKind("Hugging Face data sets (hf:OWNER/NAME[:CONFIG][@SPLIT])", HuggingFaceSource, prefix="hf:")

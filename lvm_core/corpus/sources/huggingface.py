"""Read a Hugging Face data set: `hf:NAME`, `hf:NAME:CONFIG`, each with `@SPLIT` at will; NAME may be a local folder."""

from collections.abc import Iterator
from typing import Any

from lvm_core.corpus.sources.base import RawArticle, ReadSettings, Skipped, SourceKind
from lvm_core.corpus.sources.json_lines import from_record
from lvm_core.errors import MissingPackage, SourceError

TEXT_COLUMNS = ("text", "content", "article", "document")
TITLE_COLUMNS = ("title", "name", "id")


class HuggingFaceSource:
    """A data set with a column of texts, streamed: nothing is downloaded that is not read."""

    def __init__(self, spec: str, settings: ReadSettings | None = None) -> None:  # noqa: ARG002 - none applies
        """Take `hf:NAME[:CONFIG][@SPLIT]`, such as hf:wikimedia/wikipedia:20231101.en@train."""
        name, _, split = spec.removeprefix("hf:").partition("@")
        self.name, _, config = name.partition(":")
        self.config, self.split = config or None, split or "train"
        self.description = f"Hugging Face data set {name}, split {self.split}"
        self.licence = ""
        self.share = 0.0
        if not self.name:
            raise SourceError(f"'{spec}' names no data set. For example: hf:wikimedia/wikipedia:20231101.en")

    def articles(self, skipped: Skipped) -> Iterator[RawArticle]:
        """Yield the rows in order.

        Raises:
            SourceError: if the data set cannot be loaded or has no column of texts.
            MissingPackage: without the package `datasets`.
        """
        rows = self._load()
        self.licence = getattr(rows.info, "license", "") or ""
        total = rows.info.splits[self.split].num_examples if rows.info.splits else 0
        text_column: str | None = None
        for number, row in enumerate(rows, 1):
            if text_column is None:
                text_column = self._text_column(row)
                title_column = next((column for column in TITLE_COLUMNS if column in row), "")
            self.share = number / total if total else 0.0
            article, reason = from_record({"text": row[text_column], "title": row.get(title_column)}, number)
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
                f"The data set '{self.name}' (configuration {self.config or 'default'}, split {self.split}) cannot be"
                f" loaded: {str(error).splitlines()[0] if str(error) else type(error).__name__}."
                " Check the name and the connection, or give a local folder: hf:/path/to/folder"
            ) from error

    def _text_column(self, row: dict[str, Any]) -> str:
        for column in TEXT_COLUMNS:
            if isinstance(row.get(column), str):
                return column
        raise SourceError(
            f"The data set '{self.name}' has the columns {', '.join(row)}; expected one of {', '.join(TEXT_COLUMNS)}"
            " that holds texts. Rename it, or write the rows as JSON lines with title and text."
        )


KIND = SourceKind("Hugging Face data sets (hf:NAME[:CONFIG][@SPLIT])", HuggingFaceSource, prefix="hf:")

"""Titles of the articles that a model was trained on, beside its weights: a guard compares them with a test split."""

import gzip
import json
import zlib
from pathlib import Path

from lvm_core.boundary.files import read_bytes
from lvm_core.checkpoint import UNFITTED, ModelInfo
from lvm_core.errors import SourceError
from lvm_core.workspace import replacing

TITLES = "titles.jsonl.gz"
PLAIN_TITLES = "titles.txt.gz"
"""Where earlier studios wrote the titles, one a line: read where there is no TITLES."""

MOST_BYTES = 100_000_000


def save_titles(folder: Path, titles: list[str]) -> None:
    """Write the titles of the training articles, so that a guard can compare them with a test split.

    One JSON string a line: a title may hold any character, also one that ends a line.
    """
    lines = "".join(f"{json.dumps(title)}\n" for title in titles)
    with replacing(folder / TITLES) as temporary:
        temporary.write_bytes(gzip.compress(lines.encode(), mtime=0))


def training_titles(info: ModelInfo) -> list[str] | None:
    """Return the titles of the articles a model was trained on, exactly as its corpus has them.

    None where nobody can say: they were not written down, the file is damaged, or it names no article at all.
    """
    if info.name in UNFITTED:
        return []
    try:
        if (info.path / TITLES).exists():
            text = gzip.decompress(read_bytes(info.path / TITLES, most_bytes=MOST_BYTES)).decode()
            titles = [json.loads(line) for line in text.split("\n") if line]
        else:
            titles = gzip.decompress(read_bytes(info.path / PLAIN_TITLES, most_bytes=MOST_BYTES)).decode().split("\n")
    except (SourceError, OSError, EOFError, ValueError, RecursionError, zlib.error):
        return None
    return titles if any(titles) and all(isinstance(title, str) for title in titles) else None

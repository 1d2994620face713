"""Titles of the articles that a model was trained on, beside its weights: a guard compares them with a test split."""

import gzip
import io
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
SMALL_BYTES, MOST_RATIO = 10_000_000, 30
"""What unpacks to more than `SMALL_BYTES` has at most `MOST_RATIO` times its packed size: titles shrink to a third."""


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
            titles = [json.loads(line) for line in _lines(info.path / TITLES) if line]
        else:
            titles = _lines(info.path / PLAIN_TITLES)
    except (SourceError, OSError, EOFError, ValueError, RecursionError, zlib.error):
        return None
    return titles if any(titles) and all(isinstance(title, str) for title in titles) else None


def _lines(path: Path) -> list[str]:
    """Return the lines of a packed text.

    Raises:
        ValueError: or another error of reading, if it is damaged or unpacks to more than titles can.
    """
    packed = read_bytes(path, most_bytes=MOST_BYTES)
    most = max(SMALL_BYTES, MOST_RATIO * len(packed))
    with gzip.open(io.BytesIO(packed)) as file:
        text = file.read(most + 1)
    if len(text) > most:
        raise ValueError(f"{path} unpacks to more than {most:,} bytes")
    return text.decode().split("\n")

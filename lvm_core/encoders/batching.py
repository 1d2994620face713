"""How texts are checked and grouped before a net sees them."""

from collections.abc import Sequence

import numpy as np

from lvm_core.errors import EncoderError
from lvm_core.types import Rows

TOKENS_PER_BATCH = 4096
"""Padded tokens of one batch: enough to fill a CPU's matrix units, small enough for its cache."""


def check_texts(texts: Sequence[str]) -> list[str]:
    """Return the texts as a list.

    Raises:
        EncoderError: naming the first text that is empty, not a string, or not valid Unicode.
    """
    if isinstance(texts, str):
        raise EncoderError("encode was given one string; expected a list of texts. Put it in a list.")
    for place, text in enumerate(texts, start=1):
        if not isinstance(text, str):
            raise EncoderError(f"Text {place} is {type(text).__name__}; expected a string.")
        if not text.strip():
            raise EncoderError(f"Text {place} of {len(texts)} is empty; expected at least one word. Leave it out.")
        if not _is_unicode(text):
            raise EncoderError(
                f"Text {place} holds half a surrogate pair, which is no character."
                " Read the file as UTF-8 with errors='replace'."
            )
    return list(texts)


def _is_unicode(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def batches(lengths: Sequence[int], tokens: int = TOKENS_PER_BATCH) -> list[Rows]:
    """Return places in `lengths`, longest first, grouped so that a padded batch has at most `tokens` tokens.

    The longest come first, so that a batch that is too large for the memory fails at once.
    """
    order = np.argsort(-np.asarray(lengths, dtype=np.int64), kind="stable")
    groups: list[Rows] = []
    start = 0
    while start < len(order):
        size = max(1, tokens // max(1, int(lengths[order[start]])))
        groups.append(order[start : start + size])
        start += size
    return groups

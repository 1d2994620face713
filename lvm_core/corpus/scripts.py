"""Which script a text is written in: what ends its sentences, how dense it is, its likely language."""

import re
from collections import Counter

SENTENCE_ENDS = ".!?…։؟۔।॥။၊።፧៕។༎།᠃᠉。！？｡．⁇⁈⁉‼‽﹒﹖﹗꘎꘏"
"""What ends a sentence in any script (Unicode's Sentence_Terminal, without the rare historic ones)."""
CLOSERS = "\"'”’»›)]}）］｝」』】》〉〕〗〟"
"""Quotes and brackets that may follow the end of a sentence."""

_RANGES = (
    ("ja", "\u3040-\u30ff"), ("zh", "\u4e00-\u9fff\u3400-\u4dbf"), ("ko", "\uac00-\ud7af"), ("ru", "\u0400-\u04ff"),
    ("el", "\u0370-\u03ff"), ("ar", "\u0600-\u06ff"), ("he", "\u0590-\u05ff"), ("hi", "\u0900-\u097f"),
    ("bn", "\u0980-\u09ff"), ("ta", "\u0b80-\u0bff"), ("te", "\u0c00-\u0c7f"), ("th", "\u0e00-\u0e7f"),
    ("lo", "\u0e80-\u0eff"), ("my", "\u1000-\u109f"), ("km", "\u1780-\u17ff"), ("ka", "\u10a0-\u10ff"),
    ("hy", "\u0530-\u058f"), ("am", "\u1200-\u137f"), ("bo", "\u0f00-\u0fff"), ("en", "A-Za-z\u00c0-\u024f"),
)  # fmt: skip
_SCRIPTS = re.compile("|".join(f"(?P<{language}>[{letters}]+)" for language, letters in _RANGES))
_DENSE = re.compile("[\u3040-\u30ff\u4e00-\u9fff\u3400-\u4dbf\uac00-\ud7af\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]")
_PERSIAN = re.compile("[پچژگیک\u200c]")
_LOOKED_AT = 500


def likely_language(text: str) -> str:
    """Return the language most often written in the script of `text`; Latin letters are taken for English."""
    sample = text[:_LOOKED_AT]
    if sample.isascii():
        return "en"
    counts: Counter[str] = Counter()
    for match in _SCRIPTS.finditer(sample):
        counts[match.lastgroup or ""] += match.end() - match.start()
    if not counts:
        return "en"
    if counts["ja"] * 10 > counts["zh"] + counts["ja"]:
        return "ja"
    language = counts.most_common(1)[0][0] or "en"
    return "fa" if language == "ar" and _PERSIAN.search(sample) else language


DENSE_SHARE = 0.3
"""How many characters of Chinese, Thai and their like say as much as one of Latin letters."""


def is_dense(text: str) -> bool:
    """Tell a text whose script needs few characters a sentence, such as Chinese, from one with letters and spaces."""
    sample = text[:_LOOKED_AT]
    if sample.isascii():
        return False
    return len(_DENSE.findall(sample)) * 2 > len(sample.replace(" ", ""))

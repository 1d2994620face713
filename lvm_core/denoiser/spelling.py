"""From word pieces to a sentence as people write it: spaces, capitals and accents.

The bundled encoder reads lower case without accents and takes every mark for a word, so its vectors say nothing of
these; they are put back by the forms that words have inside the sentences of the training texts.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path

from lvm_core.workspace import read_json, write_json

FORMS = "forms.json"
LEAST, MOST = 8, 30_000
"""A form is kept of words that occur so often, and of so many words."""

WORD = re.compile(r"[^\W\d_]+")
INSIDE = re.compile(r"(?<=[^.!?:\"“(][ ])[^\W\d_]+|(?<=[-–'’/(])[^\W\d_]+")
"""A word that begins no sentence."""
JOINS = (
    (re.compile(r"(?<=\d) ([.,:]) (?=\d)"), r"\1"),
    (re.compile(r"(?<=\b[a-z]) \. (?=[a-z] \.)"), "."),
    (re.compile(r" ([.,;:!?%\)\]}])"), r"\1"),
    (re.compile(r"([\(\[{$£€#]) "), r"\1"),
    (re.compile(r"(?<=\w) ([-/]) (?=\w)"), r"\1"),
    (re.compile(r"(?<=\w) (['’]) (?=(?:s|t|d|m|re|ve|ll)\b)"), r"\1"),
    (re.compile(r"(?<=\w) (['’]) (?=\w)"), r" \1"),
    (re.compile(r"(?<=\d) – (?=\d)"), "–"),
    (re.compile(r'" (.*?) "'), r'"\1"'),
)
SENTENCE = re.compile(r"(?:^|(?<=[.!?] ))([\"“(]*)(\w)")


@lru_cache(maxsize=200_000)
def plain(word: str) -> str:
    """Return a word as the encoder reads it: lower case, no accents."""
    return "".join(c for c in unicodedata.normalize("NFD", word.lower()) if unicodedata.category(c) != "Mn")


def word_forms(texts: Iterable[str]) -> dict[str, str]:
    """Return the commonest form of each word that is not written plainly as a rule, first words not counted."""
    counts: dict[str, Counter[str]] = {}
    for text in texts:
        for form in INSIDE.findall(text):
            counts.setdefault(plain(form), Counter())[form] += 1
    forms = {word: max(of, key=lambda form: (of[form], form)) for word, of in counts.items() if of.total() >= LEAST}
    marked = sorted((word for word, form in forms.items() if form != word), key=lambda word: -counts[word].total())
    return {word: forms[word] for word in sorted(marked[:MOST])}


def spelled(pieces: Iterable[str], forms: Mapping[str, str]) -> str:
    """Return word pieces, those that go on with a word marked by ##, as a sentence."""
    text = " ".join(pieces).replace(" ##", "").removeprefix("##")
    for pattern, joined in JOINS:
        text = pattern.sub(joined, text)
    text = WORD.sub(lambda match: forms.get(match.group(), match.group()), text)
    return SENTENCE.sub(lambda match: match.group(1) + match.group(2).upper(), text)


def write_forms(folder: Path, forms: Mapping[str, str]) -> None:
    """Write the forms beside a denoiser's weights."""
    write_json(folder / FORMS, dict(forms))


def read_forms(folder: Path) -> dict[str, str]:
    """Return the forms beside a denoiser's weights; none where there is no such file."""
    path = folder / FORMS
    return dict(read_json(path)) if path.exists() else {}

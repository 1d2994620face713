"""Whether an encoder can know a text: a look at scripts, function words and code signs, not a language detector."""

import re
from collections import Counter
from collections.abc import Sequence

import regex

from lvm_core.encoders import ENCODERS
from lvm_core.encoders.tmd import base_name

ENGLISH = "English"

FUNCTION_WORDS = {
    ENGLISH: "the of and to in is was for on with as by that it at from are were which this be an his or had not but",
    "German": "der die das und in von zu mit den im ist des auf sich nicht ein eine als auch dem wird aus bei nach",
    "French": "le la les de des et en du un une dans est que qui pour par sur au avec plus il son ne se ce pas sont",
    "Spanish": "el la los las de y en que del un una por con se para es su al como más lo no fue ha son este sus entre",
    "Italian": "il la di e che in un del della è per con non una sono dei le da al come più si nel gli anche alla ha",
    "Portuguese": "o a os as de e que do da em um uma para com não no na por mais se foi dos como ao é são das",
    "Dutch": "de het een van en in is dat op te zijn met voor niet aan er om was ook door als bij uit naar hij",
    "Polish": "i w na z do nie się jest to że jak od po przez o za dla oraz był są jego ale jako przy",
    "Swedish": "och i att det som en på är av för den med till inte ett om han var men så från vid kan sig",
    "Turkish": "ve bir bu da de için ile olarak çok daha en olan gibi sonra ne kadar her ya değil mi onun",
}
"""The commonest words of languages in Latin script."""

CODE_SIGNS = regex.compile(r"[{}();=<>\[\]_|\\&#@$]|->|=>|::|//")
CODE_SHARE = 0.06
"""Share of signs of code; prose has about 0.01."""

LETTERS = regex.compile(r"\p{L}")
LATIN = regex.compile(r"\p{Script=Latin}")
SCRIPTS = ("Cyrillic", "Greek", "Arabic", "Hebrew", "Devanagari", "Han", "Hiragana", "Katakana", "Hangul", "Thai")
FEW_WORDS = 4
"""Function words of another language that make a case, where English has fewer than half as many."""


def languages_of(encoder_id: str) -> str:
    """Return what the encoder of this id was trained to read, "" where nobody wrote it down."""
    title = encoder_id.partition("@")[0]
    kind = ENCODERS.get(base_name(title) or title)
    return kind.languages if kind else ""


def looks_like(texts: Sequence[str]) -> str:
    """Return what a text seems to be: "English", another language or script, "code", "signs", or "" if too short."""
    text = " ".join(texts)
    if not text.strip():
        return ""
    letters = LETTERS.findall(text)
    visible = len(re.sub(r"\s", "", text))
    if len(letters) < 0.35 * visible:
        return "code" if _is_code(text) else "signs"
    if len(LATIN.findall(text)) < 0.5 * len(letters):
        return _script(text)
    return "code" if _is_code(text) else _language(text)


def unknown_note(texts: Sequence[str], encoder_id: str) -> str:
    """Return one line where the encoder of this id does not know such a text, "" where it does or nobody can tell."""
    languages, kind = languages_of(encoder_id), looks_like(texts)
    if languages != ENGLISH or kind in ("", ENGLISH):
        return ""
    what = {"code": "code", "signs": "signs rather than words"}.get(kind, kind)
    name = encoder_id.partition("@")[0]
    return (
        f"This looks like {what}. {name} knows {languages}: vectors and texts will say little, and each text is"
        " written once, without a second try."
    )


def _is_code(text: str) -> bool:
    return len(CODE_SIGNS.findall(text)) > CODE_SHARE * len(text)


def _script(text: str) -> str:
    counts = {name: len(regex.findall(rf"\p{{Script={name}}}", text)) for name in SCRIPTS}
    name = max(counts, key=lambda script: counts[script])
    return f"text in {name} script" if counts[name] else "text in another script"


def _language(text: str) -> str:
    words = regex.findall(r"\p{L}+", text.casefold())
    counts = Counter(name for word in words for name in _LANGUAGES.get(word, ()))
    english = counts.pop(ENGLISH, 0)
    best = max((name for name in FUNCTION_WORDS if name != ENGLISH), key=lambda name: counts[name])
    return best if counts[best] >= FEW_WORDS and counts[best] > 2 * english else ENGLISH


_LANGUAGES: dict[str, tuple[str, ...]] = {}
"""The languages of each of those words."""
for _name, _words in FUNCTION_WORDS.items():
    for _word in frozenset(_words.split()):
        _LANGUAGES[_word] = (*_LANGUAGES.get(_word, ()), _name)

"""What of a page's reading depends on the wiki it is from: its language, the names of its namespaces, its variants."""

import re
from dataclasses import dataclass, field
from functools import cached_property

from lvm_core.corpus.sources.wikitext.names import dropped_sections, hidden_names

_HIDDEN_NAMESPACES = (-2, 6, 14)
"""Media, File and Category: a link to one of these is no text."""
_INTERLANGUAGE = re.compile(r":?[a-z]{2,3}(?:-[a-z-]+)?:")
_SISTER = re.compile(
    r":?(?:w|wikt|wiktionary|s|wikisource|q|wikiquote|n|b|v|voy|species|commons|d|wikipedia)\s*:", re.I
)
_FILE = re.compile(
    r"[^\s:]+:[^\n|]*\.(?:jpe?g|png|svg|gif|tiff?|webp|xcf|og[agv]|webm|mp[34]|wav|flac|mid|pdf|djvu)\s*\Z", re.I
)
_BRACKETS = re.compile(r"\s*[(（][^()（）]*[)）]\s*\Z")

_VARIANTS = {
    "zh": ("zh-hans", "zh-cn", "zh", "zh-sg", "zh-my", "zh-hant", "zh-tw", "zh-hk", "zh-mo"),
    "sr": ("sr-ec", "sr-cyrl", "sr-el", "sr-latn"), "sh": ("sh-latn", "sh-cyrl"), "kk": ("kk-cyrl", "kk-latn"),
    "ku": ("ku-latn", "ku-arab"), "uz": ("uz-latn", "uz-cyrl"), "tg": ("tg-cyrl", "tg-latn"), "iu": ("ike-cans",),
    "gan": ("gan-hans", "gan-hant"), "crh": ("crh-latn", "crh-cyrl"), "wuu": ("wuu-hans", "wuu-hant"),
    "shi": ("shi-tfng", "shi-latn"), "tly": (), "ban": (), "mni": (), "zgh": (), "": ("zh-hans", "zh-cn"),
}  # fmt: skip
"""Variants of the languages that are written in several, the one to read first; "" where the language is not known."""


@dataclass(frozen=True)
class Site:
    """A wiki, as the head of its dump describes it."""

    language: str = ""
    namespaces: tuple[tuple[int, str], ...] = field(default=())

    @property
    def has_variants(self) -> bool:
        """Whether `-{ }-` is markup here."""
        return self.language.partition("-")[0] in _VARIANTS

    def is_dropped_section(self, heading: str) -> bool:
        """Tell a section that lists other texts; it goes with all its subsections."""
        return heading.lower().strip(" :.：") in dropped_sections(self.language)

    def namespace(self, title: str) -> int:
        """Return the number of the namespace that a title's prefix names, 0 for none."""
        prefix, colon, _ = title.partition(":")
        return self._numbers.get(_normal(prefix), 0) if colon else 0

    def link_text(self, target: str, parts: list[str]) -> str:
        """Return what is read of a link `[[target|part|part]]`, "" where it is a file, a category, another language."""
        prefix, colon, _ = target.partition(":")
        if colon and prefix.strip() and (_normal(prefix) in self._hidden or (parts and _FILE.match(target))):
            return ""
        if parts and parts[0]:
            return "|".join(parts)
        sister = _SISTER.match(target)
        if not sister and _INTERLANGUAGE.match(target):
            return ""
        page, _, place = target[sister.end() if sister else 0 :].lstrip(": ").replace("_", " ").partition("#")
        return _BRACKETS.sub("", page) if parts else page or place

    def variant(self, text: str) -> str:
        """Return one variant of the inside of `-{flags|variant:words;variant:words}-`.

        Source: https://www.mediawiki.org/wiki/Writing_systems/Syntax
        """
        flags, pipe, rules = text.partition("|")
        if not pipe:
            flags, rules = "", text
        elif set(flags.strip().upper()) & set("HT-"):
            return ""
        elif "D" in flags.upper() and len(flags.strip()) == 1:
            return rules
        choices = dict(_rule(rule) for rule in rules.split("=>")[-1].split(";") if _is_rule(rule))
        if not choices:
            return rules
        wanted = _VARIANTS.get(self.language.partition("-")[0], ())
        return next((choices[name] for name in wanted if name in choices), next(iter(choices.values())))

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {_normal(name): number for number, name in self.namespaces}

    @cached_property
    def _hidden(self) -> frozenset[str]:
        local = (_normal(name) for number, name in self.namespaces if number in _HIDDEN_NAMESPACES)
        return hidden_names(self.language) | frozenset(local)


def _normal(name: str) -> str:
    return " ".join(name.replace("_", " ").split()).lower()


def _is_rule(rule: str) -> bool:
    return bool(re.match(r"\s*[a-z]{2,3}(?:-[a-z]{2,4})?\s*:", rule))


def _rule(rule: str) -> tuple[str, str]:
    name, _, words = rule.partition(":")
    return name.strip(), words.strip()


ENGLISH = Site("en")

"""The wiki templates whose words belong to the sentence: each gives the right words; every other gives none.

Most only show an argument, a sign, or an argument behind a sign; these are listed in templates.json.
Source of the names and arguments: the templates' own pages on the Wikipedias.
"""

import re
from collections.abc import Callable, Sequence
from functools import cache, partial

from lvm_core.corpus.sources.wikitext import dates, quantities, science, words
from lvm_core.corpus.sources.wikitext.arguments import Arguments, Rule, at, first, named, positional
from lvm_core.corpus.sources.wikitext.tables import table

_FOREIGN = re.compile(r"lang-[a-z]{2,4}\d?(?:-[a-z0-9]+)*|script/.+|link-[a-z]{2,3}")
_GERMAN_FOREIGN = re.compile(r"(?:ar|el|en|es|fr|grc|he|hu|it|ja|ko|la|pl|pt|ru|sv|tr|uk|zh)(?:s|f|a)")
_FRACTION = re.compile(r"(\d{1,2})/(\d{1,2})")
_SEASON = re.compile(r"[\w .'-]+ (?:nfl|mlb|nba|wnba|nhl|cfl|afl|mls) season")
_CENTURY = re.compile(r"(-?)([ivxl]+)(e|er) s(?:iècle( av\. j\.-c\.)?)?", re.I)
_FRENCH_KING = re.compile(r"[A-ZÉ][\w' -]+ [IVX]+(?:er)?")
_FRENCH_ORDINAL = re.compile(r"(?:\d+|[ivxlc]+)(?:er|re|e|nd|nde)")
_SPANISH_ORDINAL = re.compile(r"\d+\.(?:º|ª|er)")
_HELPED_LINK = re.compile(r"internal link helper/[a-z]{2,4}")
_PREFIX = re.compile(r"(?:template|vorlage|modèle|plantilla|шаблон|modello|predefinição|sjabloon|szablon)\s*:\s*", re.I)


def render(language: str, name: str, arguments: Arguments) -> str:
    """Return the words that the template `name` puts into the sentence, "" for those that put none."""
    key = _PREFIX.sub("", " ".join(name.replace("_", " ").split()), count=1)
    function, colon, value = key.partition(":")
    if colon and function.lower() in _FUNCTIONS:
        return _FUNCTIONS[function.lower()](value.strip(), arguments)
    rules = _rules(language.partition("-")[0])
    # Ships have capitals: {{MY|...}} is a yacht, {{my|...}} is Burmese.
    rule = rules.get(key) or rules.get(key.lower())
    if rule:
        return rule(arguments)
    if language == "fr" and _FRENCH_KING.fullmatch(key):
        return key
    return _by_pattern(key.lower(), language, arguments)


def _by_pattern(key: str, language: str, arguments: Arguments) -> str:
    """Return the words of templates that are named by a language, a fraction, a team's season or a century."""
    if _FOREIGN.fullmatch(key):
        return words.foreign(arguments)
    if language == "de" and _GERMAN_FOREIGN.fullmatch(key):
        return first(arguments)
    if _HELPED_LINK.fullmatch(key):
        return at(3, arguments)
    if language == "ja" and key.endswith("範囲"):  # the words about which somebody asks
        return first(arguments)
    ordinal = {"fr": _FRENCH_ORDINAL, "es": _SPANISH_ORDINAL}.get(language)
    if _FRACTION.fullmatch(key) or (ordinal and ordinal.fullmatch(key)):
        return key
    if _SEASON.fullmatch(key):
        return first(arguments)
    century = _CENTURY.fullmatch(key)
    if century:
        return f"{century[2].upper()}{century[3]} siècle{' av. J.-C.' if century[1] or century[4] else ''}"
    return ""


# ---------------------------------------------------------------- parser functions


def _if(value: str, arguments: Arguments) -> str:
    return (arguments.get("1", "") if value else arguments.get("2", "")).strip()


def _if_equal(value: str, arguments: Arguments) -> str:
    return arguments.get("2" if value == first(arguments) else "3", "").strip()


def _plural(value: str, arguments: Arguments) -> str:
    return at(1 if value == "1" else 2, arguments)


_FUNCTIONS: dict[str, Callable[[str, Arguments], str]] = {
    "formatnum": lambda value, _: value,
    "lc": lambda value, _: value.lower(),
    "uc": lambda value, _: value.upper(),
    "ucfirst": lambda value, _: value[:1].upper() + value[1:],
    "lcfirst": lambda value, _: value[:1].lower() + value[1:],
    "#if": _if,
    "#ifeq": _if_equal,
    "plural": _plural,
}
"""https://www.mediawiki.org/wiki/Help:Extension:ParserFunctions"""


# ---------------------------------------------------------------- the table


def _shapes(language: str) -> dict[str, Rule]:
    """Return the ways of showing arguments that the tables name."""
    return {
        "first": first,
        "second": partial(at, 2),
        "last": lambda a: next((value for value in reversed(positional(a)) if value), ""),
        "link": words.link,
        "joined": lambda a: "".join(positional(a)),
        "spaced": lambda a: " ".join(filter(None, positional(a))),
        "plus": lambda a: "+".join(positional(a)),
        "commas": lambda a: ", ".join(filter(None, positional(a))),
        "quote": words.quote,
        "quoted": words.quoted,
        "quantity": quantities.quantity,
        "convert": partial(quantities.convert, language=language),
        "date": partial(dates.plain_date, language=language),
        "ruby": words.ruby,
        "japanese": words.japanese,
    }


def _listed(language: str) -> dict[str, Rule]:
    """Return the rules of templates.json."""
    rules: dict[str, Rule] = {}
    shapes = _shapes(language)
    for shape, rule in shapes.items():
        rules |= dict.fromkeys(table("shown").get(shape, ()), rule)
    rules |= {name: partial(words.ship_of_prefix, name) for name in table("ship")}
    for kind in ("constant", "elements"):
        rules |= {name: partial(_sign, sign) for name, sign in table(kind).items()}
    rules |= {name: partial(_before, sign) for name, sign in table("before").items()}
    rules |= {name: partial(_after, sign) for name, sign in table("after").items()}
    rules |= {name: partial(_around, signs) for name, signs in table("around").items()}
    return rules


def _sign(sign: str, _: Arguments) -> str:
    return sign


def _before(sign: str, arguments: Arguments) -> str:
    """Return an argument behind its sign; the sign alone where it is an abbreviation and the argument follows."""
    if first(arguments):
        return sign + "–".join(filter(None, positional(arguments)[:2]))
    return sign.strip() if sign.endswith(". ") else ""


def _title(sign: str, arguments: Arguments) -> str:
    """Return "M. Dupont" of `{{M.|Dupont}}`, and "M." of `{{M.}}`."""
    return f"{sign} {first(arguments)}".strip()


def _after(sign: str, arguments: Arguments) -> str:
    number = first(arguments)
    return number + sign if number[:1].isdigit() or number[:1] in ("", "~", "<", ">", "≈") else ""


def _around(signs: Sequence[str], arguments: Arguments) -> str:
    return signs[0] + first(arguments) + signs[1]


@cache
def _rules(language: str) -> dict[str, Rule]:
    """Return the rule of every known template on the wikis of a language."""
    return _shown(language) | _local(language)


@cache
def _shown(language: str) -> dict[str, Rule]:
    """Return the rules that hold on every wiki, with the words of a language."""
    return _listed(language) | words.RULES | science.RULES | quantities.RULES | dates.rules(language)


def _local(language: str) -> dict[str, Rule]:
    """Return the templates that mean something else, or are there only, on the wikis of a language."""
    rules: dict[str, Rule] = {}
    shapes = _shapes(language)
    shown = _shown(language)
    for shape, names in table("local").get(language, {}).items():
        if shape == "same":
            rules |= {name: shown[other] for name, other in names.items()}
        elif shape in shapes:
            rules |= dict.fromkeys(names, shapes[shape])
        else:
            kinds = {"constant": _sign, "before": _before, "after": _after, "around": _around, "title": _title}
            kind = kinds[shape]
            rules |= {name: partial(kind, sign) for name, sign in names.items()}
    if language == "en":
        rules |= {code: partial(_sign, name) for code, name in table("countries").items()}
    else:
        rules["ill"] = words.link_of_other_wiki
    return rules | _OWN.get(language, {})


_OWN: dict[str, dict[str, Rule]] = {
    "fr": {
        "souverain": partial(at, 2),
        "heure": quantities.time_of_day,
        "1er": lambda arguments: f"1er {first(arguments)}".strip(),
        **dict.fromkeys(("sp", "sp-"), dates.pair_of_centuries),
    },
    "de": {"höhe": quantities.altitude},
    "it": dict.fromkeys(("m", "u"), quantities.measure),
    "ru": {"iw": words.second_link, "не переведено": words.named_link},
    "uk": {"не перекладено": words.named_link},
    "pl": {"link-interwiki": lambda arguments: named(arguments, "tekst", "pl") or first(arguments)},
    "zh": {
        "tsl": words.translated_link,
        **dict.fromkeys(("le", "link-en", "link-ja", "link-de", "link-fr"), partial(at, 3)),
    },
}
"""Those that no shape of the table says."""

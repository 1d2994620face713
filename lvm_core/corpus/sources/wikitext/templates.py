"""The wiki templates whose words belong to the sentence: each gives the right words; every other gives none.

Most only show an argument, a sign, or an argument behind a sign; these are listed in templates.json.
Source of the names and arguments: the templates' own pages on the Wikipedias.
"""

import re
from collections.abc import Callable
from functools import cache, partial

from lvm_core.corpus.sources.wikitext import dates, quantities, science, words
from lvm_core.corpus.sources.wikitext.arguments import Arguments, Rule, at, first, positional
from lvm_core.corpus.sources.wikitext.tables import table

_FOREIGN = re.compile(r"lang-[a-z]{2,4}\d?(?:-[a-z0-9]+)*|script/.+|link-[a-z]{2,3}")
_GERMAN_FOREIGN = re.compile(r"(?:ar|el|en|es|fr|grc|he|hu|it|ja|ko|la|pl|pt|ru|sv|tr|uk|zh)(?:s|f|a)")
_FRACTION = re.compile(r"(\d{1,2})/(\d{1,2})")
_SEASON = re.compile(r"[\w .'-]+ (?:nfl|mlb|nba|wnba|nhl|cfl|afl|mls) season")
_CENTURY = re.compile(r"([ivxl]+)(e|er) siècle( av\. j\.-c\.)?", re.I)
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
    return rule(arguments) if rule else _by_pattern(key.lower(), language, arguments)


def _by_pattern(key: str, language: str, arguments: Arguments) -> str:
    """Return the words of templates that are named by a language, a fraction, a team's season or a century."""
    if _FOREIGN.fullmatch(key):
        return words.foreign(arguments)
    if language == "de" and _GERMAN_FOREIGN.fullmatch(key):
        return first(arguments)
    if _FRACTION.fullmatch(key):
        return key
    if _SEASON.fullmatch(key):
        return first(arguments)
    century = _CENTURY.fullmatch(key)
    if century:
        return f"{century[1].upper()}{century[2]} siècle{' av. J.-C.' if century[3] else ''}"
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


def _listed() -> dict[str, Rule]:
    """Return the rules of templates.json."""
    rules: dict[str, Rule] = {}
    shapes: dict[str, Rule] = {
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
    }
    for shape, rule in shapes.items():
        rules |= dict.fromkeys(table(shape), rule)
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


def _after(sign: str, arguments: Arguments) -> str:
    number = first(arguments)
    return number + sign if number[:1].isdigit() or number[:1] in ("", "~", "<", ">", "≈") else ""


def _around(signs: str, arguments: Arguments) -> str:
    return signs[0] + first(arguments) + signs[1]


@cache
def _rules(language: str) -> dict[str, Rule]:
    """Return the rule of every known template on the wikis of a language."""
    return _listed() | words.RULES | science.RULES | quantities.RULES | dates.rules(language) | _local(language)


def _local(language: str) -> dict[str, Rule]:
    """Return the templates that mean something else, or are there only, on the wikis of a language."""
    altitude: Rule = quantities.altitude
    quantity: Rule = quantities.quantity
    local: dict[str, dict[str, Rule]] = {
        "en": {code: partial(_sign, name) for code, name in table("countries").items()},
        "fr": {
            **dict.fromkeys(("unité", "unité/2", "nombre", "nb", "num", "tmp", "température"), quantity),
            **dict.fromkeys(("citation", "guil"), lambda arguments: f"« {first(arguments)} »"),
            "e": lambda _: "e",
            "er": lambda _: "er",
            "re": lambda _: "re",
            "incise": lambda arguments: f" – {first(arguments)} –",
            "souverain": partial(at, 2),
            "heure": lambda arguments: " h ".join(positional(arguments)[:2]),
        },
        "de": {
            **dict.fromkeys(("höhe", "einheit", "zahl"), altitude),
            '"': lambda arguments: f"„{first(arguments)}“",
            "lang": partial(at, 2),
        },
        "es": {"unidad": quantity, "unidades": quantity, "v": first},
        "it": {"unità": quantity},
        "pt": {"unidade": quantity},
        "ru": {"num": first, "число": quantity, "s": first, "iw": words.second_link},
        "zh": {"tsl": partial(at, 3), "le": first, "link-en": first},
    }
    return local.get(language, {})

"""The few wiki templates whose words belong to the sentence; every other template is dropped."""

import re
from collections.abc import Callable
from functools import lru_cache

Arguments = dict[str, str]
"""Rendered arguments of a template: "1", "2" ... for those by position, else by name."""

_NUMBER = re.compile(r"[-+−–]?[\d.,/+⁄ ]+$")
_RANGE = {"-": "–", "–": "–", "to": " to ", "to(-)": " to ", "and": " and ", "or": " or ", "by": " by ", "x": " × ",
          "×": " × ", "xx": " × ", "*": " × ", "+/-": " ± ", "±": " ± ", "&": " and "}  # fmt: skip


def render(name: str, arguments: Arguments) -> str:
    """Return the words that the template `name` puts into the sentence, "" for those that put none."""
    key = name.strip().replace("_", " ").lower()
    if key.startswith("formatnum:"):
        return name.partition(":")[2].strip()
    renderer = _table().get(key)
    return renderer(arguments) if renderer else ""


def _positional(arguments: Arguments) -> list[str]:
    values: list[str] = []
    while (value := arguments.get(str(len(values) + 1))) is not None:
        values.append(value.strip())
    return values


def _first(arguments: Arguments) -> str:
    return arguments.get("1", "").strip()


def _at(place: int) -> Callable[[Arguments], str]:
    def renderer(arguments: Arguments) -> str:
        return arguments.get(str(place), "").strip() or _first(arguments)

    return renderer


def _last(arguments: Arguments) -> str:
    return next((value for value in reversed(_positional(arguments)) if value), "")


def _constant(text: str) -> Callable[[Arguments], str]:
    return lambda _: text


def _before(prefix: str) -> Callable[[Arguments], str]:
    return lambda arguments: prefix + "–".join(filter(None, _positional(arguments)[:2]))


def _after(suffix: str) -> Callable[[Arguments], str]:
    return lambda arguments: _first(arguments) + suffix


def _around(before: str, after: str) -> Callable[[Arguments], str]:
    return lambda arguments: before + _first(arguments) + after


def _verse(arguments: Arguments) -> str:
    return " ".join(part for part in _positional(arguments)[:3] if part)


def _coordinates(arguments: Arguments) -> str:
    """Return degrees and minutes where they stand in the text; those beside the title are no part of it."""
    if "title" in arguments.get("display", "") and "inline" not in arguments.get("display", ""):
        return ""
    parts = _positional(arguments)
    if not {"N", "S"} & set(parts):
        return ", ".join(f"{part}°" for part in parts[:2])
    text, marks = "", iter("°′″")
    for part in parts:
        if part in ("N", "S", "E", "W"):
            text, marks = f"{text}{part} ", iter("°′″")
        elif _NUMBER.match(part):
            text += part + next(marks, "")
        else:
            break
    return text.strip()


def _nuclide(arguments: Arguments) -> str:
    return "-".join(_positional(arguments)[:2])


def _quote(arguments: Arguments) -> str:
    text = (arguments.get("text") or arguments.get("quote") or arguments.get("1") or "").strip()
    return f"\n\n{text}\n\n" if text else ""


def _convert(arguments: Arguments) -> str:
    """Keep the quantity as the writer measured it; the converted one is for layout."""
    text, spaced = "", False
    for value in _positional(arguments):
        if value.lower() in _RANGE and text:
            text, spaced = text + _RANGE[value.lower()], False
        elif _NUMBER.match(value):
            text, spaced = text + value, True
        elif spaced:
            return f"{text} {value}"
        else:
            break
    return text


def _fraction(arguments: Arguments) -> str:
    parts = _positional(arguments)
    if len(parts) == 3:
        return f"{parts[0]} {parts[1]}/{parts[2]}"
    return "/".join(parts) if len(parts) == 2 else f"1/{parts[0]}" if parts else ""


def _value(arguments: Arguments) -> str:
    exponent = arguments.get("e", "").strip()
    unit = (arguments.get("u") or arguments.get("ul") or "").strip()
    return _first(arguments) + (f" × 10^{exponent}" if exponent else "") + (f" {unit}" if unit else "")


def _as_of(arguments: Arguments) -> str:
    if arguments.get("alt"):
        return arguments["alt"].strip()
    date = " ".join(reversed([part for part in _positional(arguments)[:3] if part]))
    return f"{'as' if arguments.get('lc') else 'As'} of {date}"


def _height(arguments: Arguments) -> str:
    return " ".join(f"{arguments[unit].strip()} {unit}" for unit in ("m", "cm", "ft", "in") if arguments.get(unit))


def _nihongo(arguments: Arguments) -> str:
    romaji = arguments.get("3", "").strip()
    return _first(arguments) + (f" ({romaji})" if romaji and _first(arguments) else romaji)


@lru_cache
def _table() -> dict[str, Callable[[Arguments], str]]:
    table: dict[str, Callable[[Arguments], str]] = {
        "as of": _as_of, "convert": _convert, "cvt": _convert, "val": _value, "height": _height,
        "nihongo": _nihongo, "sic": _first, "frac": _fraction, "sfrac": _fraction, "fraction": _fraction,
        "usd": _before("US$"), "us$": _before("US$"), "gbp": _before("£"), "£": _before("£"), "euro": _before("€"),
        "inr": _before("₹"), "au$": _before("A$"), "c.": _before("c. "), "circa": _before("c. "),
        "ca": _before("c. "), "floruit": _before("fl. "), "fl.": _before("fl. "), "reign": _before("r. "),
        "r.": _before("r. "), "co2": _constant("CO2"), "ss": _before("SS "), "hms": _before("HMS "),
        "uss": _before("USS "), "rms": _before("RMS "), "sms": _before("SMS "), "ship": _last,
        "bce": _after(" BCE"), "ce": _after(" CE"), "dash": _constant(" – "), "snd": _constant(" – "),
        "spnd": _constant(" – "), "spaced ndash": _constant(" – "), "spaced en dash": _constant(" – "),
        "ndash": _constant("–"), "en dash": _constant("–"), "mdash": _constant("—"), "em dash": _constant("—"),
        "emdash": _constant("—"), "nbsp": _constant(" "), "space": _constant(" "), "thinsp": _constant(" "),
        "hair space": _constant(""), "spaces": _constant(" "), "shy": _constant(""), "'": _constant("'"),
        "'s": _constant("'s"), "'\"": _constant("'\""), "\"'": _constant("\"'"), "=": _constant("="),
        "!": _constant("|"), "-": _constant(" "), "clear": _constant("\n\n"), "times": _constant("×"),
        "snds": _constant(" – "), "mdashb": _constant("—"), "lord": _constant("LORD"), "eqm": _constant("⇌"),
        "mv": _before("MV "), "ipablink": _around("[", "]"), "ipaslink": _around("/", "/"), "ipa": _first,
        "vr": _first, "bracket": _around("[", "]"), "€": _before("€"), "asof": _as_of, "bibleverse": _verse,
        "bibleref": _verse, "bibleref2": _verse, "nuclide": _nuclide, "coord": _coordinates, "currency": _before("$"),
        "bull": _constant("•"), "pi": _constant("π"), "degree": _constant("°"), "en": _constant("–"),
        "native name": _at(2), "langx": _at(2), "tooltip": _first, "ordinal": _first, "decade": _first,
    }  # fmt: skip
    first = (
        "nowrap|nobr|nobreak|nowr|small|smaller|big|larger|math|mvar|var|em|strong|italic|bold|abbr|abbrlink|hover"
        "|unicode|formatnum|formatprice|iast|transliteration|wikt-lang|underline|smallcaps|sc|smallcaps2|keypress|key"
        "|code|mono|samp|tmath|ill|interlanguage link|interlanguage link multi|ill2|link-interwiki|sortname2|not a typo"
        "|sclass|sclass2|proper name|angbr|angle bracket|linktext|nee|nwr|zwj|music|gaps|e-sub|rp2|dts|date|start date"
        "|end date|film date|birth date text|visible anchor|vanchor|anchor text|text|noitalic|em2|resize|font|allcaps"
        "|lowercase|inflation-amount|tone superscript|chem name|not typo|typo|as written|proper|dfn|term|gloss|literal"
        "|double single|single+double|single double|cquote inline|sup2|title case|plainlist2|no wrap|avoid wrap|nobold"
    )
    second = (
        "lang|color|colour|fontcolor|font color|wikt|wiktionary-inline|abbreviation|transl|translit|ipa link|sortname"
    )
    table |= dict.fromkeys(first.split("|"), _first)
    table |= dict.fromkeys(second.split("|"), _at(2))
    table["transliteration"] = table["transl"] = table["translit"] = _last
    table["sortname"] = lambda arguments: " ".join(_positional(arguments)[:2])
    table["née"] = table["nee"] = _before("née ")
    quotes = "quote|blockquote|cquote|quotation|rquote|bquote|long quotation|block quotation|block indent|blockindent"
    table |= dict.fromkeys(quotes.split("|"), _quote)
    chemistry = "chem|chem2|chemical formula"
    table |= dict.fromkeys(chemistry.split("|"), lambda arguments: "".join(_positional(arguments)))
    table["sub"] = _first
    table["sup"] = table["e"] = lambda arguments: "^" + _first(arguments)
    table["e"] = lambda arguments: f" × 10^{_first(arguments)}"
    return table

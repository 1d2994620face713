"""Templates of signs: coordinates, exponents, particles, notes."""

import re
from functools import partial

from lvm_core.corpus.sources.wikitext.arguments import Arguments, Rule, first, named, positional
from lvm_core.corpus.sources.wikitext.formulas import formula
from lvm_core.corpus.sources.wikitext.tables import table

_NUMBER = re.compile(r"[\d.]+$")
_NOTES = {
    "flat": "♭", "b": "♭", "sharp": "♯", "#": "♯", "natural": "♮", "doubleflat": "𝄫", "doublesharp": "𝄪",
}  # fmt: skip


def coordinates(arguments: Arguments) -> str:
    """Return degrees and minutes where they stand in the text; those beside the title are no part of it."""
    if "title" in arguments.get("display", "") and "inline" not in arguments.get("display", ""):
        return ""
    parts = positional(arguments)
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


def music(arguments: Arguments) -> str:
    return _NOTES.get(first(arguments).lower(), first(arguments))


def superscript(arguments: Arguments) -> str:
    return f"^{first(arguments)}" if first(arguments) else ""


def exponent(arguments: Arguments) -> str:
    return f" × 10^{first(arguments)}" if first(arguments) else ""


def minor_planet(arguments: Arguments) -> str:
    """Return "(15760) 1992 QB1" of `{{mpl-|15760|1992 QB|1}}`."""
    number, *name = positional(arguments) or [""]
    return f"({number}) {''.join(name)}" if number else ""


def indices(arguments: Arguments) -> str:
    """Return a lower index and an upper one, which stand above each other (Template:Su)."""
    above = superscript({"1": named(arguments, "p")})
    return named(arguments, "b") + above


def nuclide(arguments: Arguments) -> str:
    return "-".join(positional(arguments)[:2])


def particle(arguments: Arguments) -> str:
    """Return the sign of a particle (Template:Subatomic particle)."""
    name = first(arguments).lower()
    anti = name.startswith("anti") or name == "positron"
    sign: str = table("particles").get(name.removeprefix("anti"), "")
    return sign + "\u0304" if sign and anti and name != "positron" else sign


def right_ascension(units: str, arguments: Arguments) -> str:
    """Return hours or degrees, minutes and seconds."""
    return " ".join(f"{part}{unit}" for part, unit in zip(positional(arguments), units, strict=False) if part)


RULES: dict[str, Rule] = {
    "coord": coordinates,
    "music": music,
    "sup": superscript,
    "exp": superscript,
    **dict.fromkeys(("e", "e-sp", "esp"), exponent),
    "su": indices,
    **dict.fromkeys(("mpl-", "mp-"), minor_planet),
    "nuclide": nuclide,
    "simplenuclide": nuclide,
    "subatomic particle": particle,
    "subatomicparticle": particle,
    "ra": partial(right_ascension, "hms"),
    "dec": partial(right_ascension, "°′″"),
    "oeis": lambda arguments: named(arguments, "id", "1"),
    "tmath": lambda arguments: formula(first(arguments)),
    "radic": lambda arguments: f"√{first(arguments)}",
    "sqrt": lambda arguments: f"√{first(arguments)}",
}

"""Templates of words: other languages, ships, links, citations in the sentence, laws."""

import re
from functools import partial

from lvm_core.corpus.sources.wikitext.arguments import Arguments, Rule, at, first, named, positional
from lvm_core.corpus.sources.wikitext.quantities import ordinal
from lvm_core.corpus.sources.wikitext.tables import table

_LANGUAGE_CODE = re.compile(r"[a-z]{2,3}(?:-[a-zA-Z]+)*$")


def foreign(arguments: Arguments) -> str:
    """Return the words of `{{lang-ru|Москва|Moskva}}`, without the name of the language that the page shows before."""
    return first(arguments) or named(arguments, "text", "t", "s", "c", "hangul", "kanji", "p")


def langx(arguments: Arguments) -> str:
    return arguments.get("2", "").strip() or named(arguments, "text")


def chinese(arguments: Arguments) -> str:
    signs = named(arguments, "c", "t", "s") or first(arguments)
    simplified = named(arguments, "s")
    both = f"{signs} / {simplified}" if simplified and simplified != signs else signs
    return ", ".join(filter(None, (both, named(arguments, "p", "w", "j"))))


def japanese(arguments: Arguments) -> str:
    """Return "English (漢字, rōmaji)" (Template:Nihongo)."""
    english, *others = [*positional(arguments), "", "", ""][:3]
    inside = ", ".join(filter(None, others))
    return f"{english} ({inside})" if english and inside else english or inside


def korean(arguments: Arguments) -> str:
    return ", ".join(filter(None, (named(arguments, "hangul", "1"), named(arguments, "hanja"), named(arguments, "rr"))))


def ipa(arguments: Arguments) -> str:
    """Return what `{{IPA|/a/}}` shows; the pronunciation of a word in a language is no part of the sentence."""
    parts = positional(arguments)
    return "" if len(parts) > 1 and _LANGUAGE_CODE.match(parts[0]) else first(arguments)


def sorted_name(arguments: Arguments) -> str:
    return " ".join(positional(arguments)[:2])


def ship(prefix: str, name: str, number: str, form: str) -> str:
    """Return a ship as its last argument, the format, says (Template:Ship)."""
    number = f" ({number})" if number else ""
    forms = {"1": number.strip(), "2": name, "3": name + number, "5": f"{prefix} {name}", "6": f"{prefix} {name}"}
    return forms.get(form, f"{prefix} {name}{number}").strip()


def ship_of_prefix(prefix: str, arguments: Arguments) -> str:
    name, number, form = [*positional(arguments), "", "", ""][:3]
    return ship(prefix, name, number, form) if name else ""


def ship_of_any(arguments: Arguments) -> str:
    prefix, name, number, form = [*positional(arguments), "", "", "", ""][:4]
    return ship(prefix, name, number, form) if name else ""


def ship_class(arguments: Arguments) -> str:
    name, kind = [*positional(arguments), "", ""][:2]
    return f"{name}-class {kind}".strip() if name else ""


def link(arguments: Arguments) -> str:
    return named(arguments, "lt", "texte", "fr", "текст") or first(arguments)


def second_link(arguments: Arguments) -> str:
    """Return the text of `{{нп5|Статья|текст|en|Article}}`."""
    return at(2, arguments)


def named_link(arguments: Arguments) -> str:
    """Return the text of `{{не переведено|есть=:en:Article|надо=Статья|текст=текст}}`, or by position."""
    return named(arguments, "текст", "надо", "треба") or second_link(arguments)


def link_of_other_wiki(arguments: Arguments) -> str:
    """Return the text of `{{ill|Title|en|Article}}` and of `{{ill|en|Title|Article}}`: wikis have it in both orders."""
    parts = positional(arguments)
    return (
        parts[1]
        if len(parts) > 1 and _LANGUAGE_CODE.fullmatch(parts[0])
        else named(arguments, "lt") or first(arguments)
    )


def translated_link(arguments: Arguments) -> str:
    """Return the text of `{{tsl|en|Article|条目|文字}}`."""
    return arguments.get("4", "").strip() or arguments.get("3", "").strip() or at(2, arguments)


def section_link(arguments: Arguments) -> str:
    return " § ".join(filter(None, positional(arguments)))


def quote(arguments: Arguments) -> str:
    text = named(arguments, "text", "quote", "texte", "texto", "1")
    return f"\n\n{text}\n\n" if text else ""


def quoted(arguments: Arguments) -> str:
    return f"“{first(arguments)}”" if first(arguments) else ""


def verse(arguments: Arguments) -> str:
    """Return "1 Kings 14:21" of `{{bibleverse|1|Kings|14:21|NIV}}`: the translation is not shown."""
    return " ".join(filter(None, positional(arguments)[:3]))


def law(between: str, arguments: Arguments) -> str:
    parts = positional(arguments)
    return f"{parts[0]} {between} {parts[1]}" if len(parts) > 1 else ""


def road(arguments: Arguments) -> str:
    kind, number = [*positional(arguments), "", ""][:2]
    return f"{kind}{'-' if kind in ('I', 'A', 'M') else ' '}{number}" if kind and number else ""


def rating(arguments: Arguments) -> str:
    parts = positional(arguments)
    return f"{parts[0]}/{parts[1]} stars" if len(parts) > 1 else ""


def ruby(arguments: Arguments) -> str:
    base, above = [*positional(arguments), "", ""][:2]
    return f"{base} ({above})" if base and above else base


def sic(arguments: Arguments) -> str:
    return "".join(positional(arguments)[:2]) or "[sic]"


def citation(brackets: str, arguments: Arguments) -> str:
    """Return author and year where they are part of the sentence (Template:Harvnb)."""
    parts = [part for part in positional(arguments) if part]
    year = parts.pop() if len(parts) > 1 else ""
    names = " & ".join(filter(None, (", ".join(parts[:-1]), *parts[-1:])))
    place = next((f", {key}. {arguments[key].strip()}" for key in ("p", "pp") if arguments.get(key)), "")
    return {"()": f"({names} {year}{place})", "year": f"{names} ({year}{place})"}.get(
        brackets, f"{names} {year}{place}"
    )


def author_and_year(arguments: Arguments) -> str:
    """Return "Dana Scott (1974)" of `{{harvs|txt|first=Dana|last=Scott|year=1974}}`; without "txt" it is a note."""
    if "txt" not in positional(arguments):
        return ""
    name = f"{arguments.get('first', '').strip()} {arguments.get('last', '').strip()}".strip()
    year = ", ".join(filter(None, (named(arguments, "year"), named(arguments, "loc"))))
    return f"{name} ({year})" if name and year else name


def district(arguments: Arguments) -> str:
    """Return "New Jersey's 4th congressional district" of `{{ushr|New Jersey|4}}`, or its third argument."""
    state, number, label = [*positional(arguments), "", "", ""][:3]
    if len(label) > 1:
        return label
    name = f"{ordinal({'1': number})} congressional district" if number.isdigit() else "at-large congressional district"
    return f"{state}'s {name}" if state else ""


def latter_day_scripture(arguments: Arguments) -> str:
    """Return "Alma 32:35" of `{{lds|Alma|alma|32|35}}`: the second argument is an address."""
    book, _, *places = [*positional(arguments), "", ""]
    return " ".join(filter(None, (book, ":".join(filter(None, places)))))


def element_tag(arguments: Arguments) -> str:
    """Return the tag of an element as it is written about (Template:Tag)."""
    name, kind, content = [*positional(arguments), "", ""][:3]
    shapes = {"o": f"<{name}>", "open": f"<{name}>", "c": f"</{name}>", "close": f"</{name}>", "s": f"<{name} />"}
    return shapes.get(kind, f"<{name}>{content or '...'}</{name}>") if name else ""


def airport_codes(arguments: Arguments) -> str:
    """Return "(IATA: MST, ICAO: EHBK)"."""
    codes = zip(("IATA", "ICAO", "FAA LID"), positional(arguments), strict=False)
    text = ", ".join(f"{authority}: {code}" for authority, code in codes if code)
    return f"({text})" if text else ""


def etymology(arguments: Arguments) -> str:
    """Return "Latin a 'b', and c 'd'" (Template:Etymology)."""
    language, *parts = positional(arguments) or [""]
    words = []
    for word, meaning in zip(parts[::2], [*parts[1::2], ""], strict=False):
        if word:
            words.append(f"{word} '{meaning}'" if meaning else word)
    return " ".join(filter(None, (table("languages").get(language, ""), ", and ".join(words))))


def sub_section(arguments: Arguments) -> str:
    """Return "42 U.S.C. § 12182(b)(2)"."""
    parts = positional(arguments)
    return law("U.S.C. §", arguments) + "".join(f"({part})" for part in parts[2:])


RULES: dict[str, Rule] = {
    "langx": langx,
    "zh": chinese,
    "lang-zh": chinese,
    "nihongo": japanese,
    "nihongo krt": japanese,
    "korean": korean,
    "ko-hhrm": korean,
    "ipa": ipa,
    "sortname": sorted_name,
    "ship": ship_of_any,
    "sclass": ship_class,
    "sclass2": ship_class,
    "sclass-": ship_class,
    "ruby": ruby,
    "ruby-ja": ruby,
    "section link": section_link,
    "slink": section_link,
    "format link": section_link,
    "usc": partial(law, "U.S.C. §"),
    "unitedstatescode": partial(law, "U.S.C. §"),
    "ussc": partial(law, "U.S."),
    "jct": road,
    "rating": rating,
    "sic": sic,
    **dict.fromkeys(("bibleverse", "bibleref", "bibleref2"), verse),
    "cjkv": chinese,
    "harvnb": partial(citation, ""),
    "harvp": partial(citation, "year"),
    "harvtxt": partial(citation, "year"),
    "harvcoltxt": partial(citation, "year"),
    "harvcol": partial(citation, "()"),
    "harv": partial(citation, "()"),
    "harvs": author_and_year,
    "ushr": district,
    "lds": latter_day_scripture,
    "tag": element_tag,
    "airport codes": airport_codes,
    "etymology": etymology,
    "ety": etymology,
    "unitedstatescodesub": sub_section,
    "uscsub": sub_section,
    "biblesource": lambda arguments: named(arguments, "text"),
    "bibleverse-nb": lambda arguments: at(3, arguments),
    **dict.fromkeys(
        ("нп", "нп2", "нп3", "нп4", "нп5", "iw", "iw2", "не переведено", "не переведено 2", "не переведено 5"),
        second_link,
    ),
}

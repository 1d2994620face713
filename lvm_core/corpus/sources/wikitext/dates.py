"""Templates of dates, ages and centuries, in the words of the wiki's language."""

import re
from functools import partial

from lvm_core.corpus.sources.wikitext.arguments import Arguments, Rule, first, named, positional

_MONTHS = {
    "en": "January February March April May June July August September October November December",
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "it": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    "pt": "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
    "ru": "января февраля марта апреля мая июня июля августа сентября октября ноября декабря",
    "nl": "januari februari maart april mei juni juli augustus september oktober november december",
    "pl": "stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada grudnia",
    "sv": "januari februari mars april maj juni juli augusti september oktober november december",
    "cs": "ledna února března dubna května června července srpna září října listopadu prosince",
    "ar": "يناير فبراير مارس أبريل مايو يونيو يوليو أغسطس سبتمبر أكتوبر نوفمبر ديسمبر",
    "fa": "ژانویه فوریه مارس آوریل مه ژوئن ژوئیه اوت سپتامبر اکتبر نوامبر دسامبر",
    "hi": "जनवरी फ़रवरी मार्च अप्रैल मई जून जुलाई अगस्त सितम्बर अक्टूबर नवम्बर दिसम्बर",
    "uk": "січня лютого березня квітня травня червня липня серпня вересня жовтня листопада грудня",
}
_ISO = re.compile(r"(\d{4})-(\d{1,2})(?:-(\d{1,2}))?")
_CENTURY = {
    "fr": "{} siècle",
    "es": "siglo {}",
    "it": "{} secolo",
    "pt": "século {}",
    "ru": "{} век",
    "en": "{} century",
}
_CENTURIES = {
    "fr": ("s", "s-", "siècle", "siècle-"),
    "es": ("siglo",),
    "it": ("secolo",),
    "pt": ("séc", "século"),
    "ru": ("век",),
}
_BEFORE_CHRIST = {"fr": " av. J.-C.", "es": " a. C.", "it": " a.C.", "pt": " a.C.", "ru": " до н. э.", "en": " BC"}


def month(text: str, language: str) -> str:
    """Return the name of a month given by number, anything else as it is."""
    names = _MONTHS.get(language, _MONTHS["en"]).split()
    return names[int(text) - 1] if text.isascii() and text.isdigit() and 1 <= int(text) <= 12 else text


def written(year: str, month_: str, day: str, language: str, day_first: bool = False) -> str:
    """Return a date as its language writes it; parts may be empty."""
    name = month(month_, language)
    day = day.lstrip("0") if day.isdigit() else day
    if language in ("zh", "ja"):
        return "".join(
            f"{part}{unit}" for part, unit in ((year, "年"), (month_.lstrip("0"), "月"), (day, "日")) if part
        )
    if language == "de" and day.isdigit():
        day += "."
    if language in ("es", "pt"):
        return " de ".join(filter(None, (day, name, year)))
    if language == "en" and day and not day_first:
        return f"{name} {day}, {year}" if year else f"{name} {day}"
    return " ".join(filter(None, (day, name, year)))


def year_first(arguments: Arguments, language: str) -> str:
    """Return the date of `{{start date|2010|5|3}}` and its like."""
    parts = positional(arguments)
    if len(parts) == 1 or not parts or not parts[0].isdigit():
        return plain_date(arguments, language)
    year, month_, day = [*parts[:3], "", ""][:3]
    return written(year, month_, day if day.isdigit() else "", language, named(arguments, "df") not in ("", "no"))


def plain_date(arguments: Arguments, language: str) -> str:
    """Return the date of `{{date|14|mars|1911}}`, `{{date|2010-05-03}}` or `{{date|14 mars 1911}}`."""
    parts = positional(arguments)
    if not parts:
        return ""
    iso = _ISO.fullmatch(parts[0])
    if iso:
        return written(iso[1], iso[2], iso[3] or "", language, day_first=True)
    if len(parts) > 1 and re.fullmatch(r"\d{1,2}|1er|", parts[0]):
        return written(parts[2] if len(parts) > 2 else "", parts[1], parts[0], language, day_first=True)
    if len(parts) > 1 and re.fullmatch(r"\d{3,4}", parts[0]):
        return year_first({str(i): part for i, part in enumerate(parts, 1)}, language)
    return parts[0]


def as_of(arguments: Arguments) -> str:
    """Return "As of May 2010" (Template:As of)."""
    if arguments.get("alt"):
        return arguments["alt"].strip()
    year, month_, day = [*positional(arguments)[:3], "", "", ""][:3]
    month_ = month_ if re.fullmatch(r"\d{1,2}|[^\W\d]+", month_) else ""
    date = written(year, month_, day, "en", day_first=named(arguments, "df") != "US")
    word = "since" if named(arguments, "since") else "as of"
    word = word if named(arguments, "lc") else word.capitalize()
    return date if named(arguments, "bare") else f"{word} {date}"


def old_style(arguments: Arguments) -> str:
    """Return a date of both calendars (Template:OldStyleDate)."""
    parts = positional(arguments)
    if len(parts) < 3 or not parts[2]:
        return " ".join(parts[:2])
    return f"{' '.join(filter(None, parts[:2]))} ({parts[2]})"


def age(arguments: Arguments) -> str:
    """Return the years between two dates; "" for an age of today."""
    parts = positional(arguments)
    if len(parts) < 6 or not all(part.isascii() and part.isdigit() for part in parts[:6]):
        return ""
    born, then = [int(part) for part in parts[:3]], [int(part) for part in parts[3:6]]
    return str(then[0] - born[0] - (then[1:] < born[1:]))


def century(arguments: Arguments, language: str, before_christ: bool = False) -> str:
    """Return "XXe siècle" of `{{s|XX|e}}`, "siglo XX" of `{{siglo|XX||s}}`."""
    number, *more = positional(arguments) or [""]
    if not number:
        return ""
    if language == "fr":
        number += "er" if number == "I" else "e"
    text = number
    if language != "es" or "s" in more or "S" in more:
        text = _CENTURY.get(language, "{}").format(number)
    return text + (_BEFORE_CHRIST.get(language, "") if before_christ or "a" in more else "")


def first_date(arguments: Arguments, language: str) -> str:
    """Return the date of birth and of death (Template:BD of the Chinese Wikipedia)."""
    parts = positional(arguments)
    born, died = "".join(parts[:2]), "".join(parts[2:4])
    return f"（{born}－{died}）" if born and language == "zh" else first(arguments)


def pair_of_centuries(arguments: Arguments) -> str:
    """Return "XIIe et au XIIIe siècles" of `{{sp-|XII|e|et au|XIII|e|s}}` (Modèle:Sp-)."""
    parts = [*positional(arguments), *[""] * 6][:6]
    return f"{parts[0]}{parts[1]} {parts[2]} {parts[3]}{parts[4]} siècle{parts[5]}" if parts[3] else ""


def rules(language: str) -> dict[str, Rule]:
    """Return the rules of templates of dates on the wikis of a language."""
    day, year = partial(plain_date, language=language), partial(year_first, language=language)
    centuries = partial(century, language=language)
    names = ("date", "date-", "dts", "дата", "fecha", "birth-date", "death-date", "start-date", "end-date")
    years = ("start date", "end date", "film date", "birth date", "death date")
    return {
        **dict.fromkeys(names, day),
        **dict.fromkeys(years, year),
        **dict.fromkeys(_CENTURIES.get(language, ()), centuries),
        **dict.fromkeys(("-s", "-s-") if language == "fr" else (), partial(centuries, before_christ=True)),
        **dict.fromkeys(("oldstyledate", "oldstyledatedy", "oldstyledatenodisplay"), old_style),
        "oldstyledateny": lambda arguments: old_style({"1": first(arguments), "2": "", "3": arguments.get("2", "")}),
        "bd": partial(first_date, language=language),
        "as of": as_of,
        "asof": as_of,
        "age": age,
    }

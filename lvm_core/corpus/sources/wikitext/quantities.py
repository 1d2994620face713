"""Templates of numbers with units: the quantity as the writer measured it, whole or not at all."""

import re

from lvm_core.corpus.sources.wikitext.arguments import Arguments, Rule, first, named, positional
from lvm_core.corpus.sources.wikitext.tables import table

_NUMBER = re.compile(r"[-+−–±~]?\s?(?:\d[\d.,  +/⁄–-]*|\.\d+)(?:e[-+]?\d+)?$")
_BETWEEN = re.compile(r"(?<=\d)\s+(by|x|×|to|and|or)\s+(?=[\d.])")
_RANGES = {
    "-": "–", "–": "–", "−": "–", "(-)": "–", "to": " to ", "to(-)": " to ", "and": " and ", "and(-)": " and ",
    "or": " or ", "by": " by ", "x": " × ", "×": " × ", "xx": " × ", "*": " × ", "+/-": " ± ", "±": " ± ", "&": " and ",
    ",": ", ", ", and": ", and ", ", or": ", or ", "to about": " to about ", "and about": " and about ", "+": " + ",
}  # fmt: skip
_PREFIXES = {
    "e3": "thousand ",
    "e6": "million ",
    "e9": "billion ",
    "e12": "trillion ",
    "M": "million ",
    "G": "billion ",
}
_PER = {"": "", "d": " per day", "a": " per year"}
_SPELLED = ("acre", "foot", "inch", "mile", "yard", "pound", "metre", "kilometre")
_PREFIXED = re.compile(r"(e3|e6|e9|e12)(?=\D)|([MG])(?=oilbbl|bbl|acre)")


def convert(arguments: Arguments, language: str = "en") -> str:
    """Return the quantity before its conversion, all units of it; "" where it cannot be read.

    Source: https://en.wikipedia.org/wiki/Template:Convert
    """
    values = positional(arguments)
    numbers, unit, rest = _numbers(values, language)
    if not unit:
        return numbers
    adjective = arguments.get("adj", "").strip()
    name = table("named", "units").get(unit, "")
    if adjective in ("on", "mid") and name:
        after = next((part for part in rest if part.startswith("-")), "") if adjective == "mid" else ""
        return f"{numbers}-{name}{after}"
    words = f"{numbers}{_spelled(unit, numbers)}"
    for number, smaller in zip(rest[::2], rest[1::2], strict=False):
        if smaller not in table("then", "units").get(unit, ()) or not _NUMBER.match(number):
            break
        words, unit = f"{words} {number}{_spelled(smaller, number)}", smaller
    return words


def _numbers(values: list[str], language: str) -> tuple[str, str, list[str]]:
    """Return the number or the range of numbers that `values` begin with, their unit, and what follows it."""
    text = ""
    for i, value in enumerate(values):
        if not text and len(parts := _BETWEEN.split(value)) > 1:
            text = _numbers(parts, language)[0]
        elif _NUMBER.match(value):
            text += grouped(value) if language == "en" else value
        elif text and value.lower() in _RANGES:
            text += _RANGES[value.lower()]
        else:
            return text, value if text else "", values[i + 1 :]
    return text, "", []


def grouped(number: str) -> str:
    """Return a number of five and more digits with commas between thousands, any other as it is."""
    whole, point, decimals = number.partition(".")
    return f"{int(whole):,}{point}{decimals}" if re.fullmatch(r"\d{5,15}", whole) else number


def _spelled(unit: str, number: str) -> str:
    """Return a unit as it is read behind `number`, its space before it."""
    prefix = _PREFIXED.match(unit)
    words = _PREFIXES[prefix[0]] if prefix else ""
    unit = unit[len(prefix[0]) :] if prefix else unit
    base, _, per = unit.partition("/")
    if unit in table("shown", "units"):
        base, per = unit, ""
    name = table("shown", "units").get(base, base) + _PER.get(per, f"/{table('shown', 'units').get(per, per)}")
    if number == "1" and not words and base in _SPELLED:
        name = base
    return f"{'' if unit in ('%', '°') else ' '}{words}{name}"


def height(arguments: Arguments) -> str:
    """Return a height of `{{height|ft=6|in=2}}`."""
    return " ".join(f"{arguments[unit].strip()} {unit}" for unit in ("m", "cm", "ft", "in") if arguments.get(unit))


def number_with_unit(arguments: Arguments) -> str:
    """Return a number with uncertainty, exponent and unit (Template:Val)."""
    numbers = positional(arguments)
    text = grouped(numbers[0]) if numbers else ""
    if len(numbers) == 2:
        text += numbers[1] if numbers[1].startswith("(") else f"±{numbers[1]}"
    elif len(numbers) > 2:
        text += f" +{numbers[1].lstrip('+')} −{numbers[2].lstrip('-−')}"
    exponent = arguments.get("e", "").strip()
    unit = next((arguments[key].strip() for key in ("u", "ul", "up", "upl") if arguments.get(key)), "")
    per = next((arguments[key].strip() for key in ("up", "upl") if arguments.get(key)), "")
    unit = f"{(arguments.get('u') or arguments.get('ul') or '').strip()}/{per}" if per else unit
    before = arguments.get("p", "").strip()
    after = arguments.get("s", "").strip()
    tail = f" × 10^{exponent}" if exponent else ""
    return f"{before}{text}{tail}{after}" + (f" {table('shown', 'units').get(unit, unit)}" if unit else "")


def fraction(arguments: Arguments) -> str:
    """Return 1/2 or 3 1/2 (Template:Frac)."""
    parts = [part for part in positional(arguments) if part]
    if len(parts) == 3:
        return f"{parts[0]} {parts[1]}/{parts[2]}"
    return "/".join(parts) if len(parts) == 2 else f"1/{parts[0]}" if parts else ""


def quantity(arguments: Arguments) -> str:
    """Return number and unit of the templates that only set them apart (Modèle:Unité, Plantilla:Unidad)."""
    number, *units = positional(arguments) or [""]
    if not number:
        return ""
    exponents = {"2": "²", "3": "³", "-1": "⁻¹", "-2": "⁻²", "-3": "⁻³", "1": "", "": ""}
    words = ""
    for part in units:
        words += exponents.get(part, f" {part}")
    return number + words


def measure(arguments: Arguments) -> str:
    """Return "5 kg" of `{{M|5|k|g}}` and of `{{M|5|ul=kg}}` (Template:M of the Italian Wikipedia)."""
    number, *unit = positional(arguments) or [""]
    return f"{number} {''.join(unit) or named(arguments, 'u', 'ul')}".strip()


def time_of_day(arguments: Arguments) -> str:
    """Return "1 h 30 min 15 s" of `{{heure|1|30|15}}`, "12 h 30" of two (Modèle:Heure)."""
    parts = [part for part in positional(arguments)[:3] if part]
    return {1: "{} h", 2: "{} h {}", 3: "{} h {} min {} s"}.get(len(parts), "").format(*parts)


def pounds(arguments: Arguments) -> str:
    """Return an amount of old British money (Template:£sd)."""
    pound, shilling, penny = (arguments.get(key, "").strip() for key in ("l", "s", "d"))
    parts = [f"£{pound}" if pound else "", f"{shilling}s" if shilling else "", f"{penny}d" if penny else ""]
    return " ".join(filter(None, parts))


def rupees(arguments: Arguments) -> str:
    """Return an amount of rupees with lakh and crore spelled."""
    amount, *unit = positional(arguments) or [""]
    words = {"c": " crore", "l": " lakh", "lc": " lakh crore", "m": " million", "b": " billion", "t": " thousand"}
    return f"₹{amount}{words.get(unit[0], '') if unit else ''}" if amount else ""


def currency(arguments: Arguments) -> str:
    """Return an amount with the sign of its currency (Template:Currency)."""
    signs = {"USD": "US$", "GBP": "£", "EUR": "€", "JPY": "¥", "INR": "₹", "AUD": "A$", "CAD": "CA$", "CHF": "CHF "}
    amount, *code = positional(arguments) or [""]
    name = (code[0] if code else "").upper()
    return f"{signs.get(name, f'{name} ' if name else '$')}{amount}" if amount else ""


def ordinal(arguments: Arguments) -> str:
    """Return 5th for 5."""
    number = first(arguments)
    if not number.isascii() or not number.isdigit():
        return number
    teen = number[-2:] in ("11", "12", "13")
    return number + ("th" if teen else {"1": "st", "2": "nd", "3": "rd"}.get(number[-1], "th"))


def altitude(arguments: Arguments) -> str:
    """Return a height above the sea of `{{Höhe|1234|DE-NN}}`, and any other number as it is."""
    return f"{first(arguments)} m" if "2" in arguments else first(arguments)


def percent(arguments: Arguments) -> str:
    """Return a share as the wiki works it out: `{{percent|86|90|1}}` is 95.6% (Template:Percent)."""
    part, whole, *decimals = [*positional(arguments), "", ""]
    places = int(decimals[0]) if decimals[0] in tuple("0123456") else 0
    try:
        return f"{100 * float(part) / float(whole):.{places}f}%"
    except (ValueError, ZeroDivisionError, OverflowError):
        return ""


def gauge(arguments: Arguments) -> str:
    """Return the gauge of a railway, `{{RailGauge|1000mm}}` or one of its names (Template:Track gauge)."""
    name = first(arguments).lower().replace(" ", "")
    name = {"sg": "1435mm", "standard": "1435mm", "ussg": "4ft8+1/2in", "metre": "1000mm"}.get(name, name)
    parts = re.findall(r"([\d.+/,]+)(mm|cm|m|ft|in)", name)
    words = " ".join(f"{int(number):,} {unit}" if number.isdigit() else f"{number} {unit}" for number, unit in parts)
    return words if "".join(map("".join, parts)) == name else ""


def record(arguments: Arguments) -> str:
    """Return "7–9–1": won, lost, drawn (Template:Win-loss record)."""
    return "–".join(filter(None, (named(arguments, key) for key in ("w", "l", "t", "d", "otl"))))


def hands(arguments: Arguments) -> str:
    """Return the height of a horse (Template:Hands)."""
    return convert({**arguments, str(len(positional(arguments)) + 1): "hands"})


RULES: dict[str, Rule] = {
    "convert": convert,
    "cvt": convert,
    "convertir": convert,
    "val": number_with_unit,
    "height": height,
    "frac": fraction,
    "sfrac": fraction,
    "fraction": fraction,
    "£sd": pounds,
    "inr": rupees,
    "inrconvert": rupees,
    "currency": currency,
    "ordinal": ordinal,
    "nts": first,
    "hands": hands,
    **dict.fromkeys(("percent", "percentage", "pct"), percent),
    **dict.fromkeys(("railgauge", "rail gauge", "track gauge"), gauge),
    **dict.fromkeys(("win-loss record", "winning percentage record", "wl record"), record),
}

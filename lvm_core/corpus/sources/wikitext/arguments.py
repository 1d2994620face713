"""Arguments of a template, and the ways of reading them that many templates share."""

from collections.abc import Callable

Arguments = dict[str, str]
"""Rendered arguments of a template: "1", "2" ... for those by position, else by name."""

Rule = Callable[[Arguments], str]
"""The words that a template puts into the sentence."""


def positional(arguments: Arguments) -> list[str]:
    """Return the arguments by position, up to the first that is missing."""
    values: list[str] = []
    while (value := arguments.get(str(len(values) + 1))) is not None:
        values.append(value.strip())
    return values


def first(arguments: Arguments) -> str:
    """Return the first argument, "" if there is none."""
    return arguments.get("1", "").strip()


def at(place: int, arguments: Arguments) -> str:
    """Return the argument at a position, the first where it is empty."""
    return arguments.get(str(place), "").strip() or first(arguments)


def named(arguments: Arguments, *names: str) -> str:
    """Return the first of the named arguments that is not empty."""
    return next((arguments[name].strip() for name in names if arguments.get(name, "").strip()), "")

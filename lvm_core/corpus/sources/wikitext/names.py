"""Names that wikis of many languages give to the same things: files, categories, lists at the end of an article."""

import json
from functools import cache
from importlib import resources
from typing import Any


@cache
def hidden_names() -> frozenset[str]:
    """Return the names, in lower case, of the namespaces File, Image, Media and Category in the wikis' languages.

    Old names are among them, which a dump does not list.
    """
    return frozenset(_names()["hidden"])


@cache
def dropped_sections(language: str) -> frozenset[str]:
    """Return the titles, in lower case, of sections that are lists of other texts: English and the language's own.

    Args:
        language: ISO 639 code; "" for every language.
    """
    code = language.partition("-")[0]
    titles: dict[str, list[str]] = _names()["sections"]
    languages = ("en", code) if code else titles
    return frozenset(title for name in languages for title in titles.get(name, ()))


@cache
def _names() -> dict[str, Any]:
    text = resources.files("lvm_core.corpus.sources.wikitext").joinpath("names.json").read_text("utf-8")
    return dict(json.loads(text))

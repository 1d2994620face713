"""Names that wikis of many languages give to the same things: files, categories, lists at the end of an article."""

from functools import cache

from lvm_core.corpus.sources.wikitext.tables import table


@cache
def hidden_names(language: str) -> frozenset[str]:
    """Return the names, in lower case, of the namespaces File, Image, Media and Category: English and the language's.

    Old names are among them, which a dump does not list.

    Args:
        language: ISO 639 code; "" for every language.
    """
    return _of_language("hidden", language)


@cache
def dropped_sections(language: str) -> frozenset[str]:
    """Return the titles, in lower case, of sections that are lists of other texts: English and the language's own.

    Args:
        language: ISO 639 code; "" for every language.
    """
    return _of_language("sections", language)


def _of_language(kind: str, language: str) -> frozenset[str]:
    names: dict[str, list[str]] = table(kind, "names")
    code = language.partition("-")[0]
    languages = ("en", code) if code else names
    return frozenset(name for each in languages for name in names.get(each, ()))

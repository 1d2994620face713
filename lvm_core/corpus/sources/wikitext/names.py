"""Names that wikis of many languages give to the same things: files, categories, lists at the end of an article."""

from functools import cache

from lvm_core.corpus.sources.wikitext.tables import table


@cache
def hidden_names() -> frozenset[str]:
    """Return the names, in lower case, of the namespaces File, Image, Media and Category in the wikis' languages.

    Old names are among them, which a dump does not list.
    """
    return frozenset(table("hidden", "names"))


@cache
def dropped_sections(language: str) -> frozenset[str]:
    """Return the titles, in lower case, of sections that are lists of other texts: English and the language's own.

    Args:
        language: ISO 639 code; "" for every language.
    """
    code = language.partition("-")[0]
    titles: dict[str, list[str]] = table("sections", "names")
    languages = ("en", code) if code else titles
    return frozenset(title for name in languages for title in titles.get(name, ()))

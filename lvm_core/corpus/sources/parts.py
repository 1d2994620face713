"""Several sources read one after the other into one corpus, such as the parts a large dump comes in."""

from collections.abc import Generator, Sequence

from lvm_core.corpus.sources.base import RawArticle, Skipped, Source


class Parts:
    """The articles of `sources`, in the order given."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self._sources, self._number = sources, 0
        self.description = ", ".join(source.description for source in sources)
        self.licence = sources[0].licence

    @property
    def share(self) -> float:
        """The share read so far, each part counted alike."""
        return (self._number + self._sources[self._number].share) / len(self._sources)

    def articles(self, skipped: Skipped) -> Generator[RawArticle]:
        """Yield the articles of all parts."""
        for number, source in enumerate(self._sources):
            self._number = number
            yield from source.articles(skipped)

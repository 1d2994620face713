"""What makes a board honest: no model is measured on articles it was trained on."""

from collections.abc import Iterable, Sequence

from lvm_core.dataset import title_key
from lvm_core.errors import ModelError

_MAX_NAMED = 5


def seen_titles(train: Iterable[str], test: Iterable[str]) -> list[str]:
    """Return the test titles that are among the training titles, in the order of the test."""
    known = {title_key(title) for title in train}
    return [title for title in test if title_key(title) in known]


def refuse_seen(model: str, train: Iterable[str], test: Sequence[str]) -> None:
    """Refuse a model that was trained on articles of the test.

    Raises:
        ModelError: with the titles and what can be done.
    """
    seen = seen_titles(train, test)
    if seen:
        named = ", ".join(f"'{title}'" for title in seen[:_MAX_NAMED])
        more = f" and {len(seen) - _MAX_NAMED} more" if len(seen) > _MAX_NAMED else ""
        raise ModelError(
            f"Model '{model}' was trained on {len(seen)} of the {len(test)} articles of this test: {named}{more}."
            " A score on articles it has seen says nothing. Evaluate on a split or corpus it was not trained on,"
            " train it again with this split's seed, or leave the articles out for all models with --leave-out-seen."
        )

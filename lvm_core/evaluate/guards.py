"""What makes a board honest: no model is measured on articles it was trained on."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lvm_core.dataset import title_key
from lvm_core.errors import CorpusError, ModelError
from lvm_core.evaluate.candidates import Candidate, EncodedCorpus
from lvm_core.evaluate.settings import EvaluateSettings
from lvm_core.training_titles import TITLES
from lvm_core.types import DocumentInfo

_MAX_NAMED = 5


@dataclass(frozen=True, slots=True)
class Refused:
    """A model that is not measured, and why."""

    model: str
    reason: str


@dataclass(frozen=True, slots=True)
class Admitted:
    """The articles of the test, the models that have seen none of them, and those that are refused."""

    documents: list[DocumentInfo]
    candidates: list[Candidate]
    refused: list[Refused]


def admit(encoded: EncodedCorpus, candidates: list[Candidate], settings: EvaluateSettings, strict: bool) -> Admitted:
    """Return which models may be measured on which articles.

    Raises:
        ModelError: where `strict`, if one of the models has seen the test or cannot say what it has seen; always, if
            none is left.
        CorpusError: if no article is left.
    """
    documents = encoded.documents(settings.split)
    if settings.split == "all":
        candidates = [candidate for candidate in candidates if not candidate.fitted_here]
    if settings.leave_out_seen:
        seen = {t for c in candidates for t in seen_titles(c.titles or [], [d.title for d in documents])}
        documents = [d for d in documents if d.title not in seen]
        if not documents:
            raise CorpusError(
                f"Every article of '{encoded.corpus.name}' was seen by a model, and nothing is left to test on",
                "articles that none has seen",
                "Evaluate on another corpus, or without the models that have seen it.",
            )
    titles = [d.title for d in documents]
    admitted, refused = [], []
    first: ModelError | None = None
    for candidate in candidates:
        try:
            refuse_seen(candidate.info.ref, candidate.titles, titles)
            admitted.append(candidate)
        except ModelError as error:
            if strict:
                raise
            first = first or error
            refused.append(Refused(candidate.info.ref, str(error)))
    if not admitted:
        raise first or ModelError("There is no model to evaluate", "one or more", "Name one, or train one.")
    return Admitted(documents, admitted, refused)


def seen_titles(train: Iterable[str], test: Iterable[str]) -> list[str]:
    """Return the test titles that are among the training titles, in the order of the test."""
    keys = {title_key(title) for title in train}
    return [title for title in test if title_key(title) in keys]


def refuse_seen(model: str, train: Iterable[str] | None, test: Sequence[str]) -> None:
    """Refuse a model that was trained on articles of the test, or of which nobody knows what it was trained on.

    Raises:
        ModelError: with the titles and what can be done.
    """
    if train is None:
        raise ModelError(
            f"Model '{model}' has no readable list of the articles it was trained on ({TITLES} in its folder), so"
            f" it cannot be said whether it has seen the {len(test)} articles of this test",
            "it to say which those are",
            "Restore the file from a copy, or train the model again.",
        )
    seen = seen_titles(train, test)
    if seen:
        named = ", ".join(f"'{title}'" for title in seen[:_MAX_NAMED])
        more = f" and {len(seen) - _MAX_NAMED} more" if len(seen) > _MAX_NAMED else ""
        raise ModelError(
            f"Model '{model}' was trained on {len(seen)} of the {len(test)} articles of this test: {named}{more}",
            "articles it has not seen, since its score on others says nothing",
            "Evaluate on a split or corpus it was not trained on, train it again with this split's seed, or leave"
            " the articles out for all models with --leave-out-seen.",
        )

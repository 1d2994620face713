"""What all models of one request share: the context's vectors, the true next chunk, and what must stay out of sight."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from lvm_core.errors import CorpusError, EncoderError
from lvm_core.predict.corpus import NO_CORPUS, OpenCorpus
from lvm_core.predict.prediction import Context, Note
from lvm_core.types import Encoder, Rows, Vectors
from lvm_core.vectors.geometry import unit_rows

LONG_CHUNK_CHARS = 2_000
"""About what an encoder of 512 tokens reads; of longer chunks it sees the beginning."""

NO_ROWS: Rows = np.empty(0, dtype=np.int64)
NOTHING: Vectors = np.empty((0, 0), dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: the context, and what is known of the chunk after it.

    Attributes:
        context: the chunks, oldest first; may be empty where `rows` says which they are.
        rows: rows of the context, where it comes from the corpus.
        target_row: row of the true next chunk, where it is in the corpus.
        target_text: the true next chunk, where only its text is known.
        exclude: further rows that must not be neighbours or answers; in an evaluation the whole article.
    """

    context: Sequence[str] = ()
    rows: Sequence[int] | None = None
    target_row: int | None = None
    target_text: str = ""
    exclude: Rows | None = None


def read_contexts(
    questions: Sequence[Question], encoder: Encoder, corpus: OpenCorpus | None, why_none: str
) -> list[Context]:
    """Return the context of each question, its vectors and its target; all that must be encoded is, in one call.

    Args:
        questions: what is asked.
        encoder: encodes what is not in the corpus.
        corpus: the corpus stood on, if there is one.
        why_none: why there is none.

    Raises:
        EncoderError: if a context holds no text.
        CorpusError: if rows are named that are not in the corpus.
    """
    written = [_Written.of(question) for question in questions if question.rows is None]
    vectors = unit_rows(encoder.encode([text for one in written for text in one.wanted])) if written else NOTHING
    contexts, start, texts = [], 0, iter(written)
    for question in questions:
        if question.rows is not None:
            context = _of_rows(question.rows, _needed(corpus, why_none))
        else:
            one = next(texts)
            context = one.context(vectors[start : start + len(one.wanted)])
            start += len(one.wanted)
        if question.target_row is not None:
            context = _with_target(context, question.target_row, _needed(corpus, why_none))
        contexts.append(replace(context, encoder_id=encoder.id))
    return contexts


def rows_kept_out(context: Context, choice: str, further: Rows | None, corpus: OpenCorpus) -> Rows:
    """Return the rows that must not be neighbours: the context, the answer, and as `choice` says their article."""
    rows = [*context.rows.tolist(), *([context.target.row] if context.target else [])]
    parts = [np.asarray(rows), np.asarray([] if further is None else further)]
    if choice == "article" or (choice == "auto" and context.target is not None):
        parts += [corpus.article_rows(row) for row in {*rows[:1], *rows[-1:]}]
    return np.unique(np.concatenate(parts).astype(np.int64))


@dataclass(frozen=True, slots=True)
class _Written:
    """The texts of a question that is put in words."""

    texts: list[str]
    target: str
    notes: tuple[Note, ...]

    @classmethod
    def of(cls, question: Question) -> "_Written":
        texts, notes = clean_context(question.context)
        return cls(texts, " ".join(question.target_text.split()), tuple(notes))

    @property
    def wanted(self) -> list[str]:
        """What must be encoded: the context, then the true next chunk where it is known."""
        return [*self.texts, self.target] if self.target else self.texts

    def context(self, vectors: Vectors) -> Context:
        """Return the context, by the vectors of what is wanted."""
        target = vectors[-1] if self.target else None
        own = vectors[: len(self.texts)]
        return Context(tuple(self.texts), own, NO_ROWS, None, self.target, target, self.notes)


def _of_rows(context_rows: Sequence[int], corpus: OpenCorpus) -> Context:
    rows = np.array(corpus.check_rows(context_rows), dtype=np.int64)
    if not rows.size:
        raise EncoderError(
            "The context is empty, since no rows were given", "one chunk or more", "Choose them in the corpus."
        )
    return Context(tuple(chunk.text for chunk in corpus.chunks(list(rows))), unit_rows(corpus.vectors(rows)), rows)


def _with_target(context: Context, target_row: int, corpus: OpenCorpus) -> Context:
    corpus.check_rows([target_row])
    (target,) = corpus.chunks([target_row])
    vector: Vectors = unit_rows(corpus.vectors(np.array([target_row])))[0]
    return replace(context, target=target, target_text=target.text, target_vector=vector)


def _needed(corpus: OpenCorpus | None, why_none: str) -> OpenCorpus:
    if corpus is None:
        raise CorpusError(
            "Rows name chunks of a corpus, but there is none", "one that is encoded", why_none or NO_CORPUS
        )
    return corpus


def clean_context(context: Sequence[str]) -> tuple[list[str], list[Note]]:
    """Return the chunks that hold text, white space folded, and notes on what was left out or is cut.

    Raises:
        EncoderError: if none of them holds text.
    """
    folded = [" ".join(chunk.split()) for chunk in context]
    texts = [text for text in folded if text]
    if not texts:
        raise EncoderError(
            f"The context holds no text ({len(folded)} chunks, all empty)",
            "at least one chunk with a word in it",
            "Write one.",
        )
    notes = []
    if len(texts) < len(folded):
        notes.append(Note("context", f"{len(folded) - len(texts)} empty of {len(folded)} chunks left out."))
    long = [f"{i} ({len(text):,} characters)" for i, text in enumerate(texts, 1) if len(text) > LONG_CHUNK_CHARS]
    if long:
        notes.append(Note("context", f"Of chunk {', '.join(long)} the encoder reads only the beginning."))
    return texts, notes

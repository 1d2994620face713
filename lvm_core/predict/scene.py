"""What all models of one request share: the context's vectors, the true next chunk, and what must stay out of sight."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from lvm_core.errors import CorpusError, EncoderError
from lvm_core.predict.sources import Ground
from lvm_core.types import Chunk, Encoder, Rows, Vectors
from lvm_core.vectors.geometry import unit_rows

LONG_CHUNK_CHARS = 2_000
"""About what an encoder of 512 tokens reads; of longer chunks it sees the beginning."""


@dataclass(slots=True)
class Scene:
    """The context (T texts, vectors (T, D) of unit norm), the target where it is known, and the rows kept out."""

    texts: list[str]
    vectors: Vectors
    rows: Rows
    exclude: Rows
    ground: Ground | None = None
    target: Chunk | None = None
    target_vector: Vectors | None = None
    notes: list[str] = field(default_factory=list)
    encode_ms: float = 0.0
    snap_ms: float = 0.0

    def aim(self, target_row: int, ground: Ground) -> None:
        """Note the true next chunk.

        Raises:
            CorpusError: if the row is not in the corpus.
        """
        ground.check_rows([target_row])
        self.target = ground.chunks([target_row])[0]
        self.target_vector = unit_rows(ground.vectors(np.array([target_row])))[0]

    def keep_out(self, choice: str, further: Rows | None, ground: Ground) -> None:
        """Keep the context, the answer, and as `choice` says their article, from being neighbours."""
        known = [*self.rows.tolist(), *([self.target.row] if self.target else [])]
        parts = [np.asarray(known), np.asarray([] if further is None else further)]
        if choice == "article" or (choice == "auto" and self.target is not None):
            parts += [ground.article_rows(row) for row in {*known[:1], *known[-1:]}]
        self.exclude = np.unique(np.concatenate(parts).astype(np.int64))


def scene_of_text(context: Sequence[str], encoder: Encoder) -> Scene:
    """Return the scene of pasted chunks, encoded in one call.

    Raises:
        EncoderError: if none of them holds text.
    """
    texts, notes = clean_context(context)
    nothing = np.empty(0, dtype=np.int64)
    return Scene(texts, unit_rows(encoder.encode(texts)), nothing, nothing, notes=notes)


def scene_of_rows(context_rows: Sequence[int], ground: Ground) -> Scene:
    """Return the scene of chunks that are in the corpus, with the vectors stored there.

    Raises:
        EncoderError: if there are none.
        CorpusError: if a row is not in the corpus.
    """
    rows = np.array(ground.check_rows(context_rows), dtype=np.int64)
    if not rows.size:
        raise EncoderError("The context is empty: no rows were given. Choose one chunk or more of the corpus.")
    texts = [chunk.text for chunk in ground.chunks(list(rows))]
    return Scene(texts, unit_rows(ground.vectors(rows)), rows, rows)


def need_ground(ground: Ground | None, note: str) -> Ground:
    """Return `ground`.

    Raises:
        CorpusError: if there is none.
    """
    if ground is None:
        raise CorpusError(f"Rows name chunks of a corpus, but there is none. {note}")
    return ground


def clean_context(context: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the chunks that hold text, white space folded, and notes on what was left out or is cut.

    Raises:
        EncoderError: if none of them holds text.
    """
    texts = [" ".join(chunk.split()) for chunk in context]
    kept = [text for text in texts if text]
    if not kept:
        raise EncoderError(
            f"The context holds no text ({len(texts)} chunks, all empty). Give at least one chunk with a word in it."
        )
    notes = []
    if len(kept) < len(texts):
        notes.append(f"{len(texts) - len(kept)} empty of {len(texts)} chunks left out.")
    long = [f"{i} ({len(text):,} characters)" for i, text in enumerate(kept, 1) if len(text) > LONG_CHUNK_CHARS]
    if long:
        notes.append(f"Of chunk {', '.join(long)} the encoder reads only the beginning.")
    return kept, notes

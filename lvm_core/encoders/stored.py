"""The space of vectors whose encoder is not here: they can be compared, predicted and searched, but no text encoded."""

from collections.abc import Sequence

from lvm_core.errors import EncoderError
from lvm_core.types import Vectors


class StoredSpace:
    """An `Encoder` in all but encoding."""

    def __init__(self, encoder_id: str, dim: int, unit_norm: bool, why: str) -> None:
        """Take what its vectors are, and why the encoder that made them cannot be asked."""
        self.id, self.dim, self.unit_norm = encoder_id, dim, unit_norm
        self._why = why

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Refuse.

        Raises:
            EncoderError: always, with the reason.
        """
        raise EncoderError(
            f"{len(texts):,} texts were given in the space '{self.id}', where none can be encoded",
            "chunks whose vectors are there",
            f"{self._why} Take chunks of a corpus that has its vectors instead, by their rows.",
        )

"""`NAME+tmd`: the vector of any encoder with the 16 numbers of the text's domain, task and modifier behind it.

768 + 16 = 784 dimensions is the form in which the first models of this kind were trained.
"""

import hashlib
import json
from collections.abc import Sequence

import numpy as np

from lvm_core.corpus.tmd.codes import PROJECTION_SEED, VECTOR_DIM, describe_labels, label_by_descriptions, tmd_vectors
from lvm_core.corpus.tmd.labels import DOMAINS, MODIFIERS, TASKS
from lvm_core.encoders.weights import make_id
from lvm_core.types import Encoder, Vectors
from lvm_core.vectors.geometry import unit_rows

SUFFIX = "+tmd"
"""What marks such an encoder in its name."""


def base_name(name: str) -> str | None:
    """Return NAME of "NAME+tmd"; None for the name of any other encoder."""
    return name.removesuffix(SUFFIX) if name.endswith(SUFFIX) and name != SUFFIX else None


def tmd_id(base_id: str) -> str:
    """Return the id of `NAME+tmd`: its digest is of the base encoder's id and of everything a label depends on."""
    title, _, _ = base_id.rpartition("@")
    parts = [base_id, DOMAINS, TASKS, MODIFIERS, PROJECTION_SEED, VECTOR_DIM]
    return make_id(title + SUFFIX, hashlib.sha256(json.dumps(parts).encode()).hexdigest())


class TmdEncoder:
    """An encoder's unit vector (D) and the unit TMD vector (16) of its zero-shot label, together of unit norm."""

    unit_norm = True

    def __init__(self, base: Encoder) -> None:
        """Wrap `base`, which embeds the descriptions of the labels once."""
        self.id = tmd_id(base.id)
        self.dim = base.dim + VECTOR_DIM
        self._base = base
        self._described = describe_labels(base)

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return the embeddings (N, D + 16) float32 of `texts`, in their order.

        Raises:
            EncoderError: if a text is empty or not valid Unicode.
        """
        vectors = self._base.encode(texts)
        codes = label_by_descriptions(vectors, self._described).tolist()
        return unit_rows(np.concatenate([unit_rows(vectors), tmd_vectors(codes)], axis=1))

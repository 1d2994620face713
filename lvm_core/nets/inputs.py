"""What may be put into a model: checked before it runs, so that a message says what was given and what was expected."""

import numpy as np

from lvm_core.errors import ModelError
from lvm_core.nets.base import SequenceModel
from lvm_core.nets.stack import TMD_DIM, Stack
from lvm_core.types import Vectors


def check_contexts(model: SequenceModel, contexts: Vectors) -> None:
    """Check contexts (..., T, D).

    Raises:
        ModelError: if they are empty, of another dimension or hold NaN.
    """
    if contexts.ndim < 2 or contexts.shape[-2] == 0 or contexts.shape[-1] != model.dim:
        raise ModelError(
            f"The contexts are of shape {tuple(contexts.shape)}",
            f"(B, T, {model.dim}) with T of at least 1",
            "Encode the chunks with the model's own encoder.",
        )
    if not np.isfinite(contexts).all():
        raise ModelError(
            "The context vectors hold NaN or infinite values", "finite numbers", "Encode the chunks again."
        )


def check_tmd(model: SequenceModel, tmd: Vectors | None, name: str | None = None) -> None:
    """Check what a model is told of the chunk to come, (16,).

    Raises:
        ModelError: if it is of another length, or the model takes none.
    """
    if tmd is None:
        return
    if not takes_tmd(model):
        raise ModelError(
            f"Model '{name or model.name}' takes no TMD code",
            "one that was trained with --tmd",
            "Leave the code out, or choose such a model.",
        )
    if tmd.shape != (TMD_DIM,):
        raise ModelError(
            f"The TMD vector is of shape {tuple(tmd.shape)}",
            f"({TMD_DIM},)",
            "Make it of a code with lvm_core.corpus.tmd.codes.tmd_vectors.",
        )


def takes_tmd(model: SequenceModel) -> bool:
    """Return whether a model can be told what kind of chunk comes next."""
    return isinstance(model, Stack) and model.tmd is not None

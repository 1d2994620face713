"""Encoders by name and by id. An id names a model and a digest of its weights; vectors of two ids never meet."""

from lvm_core.encoders.catalogue import (
    DEFAULT_ENCODER,
    ENCODERS,
    available_encoders,
    choices_help,
    encoder_for,
    encoder_id,
    load_encoder,
)
from lvm_core.encoders.kind import EncoderKind

__all__ = [
    "DEFAULT_ENCODER",
    "ENCODERS",
    "EncoderKind",
    "available_encoders",
    "choices_help",
    "encoder_for",
    "encoder_id",
    "load_encoder",
]

"""The inverter among the decoders; what it is stands in `lvm_core.inverter`."""

from lvm_core.decode.kind import DecoderKind, Opening
from lvm_core.types import Decoder
from lvm_core.workspace import Workspace


def _here(workspace: Workspace, encoder_id: str) -> bool:
    from lvm_core.inverter.files import find_inverter

    return find_inverter(workspace, encoder_id) is not None


def _open(opening: Opening) -> Decoder:
    from lvm_core.inverter.decoder import load_inverter

    return load_inverter(opening.workspace, opening.encoder, opening.progress)


KIND = DecoderKind(
    "inverter",
    "a small language model that says vectors of this encoder",
    "inverter",
    "Written by the inverter of this encoder, from the vector alone.",
    _here,
    lambda encoder: f"python -m lvm_core train-inverter --kind aligned --corpus enwiki-sample --encoder {encoder}",
    _open,
)

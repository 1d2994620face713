"""The denoiser among the decoders; what it is stands in `lvm_core.denoiser`."""

from lvm_core.decode.kind import DecoderKind, Opening
from lvm_core.types import Decoder
from lvm_core.workspace import Workspace


def _here(workspace: Workspace, encoder_id: str) -> bool:
    from lvm_core.inverter.files import DENOISER, find_inverter

    return find_inverter(workspace, encoder_id, DENOISER) is not None


def _open(opening: Opening) -> Decoder:
    from lvm_core.denoiser.decoder import load_denoiser

    return load_denoiser(opening.workspace, opening.encoder)


KIND = DecoderKind(
    "denoiser",
    "a masked denoiser trained to write vectors of this encoder, all words at once",
    "denoiser",
    "Written by the denoiser trained for this encoder, from the vector alone.",
    _here,
    lambda encoder: f"python -m lvm_core train-inverter --kind denoiser --corpus enwiki-sample --encoder {encoder}",
    _open,
)

"""The decoders by name. A new decoder is one file that holds its `DecoderKind`, and one line in `DECODERS`."""

from lvm_core.decode import denoiser, extractive, inverter, vec2text_kinds
from lvm_core.decode.kind import DecoderKind, Opening
from lvm_core.errors import DecoderError, SpaceMismatch
from lvm_core.snap import Exclude
from lvm_core.types import Decoded, Decoder, Encoder, Progress, Vectors, no_progress
from lvm_core.workspace import Workspace

DECODERS: dict[str, DecoderKind] = {
    "inverter": inverter.KIND,
    "vec2text-ielab": vec2text_kinds.IELAB,
    "vec2text-jxm": vec2text_kinds.JXM,
    "denoiser": denoiser.KIND,
    "extractive": extractive.KIND,
}
"""Best first."""

BATCH = 16
"""Vectors decoded between two words about the progress."""


def available_decoders(workspace: Workspace, encoder_id: str) -> list[str]:
    """Return the names of the decoders that can say vectors of this encoder now, best first."""
    return [name for name, kind in DECODERS.items() if kind.here(workspace, encoder_id)]


def load_decoder(
    workspace: Workspace,
    name: str,
    encoder: Encoder,
    corpus: str | None = None,
    exclude: Exclude = None,
    progress: Progress = no_progress,
) -> Decoder:
    """Return the decoder called `name`, a key of `DECODERS`, for vectors of `encoder`; see `Opening`.

    Raises:
        DecoderError: for an unknown name or missing files.
        SpaceMismatch: if the decoder says vectors of another space.
    """
    if name not in DECODERS:
        raise DecoderError(f"There is no decoder '{name}'", f"one of {', '.join(DECODERS)}", "Choose one of these.")
    decoder = DECODERS[name].open(Opening(workspace, encoder, corpus, exclude, progress))
    if decoder.encoder_id != encoder.id:
        raise SpaceMismatch(
            f"Decoder '{name}'", encoder.id, decoder.encoder_id, "choose a decoder of the same encoder."
        )
    return decoder


def decode(decoder: Decoder, vectors: Vectors, steps: int, progress: Progress = no_progress) -> list[Decoded]:
    """Return one text for each of the (N, D) vectors, after `steps` corrections.

    Raises:
        DecoderError: for vectors that are NaN, zero or of another dimension.
        SettingsError: for steps out of bounds.
    """
    texts: list[Decoded] = []
    for start in range(0, len(vectors), BATCH):
        texts += [run[-1] for run in decoder.decode_all(vectors[start : start + BATCH], steps)]
        progress(len(texts) / len(vectors), f"{len(texts):,} of {len(vectors):,} vectors decoded")
    return texts

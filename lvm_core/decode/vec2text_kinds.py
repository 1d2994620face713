"""The two published vec2text pairs among the decoders, each for one of the two GTR-T5 spaces."""

from lvm_core.decode.kind import DecoderKind, Opening
from lvm_core.decode.vec2text_files import PAIRS, weights_here
from lvm_core.types import Decoder, Encoder
from lvm_core.workspace import Workspace


def mean_norm(workspace: Workspace, encoder: Encoder, corpus: str | None) -> float | None:
    """Return the mean norm of a corpus's vectors, which a space that is not normalised needs; None without corpus."""
    from lvm_core.corpus.store import CorpusStore
    from lvm_core.vectors.matrix import encoded_with, open_matrix

    if encoder.unit_norm:
        return 1.0
    names = [corpus] if corpus else [info.name for info in CorpusStore(workspace).corpora()]
    for name in names:
        if encoder.id in encoded_with(workspace, name):
            return float(open_matrix(workspace, name, encoder.id).mean_norm)
    return None


def _kind(name: str) -> DecoderKind:
    pair = PAIRS[name]

    def here(_workspace: Workspace, encoder_id: str) -> bool:
        return pair.encoder == encoder_id.partition("@")[0] and weights_here(pair)

    def open_pair(opening: Opening) -> Decoder:
        from lvm_core.decode.vec2text import load_vec2text

        opening.progress(0.0, f"loading vec2text-{name}, 10 to 20 s")
        norm = mean_norm(opening.workspace, opening.encoder, opening.corpus)
        return load_vec2text(name, opening.encoder, norm=norm)

    return DecoderKind(
        f"vec2text ({name})",
        f"vec2text for {pair.encoder}, from the hub",
        "vec2text",
        "Written by vec2text from the vector alone.",
        here,
        lambda _encoder: " && ".join(f"huggingface-cli download {repository}" for repository in pair.repositories),
        open_pair,
    )


IELAB, JXM = _kind("ielab"), _kind("jxm")

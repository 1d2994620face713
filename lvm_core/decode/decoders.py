"""The decoders by name: what each is, whether it is here for an encoder, and how it loads.

A new decoder is one entry in `DECODERS`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from lvm_core.errors import DecoderError, SpaceMismatch
from lvm_core.types import Decoder, Encoder, Progress, no_progress
from lvm_core.workspace import Workspace


@dataclass(frozen=True, slots=True)
class DecoderKind:
    """One decoder.

    Attributes:
        about: one line for people.
        available: whether its files are here for vectors of an encoder id, without loading anything.
        load: returns the decoder for an encoder, or raises an LvmError that says what is missing.
    """

    about: str
    available: Callable[[Workspace, str], bool]
    load: Callable[[Workspace, Encoder, str | None, Progress], Decoder]


def _inverter_available(workspace: Workspace, encoder_id: str) -> bool:
    from lvm_core.inverter.decoder import find_inverter

    found: object | None = find_inverter(workspace, encoder_id)
    return found is not None


def _load_inverter(workspace: Workspace, encoder: Encoder, _corpus: str | None, progress: Progress) -> Decoder:
    from lvm_core.inverter.decoder import load_inverter

    return load_inverter(workspace, encoder, progress)


def _vec2text_available(pair: str) -> Callable[[Workspace, str], bool]:
    def available(_workspace: Workspace, encoder_id: str) -> bool:
        from lvm_core.decode.vec2text_files import PAIRS, weights_here

        return PAIRS[pair].encoder == encoder_id.partition("@")[0] and weights_here(PAIRS[pair])

    return available


def _load_vec2text(pair: str) -> Callable[[Workspace, Encoder, str | None, Progress], Decoder]:
    def load(workspace: Workspace, encoder: Encoder, corpus: str | None, progress: Progress) -> Decoder:
        from lvm_core.decode.vec2text import load_vec2text

        progress(0.0, f"loading vec2text-{pair}, 10 to 20 s")
        return load_vec2text(pair, encoder, norm=mean_norm(workspace, encoder, corpus))

    return load


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


def _extractive_available(workspace: Workspace, encoder_id: str) -> bool:
    from lvm_core.corpus.store import CorpusStore
    from lvm_core.vectors.matrix import encoded_with

    return any(encoder_id in encoded_with(workspace, info.name) for info in CorpusStore(workspace).corpora())


def _load_extractive(workspace: Workspace, encoder: Encoder, corpus: str | None, _progress: Progress) -> Decoder:
    from lvm_core.corpus.store import CorpusStore
    from lvm_core.decode.extractive import ExtractiveDecoder
    from lvm_core.vectors.index import open_index
    from lvm_core.vectors.matrix import encoded_with

    store = CorpusStore(workspace)
    names = [corpus] if corpus else [c.name for c in sorted(store.corpora(), key=lambda c: -c.n_chunks)]
    for name in names:
        if corpus or encoder.id in encoded_with(workspace, name):
            index = open_index(workspace, name, encoder.id)
            return ExtractiveDecoder(name, index, partial(store.chunks, name))
    raise DecoderError(
        f"The extractive decoder answers with real chunks, but no corpus is encoded with '{encoder.id}' yet."
        " Run `ingest` and `encode` first."
    )


DECODERS: dict[str, DecoderKind] = {
    "inverter": DecoderKind(
        "a small language model trained to say vectors of this encoder", _inverter_available, _load_inverter
    ),
    "vec2text-ielab": DecoderKind(
        "vec2text for gtr-t5-base-st, from the hub", _vec2text_available("ielab"), _load_vec2text("ielab")
    ),
    "vec2text-jxm": DecoderKind(
        "vec2text for gtr-t5-base, from the hub", _vec2text_available("jxm"), _load_vec2text("jxm")
    ),
    "extractive": DecoderKind("the nearest real chunk of the corpus", _extractive_available, _load_extractive),
}


def available_decoders(workspace: Workspace, encoder_id: str) -> list[str]:
    """Return the names of the decoders that can say vectors of this encoder now, best first."""
    return [name for name, kind in DECODERS.items() if kind.available(workspace, encoder_id)]


def load_decoder(
    workspace: Workspace, name: str, encoder: Encoder, corpus: str | None = None, progress: Progress = no_progress
) -> Decoder:
    """Return the decoder called `name` for vectors of `encoder`.

    Args:
        workspace: where trained inverters and corpora lie.
        name: a key of `DECODERS`.
        encoder: the space of the vectors; decoders re-embed what they say with it.
        corpus: whose chunks the extractive decoder gives, whose mean norm an unnormalised space takes.
        progress: told while it loads, where that takes seconds.

    Raises:
        DecoderError: for an unknown name or missing files.
        SpaceMismatch: if the decoder says vectors of another space.
    """
    if name not in DECODERS:
        raise DecoderError(f"There is no decoder '{name}'; expected one of {', '.join(DECODERS)}.")
    decoder = DECODERS[name].load(workspace, encoder, corpus, progress)
    if decoder.encoder_id != encoder.id:
        raise SpaceMismatch(
            f"Decoder '{name}'", encoder.id, decoder.encoder_id, "choose a decoder of the same encoder."
        )
    return decoder

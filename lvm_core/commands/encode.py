"""`encode --corpus NAME [--encoder NAME]`: vectors and index of a corpus, resumed where it was interrupted."""

import argparse
from typing import TYPE_CHECKING

from lvm_core.jobs.kinds import Kind
from lvm_core.json_shapes import Json
from lvm_core.workspace import Workspace

if TYPE_CHECKING:
    from lvm_core.vectors.matrix import VectorMatrix

JOB = Kind(spreads=True)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    from lvm_core.encoders import choices_help

    parser.add_argument("--corpus", required=True, help="name of an ingested corpus")
    parser.add_argument("--encoder", help=choices_help())
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps [auto]")
    parser.add_argument("--batch-size", type=int, default=512, help="chunks between two savings [512]")


def run(namespace: argparse.Namespace, workspace: Workspace) -> Json:
    """Encode and index, and return what came of it."""
    from lvm_core.corpus.store import CorpusStore
    from lvm_core.encoders import DEFAULT_ENCODER, load_encoder
    from lvm_core.errors import SettingsError
    from lvm_core.progress import ProgressLine
    from lvm_core.vectors.encode import encode_corpus
    from lvm_core.vectors.index import open_index
    from lvm_core.vectors.spread import spread_over

    if not 1 <= namespace.batch_size <= 100_000:
        raise SettingsError([f"batch_size is {namespace.batch_size}; expected 1 to 100000 chunks."])
    CorpusStore(workspace).corpus(namespace.corpus)
    encoder = load_encoder(namespace.encoder or DEFAULT_ENCODER, namespace.device)
    progress = ProgressLine()
    with spread_over(workspace, namespace.on, encoder.id, namespace.device) as elsewhere:
        matrix = encode_corpus(workspace, namespace.corpus, encoder, progress, namespace.batch_size, elsewhere)
    index = open_index(workspace, namespace.corpus, encoder.id)
    return {
        "corpus": matrix.corpus,
        "encoder": matrix.encoder_id,
        "n_chunks": matrix.n_rows,
        "dim": matrix.dim,
        "encode_s": round(matrix.info.encode_s, 1),
        "index": index.kind,
        **(_measured(workspace, matrix) if index.kind != "exact" else {}),
        "path": str(workspace.vectors(matrix.corpus, matrix.encoder_id)),
    }


def _measured(workspace: Workspace, matrix: "VectorMatrix") -> Json:
    """Return how far a search looks and what that was measured to find, where the index has lists."""
    from lvm_core.vectors.index import stored_note

    note = stored_note(workspace, matrix)
    if note is None:
        return {}
    return {
        "n_lists": note.n_lists, "n_probe": note.n_probe, "n_candidates": note.n_candidates,
        "index_recall": note.recall, "index_bytes": note.file_bytes, "index_about": note.about,
    }  # fmt: skip


def report(result: Json) -> str:
    """Return the result as one line."""
    rate = result["n_chunks"] / max(result["encode_s"], 0.1)
    index = result.get("index_about", result["index"])
    return (
        f"{result['corpus']}: {result['n_chunks']:,} chunks as {result['dim']}-D vectors of {result['encoder']}"
        f" in {result['encode_s']:.0f} s ({rate:,.0f}/s), index: {index}"
    )

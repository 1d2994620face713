"""`doctor`: check the workspace, a corpus or a file, and say what to mend."""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lvm_core.errors import LvmError
from lvm_core.workspace import MIN_FREE_BYTES, Workspace

Finding = tuple[str, str]
"""Level ("ok", "warning", "error") and a sentence."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("file", type=Path, nargs="?", help="an NPZ file to check instead of the workspace")
    parser.add_argument("--corpus", help="check one corpus closely: its vectors, its order, its repeats")


def run(namespace: argparse.Namespace, workspace: Workspace) -> dict[str, Any]:
    """Check what was asked for and return the findings."""
    details: dict[str, Any] = {}
    if namespace.file:
        from lvm_core.exchange.npz import check_npz

        findings = list(check_npz(namespace.file))
    elif namespace.corpus:
        findings, details = _corpus(workspace, namespace.corpus)
    else:
        findings = [*_workspace(workspace), *_unfinished(workspace), *_parts(workspace), *_models(workspace)]
    return {"findings": [{"level": level, "text": text} for level, text in findings], **details}


def _workspace(workspace: Workspace) -> Iterator[Finding]:
    import contextlib
    import os
    import shutil

    from lvm_core.database import connect

    there = next(p for p in [workspace.root, *workspace.root.parents] if p.exists())
    free = shutil.disk_usage(there).free
    if not os.access(there, os.W_OK):
        yield "error", f"{there} cannot be written. Make it writable, or choose another with --workspace."
    level = "ok" if free > 50 * MIN_FREE_BYTES else "warning"
    yield level, f"Workspace {workspace.root}, {free / 1e9:,.1f} GB free on its disk."
    if not workspace.database.exists():
        yield "warning", "It is empty. Start with: python -m lvm_core ingest enwiki-sample"
        return
    with contextlib.closing(connect(workspace, readonly=True)) as connection:
        answer = connection.execute("PRAGMA quick_check").fetchone()[0]
    yield ("ok", "The database is sound.") if answer == "ok" else ("error", f"The database is damaged: {answer}.")


def _unfinished(workspace: Workspace) -> Iterator[Finding]:
    for folder in workspace.all_incoming():
        size = sum(path.stat().st_size for path in folder.iterdir())
        yield (
            "warning",
            (
                f"An import of corpus '{folder.name.removeprefix('incoming-')}' broke off: {size / 1e6:,.0f} MB wait in"
                f" {folder}. Run it again to go on, or delete that folder."
            ),
        )


def _parts(workspace: Workspace) -> Iterator[Finding]:
    from lvm_core.corpus.store import CorpusStore
    from lvm_core.decode.decoders import available_decoders
    from lvm_core.encoders import DEFAULT_ENCODER, available_encoders, encoder_id
    from lvm_core.vectors.matrix import encoded_with, open_matrix

    there = available_encoders()
    yield "ok" if there else "error", f"Encoders here: {', '.join(there) or 'none'}."
    if DEFAULT_ENCODER in there:
        decoders = available_decoders(workspace, encoder_id(DEFAULT_ENCODER))
        yield "ok" if decoders else "warning", f"Decoders for {DEFAULT_ENCODER}: {', '.join(decoders) or 'none'}."
    for info in CorpusStore(workspace).corpora():
        try:
            spaces = encoded_with(workspace, info.name)
            for space in spaces:
                open_matrix(workspace, info.name, space)
        except LvmError as error:
            yield "error", f"Corpus '{info.name}': {error}"
            continue
        said = f"Corpus '{info.name}': {info.n_documents:,} articles, {info.n_chunks:,} chunks"
        if spaces:
            yield "ok", f"{said}, encoded with {', '.join(spaces)}."
        else:
            yield "warning", f"{said}, not encoded. Run: python -m lvm_core encode --corpus {info.name}"


def _models(workspace: Workspace) -> Iterator[Finding]:
    from lvm_core.checkpoint import list_models, load_model

    n_sound = 0
    for info in list_models(workspace):
        try:
            load_model(workspace, info.ref)
            n_sound += 1
        except LvmError as error:
            yield "error", f"Model '{info.ref}': {error}"
    yield "ok" if n_sound else "warning", f"{n_sound} models load."


def _corpus(workspace: Workspace, name: str) -> tuple[list[Finding], dict[str, Any]]:
    from lvm_core.corpus.store import CorpusStore
    from lvm_core.corpus.timings import metrics, sentence
    from lvm_core.dataset.order_notes import order_of
    from lvm_core.spaces import space_of_corpus

    store = CorpusStore(workspace)
    info = store.corpus(name)
    found = order_of(workspace, name, space_of_corpus(workspace, name, None))
    level = "ok" if found.verdict == "sequential" else "warning"
    findings = [
        (level, f"Corpus '{name}' is {found.verdict}: {'; '.join(found.reasons)}."),
        ("ok", f"Cosine to the next chunk {found.to_next:.3f}, to the second next {found.to_second:.3f}, to a random"
         f" one of the article {found.to_random:.3f}."),
        ("ok", f"Order signal {found.order_signal:+.3f} ± {found.order_error:.3f} (standard error over articles);"
         f" next against previous {found.next_against_previous:.2f}; converging {found.converging:+.3f}."),
        ("ok", f"{found.chunks_per_article:.1f} chunks an article, {found.words_per_chunk:.1f} words a chunk."),
        ("warning" if found.duplicates else "ok", f"{found.duplicates:,} chunks repeat another word for word."),
        ("warning" if found.boundary_leaks else "ok", f"{found.boundary_leaks:,} articles start as the last ended."),
    ]  # fmt: skip
    pipeline = metrics(workspace, name)
    if pipeline["stages"]:
        findings.append(("ok", f"Its making took: {sentence(pipeline)}."))
    if not info.ordered:
        findings.append(("warning", "The source gave no order: models must not be trained on it as if it had one."))
    return findings, {"order": found.to_json(), "pipeline": pipeline}


def report(result: dict[str, Any]) -> str:
    """Return the report for people."""
    return "\n".join(f"{finding['level']:8} {finding['text']}" for finding in result["findings"])

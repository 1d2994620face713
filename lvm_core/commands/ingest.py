"""`ingest SOURCE`: read articles into a corpus of chunks."""

import argparse

from lvm_core import config
from lvm_core.corpus.ingest import IngestSettings, ingest
from lvm_core.corpus.sources import corpus_name, readable
from lvm_core.executors import elsewhere
from lvm_core.jobs.kinds import Kind
from lvm_core.json_shapes import Json
from lvm_core.progress import ProgressLine
from lvm_core.wording import counted
from lvm_core.workspace import Workspace

JOB = Kind(spreads=True)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument(
        "source",
        nargs="+",
        help=f"{readable()}. Several, such as the parts of a dump, become one corpus in the order given",
    )
    parser.add_argument("--corpus", help="name of the corpus [that of the source]")
    parser.add_argument("--encoder", help="encoder for --chunker semantic [all-MiniLM-L6-v2]")
    config.add_arguments(parser, IngestSettings)


def run(namespace: argparse.Namespace, workspace: Workspace) -> Json:
    """Read the source in and return the report."""
    settings = config.from_namespace(IngestSettings, namespace)
    encode = None
    if settings.chunker == "semantic":
        from lvm_core.encoders import DEFAULT_ENCODER, load_encoder

        encode = load_encoder(namespace.encoder or DEFAULT_ENCODER).encode
    corpus = namespace.corpus or corpus_name(namespace.source[0])
    with elsewhere(workspace, namespace.on) as executor:
        return ingest(workspace, namespace.source, corpus, settings, ProgressLine(), encode, executor).to_json()


def report(result: Json) -> str:
    """Return the report for people."""
    lines = [
        f"Corpus '{result['corpus']}': {result['n_documents']:,} articles, {result['n_chunks']:,} chunks,"
        f" {result['n_chars']:,} characters, in {result['seconds']:.1f} s",
        f"digest {result['digest'][:16]}",
        f"licence {result['licence'] or 'not stated'}",
    ]
    lines += [f"passed over: {counted(count, reason)}" for reason, count in result["skipped"].items()]
    lines += [f"  {example}" for example in result["examples"][:5]]
    if result["warning"]:
        lines.append(result["warning"])
    lines.append(f"Next: python -m lvm_core encode --corpus {result['corpus']}")
    return "\n".join(lines)

"""`corpora`: list the corpora of the workspace, or delete one."""

import argparse
from dataclasses import asdict

from lvm_core.corpus.store import CorpusStore
from lvm_core.errors import CorpusError
from lvm_core.json_shapes import Json
from lvm_core.workspace import Workspace


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("--delete", metavar="NAME", help="delete this corpus with its vectors and index")
    parser.add_argument("--yes", action="store_true", help="do delete")


def run(namespace: argparse.Namespace, workspace: Workspace) -> Json:
    """Return the corpora, after deleting one if asked.

    Raises:
        CorpusError: if deleting was asked for without `--yes`, or there is no such corpus.
    """
    store = CorpusStore(workspace)
    if namespace.delete:
        corpus = store.corpus(namespace.delete)
        if not namespace.yes:
            raise CorpusError(
                f"Deleting corpus '{corpus.name}' removes {corpus.n_documents:,} articles, {corpus.n_chunks:,}"
                " chunks and their vectors for good",
                "a yes to that",
                "Add --yes to do it.",
            )
        store.delete(corpus.name)
    rows = [asdict(corpus) for corpus in store.corpora()]
    return {"deleted": namespace.delete, "corpora": rows}


def report(result: Json) -> str:
    """Return the list for people."""
    lines = [f"Deleted corpus '{result['deleted']}'."] if result["deleted"] else []
    for row in result["corpora"]:
        lines.append(
            f"{row['name']}: {row['n_documents']:,} articles, {row['n_chunks']:,} chunks ({row['chunker']}),"
            f" digest {row['digest'][:12]}, {row['source']}; licence {row['licence'] or 'not stated'}"
        )
    return "\n".join(lines or ["No corpus yet. Read one in with: python -m lvm_core ingest enwiki-sample"])

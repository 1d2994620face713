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
    rows = [{**asdict(corpus), "encoded": _encoded(workspace, corpus.name)} for corpus in store.corpora()]
    return {"deleted": namespace.delete, "corpora": rows}


def _encoded(workspace: Workspace, corpus: str) -> list[Json]:
    """Return the encoders of a corpus, each with how its vectors are searched and what that finds."""
    from lvm_core.vectors.index import about_index
    from lvm_core.vectors.matrix import encoded_with

    return [
        {"encoder": space, "index": about_index(workspace, corpus, space)} for space in encoded_with(workspace, corpus)
    ]


def report(result: Json) -> str:
    """Return the list for people."""
    lines = [f"Deleted corpus '{result['deleted']}'."] if result["deleted"] else []
    for row in result["corpora"]:
        lines.append(
            f"{row['name']}: {row['n_documents']:,} articles, {row['n_chunks']:,} chunks ({row['chunker']}),"
            f" digest {row['digest'][:12]}, {row['source']}; licence {row['licence'] or 'not stated'}"
        )
        lines += [f"  encoded by {one['encoder']}; index: {one['index']}" for one in row["encoded"]]
    return "\n".join(lines or ["No corpus yet. Read one in with: python -m lvm_core ingest enwiki-sample"])

"""`tmd`: give each chunk its domain, task and modifier code."""

import argparse
from typing import TYPE_CHECKING

from lvm_core.json_shapes import Json
from lvm_core.progress import ProgressLine
from lvm_core.workspace import Workspace

if TYPE_CHECKING:
    from lvm_core.dataset.labelling import Labelled


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("--corpus", required=True, help="corpus to label")
    parser.add_argument("--encoder", help="which of its vectors to compare with the labels' descriptions [the newest]")
    parser.add_argument(
        "--endpoint", action="store_true", help="ask the endpoint at LVM_LLM_URL instead, chunk by chunk"
    )
    parser.add_argument("--row", type=int, help="correct one chunk: its row, with --domain, --task and --modifier")
    for kind in ("domain", "task", "modifier"):
        parser.add_argument(f"--{kind}", help=f"the {kind} of the chunk at --row")


def run(namespace: argparse.Namespace, workspace: Workspace) -> "Json | Labelled":
    """Label the corpus, or correct one chunk, and return the counts of domains."""
    from lvm_core.dataset.labelling import correct, label_corpus

    if namespace.row is not None:
        names = tuple(getattr(namespace, kind) or "" for kind in ("domain", "task", "modifier"))
        code = correct(workspace, namespace.corpus, namespace.row, *names)
        return {"corpus": namespace.corpus, "row": namespace.row, "tmd": code}
    from lvm_core.spaces import space_of_corpus

    space = space_of_corpus(workspace, namespace.corpus, namespace.encoder)
    return label_corpus(workspace, namespace.corpus, space, ProgressLine(), endpoint=namespace.endpoint)


def report(result: Json) -> str:
    """Return the report for people."""
    if "row" in result:
        return f"Row {result['row']} of '{result['corpus']}' now has the code {result['tmd']}."
    lines = [f"{result['n_chunks']:,} chunks of '{result['corpus']}' labelled by {result['by']}"]
    return "\n".join(lines + [f"  {count:7,}  {name}" for name, count in result["domains"].items()])

"""leaderboard: what was evaluated, ranked; rows that cannot be compared stand in tables of their own."""

import argparse
from functools import partial

from lvm_core.boundary.files import new_file
from lvm_core.json_shapes import Json
from lvm_core.workspace import Workspace

JOB = None
"""It answers at once."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("--corpus", metavar="NAME", help="only rows measured on this corpus")
    parser.add_argument("--encoder", metavar="NAME", help="only rows of this encoder, by name or id")
    parser.add_argument("--split", metavar="SPLIT", help="only rows of this split")
    parser.add_argument("--by", default="cosine", metavar="FIELD", help="rank by this field [%(default)s]")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--csv", dest="form", action="store_const", const="csv", help="every field as CSV on stdout")
    form.add_argument("--markdown", dest="form", action="store_const", const="markdown", help="a Markdown table")
    parser.add_argument(
        "--promote", metavar="RUN", help="make a run its net's production model and archive the one before"
    )
    parser.add_argument("--delete", metavar="MODEL", help="take every row of a model off the board")
    parser.add_argument(
        "--ship", metavar="FILE", help="write the rows of the shipped models to FILE, as models/board.json has them"
    )
    parser.add_argument("--force", action="store_true", help="--ship: overwrite FILE where it exists")


def run(namespace: argparse.Namespace, workspace: Workspace) -> Json:
    """Return the rows, ranked within their groups."""
    from lvm_core.leaderboard import board, export

    done = _change(namespace, workspace)
    stored = board.load_rows(workspace)
    rows = board.wanted(stored.rows, namespace.by, namespace.corpus, namespace.encoder, namespace.split)
    groups = board.groups(rows, namespace.by)
    result = export.to_json(groups, partial(board.row_examples, workspace))
    if stored.n_damaged:
        result["damaged"] = stored.n_damaged
    if done:
        result["done"] = done
    if namespace.form == "csv":
        result["text"] = export.to_csv(groups)
    elif namespace.form == "markdown":
        result["text"] = export.to_markdown(groups)
    return result


def _change(namespace: argparse.Namespace, workspace: Workspace) -> str:
    from lvm_core.leaderboard import board, production

    if namespace.promote:
        before = production.promote_model(workspace, namespace.promote)
        return f"{namespace.promote} serves now" + (f"; {before.model} is archived" if before else "")
    if namespace.delete:
        from lvm_core.evaluate.results import ResultStore

        return f"{ResultStore(workspace).delete_model(namespace.delete)} rows of {namespace.delete} deleted"
    if namespace.ship:
        path = new_file(namespace.ship, namespace.force, "The board")
        return f"{board.ship(workspace, path, namespace.force)} rows written to {path}"
    return ""


def report(result: Json) -> str:
    """Return the export asked for, else one table a group."""
    from lvm_core.evaluate.rows import Row
    from lvm_core.leaderboard.export import to_text

    if "text" in result:
        return str(result["text"]).rstrip("\n")
    parts = [result["done"]] if "done" in result else []
    for group in result["groups"]:
        rows = [Row.read(row) for row in result["rows"] if row["comparable"] == group["comparable"]]
        parts += [group["title"], to_text(rows), ""]
    if result.get("damaged"):
        parts.append(f"Results left out, because they cannot be read: {result['damaged']}.")
    return "\n".join(parts).rstrip() or "Nothing has been evaluated yet. Run: python -m lvm_core evaluate all"

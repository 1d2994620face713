"""`import-postgres`: read a table of concepts into a corpus with its vectors."""

import argparse
from typing import TYPE_CHECKING

from lvm_core.progress import ProgressLine
from lvm_core.wording import counted
from lvm_core.workspace import Workspace

if TYPE_CHECKING:
    from lvm_core.exchange.from_postgres import TableImported


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("--corpus", required=True, help="name of the corpus to make")
    parser.add_argument("--table", default="cpe_entry", help="table or schema.table [cpe_entry]")
    parser.add_argument("--dataset-source", help="only rows with this dataset_source")
    parser.add_argument("--encoder", default="", help="encoder that made the vectors; checked where it is installed")
    parser.add_argument("--replace", action="store_true", help="replace a corpus of that name")
    parser.add_argument("--url", help="address of the database [LVM_DATABASE_URL]")


def run(namespace: argparse.Namespace, workspace: Workspace) -> "TableImported":
    """Import and return the report."""
    from lvm_core.exchange.from_postgres import import_postgres
    from lvm_core.exchange.postgres.connection import database_url

    return import_postgres(
        workspace, database_url(namespace.url), namespace.corpus, namespace.table, namespace.dataset_source,
        namespace.encoder, namespace.replace, ProgressLine(),
    )  # fmt: skip


def report(result: "TableImported") -> str:
    """Return the report for people."""
    lines = [
        f"Corpus '{result['corpus']}': {result['n_chunks']:,} chunks x {result['dim']} in {result['n_articles']:,}"
        f" articles, from {result['n_rows']:,} rows",
        f"encoder {result['encoder']}. {result['about_encoder']}",
    ]
    seconds = result["seconds"]
    rate = result["n_rows"] / max(seconds["reading"] + seconds["storing"], 1e-6)
    lines.append(f"{rate:,.0f} rows/s: " + ", ".join(f"{stage} {spent:,.1f} s" for stage, spent in seconds.items()))
    if result["rows_from_before"]:
        lines.append(f"{result['rows_from_before']:,} rows were kept from an import that had broken off")
    if result["table_changed"]:
        lines.append("The table was changed since an import broke off: all rows were read anew")
    lines += [f"left out: {counted(count, reason)}" for reason, count in result["skipped"].items()]
    return "\n".join(lines + ([f"warning: {result['warning']}"] if result["warning"] else []))

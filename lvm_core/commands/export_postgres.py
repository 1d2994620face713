"""`export-postgres`: write a corpus with its vectors into a table of concepts."""

import argparse
from typing import TYPE_CHECKING

from lvm_core.progress import ProgressLine
from lvm_core.workspace import Workspace

if TYPE_CHECKING:
    from lvm_core.exchange.to_postgres import TableExported


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("--corpus", required=True, help="corpus to write")
    parser.add_argument("--encoder", help="which of its vectors [the newest]")
    parser.add_argument(
        "--table", default="cpe_entry", help="table or schema.table, made if it is not there [cpe_entry]"
    )
    parser.add_argument("--vectors", default="real[]", help="real[], vector or halfvec (pgvector) [real[]]")
    parser.add_argument("--dataset-source", default="user_input", help="label of the rows [user_input]")
    parser.add_argument("--append", action="store_true", help="write into an existing table; rows already there stay")
    parser.add_argument("--url", help="address of the database [LVM_DATABASE_URL]")


def run(namespace: argparse.Namespace, workspace: Workspace) -> "TableExported":
    """Export and return the report."""
    from lvm_core.exchange.postgres.connection import database_url
    from lvm_core.exchange.to_postgres import export_postgres
    from lvm_core.spaces import space_of_corpus

    url = database_url(namespace.url)
    space = space_of_corpus(workspace, namespace.corpus, namespace.encoder)
    return export_postgres(
        workspace, url, namespace.corpus, space, namespace.table, namespace.vectors, namespace.dataset_source,
        namespace.append, ProgressLine(),
    )  # fmt: skip


def report(result: "TableExported") -> str:
    """Return the report for people."""
    return (
        f"{result['n_chunks']:,} chunks of '{result['corpus']}' ({result['encoder']}, {result['dim']}-D) as"
        f" {result['vectors']} in table {result['table']}, dataset_source '{result['dataset_source']}':"
        f" {result['rows_in_table']:,} rows there now"
    )

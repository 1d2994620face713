"""`index-postgres`: put the vectors of a corpus into PostgreSQL, to be searched there in place of FAISS."""

import argparse
import time

from lvm_core.json_shapes import Json
from lvm_core.progress import ProgressLine
from lvm_core.workspace import Workspace


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("--corpus", required=True, help="corpus to index; search uses it where LVM_INDEX=postgres")
    parser.add_argument("--encoder", help="which of its vectors [the newest]")
    parser.add_argument("--vectors", choices=("halfvec", "vector"), default="halfvec", help="column type [halfvec]")
    parser.add_argument("--drop", action="store_true", help="remove the index from PostgreSQL instead")
    parser.add_argument("--url", help="address of the database, which needs pgvector [LVM_DATABASE_URL]")


def run(namespace: argparse.Namespace, workspace: Workspace) -> Json:
    """Build or remove the index and return what came of it."""
    from lvm_core.spaces import space_of_corpus
    from lvm_core.vectors.matrix import open_matrix
    from lvm_core.vectors.pgvector import build_pgvector, drop_pgvector, index_table

    space = space_of_corpus(workspace, namespace.corpus, namespace.encoder)
    matrix = open_matrix(workspace, namespace.corpus, space)
    about = {"corpus": namespace.corpus, "encoder": space, "table": index_table(matrix.digest, space)}
    if namespace.drop:
        return {**about, "dropped": drop_pgvector(matrix, namespace.url)}
    began = time.monotonic()
    made = build_pgvector(matrix, namespace.url, namespace.vectors, ProgressLine())
    return {**about, "n_rows": made.n_rows, "dim": made.dim, "vectors": namespace.vectors,
            "seconds": round(time.monotonic() - began, 1)}  # fmt: skip


def report(result: Json) -> str:
    """Return the report for people."""
    if "dropped" in result:
        return f"Table {result['table']} is gone." if result["dropped"] else f"There was no table {result['table']}."
    return (
        f"{result['n_rows']:,} vectors of '{result['corpus']}' ({result['encoder']}, {result['dim']}-D) as"
        f" {result['vectors']} with an HNSW graph in table {result['table']}, in {result['seconds']:.0f} s."
        " Set LVM_INDEX=postgres to search there."
    )

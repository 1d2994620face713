"""`ship`: copy a run to the models that come with the studio; how a maintainer ships a model."""

import argparse
from pathlib import Path

from lvm_core.json_shapes import Json
from lvm_core.workspace import SHIPPED, Workspace

JOB = None
"""It answers at once."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("run_id", metavar="RUN", help="the run, trained to its end")
    parser.add_argument("name", metavar="NAME", help="what it is called from now on")
    parser.add_argument("--folder", type=Path, default=SHIPPED, help="where shipped models lie [beside the code]")
    parser.add_argument("--replace", action="store_true", help="take the place of a shipped model of that name")


def run(namespace: argparse.Namespace, workspace: Workspace) -> Json:
    """Copy the run and return where it lies now and how large it is."""
    from lvm_core.shipped import ship

    folder = ship(workspace, namespace.run_id, namespace.name, namespace.folder, namespace.replace)
    n_bytes = sum(path.stat().st_size for path in folder.iterdir())
    return {"run": namespace.run_id, "model": namespace.name, "path": str(folder), "bytes": n_bytes}


def report(result: Json) -> str:
    """Return the report for people."""
    size = f"{result['bytes'] / 1e6:,.1f} MB"
    return f"{result['run']} is shipped as '{result['model']}' in {result['path']}, {size}. Commit that folder."

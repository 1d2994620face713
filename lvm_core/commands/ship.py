"""`ship`: copy a run to the models that come with the studio, or make the worked example anew; for maintainers."""

import argparse
from dataclasses import asdict
from pathlib import Path

from lvm_core.errors import ModelError
from lvm_core.json_shapes import Json
from lvm_core.workspace import SHIPPED, Workspace

JOB = None
"""It answers at once."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("run_id", metavar="RUN", nargs="?", help="the run, trained to its end")
    parser.add_argument("name", metavar="NAME", nargs="?", help="what it is called from now on")
    parser.add_argument("--folder", type=Path, default=SHIPPED, help="where shipped models lie [beside the code]")
    parser.add_argument("--replace", action="store_true", help="take the place of a shipped model of that name")
    parser.add_argument(
        "--worked-example", action="store_true", help="no run: make the prediction that Predict shows at first"
    )


def run(namespace: argparse.Namespace, workspace: Workspace) -> Json:
    """Copy the run and return where it lies now and how large it is, or what the worked example says."""
    if namespace.worked_example:
        from lvm_core.library import worked

        return {"path": str(worked.WORKED), **asdict(worked.make(workspace))}
    if not (namespace.run_id and namespace.name):
        raise ModelError("ship got no RUN and NAME", "both", "Give them, or --worked-example.")
    from lvm_core.shipped import ship

    folder = ship(workspace, namespace.run_id, namespace.name, namespace.folder, namespace.replace)
    n_bytes = sum(path.stat().st_size for path in folder.iterdir())
    return {"run": namespace.run_id, "model": namespace.name, "path": str(folder), "bytes": n_bytes}


def report(result: Json) -> str:
    """Return the report for people."""
    if "example" in result:
        lines = [f"  {p['model']}{', snapped' * p['snapped']}: {p['text']}" for p in result["predictions"]]
        return "\n".join([f"The worked example, {result['example']}, stands in {result['path']}:", *lines])
    size = f"{result['bytes'] / 1e6:,.1f} MB"
    return f"{result['run']} is shipped as '{result['model']}' in {result['path']}, {size}. Commit that folder."

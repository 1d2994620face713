"""`shelf`: train and test every net at one size on the same articles, and write what came of it as a page."""

import argparse
import time
from dataclasses import asdict
from pathlib import Path

from lvm_core.boundary.files import user_path
from lvm_core.config import add_arguments as add_settings
from lvm_core.config import from_namespace
from lvm_core.jobs.kinds import Kind
from lvm_core.json_shapes import Json
from lvm_core.progress import ProgressLine
from lvm_core.shelf.settings import ShelfSettings
from lvm_core.workspace import Workspace, slug, write_text

JOB = Kind("--name", place=Workspace.shelf)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    add_settings(parser, ShelfSettings)
    parser.add_argument("--name", default="shelf", help="name of the shelf; given again it goes on [%(default)s]")
    parser.add_argument("--show", action="store_true", help="train nothing: the page of what was measured so far")
    parser.add_argument("--write", metavar="FILE", help="write the page to FILE (.md), its curves beside it (.svg)")


def run(namespace: argparse.Namespace, workspace: Workspace) -> Json:
    """Measure what is missing, write the page where asked for, and return all results."""
    import torch

    from lvm_core.device import describe_device
    from lvm_core.shelf.figure import figure
    from lvm_core.shelf.page import page
    from lvm_core.shelf.results import read_results
    from lvm_core.shelf.run import fill

    settings, name = from_namespace(ShelfSettings, namespace), slug(namespace.name)
    lines = settings.lines
    results = read_results(workspace, name) if namespace.show else fill(workspace, name, settings, ProgressLine())
    path = user_path(Path(namespace.write), "The page") if namespace.write else None
    drawing = path.with_suffix(".svg") if path else Path("shelf.svg")
    machine = f"{describe_device(torch.device('cpu'))}, torch {torch.__version__}"
    text = page(name, settings, results, machine, time.strftime("%Y-%m-%d", time.gmtime()), drawing.name)
    if path is not None:
        write_text(path, text)
        write_text(drawing, figure(results))
    return {"name": name, "n_lines": len(lines), "results": [asdict(one) for one in results], "text": text,
            "written": str(path) if path else None}  # fmt: skip


def report(result: Json) -> str:
    """Return the page."""
    written = f"\nwritten to {result['written']}" if result["written"] else ""
    return f"{result['text'].rstrip()}{written}"

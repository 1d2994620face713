"""The tables beside this module: which templates show what, how units are written, what wikis call their lists."""

import json
from functools import cache
from importlib import resources
from typing import Any


@cache
def table(name: str, file: str = "templates") -> Any:
    """Return one table of a file beside this module."""
    text = resources.files("lvm_core.corpus.sources.wikitext").joinpath(f"{file}.json").read_text("utf-8")
    return json.loads(text)[name]

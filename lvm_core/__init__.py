"""The engine of LVM Studio: latent vector models from text to text.

Data flows one way: sources -> chunks -> vectors -> windows -> net -> prediction -> snap -> text.

`from lvm_core import Studio` is the studio for scripts and notebooks (`lvm_core.library`).
"""

import importlib
import os
from typing import TYPE_CHECKING

from lvm_core.version import __version__

os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "64")
# oneDNN keeps the code that it compiles for every shape it meets, 1,024 of them by default and without end for a person
# who waits: texts of any length are ever new shapes. After six decodes it held 300 MB; 64 cost no time and hold 40 MB.
# It is read once, before the first product.

if TYPE_CHECKING:
    from lvm_core.library import Studio

__all__ = ["Studio", "__version__"]


def __getattr__(name: str) -> object:
    """Return `Studio`, imported when it is first asked for: `import lvm_core` alone loads nothing."""
    if name == "Studio":
        return importlib.import_module("lvm_core.library").Studio
    raise AttributeError(f"module 'lvm_core' has no attribute {name!r}")

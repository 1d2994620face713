"""An NPZ of any known layout as passages of consecutive chunks."""

from lvm_core.exchange.npz.archive import Archive
from lvm_core.exchange.npz.layouts import Contents, layout_of
from lvm_core.exchange.npz.vector_passages import from_vectors
from lvm_core.exchange.npz.window_passages import from_windows


def contents_of(arrays: Archive) -> Contents:
    """Return what the file holds as passages of consecutive chunks.

    Raises:
        SourceError: if it is of no known layout, or its arrays do not fit together.
    """
    layout = layout_of(arrays)
    return from_vectors(arrays) if layout == "vectors" else from_windows(arrays, layout)

"""An encoder from outside the house: one file, and one line in `ENCODERS`."""

from collections.abc import Sequence
from pathlib import Path

from lvm_core.encoders import EncoderKind
from lvm_core.encoders.batching import check_texts
from lvm_core.types import Vectors
from tests.vectors.worlds import WordEncoder


class ToyEncoder(WordEncoder):
    """Sixteen numbers made of a text's bytes."""

    def __init__(self, identity: str) -> None:
        super().__init__()
        self.id = identity

    def encode(self, texts: Sequence[str]) -> Vectors:
        return super().encode(check_texts(texts))


def load_toy(_folder: Path, identity: str, _device: str = "auto") -> ToyEncoder:
    return ToyEncoder(identity)


def toy_kind(folder: Path) -> EncoderKind:
    """Return the kind of a toy whose weights lie in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.safetensors").write_bytes(b"weights of a toy")
    return EncoderKind(
        about="a toy of sixteen numbers",
        languages="any language",
        dim=16,
        install="pip install a-toy",
        is_here=lambda: True,
        find=lambda: folder,
        implementation="tests.encoders.toy:load_toy",
    )

"""What is known of an encoder before any of its files is read: an entry of `ENCODERS`."""

import importlib.metadata
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class EncoderKind:
    """One encoder of the catalogue; the command line, the System page and its form are made from these fields.

    Attributes:
        about: one line for people.
        languages: what it was trained to read, for people.
        dim: D, None where only the weights tell.
        install: the command that brings its files.
        is_here: whether its files are on this machine; it loads, joins and fetches nothing.
        find: returns the model folder, or raises an LvmError that says how to get it.
        implementation: "module:function" of the loader, which takes the folder, the id and the device.
        modules: the weights of numbered subfolders (a Dense layer) belong to the encoder.
        configured: pooling, prompt, normalisation and cuts are those that the folder names, not the loader's own; where
            the user gave the folder, the id says how they differ from the published ones.
        verify: checks a folder that the user gave; None where any will do.
    """

    about: str
    languages: str
    dim: int | None
    install: str
    is_here: Callable[[], bool]
    find: Callable[[], Path]
    implementation: str = "lvm_core.encoders.sentence:load_sentence"
    modules: bool = True
    configured: bool = True
    verify: Callable[[Path], None] | None = None

    @property
    def summary(self) -> str:
        """Dimensions, languages and description in one line."""
        return ", ".join([*([f"{self.dim}-D"] if self.dim else []), self.languages, self.about])


def is_installed(package: str) -> bool:
    """Return whether pip has `package`."""
    try:
        importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True

"""The published vec2text checkpoints: which belongs to which encoder, and where their files are.

They come from the Hugging Face hub (its local cache first), or from a folder of your own that LVM_VEC2TEXT names
and that holds one subfolder for each repository, such as `FOLDER/jxm/gtr__nq__32`.
"""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from lvm_core.encoders.hub import hub_folder
from lvm_core.encoders.model_folder import check_settings
from lvm_core.errors import DecoderError, EncoderError

FOLDER_VARIABLE = "LVM_VEC2TEXT"
WEIGHTS = ("model.safetensors", "pytorch_model.bin", "model.safetensors.index.json", "pytorch_model.bin.index.json")
BACKBONE = "t5-base"
EMBEDDER = "sentence-transformers/gtr-t5-base"


@dataclass(frozen=True, slots=True)
class Pair:
    """A corrector and the space it inverts.

    Attributes:
        name: jxm or ielab.
        encoder: name of the encoder whose vectors it was trained on.
        hypothesizer: repository of the model that makes the first hypothesis.
        corrector: repository of the model that corrects it.
    """

    name: str
    encoder: str
    hypothesizer: str
    corrector: str

    @property
    def repositories(self) -> tuple[str, ...]:
        """Everything that must be there: the library loads the backbone and the embedder by itself."""
        return (self.hypothesizer, self.corrector, BACKBONE, EMBEDDER)


PAIRS = {
    "jxm": Pair("jxm", "gtr-t5-base", "jxm/gtr__nq__32", "jxm/gtr__nq__32__correct"),
    "ielab": Pair(
        "ielab",
        "gtr-t5-base-st",
        "ielabgroup/vec2text_gtr-base-st_inversion",
        "ielabgroup/vec2text_gtr-base-st_corrector",
    ),
}


def weights_here(pair: Pair) -> bool:
    """Return whether every file of the pair is on this machine; nothing is fetched."""
    return all(_local(repository) is not None for repository in pair.repositories)


def locate(pair: Pair) -> dict[str, Path]:
    """Return the folder of each of the pair's repositories, fetched from the hub where they are not here.

    Raises:
        DecoderError: naming every repository that is neither here nor to be had, and where to put its files.
    """
    folders: dict[str, Path] = {}
    missing: list[str] = []
    for repository in pair.repositories:
        try:
            folders[repository] = _local(repository) or hub_folder(repository)
        except EncoderError:
            missing.append(repository)
    if missing:
        raise _missing(pair, missing)
    for folder in folders.values():
        try:
            check_settings(folder)
        except EncoderError as error:
            raise DecoderError(*error.parts) from error
    return folders


def fingerprint(folders: list[Path]) -> str:
    """Return 12 hex that change when weights are replaced: names and sizes, and the bytes at both ends of each file."""
    digest = hashlib.sha256()
    for folder in folders:
        for path in sorted(p for p in folder.iterdir() if p.suffix in (".safetensors", ".bin")):
            size = path.stat().st_size
            digest.update(f"{path.name}:{size}\n".encode())
            with path.open("rb") as file:
                digest.update(file.read(1 << 20))
                file.seek(max(0, size - (1 << 20)))
                digest.update(file.read())
    return digest.hexdigest()[:12]


def _local(repository: str) -> Path | None:
    """The folder of a repository on this machine: the user's own first, then the hub's cache."""
    given = os.environ.get(FOLDER_VARIABLE, "").strip()
    folder = Path(given).expanduser() / repository if given else None
    if folder is not None and _complete(folder):
        return folder.resolve()
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        cached = Path(snapshot_download(repository, local_files_only=True))
    except (LocalEntryNotFoundError, HfHubHTTPError, OSError, ValueError):
        return None
    return cached if _complete(cached) else None


def _complete(folder: Path) -> bool:
    return (folder / "config.json").exists() and any((folder / name).exists() for name in WEIGHTS)


def _missing(pair: Pair, missing: list[str]) -> DecoderError:
    where = os.environ.get(FOLDER_VARIABLE, "").strip() or "FOLDER"
    files = "; ".join(f"{where}/{name}/ with {_files_of(name)}" for name in missing)
    return DecoderError(
        f"The decoder vec2text-{pair.name} lacks weights that are not on this machine, and the hub cannot be reached",
        f"these files here: {files}",
        f"Put them there, and set {FOLDER_VARIABLE} to that folder. Where there is internet, one command a folder"
        f" fetches them: huggingface-cli download {missing[0]} --local-dir {where}/{missing[0]}",
    )


def _files_of(repository: str) -> str:
    tokenizer = ", spiece.model or tokenizer.json" if repository in (BACKBONE, EMBEDDER) else ""
    dense = ", modules.json, 1_Pooling/, 2_Dense/" if repository == EMBEDDER else ""
    return f"config.json, model.safetensors (or pytorch_model.bin){tokenizer}{dense}"

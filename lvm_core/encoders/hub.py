"""Model folders of the Hugging Face hub: from the local cache where they are there, else downloaded."""

from pathlib import Path

from lvm_core.errors import EncoderError

PATTERNS = ["*.json", "*.txt", "*.model", "*.safetensors", "*_Dense/pytorch_model.bin"]
PICKLED = ["*.bin"]
NEVER = ["onnx/*", "openvino/*", "*.h5", "*.ot", "*.msgpack"]


def hub_folder(repository: str) -> Path:
    """Return the folder of `repository` ("organisation/name"), which is downloaded if it is not in the cache.

    Raises:
        EncoderError: if the repository is neither in the cache nor to be had.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        folder = Path(snapshot_download(repository, local_files_only=True))
        if _has_weights(folder):
            return folder
    except LocalEntryNotFoundError:
        pass
    except ValueError as error:
        raise _not_here(repository, str(error)) from error
    return _download(repository)


def in_hub_cache(repository: str) -> bool:
    """Return whether the hub's cache on this machine holds weights of `repository`; nothing is fetched."""
    from huggingface_hub.constants import HF_HUB_CACHE

    snapshots = Path(HF_HUB_CACHE) / f"models--{repository.replace('/', '--')}" / "snapshots"
    return snapshots.is_dir() and any(_has_weights(folder) for folder in snapshots.iterdir())


def _download(repository: str) -> Path:
    from huggingface_hub import snapshot_download

    try:
        folder = Path(snapshot_download(repository, allow_patterns=PATTERNS, ignore_patterns=NEVER))
        if not _has_weights(folder):
            folder = Path(snapshot_download(repository, allow_patterns=PATTERNS + PICKLED, ignore_patterns=NEVER))
    # The hub's client raises OSError, ValueError or an HTTP error of whatever transport it uses.
    except Exception as error:
        raise _not_here(repository, f"{type(error).__name__}: {error}".split("\n")[0]) from error
    return folder


def _has_weights(folder: Path) -> bool:
    return any((folder / name).exists() for name in ("model.safetensors", "pytorch_model.bin")) or any(
        folder.glob("model-*.safetensors")
    )


def _not_here(repository: str, reason: str) -> EncoderError:
    return EncoderError(
        f"The model '{repository}' is not on this machine and could not be fetched from the hub ({reason})",
        "a model of the hub, or one that was fetched before",
        f"Download it where there is internet with: huggingface-cli download {repository} --local-dir FOLDER"
        " and give that folder instead of the name.",
    )

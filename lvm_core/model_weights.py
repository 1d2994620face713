"""The weights of a model as safetensors: written whole, checked by their header, and read."""

from pathlib import Path

from lvm_core.boundary.safetensors import tensors_in
from lvm_core.errors import ModelError
from lvm_core.json_shapes import NetConfig
from lvm_core.nets.base import SequenceModel
from lvm_core.nets.build import misfit
from lvm_core.nets.query import QUERY
from lvm_core.workspace import replacing


def save_weights(path: Path, model: SequenceModel, half: bool = False) -> None:
    """Write the weights of `model` to `path` as safetensors, whole or not at all.

    Args:
        path: where.
        model: parameters and persistent buffers are kept.
        half: whether to write float16 (half the size; the filter's small buffers stay float32).
    """
    from lvm_core.boundary.safetensors import save_tensors

    state = {name: t.detach().cpu().contiguous() for name, t in model.state_dict().items()}
    if half:
        parameters = {name for name, _ in model.named_parameters()}
        state = {name: t.half() if name in parameters else t for name, t in state.items()}
    with replacing(path) as temporary:
        save_tensors(state, temporary)


def load_weights(path: Path, model: SequenceModel, partly: bool = False) -> None:
    """Read safetensors at `path` into `model`; `partly` where the rest of it has been read elsewhere.

    A query is fitted behind the last epoch: a kill can leave it in the file before the description speaks of it.

    Raises:
        ModelError: if the file is missing, damaged, or of another net.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        own = model.state_dict().keys()
        found = load_file(path).items()
        state = {name: t.float() for name, t in found if name in own or not name.startswith(QUERY)}
        wrong = model.load_state_dict(state, strict=not partly).unexpected_keys
        if wrong:
            raise RuntimeError(f"unexpected {', '.join(wrong)}")
    except (OSError, SafetensorError) as error:
        raise ModelError(
            f"{path} cannot be read: {error}", "whole weights", "Restore it from a copy, or train the model again."
        ) from error
    except RuntimeError as error:
        raise _of_another_net(path, str(error)) from error


def check_weights(path: Path, config: NetConfig) -> None:
    """Check by its header alone that a file holds the model that `config` describes.

    Raises:
        ModelError: if the file is damaged, or of another model.
    """
    wrong = misfit(config, {name: tensor.shape for name, tensor in tensors_in(path).items()})
    if wrong:
        raise _of_another_net(path, wrong)


def _of_another_net(path: Path, wrong: str) -> ModelError:
    given = f"{path} does not hold the net that config.json beside it describes: {wrong}"
    return ModelError(given, "weights and description of one net", "Restore both from one copy.")

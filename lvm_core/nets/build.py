"""A net or a baseline from its written description."""

from collections.abc import Mapping

import torch

from lvm_core.baselines import BASELINES, build_baseline
from lvm_core.json_shapes import NetConfig
from lvm_core.nets import build_model
from lvm_core.nets.base import SequenceModel
from lvm_core.nets.query import QUERY, QueryHead


def misfit(config: NetConfig, shapes: Mapping[str, tuple[int, ...]]) -> str:
    """Return what of the tensors with these shapes does not fit the model that `config` describes, "" where all does.

    The model is laid out without its memory, so that a description of any size costs nothing to refuse.
    """
    with torch.device("meta"):
        expected = {name: tuple(tensor.shape) for name, tensor in from_config(config).state_dict().items()}
    for name in sorted(expected.keys() ^ shapes.keys()):
        if name.startswith(QUERY) and name not in expected:
            continue  # fitted behind the last epoch, by a training that was killed before it described it
        return f"'{name}' is {'missing' if name in expected else 'of another net'}"
    wrong = [name for name, shape in expected.items() if shapes[name] != shape]
    return f"'{wrong[0]}' has the shape {shapes[wrong[0]]}; expected {expected[wrong[0]]}" if wrong else ""


def from_config(config: NetConfig) -> SequenceModel:
    """Return the model that `SequenceModel.config` described, its weights not yet loaded.

    Raises:
        SettingsError: for an unknown model or option.
        KeyError: if the description lacks its model or dimension.
    """
    name, dim, options = config["model"], int(config["dim"]), config.get("options") or {}
    if name in BASELINES:
        model: SequenceModel = build_baseline(name, dim, **options)
    else:
        given = config.get("filter")
        model = build_model(name, dim, from_config(given) if given else None, **options)
    if config.get("query"):
        model.query = QueryHead(dim, int(config["query"]["context"]))
    return model

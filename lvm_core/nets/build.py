"""A net or a baseline from its written description."""

from typing import Any

from lvm_core.baselines import BASELINES, build_baseline
from lvm_core.nets import build_model
from lvm_core.nets.base import SequenceModel


def from_config(config: dict[str, Any]) -> SequenceModel:
    """Return the model that `SequenceModel.config` described, its weights not yet loaded.

    Raises:
        SettingsError: for an unknown model or option.
        KeyError: if the description lacks its model or dimension.
    """
    name, dim, options = config["model"], int(config["dim"]), config.get("options") or {}
    if name in BASELINES:
        return build_baseline(name, dim, **options)
    given = config.get("filter")
    return build_model(name, dim, filter=from_config(given) if given else None, **options)

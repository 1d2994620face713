"""The nets. Adding one is a file beside these and a line in `MODELS`."""

from typing import Any

from lvm_core.config import from_dict
from lvm_core.errors import SettingsError
from lvm_core.nets.amn import Amn
from lvm_core.nets.base import SequenceModel
from lvm_core.nets.mlp import Mlp
from lvm_core.nets.rnn import Gru, LatentMamba, Lstm
from lvm_core.nets.transformer import Transformer

MODELS: dict[str, type[SequenceModel]] = {
    "amn": Amn,
    "lstm": Lstm,
    "gru": Gru,
    "transformer": Transformer,
    "latent-mamba": LatentMamba,
    "mlp": Mlp,
}


def build_model(name: str, dim: int, filter: SequenceModel | None = None, **options: Any) -> SequenceModel:
    """Return the untrained net called `name` for vectors of `dim` numbers.

    Args:
        name: a key of `MODELS`.
        dim: D of the encoder.
        filter: the fitted linear filter that the residual form starts from; without one the residual form
            starts from an unfitted filter, which is the mean of the last chunks.
        **options: fields of the net's options dataclass.

    Raises:
        SettingsError: for an unknown net, an unknown option, or options that cannot be.
    """
    if name not in MODELS:
        raise SettingsError([f"model is {name!r}; expected one of {', '.join(MODELS)}."])
    if dim < 1:
        raise SettingsError([f"dim is {dim}; expected the number of entries in a vector, at least 1."])
    cls = MODELS[name]
    assert cls.Options is not None
    net = cls(dim, from_dict(cls.Options, options))
    if net.options.residual:
        net.attach(filter or _mean_of_last(dim), net.last_layer())
    return net


def _mean_of_last(dim: int) -> SequenceModel:
    from lvm_core.baselines import LinearFilter, LinearFilterOptions  # baselines stand on nets.base

    return LinearFilter(dim, LinearFilterOptions())

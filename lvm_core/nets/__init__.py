"""The nets. Adding one is a file beside these and a line in `MODELS`."""

from typing import Any

from lvm_core.config import from_dict
from lvm_core.errors import SettingsError
from lvm_core.nets.amn import Amn
from lvm_core.nets.base import SequenceModel
from lvm_core.nets.deep_mlp import DeepMlp
from lvm_core.nets.diffusion import OneTower, TwoTower
from lvm_core.nets.energy import Energy
from lvm_core.nets.gpt2 import Gpt2
from lvm_core.nets.hybrid import Hybrid
from lvm_core.nets.hyena import Hyena
from lvm_core.nets.lcm import Lcm
from lvm_core.nets.linformer import Linformer
from lvm_core.nets.llama import Llama
from lvm_core.nets.mamba import Mamba
from lvm_core.nets.mamba2 import Mamba2
from lvm_core.nets.mlp import Mlp
from lvm_core.nets.performer import Performer
from lvm_core.nets.retnet import RetNet
from lvm_core.nets.rnn import Gru, LatentMamba, Lstm
from lvm_core.nets.rwkv import Rwkv
from lvm_core.nets.s4d import S4d
from lvm_core.nets.transformer import Transformer

MODELS: dict[str, type[SequenceModel]] = {
    "amn": Amn,
    "lstm": Lstm,
    "gru": Gru,
    "transformer": Transformer,
    "latent-mamba": LatentMamba,
    "mlp": Mlp,
    "deep-mlp": DeepMlp,
    "mamba": Mamba,
    "mamba2": Mamba2,
    "hybrid": Hybrid,
    "s4d": S4d,
    "rwkv": Rwkv,
    "retnet": RetNet,
    "hyena": Hyena,
    "performer": Performer,
    "linformer": Linformer,
    "gpt2": Gpt2,
    "lcm": Lcm,
    "lcm-one-tower": OneTower,
    "lcm-two-tower": TwoTower,
    "energy": Energy,
    "llama": Llama,
}


def build_model(name: str, dim: int, filter: SequenceModel | None = None, /, **options: Any) -> SequenceModel:
    """Return the untrained net called `name` for vectors of `dim` numbers.

    Args:
        name: a key of `MODELS`.
        dim: D of the encoder.
        filter: the fitted linear filter that the residual form starts from; without one the residual form
            starts from an unfitted filter, which is the mean of the last chunks.
        **options: fields of the net's options dataclass; whatever a user calls one, it is looked for there.

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

"""Recurrent nets: LSTM, a stack of residual GRUs, and the LSTM that stands in for a Mamba."""

from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from lvm_core.config import setting
from lvm_core.nets.base import NetOptions, SequenceModel


@dataclass
class LstmOptions(NetOptions):
    """Sizes of the LSTM; the defaults have 5,120,768 parameters at D = 768."""

    dropout: float = setting(0.2, "share of hidden units left out between layers", low=0.0, high=0.9)
    d_hidden: int = setting(512, "width of each layer", unit="units", low=1, high=8192, label="hidden width")
    n_layers: int = setting(2, "layers", low=1, high=32, label="layers")


class Lstm(SequenceModel):
    """Long short-term memory (Hochreiter and Schmidhuber 1997) with a linear head, one direction."""

    name = "lstm"
    recurrent = True
    Options = LstmOptions

    def __init__(self, dim: int, options: LstmOptions) -> None:
        """Make the net for vectors of `dim` numbers."""
        super().__init__(dim, options)
        between = options.dropout if options.n_layers > 1 else 0.0
        self.lstm = nn.LSTM(dim, options.d_hidden, options.n_layers, batch_first=True, dropout=between)
        self.head = nn.Linear(options.d_hidden, dim)

    def last_layer(self) -> nn.Linear:
        return self.head

    def correction(self, x: Tensor) -> Tensor:
        hidden, _ = self.lstm(x)  # (B, T, d_hidden)
        out: Tensor = self.head(hidden)
        return out

    def step(self, x: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        """Return the correction (B, D) after one more chunk `x` (B, D), and the cells' states."""
        hidden, state = self.lstm(x[:, None], state)
        return self.head(hidden[:, 0]), state


@dataclass
class GruOptions(NetOptions):
    """Sizes of the GRU stack; the defaults have 7,095,552 parameters at D = 768."""

    dropout: float = setting(0.0, "share of hidden units left out after each layer", low=0.0, high=0.9)
    d_model: int = setting(512, "width of each layer", unit="units", low=1, high=8192, label="width")
    n_layers: int = setting(4, "layers", low=1, high=32, label="layers")


class Gru(SequenceModel):
    """Gated recurrent units (Cho et al. 2014, section 2.3), stacked with residual connections and LayerNorm."""

    name = "gru"
    recurrent = True
    Options = GruOptions

    def __init__(self, dim: int, options: GruOptions) -> None:
        """Make the net for vectors of `dim` numbers."""
        super().__init__(dim, options)
        self.input = nn.Linear(dim, options.d_model)
        self.layers = nn.ModuleList(
            nn.GRU(options.d_model, options.d_model, batch_first=True) for _ in range(options.n_layers)
        )
        self.norms = nn.ModuleList(nn.LayerNorm(options.d_model) for _ in range(options.n_layers))
        self.dropout = nn.Dropout(options.dropout)
        self.head = nn.Linear(options.d_model, dim)

    def last_layer(self) -> nn.Linear:
        return self.head

    def correction(self, x: Tensor) -> Tensor:
        hidden = self.input(x)  # (B, T, d_model)
        for layer, norm in zip(self.layers, self.norms, strict=True):
            step, _ = layer(hidden)
            hidden = norm(hidden + self.dropout(step))
        out: Tensor = self.head(hidden)
        return out

    def step(self, x: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        """Return the correction (B, D) after one more chunk `x` (B, D), and each layer's state."""
        hidden, after = self.input(x[:, None]), []
        for layer, norm, before in zip(self.layers, self.norms, state or [None] * len(self.layers), strict=True):
            step, new = layer(hidden, before)
            hidden = norm(hidden + step)
            after.append(new)
        return self.head(hidden[:, 0]), after


@dataclass
class LatentMambaOptions(NetOptions):
    """Sizes of the stand-in; the defaults have 5,006,608 parameters at D = 784."""

    d_hidden: int = setting(512, "width of each layer", unit="units", low=1, high=8192, label="hidden width")
    n_layers: int = setting(2, "layers", low=1, high=32, label="layers")


class LatentMamba(SequenceModel):
    """Input projection, LSTM and head: what the first LatentMamba was, before a state space took the LSTM's place."""

    name = "latent-mamba"
    recurrent = True
    Options = LatentMambaOptions

    def __init__(self, dim: int, options: LatentMambaOptions) -> None:
        """Make the net for vectors of `dim` numbers."""
        super().__init__(dim, options)
        between = options.dropout if options.n_layers > 1 else 0.0
        self.input = nn.Linear(dim, options.d_hidden)
        self.dropout = nn.Dropout(options.dropout)
        self.lstm = nn.LSTM(options.d_hidden, options.d_hidden, options.n_layers, batch_first=True, dropout=between)
        self.head = nn.Linear(options.d_hidden, dim)

    def last_layer(self) -> nn.Linear:
        return self.head

    def correction(self, x: Tensor) -> Tensor:
        hidden, _ = self.lstm(self.dropout(self.input(x)))  # (B, T, d_hidden)
        out: Tensor = self.head(hidden)
        return out

    def step(self, x: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        """Return the correction (B, D) after one more chunk `x` (B, D), and the cells' states."""
        hidden, state = self.lstm(self.input(x[:, None]), state)
        return self.head(hidden[:, 0]), state

"""What a training will be, before it starts: its problems all at once, its size, and about how long it takes."""

import functools
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lvm_core.baselines import BASELINES
from lvm_core.config import field_of, fields_of, problems, value_type
from lvm_core.corpus.store import CorpusStore
from lvm_core.dataset import at_most_windows, split_documents
from lvm_core.dataset.splits import HELD_OUT
from lvm_core.errors import CorpusError, LvmError, SettingsError
from lvm_core.json_shapes import Value
from lvm_core.nets import MODELS, build_model
from lvm_core.train import TrainConfig
from lvm_core.train.opening import net_options
from lvm_core.workspace import Workspace, read_json

STATE_BYTES = 16
"""Bytes a parameter takes on disk in all: weights, and the checkpoint's copy with Adam's two moments."""

FLOPS = 6.0
"""Multiply-adds a parameter and position: forward once, backward twice, each a multiplication and an addition."""

MOST_RUNS = 50
DEFAULT_DIM = 384


@dataclass(frozen=True, slots=True)
class Plan:
    """`problems` are sentences; the rest is 0 where it cannot be known because of them.

    `seconds` is for all epochs (an early stop takes less), `n_bytes` what the run will take on disk, `basis`
    what the time was reckoned from.
    """

    problems: list[str] = field(default_factory=list)
    n_parameters: int = 0
    n_windows: int = 0
    n_articles: int = 0
    seconds: float = 0.0
    n_bytes: int = 0
    basis: str = ""


def plan(workspace: Workspace, config: TrainConfig, dim: int) -> Plan:
    """Return what `config` would be; it starts nothing and raises nothing for impossible settings.

    Args:
        workspace: where the corpora are.
        config: may be impossible.
        dim: D of the encoder.
    """
    found = problems(config)
    n_parameters = 0
    if config.model not in MODELS and config.model not in BASELINES:
        found.append(f"model is {config.model!r}; expected one of {', '.join([*MODELS, *BASELINES])}.")
    elif config.model in MODELS:
        n_parameters, wrong = parameters_of(config, dim)
        found += wrong
    n_windows, n_articles, wrong = windows_of(workspace, config)
    found += wrong
    if found:
        return Plan(found, n_parameters, n_windows, n_articles)
    rate, basis = rate_of(workspace, config, n_parameters)
    n_bytes = n_parameters * STATE_BYTES + 400 * config.epochs * max(1, n_windows // 1600)
    seconds = n_windows * config.epochs / rate if config.model in MODELS else 1.0
    return Plan([], n_parameters, n_windows, n_articles, seconds, n_bytes, basis)


def parameters_of(config: TrainConfig, dim: int) -> tuple[int, list[str]]:
    """Return the number of parameters of a net, and what is wrong with its options."""
    import torch

    try:
        with torch.device("meta"):
            return build_model(config.model, dim, None, **net_options(config)).n_parameters(), []
    except SettingsError as error:
        return 0, error.problems
    except (RuntimeError, ValueError, ZeroDivisionError) as error:
        return 0, [
            f"{config.model} cannot be built with {config.options or 'these settings'}: {error}; expected others."
        ]


def windows_of(workspace: Workspace, config: TrainConfig) -> tuple[int, int, list[str]]:
    """Return windows an epoch, training articles, and what is wrong with the corpora."""
    if not config.corpora:
        return 0, 0, ["corpus is empty; expected the name of at least one corpus."]
    store = CorpusStore(workspace)
    held_out = HELD_OUT if field_of(TrainConfig, "held_out").problems(config.held_out) else config.held_out
    n_windows = n_articles = longest = 0
    found: list[str] = []
    for name in config.corpora:
        try:
            train = split_documents(store.documents(name), config.split_seed, held_out)["train"]
            train = at_most_windows(train, max(0, config.windows), config.split_seed)
        except LvmError as error:
            found.append(str(error))
            continue
        n_windows += sum(max(0, d.n_chunks - 1) for d in train)
        n_articles += len(train)
        longest = max([longest, *(d.n_chunks for d in train)])
    if not found and config.context >= longest and config.model in MODELS:
        found.append(
            f"context is {config.context} chunks, and the longest training article has {longest} chunks, of which"
            f" one is the target; expected at most {max(longest - 1, 0)}."
        )
    return n_windows, n_articles, found


def rate_of(workspace: Workspace, config: TrainConfig, n_parameters: int) -> tuple[float, str]:
    """Return windows a second: from the latest run of this net here, else from this machine's arithmetic."""
    for folder in _latest(workspace):
        try:
            result, stored = read_json(workspace.run_result(folder)), read_json(workspace.run_config(folder))
            rate, size = float(result["windows_per_s"]), int(result["n_parameters"])
        except (LvmError, KeyError, TypeError, ValueError):
            continue
        same = result.get("model") == config.model and stored["train"]["context"] == config.context
        if same and rate > 0 and size > 0:
            return rate * size / max(n_parameters, 1), f"from {folder} on this workspace"
    return _flops() / (FLOPS * max(n_parameters, 1)), "from this machine's arithmetic, roughly"


def _latest(workspace: Workspace) -> list[str]:
    if not workspace.runs.is_dir():
        return []
    folders = [f for f in workspace.runs.iterdir() if f.is_dir()]
    return [f.name for f in sorted(folders, key=lambda f: -f.stat().st_mtime)[:MOST_RUNS]]


@functools.cache
def _flops() -> float:
    """Return floating-point operations a second of a middling matrix product, measured once a process (10 ms)."""
    import torch

    a = torch.ones(512, 512)
    torch.mm(a, a)
    start = time.perf_counter()
    for _ in range(10):
        torch.mm(a, a)
    return 0.3 * 10 * 2 * 512**3 / max(time.perf_counter() - start, 1e-6)


def corpus_dim(workspace: Workspace, config: TrainConfig) -> int:
    """Return D of the vectors that `config` trains on; the default encoder's where it cannot be said yet."""
    from lvm_core.spaces import space_to_train_in
    from lvm_core.vectors.matrix import open_matrix

    try:
        encoder_id = space_to_train_in(workspace, config.corpora, config.encoder)
        return open_matrix(workspace, config.corpora[0], encoder_id).dim
    except (CorpusError, SettingsError):
        return DEFAULT_DIM


def option_names() -> dict[str, list[str]]:
    """Return of each net the names of its options."""
    return {name: list(getattr(cls.Options, "__dataclass_fields__", {})) for name, cls in MODELS.items()}


def problems_of(settings: Mapping[str, Value]) -> list[str]:
    """Return what is wrong with mixed settings: numbers out of their limits, words for numbers, impossible options.

    Raises:
        SettingsError: naming what is no setting at all.
    """
    config = config_of(settings)
    cls = MODELS[config.model].Options if config.model in MODELS else None
    limits = {f.name: f for f in fields_of(cls)} if cls else {}
    wrong = [sentence for name, value in config.options.items() for sentence in limits[name].problems(value)]
    return [*problems(config), *wrong]


def config_of(settings: Mapping[str, Value]) -> TrainConfig:
    """Return a `TrainConfig` of mixed settings: what is no field of it is an option of the net.

    Raises:
        SettingsError: naming what neither has.
    """
    fields = set(TrainConfig.__dataclass_fields__)
    given = {k: _typed(k, v) for k, v in settings.items() if k in fields and k != "options"}
    nested = settings.get("options")
    options = {k: v for k, v in settings.items() if k not in fields} | (nested if isinstance(nested, dict) else {})
    model = str(given.get("model", TrainConfig().model))
    known = option_names().get(model, [])
    wrong = [
        f"Unknown setting {name!r}; expected a setting of the training ({', '.join(sorted(fields - {'options'}))})"
        f" or an option of {model} ({', '.join(known) or 'none'})."
        for name in options
        if model in MODELS and name not in known
    ]
    if wrong:
        raise SettingsError(wrong)
    return TrainConfig(**given, options=options)


def _typed(name: str, value: Any) -> Any:
    """Return whole numbers as floats where the field is one: 1 for a learning rate is no mistake."""
    kind, _ = value_type(TrainConfig, name)
    return float(value) if kind is float and isinstance(value, int) and not isinstance(value, bool) else value

"""The JSON objects that one part of the studio writes and another reads, by their keys. It imports nothing.

What only one module makes has its shape there. No key is promised: files are of several versions, and of several ends.
"""

from typing import Any, TypedDict

Json = dict[str, Any]
"""A JSON object as a file, a command or another program gives it: anything may stand in it."""

Value = str | int | float | bool | None | list[Any] | tuple[Any, ...] | Json
"""What a setting or an option of a net can be before it is checked: a word, a number, or several of them."""

Values = dict[str, Value]
"""Settings by name."""


class QueryConfig(TypedDict):
    """The query of a net: how many chunks it reads."""

    context: int


class NetConfig(TypedDict, total=False):
    """A net or a baseline, from which it can be built again; `filter` is the one that a residual net stands on."""

    model: str
    dim: int
    options: Values
    filter: "NetConfig"
    query: QueryConfig


class CorpusSource(TypedDict, total=False):
    """A corpus that a run was trained on, as it was then."""

    name: str
    digest: str
    source: str
    licence: str
    chunker: str
    n_documents: int
    n_chunks: int


class Member(TypedDict):
    """A model of an ensemble and the SHA-256 of its weights."""

    ref: str
    digest: str


class RunConfig(NetConfig, total=False):
    """config.json of a run: the net, what it was trained on, and how (`train` has the settings)."""

    run: str
    kind: str
    n_parameters: int
    context: int
    encoder_id: str
    mean_norm: float
    split_seed: int
    corpora: list[CorpusSource]
    n_articles: dict[str, int]
    n_left_out: int
    train: Values
    baselines: dict[str, float]
    members: list[Member]
    command: str
    code_version: str
    torch: str
    hardware: str
    created: float


class RunResult(TypedDict, total=False):
    """result.json of a run: how its training ended.

    `stopped` is finished, early, paused or nan, `order` what is to be said about the order of its corpora, `scale` how
    much of a residual net's correction is kept.
    """

    run: str
    model: str
    order: list[str]
    n_parameters: int
    n_windows: int
    n_articles: int
    n_validation_windows: int
    n_validation_articles: int
    stopped: str
    epochs: int
    steps: int
    windows: int
    train_s: float
    windows_per_s: float
    val_cosine: float | None
    val_recall_at_5: float | None
    query_recall_at_5: float
    best_epoch: int
    scale: float
    verdict: str
    flags: list[str]
    baselines: dict[str, float]
    nan_step: int
    message: str


class MetricsLine(TypedDict, total=False):
    """A line of metrics.jsonl: means over the steps since the last line, `loss` and `grad_norm` of each term of a loss.

    `val_cosine_told` is that of a net that is told the TMD codes of the chunks to come.

    One that ends an epoch has the validation, and `flag` where one term dominates.
    """

    step: int
    epoch: int
    loss: dict[str, float]
    grad_norm: dict[str, float]
    grad_norm_total: float
    val_cosine: float | None
    val_recall_at_5: float | None
    val_cosine_told: float
    flag: str | None
    scale: float
    baselines: dict[str, float]
    lr: float
    windows_per_s: float
    seconds: float
    left_s: float

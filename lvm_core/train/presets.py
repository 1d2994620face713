"""Settings worth starting from: a few trainings, and the hundred of the seed documents as a sweep."""

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lvm_core.config import named_values
from lvm_core.errors import SettingsError
from lvm_core.json_shapes import Values

PRESETS: dict[str, tuple[str, Values]] = {
    "fast try": (
        "Three epochs at five chunks of context: seconds to a minute on the embedded corpus, to see that all works.",
        {"epochs": 3, "batch_size": 64, "lr": 1e-3, "patience": 3, "log_steps": 10, "validation_windows": 1024},
    ),
    "standard": (
        "Five chunks of context, MSE, AdamW 5e-4 with a cosine schedule, up to 20 epochs, as a correction to the"
        " fitted linear filter.",
        {},
    ),
    "long context": (
        "A hundred chunks of context and cosine loss: a longer memory has so far been worth more than any other net."
        " It raises cosine and lowers retrieval; look at both.",
        {"context": 100, "loss": "cosine", "epochs": 10, "batch_size": 16, "patience": 3, "lr": 3e-4},
    ),
}
"""Name, what it is for, and what differs from the defaults of `TrainConfig`."""


@dataclass(frozen=True, slots=True)
class Week:
    """A line of the schedule: `n_runs` trainings of the first of `nets` that there is, over `vary` in order."""

    week: int
    label: str
    nets: tuple[str, ...]
    n_runs: int
    vary: Mapping[str, tuple[Any, ...]]


_LR = (5e-4, 1e-3, 2e-4, 1e-4)

HUNDRED = (
    Week(1, "LSTM", ("lstm",), 5, {"lr": _LR, "d_hidden": (256, 512, 1024)}),
    Week(1, "GRU", ("gru",), 5, {"lr": _LR, "d_model": (256, 512, 1024)}),
    Week(1, "deeper stacks", ("gru", "lstm"), 5, {"lr": _LR, "n_layers": (4, 5, 6)}),
    Week(2, "Mamba-2", ("mamba2", "mamba-2"), 10, {"lr": _LR, "d_model": (256, 512, 768), "n_layers": (6, 12, 18)}),
    Week(2, "S4", ("s4", "s4d"), 8, {"lr": _LR, "d_model": (256, 512), "n_layers": (4, 6)}),
    Week(2, "RWKV", ("rwkv",), 8, {"lr": _LR, "d_model": (256, 512), "n_layers": (4, 6)}),
    Week(2, "Mamba and attention", ("hybrid", "mamba2-hybrid"), 4, {"lr": _LR, "n_layers": (6, 12)}),
    Week(3, "Transformer over vectors", ("transformer",), 8, {"lr": _LR, "d_model": (256, 512), "n_layers": (4, 6)}),
    Week(3, "Linformer", ("linformer",), 6, {"lr": _LR, "d_model": (256, 512)}),
    Week(3, "Performer", ("performer",), 6, {"lr": _LR, "d_model": (256, 512)}),
    Week(4, "Hyena", ("hyena",), 6, {"lr": _LR, "d_model": (256, 512)}),
    Week(4, "RetNet", ("retnet",), 8, {"lr": _LR, "d_model": (256, 512), "n_layers": (4, 6)}),
    Week(4, "large concept model", ("lcm",), 2, {"lr": _LR, "d_model": (256, 512)}),
    Week(4, "diffusion over vectors, one tower", ("lcm-one-tower",), 2, {"lr": _LR, "d_model": (256, 512)}),
    Week(4, "diffusion over vectors, two towers", ("lcm-two-tower",), 2, {"lr": _LR, "d_model": (256, 512)}),
)
"""Weeks 1 to 4 of the seeds' schedule; week 5 trains the best of them again and joins them."""

BEST_AGAIN = (("best three architectures", 3, 2), ("final validation", 1, 6))
"""Week 5: how many of the best architectures, and with how many further seeds each."""

N_ENSEMBLES = 3
"""Week 5: ensembles of the best; with the runs above fifteen."""


def varied(words: Iterable[str]) -> dict[str, list[Any]]:
    """Return the settings that vary and their values, from words such as lr=0.001,0.0005.

    Raises:
        SettingsError: for words of another form.
    """
    vary: dict[str, list[Any]] = {}
    for word in words:
        name, equals, rest = word.partition("=")
        values = [v.strip() for v in rest.split(";" if ";" in rest else ",") if v.strip()]
        if not equals or not name.strip() or not values:
            raise SettingsError([f"--vary is {word!r}; expected NAME=V1,V2, such as lr=0.001,0.0005."])
        key = name.strip().replace("-", "_")
        vary[key] = [named_values([f"{key}={value}"])[key] for value in values]
    return vary


def grid(vary: Mapping[str, Iterable[Any]]) -> list[Values]:
    """Return every combination of the values in `vary`, the last name changing fastest."""
    names = list(vary)
    return [dict(zip(names, values, strict=True)) for values in itertools.product(*vary.values())]


def hundred(nets: Mapping[str, Iterable[str]]) -> tuple[list[Values], list[str]]:
    """Return the runs of the seeds' schedule for the nets there are, and what was left out and why.

    Args:
        nets: names of the nets there are, and of each the names of its options.

    Returns:
        Settings of each run, in order: fields of `TrainConfig` and net options mixed, or `{"best": k, "seed": s}`
        for a run that repeats the k-th best architecture of the runs before, `{"ensemble": k}` for one that joins the
        best; and one sentence for each line of
        the schedule that has no net yet.
    """
    runs: list[Values] = []
    left_out: list[str] = []
    for week in HUNDRED:
        net = next((name for name in week.nets if name in nets), None)
        if net is None:
            left_out.append(f"week {week.week}: {week.n_runs} runs of {week.label}, for which there is no net yet")
            continue
        known = {name: values for name, values in week.vary.items() if name == "lr" or name in set(nets[net])}
        combinations = itertools.islice(itertools.cycle(enumerate(grid(known))), week.n_runs)
        n_each = len(grid(known))
        for i, (_, settings) in enumerate(combinations):
            again = {"seed": i // n_each} if i >= n_each else {}
            runs.append({"model": net, "week": week.week, "label": week.label, **settings, **again})
    for label, n_best, n_seeds in BEST_AGAIN:
        for k, seed in itertools.product(range(1, n_best + 1), range(1, n_seeds + 1)):
            runs.append({"best": k, "week": 5, "label": label, "seed": seed if n_best > 1 else 100 + seed})
    joined: list[Values] = [{"ensemble": k + 1, "week": 5, "label": "ensemble voting"} for k in range(N_ENSEMBLES)]
    n_final = BEST_AGAIN[-1][1] * BEST_AGAIN[-1][2]
    runs[-n_final:-n_final] = joined  # before the final validation, as in the schedule
    return runs, left_out

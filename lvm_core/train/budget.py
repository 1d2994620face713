"""A sweep within a budget of minutes: the same cut for every run, so that they stay comparable."""

import math
from dataclasses import dataclass

from lvm_core.errors import SettingsError
from lvm_core.json_shapes import Value, Values
from lvm_core.nets import MODELS
from lvm_core.train.plan import config_of, parameters_of, rate_of, windows_of
from lvm_core.train.sweep import Child, Sweep, is_again, settings_of
from lvm_core.workspace import Workspace

WIDTHS = ("d_model", "d_hidden")
CUTS = ((1.0, 20), (1.0, 10), (1.0, 5), (0.5, 5), (0.5, 3), (0.25, 3), (0.25, 2), (0.125, 2))
"""What is tried in turn: width as a share of what was asked for, and passes at most."""

FEWEST_WINDOWS = 2_000
SMALLEST_WIDTH = 32
OVERHEAD_S = 8.0
"""Seconds of a run beside its steps: opening, the filter's fit, validation, the query."""


@dataclass(frozen=True, slots=True)
class Cut:
    """How much smaller every run becomes; `seconds` is what all of them are reckoned to take then."""

    width: float
    epochs: int
    windows: int
    seconds: float


def fit_into(workspace: Workspace, sweep: Sweep, dim: int, minutes: float) -> Cut:
    """Make the runs of `sweep` smaller until all of them are reckoned to end within `minutes`; return what was cut.

    Passes first, then widths, then training windows. While it runs, passes are cut further where the reckoning was
    too low (`epochs_left`).

    Raises:
        SettingsError: if the budget is no positive number, or even the smallest runs would take longer.
    """
    if not (math.isfinite(minutes) and minutes > 0):
        raise SettingsError([f"budget is {minutes}; expected minutes, above 0."])
    first = [child for child in sweep.children if not is_again(child)]
    n_windows = windows_of(workspace, settings_of(sweep, first[0]))[0] if first else 0
    left = minutes * 60 - OVERHEAD_S * len(sweep.children)
    asked = config_of({k: v for k, v in sweep.base.items() if k == "epochs"}).epochs
    for width, passes in CUTS:
        per_window = _seconds_a_window(workspace, sweep, first, dim, width) * len(sweep.children) / max(len(first), 1)
        epochs = min(passes, asked)
        whole = per_window * n_windows * epochs
        if whole <= left:
            return _apply(sweep, dim, Cut(width, epochs, 0, whole + OVERHEAD_S * len(sweep.children)))
    windows = int(left / (per_window * epochs)) if left > 0 else 0
    if windows < FEWEST_WINDOWS:
        least = (per_window * epochs * FEWEST_WINDOWS + OVERHEAD_S * len(sweep.children)) / 60
        raise SettingsError(
            [
                f"budget is {minutes:g} minutes; expected at least {math.ceil(least)} for {len(sweep.children)} runs"
                f" over {FEWEST_WINDOWS:,} windows each. Give more, or fewer runs with --most."
            ]
        )
    return _apply(sweep, dim, Cut(width, epochs, min(windows, n_windows), minutes * 60))


def _seconds_a_window(workspace: Workspace, sweep: Sweep, children: list[Child], dim: int, width: float) -> float:
    total = 0.0
    for child in children:
        small = Child(child.run, narrower(child.settings, dim, width))
        config = settings_of(sweep, small)
        n_parameters, wrong = parameters_of(config, dim)
        if wrong:
            raise SettingsError([f"{child.run}: {sentence}" for sentence in wrong])
        total += 1 / rate_of(workspace, config, n_parameters)[0]
    return total


def narrower(settings: Values, dim: int, share: float) -> Values:
    """Return the settings of a run with its widths cut to `share`: multiples of 32, which heads divide."""
    cls = MODELS.get(str(settings.get("model")))
    if share >= 1 or cls is None or cls.Options is None:
        return settings
    defaults = cls.Options()
    changed: dict[str, Value] = {}
    for name in WIDTHS:
        if hasattr(defaults, name):
            asked = int(str(settings.get(name, getattr(defaults, name)))) or dim
            changed[name] = max(SMALLEST_WIDTH, round(asked * share / SMALLEST_WIDTH) * SMALLEST_WIDTH)
    if getattr(defaults, "n_heads", None) and "d_model" in changed:
        changed["n_heads"] = max(1, int(str(changed["d_model"])) // 32)
    if getattr(defaults, "d_ff", None) and "d_model" in changed:
        changed["d_ff"] = 2 * int(str(changed["d_model"]))
    return {**settings, **changed}


def _apply(sweep: Sweep, dim: int, cut: Cut) -> Cut:
    sweep.base = {**sweep.base, "epochs": cut.epochs, **({"windows": cut.windows} if cut.windows else {})}
    for child in sweep.children:
        if not is_again(child):
            child.settings = narrower(child.settings, dim, cut.width)
    return cut

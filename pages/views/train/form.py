"""The form of a training: made from the settings' dataclasses, one widget a field, all problems at once."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from lvm_core.config import value_type
from lvm_core.train import TrainConfig
from lvm_core.train.presets import PRESETS
from pages.shared import state

DRAFT, TURN, OPTIONS, PRESET = "train_draft", "train_turn", "train_options", "train_preset"
"""Session keys: settings as they stand, the generation of their widgets, net options by net, the preset taken."""

GROUPS: dict[str, tuple[str, ...]] = {
    "Schedule": ("epochs", "batch_size", "lr", "weight_decay", "warmup", "clip", "patience", "seed"),
    "Loss": ("loss", "share", "balance", "temperature"),
}
"""Fields shown together; what is in no group stands under "More", so that a new setting is never lost."""

FIRST = ("model", "corpus", "context", "residual")
HIDDEN = ("options",)
NET_HIDDEN = ("residual", "context")
"""Options of a net that the training sets from its own."""


def draft() -> dict[str, Any]:
    """Return the settings as they stand, kept while the session moves between pages."""
    fresh = {f.name: getattr(TrainConfig(), f.name) for f in dataclasses.fields(TrainConfig)}
    found: dict[str, Any] = st.session_state.setdefault(DRAFT, fresh)
    return found


def options_of(model: str) -> dict[str, Any]:
    """Return the options chosen for `model`, kept when another net is looked at in between."""
    every: dict[str, dict[str, Any]] = st.session_state.setdefault(OPTIONS, {})
    return every.setdefault(model, {})


def take(values: Mapping[str, Any], keep: Sequence[str] = ()) -> None:
    """Put `values` into the form over the defaults; fields named in `keep` stay as they are."""
    now = draft()
    standard = TrainConfig()
    for f in dataclasses.fields(TrainConfig):
        if f.name not in keep:
            now[f.name] = values.get(f.name, getattr(standard, f.name))
    options = values.get("options") or {}
    if options:
        st.session_state.setdefault(OPTIONS, {})[str(now["model"])] = dict(options)
    now["options"] = {}
    st.session_state[TURN] = st.session_state.get(TURN, 0) + 1


def take_preset() -> None:
    """Apply the preset that was just chosen; net, corpora, encoder and seeds stay."""
    name = st.session_state.get(f"preset:{st.session_state.get(TURN, 0)}")
    if name in PRESETS:
        st.session_state[PRESET] = name
        take(PRESETS[name][1], keep=("model", "corpus", "encoder", "seed", "split_seed", "device"))


def config() -> TrainConfig:
    """Return the settings as they stand, which may be impossible; net options only where they differ."""
    now = draft()
    chosen = options_of(str(now["model"]))
    standard = {f.name: f.default for f in _option_fields(str(now["model"]))}
    options = {k: v for k, v in chosen.items() if v != standard.get(k, object())}
    return TrainConfig(**{**now, "options": options})


def _option_fields(model: str) -> list[dataclasses.Field[Any]]:
    from lvm_core.baselines import BASELINES
    from lvm_core.nets import MODELS

    known: dict[str, Any] = {**BASELINES, **MODELS}
    options = getattr(known.get(model), "Options", None)
    if options is None:
        return []
    hidden = NET_HIDDEN if model in MODELS else ("context",)
    return [f for f in dataclasses.fields(options) if f.name not in hidden]


def show() -> None:
    """Show the form; `config()` then says what it holds."""
    turn = st.session_state.get(TURN, 0)
    st.segmented_control(
        "Start from",
        list(PRESETS),
        default=st.session_state.get(PRESET),
        key=f"preset:{turn}",
        on_change=take_preset,
        help="\n".join(f"- **{name}**: {about}" for name, (about, _) in PRESETS.items()),
    )
    _first()
    fields = {f.name: f for f in dataclasses.fields(TrainConfig)}
    _net()
    for title, names in GROUPS.items():
        _group(title, [fields[n] for n in names if n in fields], opened=title == "Schedule")
    shown = {*FIRST, *HIDDEN, *(n for names in GROUPS.values() for n in names)}
    _group("More", [f for name, f in fields.items() if name not in shown], opened=False)


def _first() -> None:
    """What, on what, and how far back: always in sight."""
    from lvm_core.baselines import BASELINES
    from lvm_core.nets import MODELS

    now = draft()
    turn = st.session_state.get(TURN, 0)
    names = [*MODELS, *BASELINES]
    left, right = st.columns(2)
    with left:
        at = names.index(now["model"]) if now["model"] in names else 0
        help_text = "The net to train, or a baseline to fit in closed form. " + _about(str(now["model"]))
        now["model"] = st.selectbox("net", names, index=at, key=f"form:model:{turn}", help=help_text)
    with right:
        field = {f.name: f for f in dataclasses.fields(TrainConfig)}["context"]
        now["context"] = _widget(field, TrainConfig, now["context"], f"form:context:{turn}")
    there = [c.name for c in state.corpora()]
    chosen = [c for c in TrainConfig(corpus=str(now["corpus"])).corpora if c in there] or there[:1]
    picked = st.multiselect(
        "corpora", there, default=chosen, key=f"form:corpus:{turn}:{len(there)}",
        help="Articles to train on, of one or several corpora. Split by article: 80 train, 10 validate, 10 test.",
    )  # fmt: skip
    now["corpus"] = ",".join(picked)
    if now["model"] in MODELS:
        field = {f.name: f for f in dataclasses.fields(TrainConfig)}["residual"]
        now["residual"] = _widget(field, TrainConfig, now["residual"], f"form:residual:{turn}")


def _about(model: str) -> str:
    from lvm_core.nets import MODELS

    return ((MODELS[model].__doc__ or "").strip().splitlines() or [""])[0] if model in MODELS else ""


def _net() -> None:
    model = str(draft()["model"])
    fields = _option_fields(model)
    if not fields:
        return
    from lvm_core.baselines import BASELINES
    from lvm_core.nets import MODELS

    cls = {**BASELINES, **MODELS}[model].Options
    values = options_of(model)
    turn = st.session_state.get(TURN, 0)
    with st.expander(f"Net: {model}", expanded=False):
        for pair in _pairs(fields):
            for column, f in zip(st.columns(2), pair, strict=False):
                with column:
                    key = f"net:{model}:{f.name}:{turn}"
                    values[f.name] = _widget(f, cls, values.get(f.name, f.default), key)


def _group(title: str, fields: Sequence[dataclasses.Field[Any]], opened: bool) -> None:
    now = draft()
    turn = st.session_state.get(TURN, 0)
    with st.expander(title, expanded=opened):
        for pair in _pairs(fields):
            for column, f in zip(st.columns(2), pair, strict=False):
                with column:
                    now[f.name] = _widget(f, TrainConfig, now[f.name], f"form:{f.name}:{turn}")


def _pairs(fields: Sequence[dataclasses.Field[Any]]) -> list[Sequence[dataclasses.Field[Any]]]:
    return [fields[i : i + 2] for i in range(0, len(fields), 2)]


def help_of(f: dataclasses.Field[Any]) -> str:
    """Return what a field means, its limits and its default."""
    low, high = f.metadata.get("low"), f.metadata.get("high")
    parts = [f"{f.metadata.get('help', '')}."]
    if low is not None and high is not None:
        parts.append(f"From {low:g} to {high:g}.")
    elif low is not None:
        parts.append(f"At least {low:g}.")
    parts.append(f"Default: {f.default}.")
    return " ".join(parts)[:1].upper() + " ".join(parts)[1:]


def _widget(f: dataclasses.Field[Any], cls: type[Any], value: Any, key: str) -> Any:
    """Show one field. Limits are not enforced here, so that all problems can be said at once and in words."""
    kind, _ = value_type(cls, f.name)
    unit = f.metadata.get("unit")
    label = f.name.replace("_", " ") + (f" [{unit}]" if unit else "")
    choices = f.metadata.get("choices")
    if choices:
        at = list(choices).index(value) if value in choices else 0
        return st.selectbox(label, choices, index=at, key=key, help=help_of(f))
    if kind is bool:
        return st.toggle(label, value=bool(value), key=key, help=help_of(f))
    if kind is int:
        return int(st.number_input(label, value=int(value), step=1, key=key, help=help_of(f)))
    if kind is float:
        return _float(label, float(value), key, f)
    return st.text_input(label, value=str(value), key=key, help=help_of(f))


def _float(label: str, value: float, key: str, f: dataclasses.Field[Any]) -> float:
    step = 10.0 ** (len(f"{value:.0e}".split("e")[0]) - 2 + int(f"{value:.0e}".split("e")[1])) if value else 0.01
    return float(st.number_input(label, value=value, step=step, format="%g", key=key, help=help_of(f)))

"""The form of a training: what, on what and how, made from the settings; all problems are said at once."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from lvm_core.baselines import BASELINES
from lvm_core.config import Field, fields_of
from lvm_core.nets import MODELS
from lvm_core.train import TrainConfig
from lvm_core.train.presets import PRESETS
from pages.shared import form, state
from pages.shared.address import Address
from pages.shared.form import Look

GROUPS: dict[str, tuple[str, ...]] = {
    "Schedule": ("epochs", "batch_size", "lr", "weight_decay", "warmup", "clip", "patience", "seed"),
    "Loss": ("loss", "share", "balance", "temperature"),
}
"""Fields shown together; what is in no group stands under "More", so that a new setting is never lost."""

FIRST = ("model", "context", "corpus", "residual")
KEPT_BY_A_PRESET = ("model", "corpus", "encoder", "seed", "split_seed", "device", "options")
SET_BY_THE_TRAINING = ("residual", "context")
"""Options of a net that the training sets from its own."""


def take(at: Address, values: Mapping[str, Any], keep: Sequence[str] = ()) -> None:
    """Put `values` into the form over the defaults; fields named in `keep` stay as they are."""
    for f in fields_of(TrainConfig):
        if f.name not in (*keep, "options"):
            at.put(f.name, values.get(f.name, f.default))
    if "options" not in keep:
        model = str(values.get("model", TrainConfig().model))
        for f in option_fields(model):
            at.within(model).put(f.name, (values.get("options") or {}).get(f.name, f.default))


def config(at: Address) -> TrainConfig:
    """Return the settings as they stand, which may be impossible; net options only where they differ."""
    settings = at.settings(TrainConfig, options={})
    chosen = at.within(settings.model)
    for f in option_fields(settings.model):
        value = chosen.value_of(f)
        if value != f.default:
            settings.options[f.name] = value
    return settings


def option_fields(model: str) -> list[Field]:
    """Return the options of a net or baseline that a person chooses."""
    options = getattr({**BASELINES, **MODELS}.get(model), "Options", None)
    hidden = SET_BY_THE_TRAINING if model in MODELS else ("context",)
    return [f for f in fields_of(options) if f.name not in hidden] if options else []


def show(at: Address) -> None:
    """Show the form; `config` then says what it holds."""
    st.segmented_control(
        "Start from",
        list(PRESETS),
        key=at.key("preset", None, list(PRESETS), linked=False),
        on_change=_take_preset,
        args=(at,),
        help="\n".join(f"- **{name}**: {about}" for name, (about, _) in PRESETS.items()),
    )
    _first(at)
    model = at.settings(TrainConfig, options={}).model
    if options := option_fields(model):
        with st.expander(f"Net: {model}"):
            form.widgets(options, at.within(model))
    for title, names in GROUPS.items():
        with st.expander(title, expanded=title == "Schedule"):
            form.fields(TrainConfig, at, names, options={})
    shown = {*FIRST, "options", *(name for names in GROUPS.values() for name in names)}
    with form.more():
        form.fields(TrainConfig, at, [f.name for f in fields_of(TrainConfig) if f.name not in shown], options={})


def _take_preset(at: Address) -> None:
    name = at.value("preset", None, list(PRESETS), linked=False)
    if name in PRESETS:
        take(at, PRESETS[name][1], keep=KEPT_BY_A_PRESET)


def _first(at: Address) -> None:
    """What, on what, and how far back: always in sight."""
    model = at.settings(TrainConfig, options={}).model
    corpora = [corpus.name for corpus in state.corpora()]
    looks = {
        "model": Look(among=[*MODELS, *BASELINES], help=f"The net to train, or a baseline to fit. {_about(model)}"),
        "corpus": Look(
            "multiselect",
            corpora,
            [name for name in TrainConfig().corpora if name in corpora] or corpora[:1],
            help="Articles to train on, of one or several corpora. Split by article: 80 train, 10 validate, 10 test.",
        ),
    }
    form.fields(TrainConfig, at, FIRST if model in MODELS else FIRST[:-1], looks, options={})


def _about(model: str) -> str:
    return ((MODELS[model].__doc__ or "").strip().splitlines() or [""])[0] if model in MODELS else ""

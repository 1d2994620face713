"""What to predict with: models, snap, decoder and steps. Every choice stands in the address."""

from dataclasses import dataclass, fields, replace
from typing import Any

import streamlit as st

from lvm_core.checkpoint import UNFITTED, ModelInfo
from lvm_core.decode.checks import AdaptiveSettings
from lvm_core.decode.decoders import DECODERS, available_decoders
from lvm_core.predict import PASSTHROUGH, PredictSettings
from lvm_core.predict.settings import SNAPS
from lvm_core.shipped import first_models
from lvm_core.snap import SnapSettings
from pages.shared import state

MODELS, SNAP, CORPUS, DECODER, STEPS, SMOOTH, K, BLEND = (
    f"p_{name}" for name in ("models", "snap", "corpus", "decoder", "steps", "smooth", "k", "blend")
)
KEYS = (MODELS, SNAP, CORPUS, DECODER, STEPS, SMOOTH, K, BLEND)
LADDER = "ladder"
STEP_CHOICES = (LADDER, "0", "1", "2", "3", "5", "8", "12", "20")
AUTO, NO_DECODER = "auto", "none"
SMOOTH_NAMES = {"off": "off", "smollm2": "SmolLM2 (embedded)", "endpoint": "endpoint (LVM_LLM_URL)"}


@dataclass(frozen=True, slots=True)
class Asked:
    """Everything that was chosen: `variants` are the snap switch's positions to show, side by side."""

    models: tuple[str, ...]
    variants: tuple[bool, ...]
    corpus: str | None
    settings: PredictSettings


def model_names(infos: list[ModelInfo]) -> list[str]:
    """Return every model that can be chosen: shipped nets, runs, baselines, and no model at all."""
    nets = [info.ref for info in infos if info.kind != "baseline"]
    fitted = [info.ref for info in infos if info.kind == "baseline"]
    return [*nets, *fitted, *UNFITTED, PASSTHROUGH]


def show() -> Asked:
    """Show the choices and return them."""
    infos = state.models()
    st.multiselect(
        "Models", model_names(infos), default=[*first_models(infos), PASSTHROUGH], key=MODELS, bind="query-params",
        help="Shipped models, your runs, and the trivial rules they must beat. passthrough: no model; the last chunk's"
        " own vector is decoded, the ceiling of what text can come back.",
    )  # fmt: skip
    left, right = st.columns([1, 1.4])
    with left:
        snap = st.segmented_control(
            "Snap", SNAPS, default="both", required=True, key=SNAP, bind="query-params",
            help="Pull the predicted vector onto the chunks of the corpus before it is decoded: text that reads better,"
            " paid for with accuracy. Both: with and without, side by side.",
        )  # fmt: skip
    with right:
        steps = st.select_slider(
            "Steps", STEP_CHOICES, value=LADDER, key=STEPS, bind="query-params",
            help="Corrections of the text after the first hypothesis. Ladder: 1, then 3, then 5, until the text passes"
            " its checks; else the nearest real chunk.",
        )  # fmt: skip
    with st.expander("Decoder, corpus, snap weights, checks, smoothing"):
        decoder, corpus = _decoder_and_corpus()
        snapping, adaptive, smooth, exclude = _more()
    settings = PredictSettings(
        snap=snap or "both",
        decoder=decoder,
        steps=None if steps == LADDER else int(steps),
        smooth=smooth,
        exclude=exclude,
        snapping=snapping,
        adaptive=adaptive,
    )
    variants = {"off": (False,), "on": (True,), "both": (False, True)}[snap or "both"]
    if not state.encoded_corpora():
        variants = (False,)
    return Asked(tuple(st.session_state[MODELS]), variants, None if corpus == AUTO else corpus, settings)


def _decoder_and_corpus() -> tuple[str, str]:
    here = available_decoders(state.workspace(), state.encoder_id())
    left, right = st.columns(2)
    with left:
        decoder = st.selectbox(
            "Decoder", [AUTO, *here, NO_DECODER], key=DECODER, bind="query-params",
            format_func=lambda name: f"auto ({here[0]})" if name == AUTO and here else name,
            help="What writes text from a vector. " + " ".join(f"{name}: {DECODERS[name].about}." for name in here),
        )  # fmt: skip
    with right:
        corpus = st.selectbox(
            "Corpus", [AUTO, *(info.name for info in state.encoded_corpora())], key=CORPUS, bind="query-params",
            help="Where neighbours and real chunks come from. auto: the corpus of the context, else the largest.",
        )  # fmt: skip
    return decoder or AUTO, corpus or AUTO


def _more() -> tuple[SnapSettings, AdaptiveSettings, str, str]:
    left, right = st.columns(2)
    with left:
        k = st.slider("Neighbours K", 1, 64, SnapSettings().k, key=K, bind="query-params", help=_help("k"))
    with right:
        blend = st.slider(
            "Snap strength", 0.0, 1.0, SnapSettings().strength, 0.05, key=BLEND, bind="query-params",
            help="0: the raw prediction, 1: the snap in full, as in the seeds; measured, a quarter costs nothing.",
        )  # fmt: skip
    snapping = _numbers(SnapSettings(k=k, strength=blend), skip=("k", "strength"))
    adaptive = _numbers(AdaptiveSettings(), skip=("ladder", "need_keyword", "keep_best"))
    keyword = st.toggle("a text must share a keyword with the context", value=False, key="need_keyword")
    exclude = st.selectbox(
        "Not allowed as neighbours", ("auto", "context", "article"), key="exclude",
        help=str(PredictSettings.__dataclass_fields__["exclude"].metadata["help"]),
    )  # fmt: skip
    smooth = st.selectbox(
        "Smoothing by a language model", list(SMOOTH_NAMES), format_func=SMOOTH_NAMES.__getitem__,
        key=SMOOTH, bind="query-params",
        help="Rewrites the decoded text into one clean sentence in the light of the context; both are shown.",
    )  # fmt: skip
    return snapping, replace(adaptive, need_keyword=keyword), smooth or "off", exclude or "auto"


def _help(name: str) -> str:
    return str(SnapSettings.__dataclass_fields__[name].metadata["help"])


def _numbers(settings: Any, skip: tuple[str, ...]) -> Any:
    """Show one number input a field of a settings dataclass and return it with what was chosen."""
    shown = [f for f in fields(settings) if f.name not in skip]
    columns = st.columns(2)
    chosen = {}
    for i, f in enumerate(shown):
        with columns[i % 2]:
            chosen[f.name] = st.number_input(
                f.name.replace("_", " "), f.metadata["low"] * 1.0, f.metadata["high"] * 1.0, f.default * 1.0, 0.05,
                key=f"setting-{f.name}", help=f"{f.metadata['help']} [{f.metadata['unit']}]",
            )  # fmt: skip
    return replace(settings, **chosen)

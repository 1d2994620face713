"""What to predict with: models, snap, decoder and corrections. Every choice stands in the address."""

import os
from dataclasses import dataclass, replace

import streamlit as st

from lvm_core.checkpoint import UNFITTED
from lvm_core.config import field_of
from lvm_core.corpus.tmd.codes import DOMAIN_NAMES, MODIFIER_NAMES, TASK_NAMES
from lvm_core.decode.checks import PRESETS, AdaptiveSettings
from lvm_core.decode.decoders import DECODERS
from lvm_core.leaderboard.first import first_models
from lvm_core.library import ModelSummary, Space
from lvm_core.predict import PASSTHROUGH, PredictSettings
from lvm_core.predict.model import SAMPLED, TOLD, with_samples
from lvm_core.predict.settings import NO_DECODER, SNAPS
from lvm_core.snap import SnapSettings
from pages.shared import asked, form
from pages.shared.address import Address
from pages.shared.form import Look

LADDER, AUTO, UNTOLD = "ladder", "auto", "not told"
STEP_CHOICES = (LADDER, "1 s", "3 s", "10 s", "30 s", "0", "1", "2", "3", "5", "8", "12", "20")
SMOOTH_NAMES = {"off": "off", "smollm2": "SmolLM2 (embedded)", "endpoint": "endpoint (LVM_LLM_URL)"}
CHECKS = tuple(name for name in AdaptiveSettings.__dataclass_fields__ if name != "ladder")
STRENGTH_HELP = (
    "0: the raw prediction, 1: the snap in full, as in the seeds. Measured, a quarter costs nothing in cosine and a"
    " little in recall: Recall@5 falls from .142 to .137."
)
WEIGHTS = tuple(name for name in SnapSettings.__dataclass_fields__ if name not in ("k", "strength"))


@dataclass(frozen=True, slots=True)
class Choices:
    """Everything that was chosen to predict with."""

    models: tuple[str, ...]
    corpus: str | None
    settings: PredictSettings


def model_names(infos: list[ModelSummary]) -> list[str]:
    """Return every model that can be chosen: shipped nets, runs, baselines, and no model at all."""
    nets = [info.ref for info in infos if info.kind != "baseline"]
    fitted = [info.ref for info in infos if info.kind == "baseline"]
    return [*nets, *fitted, *UNFITTED, PASSTHROUGH]


def show(at: Address) -> Choices:
    """Show the choices and return them."""
    space = asked.space()
    names = model_names(space.models)
    usual = [name for name in [*first_models(space.models), PASSTHROUGH] if name in names]
    models = st.multiselect(
        "Models", names, key=at.key("p_models", usual, names),
        help="Shipped models, your runs, and the trivial rules they must beat. passthrough: no model; the last chunk's"
        " own vector is decoded, the ceiling of what text can come back.",
    )  # fmt: skip
    left, right = st.columns([1, 1.4])
    snap = left.segmented_control(
        "Snap", SNAPS, required=True, key=at.key("p_snap", "both", SNAPS),
        help="Pull the predicted vector onto the chunks of the corpus before it is decoded: text that reads better,"
        " paid for with accuracy. Both: with and without, side by side.",
    )  # fmt: skip
    steps = right.select_slider(
        "Corrections", STEP_CHOICES, key=at.key("p_steps", LADDER, STEP_CHOICES),
        help="Corrections of the text after the first hypothesis. Ladder: 1, then 3, then 5, until the text passes"
        " its checks; the best of all attempts is shown. Seconds: corrections for so long a text.",
    )  # fmt: skip
    with st.expander("Decoder, corpus, snap weights, checks, smoothing"):
        decoder, corpus = _decoder_and_corpus(at, space)
        k, strength = st.columns(2)
        with k:
            form.widget(field_of(SnapSettings, "k"), at, Look("slider", high=64, label="Snap neighbours"))
        with strength:
            form.widget(
                field_of(SnapSettings, "strength"), at, Look("slider", label="Snap strength", help=STRENGTH_HELP)
            )
        snapping = form.fields(SnapSettings, at, WEIGHTS)
        adaptive = _checks(at)
        exclude, smooth = _exclude_and_smooth(at)
        nets = {info.ref: info.name for info in space.models}
        tmd, n_samples = _kind_and_samples(at, [nets.get(name, name) for name in models])
    settings = PredictSettings(
        snap=snap or "both",
        decoder=decoder,
        steps=int(steps) if steps.isdigit() else None,
        budget_ms=1000 * int(steps.split()[0]) if steps.endswith(" s") else None,
        smooth=smooth,
        exclude=exclude,
        tmd=tmd,
        snapping=snapping,
        adaptive=adaptive,
    )
    models = with_samples(models, nets, n_samples)
    return Choices(tuple(models), None if corpus == AUTO else corpus, settings)


def _kind_and_samples(at: Address, nets: list[str]) -> tuple[str, int]:
    """Show what nets can be told of the chunk to come, and how many samples are shown of those that have some."""
    tmd, n_samples = "", 0
    if not TOLD.isdisjoint(nets):
        domain, task, modifier = st.columns(3)
        names = [UNTOLD, *DOMAIN_NAMES]
        first = domain.selectbox(
            "Kind of chunk to come", names, key=at.key("p_domain", UNTOLD, names),
            help="What a net that was trained with TMD codes is told of the next chunk. Others are not told.",
        )  # fmt: skip
        if first not in (None, UNTOLD):
            second = task.selectbox("Task", TASK_NAMES, key=at.key("p_task", TASK_NAMES[0], TASK_NAMES))
            third = modifier.selectbox(
                "Modifier", MODIFIER_NAMES, key=at.key("p_modifier", MODIFIER_NAMES[0], MODIFIER_NAMES)
            )
            tmd = f"{first}/{second}/{third}"
    if not SAMPLED.isdisjoint(nets):
        counts = [0, 1, 2, 3, 4]
        n_samples = st.select_slider(
            "Samples", counts, key=at.key("p_samples", 0, counts),
            help="Texts of single samples beside that of their mean, for nets that predict a distribution.",
        )  # fmt: skip
    return tmd, n_samples


def _decoder_and_corpus(at: Address, space: Space) -> tuple[str, str]:
    here = [name for name in space.decoders if name in DECODERS]
    choices = [AUTO, *here, NO_DECODER]
    corpora = [AUTO, *(info.name for info in space.corpora)]
    left, right = st.columns(2)
    decoder = left.selectbox(
        "Decoder", choices, key=at.key("p_decoder", AUTO, choices),
        format_func=lambda name: f"auto ({here[0]})" if name == AUTO and here else name,
        help="What writes text from a vector. " + " ".join(f"{name}: {DECODERS[name].about}." for name in here),
    )  # fmt: skip
    corpus = right.selectbox(
        "Corpus", corpora, key=at.key("p_corpus", AUTO, corpora),
        help="Where neighbours and real chunks come from. auto: the corpus of the context, else the largest.",
    )  # fmt: skip
    return decoder or AUTO, corpus or AUTO


def _checks(at: Address) -> AdaptiveSettings:
    """Show what a text must pass; each preset has thresholds of its own to start from."""
    preset = st.segmented_control(
        "Checks of a text", list(PRESETS), required=True, key=at.key("p_checks", "studio", list(PRESETS)),
        help="studio: the topic is the encoder's cosine of text and context, and the best of all attempts is shown."
        " seeds: a text must share a keyword with the context; the first that passes is shown, else the nearest real"
        " chunk.",
    )  # fmt: skip
    limits = PRESETS[preset or "studio"]
    looks = {name: Look(start=getattr(limits, name)) for name in CHECKS}
    part = at.within(preset or "studio")
    return replace(form.fields(AdaptiveSettings, part, CHECKS, looks), ladder=limits.ladder)


def _exclude_and_smooth(at: Address) -> tuple[str, str]:
    left, right = st.columns(2)
    with left:
        exclude = form.widget(
            field_of(PredictSettings, "exclude"), at, Look("select", label="Not allowed as neighbours")
        )
    smoothers = [name for name in SMOOTH_NAMES if name != "endpoint" or os.environ.get("LVM_LLM_URL")]
    smooth = right.selectbox(
        "Smoothing by a language model", smoothers, format_func=SMOOTH_NAMES.__getitem__,
        key=at.key("p_smooth", "off", smoothers),
        help="Rewrites the decoded text into one clean sentence in the light of the context; both are shown.",
    )  # fmt: skip
    return exclude, smooth or "off"

"""What was predicted before, to go back to; and what is there now, to take along: JSON, CSV, Markdown, a link."""

import json
import time
from urllib.parse import urlencode

import streamlit as st

from lvm_core.predict import Prediction, to_json
from lvm_core.predict.report import to_csv, to_markdown
from pages.shared import ui
from pages.views.predict import context
from pages.views.predict.run import RUN, Run

HISTORY = "predict_history"
MOST = 20


def remember(run: Run) -> None:
    """Keep a prediction, the newest first; one that goes on stays where it is."""
    runs: list[Run] = st.session_state.get(HISTORY, [])
    if run not in runs:
        st.session_state[HISTORY] = [run, *runs][:MOST]


def show(run: Run) -> None:
    """Show what can be done with a prediction as a whole."""
    runs: list[Run] = st.session_state.get(HISTORY, [])
    predictions = [run.predictions[card] for card in run.cards if card in run.predictions]
    with st.container(horizontal=True, key="predict-actions"):
        if len(runs) > 1:
            with st.popover(f"Before ({len(runs) - 1})", icon=":material/history:", type="tertiary"):
                for i, earlier in enumerate(r for r in runs if r is not run):
                    at = time.strftime("%H:%M:%S", time.localtime(earlier.begun))
                    st.button(
                        ui.plain(f"{at} · {_short(earlier.texts[-1])} · {len(earlier.choices.models)} models"),
                        key=f"before-{i}", type="tertiary", on_click=_go_back, args=(earlier,),
                    )  # fmt: skip
        if predictions:
            _exports(run, predictions)
        with st.popover("Share", icon=":material/link:", type="tertiary"):
            st.caption("This address brings context, choices and prediction back, in any browser that reaches the app.")
            st.code(_address(), language=None, wrap_lines=True)


def _short(text: str, most: int = 48) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def _exports(run: Run, predictions: list[Prediction]) -> None:
    encoder = predictions[0].context.encoder_id
    files = {
        "JSON": (lambda: json.dumps(to_json(predictions, len(run.texts), encoder), indent=1), "application/json"),
        "CSV": (lambda: to_csv(predictions), "text/csv"),
        "Markdown": (lambda: to_markdown(predictions), "text/markdown"),
    }
    endings = {"JSON": "json", "CSV": "csv", "Markdown": "md"}
    with st.popover("Export", icon=":material/download:", type="tertiary"):
        for name, (data, mime) in files.items():
            st.download_button(
                name, data, f"prediction.{endings[name]}", mime, type="tertiary", key=f"export-{name}",
                on_click="ignore",
            )  # fmt: skip


def _address() -> str:
    return f"{st.context.url}?{urlencode(st.query_params.to_dict())}"


def _go_back(run: Run) -> None:
    """Show an earlier prediction, with the context that it was made of."""
    context.save()
    if run.origin is not None:
        context.load(run.origin)
    else:
        context.fill(run.texts)
        st.session_state[context.ORIGIN] = None
    st.session_state[RUN] = run

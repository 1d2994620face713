"""The first sight of the page: what this is in three sentences, and one prediction that was made before."""

import html

import streamlit as st

from lvm_core.library import worked
from lvm_core.library.worked import StoredPrediction
from pages.shared.glossary import term
from pages.views.predict import cards, editor
from pages.views.predict.origin import examples


def what_this_is() -> str:
    """Return what the page is for, as HTML."""
    return (
        '<div class="lvm-what">'
        f"<p>A {term('latent vector model')} reads the vectors of the last few {term('chunk', 'chunks')} of a text and"
        " predicts the vector of the next one.</p>"
        f"<p>An {term('encoder')} makes the vectors, a {term('decoder')} puts the predicted one back into words, raw or"
        f" after a {term('snap')} onto real chunks.</p>"
        f"<p>Read each model beside the {term('linear filter', 'trivial rules')}, {term('passthrough')} and, where it"
        " is known, the true next chunk.</p></div>"
    )


def show() -> None:
    """Show the worked example; a press makes it live."""
    stored = worked.load()
    name, example = stored.example, examples()[stored.example]
    with st.container(border=True, key="worked-example"):
        st.html(
            f'<div class="lvm-label">A worked example, shipped with the studio: {html.escape(name)},'
            f" {html.escape(editor.SPLIT_NAMES[example.split])} article</div>"
            f'<ol class="lvm-context-list">{"".join(f"<li>{html.escape(t)}</li>" for t in example.texts)}</ol>'
            '<div class="lvm-label">true next chunk</div>'
            f'<p class="lvm-worked lvm-edge-target">{html.escape(example.target)}</p>'
            + "".join(_prediction(prediction) for prediction in stored.predictions)
        )
        st.button(
            "Predict it now", icon=":material/arrow_forward:", on_click=editor.load_example, args=(name,),
            help="Puts the example into the page and lets the models predict.",
        )  # fmt: skip
    st.caption("Or paste the chunks that come before, and press **Predict** (Ctrl+Enter).")


def _prediction(stored: StoredPrediction) -> str:
    edge = "snapped" if stored.snapped else "prediction"
    return (
        f"{cards.head(stored.model, stored.snapped)}"
        f'<p class="lvm-worked lvm-edge-{edge}">{html.escape(stored.text)}</p>'
        f'<p class="lvm-figures"><span>{term("to true next")} <b class="lvm-figure lvm-target">{stored.cosine:.3f}</b>'
        "</span></p>"
    )

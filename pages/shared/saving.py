"""Figures to take along: a ground of their own, so that they read anywhere, and buttons for HTML and data."""

from collections.abc import Callable

import plotly.graph_objects as go
import streamlit as st

from pages.shared import charts

GROUNDS = {True: "#14181c", False: "#fcfcfb"}
"""The page's background in dark and light: a saved picture keeps the ground that its ink was chosen for."""


def grounded(fig: go.Figure) -> go.Figure:
    """Return `fig` with the page's own colour behind it in place of nothing."""
    return fig.update_layout(paper_bgcolor=GROUNDS[charts.dark()])


def as_page(fig: go.Figure) -> bytes:
    """Return `fig` as a page that needs no network."""
    page: str = fig.to_html(include_plotlyjs=True, full_html=True, config={"displaylogo": False})
    return page.replace("<body>", f'<body style="background:{fig.layout.paper_bgcolor}">', 1).encode()


def buttons(name: str, fig: go.Figure | None, data: Callable[[], str | bytes] | None, kind: str = "csv") -> None:
    """Show the buttons that save a figure as HTML and its data; the figure's own camera saves PNG or SVG."""
    with st.container(horizontal=True):
        if fig is not None:
            st.download_button("Picture as HTML", lambda: as_page(fig), f"{name}.html", "text/html", type="tertiary",
                               icon=":material/download:", key=f"{name}_html", on_click="ignore")  # fmt: skip
        if data is not None:
            st.download_button(f"Data as {kind.upper()}", data, f"{name}.{kind}", type="tertiary",
                               icon=":material/download:", key=f"{name}_data", on_click="ignore")  # fmt: skip


def camera(saved: str, name: str) -> dict[str, object]:
    """Return the options of a figure's camera, which saves `saved`, "png" or "svg"."""
    return {"toImageButtonOptions": {"format": saved, "scale": 2, "filename": f"lvm-{name}"}}

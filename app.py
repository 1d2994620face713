"""LVM Studio: text in, vectors between, text out. `streamlit run app.py`; each page is one file in `pages/`."""

from pathlib import Path

import streamlit as st

from lvm_core.device import give_back_memory, hold_memory_together
from pages import PAGES
from pages.shared import address, first_start, state, ui

HERE = Path(__file__).resolve().parent

hold_memory_together()

# An explicit page icon, before the pages' own are known, keeps the browser from fetching one from the internet.
st.set_page_config(page_title="LVM Studio", page_icon=str(HERE / "assets/icon.svg"), layout="wide")
st.html(HERE / "assets/theme.css")
st.logo(str(HERE / "assets/logo.svg"), size="large")

page = st.navigation(
    [
        st.Page(HERE / "pages" / f"{name}.py", title=title, icon=f":material/{icon}:", default=name == "predict")
        for name, (title, icon) in PAGES.items()
    ],
    position="top",
)
st.set_page_config(page_title=f"{page.title} · LVM Studio")
address.back_leaves()
address.arrive(page.title)
with ui.errors_shown():
    first_start.begin()
with ui.errors_shown():
    page.run()
ui.job_strip()
state.warm()
give_back_memory()

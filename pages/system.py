"""System: what this studio runs on."""

import streamlit as st

from lvm_core import __version__
from pages.shared import ui

ui.page_title("System", "What this studio runs on, where it keeps things, and what else it could use")
ui.metric_row([ui.Number("LVM Studio", __version__, "", "Version of the studio")])
st.caption("")

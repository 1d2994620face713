"""Predict: text in, the next chunk out, one model beside another."""

from pages.shared import ui

ui.page_title("Predict", "Paste the last few chunks of a text and read what each model says comes next")

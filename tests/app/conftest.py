"""Pages are opened through app.py, as a browser does, on a workspace of the test's own."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from lvm_core.workspace import Workspace

APP = Path(__file__).resolve().parents[2] / "app.py"
Open = Callable[..., AppTest]


@pytest.fixture
def open_page(monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """Return a function that opens a page on a workspace; no corpus starts by itself unless `first` names one."""

    def open_(workspace: Workspace, page: str = "predict", first: str = "", **query: str) -> AppTest:
        monkeypatch.setenv("LVM_WORKSPACE", str(workspace.root))
        monkeypatch.setenv("LVM_FIRST_CORPUS", first)
        app = AppTest.from_file(str(APP), default_timeout=240)
        if page != "predict":
            app.run().switch_page(str(Path("pages") / f"{page}.py"))
        for name, value in query.items():
            app.query_params[name] = value
        return app.run()

    yield open_
    st.cache_data.clear()


def shown(app: AppTest) -> str:
    """Return all text and HTML of the page."""
    kinds = ("html", "markdown", "caption", "code", "error", "warning", "text", "success", "info")
    return "\n".join(
        str(getattr(element, "value", "") or element.proto.body) for kind in kinds for element in app.get(kind)
    )


@dataclass(frozen=True)
class Table:
    """A sortable table as the page hands it to the browser: headings, and the cells' texts by name of the row."""

    columns: list[str]
    rows: dict[str, list[str]]

    def column(self, heading: str) -> list[str]:
        return [cells[self.columns.index(heading)] for cells in self.rows.values()]


def table(app: AppTest, key: str) -> Table:
    """Return the sortable table called `key`."""
    tables = [json.loads(element.proto.json) for element in app.get("bidi_component")]
    (data,) = [one for one in tables if one.get("key") == key]
    rows = {row["name"]: [cell["text"] for cell in row["cells"]] for row in data["rows"]}
    return Table([column["heading"] for column in data["columns"]], rows)


def press(app: AppTest, label: str) -> AppTest:
    """Press the button called `label` and run the page."""
    (button,) = [b for b in app.button if b.label == label]
    return button.click().run()

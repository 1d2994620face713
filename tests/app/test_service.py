"""Predict asks a service by its address: its models and corpora, its answers, and what is said when it is away."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from lvm_core.workspace import Workspace
from pages.shared import asked
from tests.app.conftest import Open, press, shown
from tests.app.studio import free_port
from tests.app.test_browser import WIDEST, browser, opened, settled, studio  # noqa: F401 - a fixture
from tests.library.serving import served

CHUNKS = ("The moon orbits the Earth.", "Its gravity causes the tides.", "It always shows the same face.")


@pytest.fixture(scope="module")
def elsewhere(seeded_once: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give the address of a service on a workspace that has a corpus, which no page here has."""
    import shutil

    root = tmp_path_factory.mktemp("elsewhere") / "work space"
    shutil.copytree(seeded_once.root, root)
    with served(Workspace(root)) as address:
        yield address


@pytest.fixture(autouse=True)
def fresh() -> None:
    asked._offered.clear()


def test_an_empty_studio_predicts_on_the_corpus_of_the_service(
    open_page: Open, workspace: Workspace, elsewhere: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LVM_SERVICE_URL", elsewhere)
    app = open_page(workspace, p_models="lstm,copy-last", p_decoder="extractive")
    assert f"Host: {elsewhere}" in shown(app).replace("\\", "").replace("\u2060", "")
    for i, chunk in enumerate(CHUNKS):
        app.text_area[i].set_value(chunk)
    press(app, "Predict")
    text = shown(app)
    assert not app.exception
    assert text.count("snapped") >= 2, "the service has a corpus to snap onto"
    assert not workspace.database.exists(), "nothing was computed or kept here"


def test_a_service_that_is_away_is_said_with_what_to_do(
    open_page: Open, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LVM_SERVICE_URL", f"http://127.0.0.1:{free_port()}")
    app = open_page(workspace)
    assert not app.exception
    assert "cannot be reached" in app.error[0].value
    assert "python -m lvm" in app.error[0].value.replace("\\", "")


def test_half_an_address_is_said_too(open_page: Open, workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LVM_SERVICE_URL", "http://")
    app = open_page(workspace)
    assert not app.exception
    assert "is no address of a service" in app.error[0].value


@pytest.mark.browser
def test_a_browser_uses_a_service_by_its_address(
    browser: Browser,  # noqa: F811
    elsewhere: str,
    tmp_path: Path,
) -> None:
    with studio(tmp_path / "work space") as address, opened(browser, f"{address}/system") as page:
        field = page.get_by_role("textbox", name="Address of a service")
        field.fill(elsewhere)
        field.press("Enter")
        host = elsewhere.removeprefix("http://")  # a word joiner after "http:" keeps Markdown from making a link of it
        expect(page.get_by_text(re.compile(f"Predict is answered by http:\u2060?//{host}"))).to_be_visible()
        page.get_by_role("link", name="Predict").first.click()
        expect(page.get_by_text(re.compile(f"Host: http:\u2060?//{host}"))).to_be_visible()
        page.get_by_text("Aristotle · test").click()
        page.wait_for_selector("[class*=st-key-card-]")
        settled(page)
        expect(page.locator(".lvm-tag-snapped").first).to_be_visible()
        page.set_viewport_size({"width": 400, "height": 900})
        page.wait_for_function(f"{WIDEST} <= 400")

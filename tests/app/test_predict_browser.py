"""The Predict page in a real browser: what only a browser shows."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.app.test_browser import WIDEST, browser, opened, settled, studio  # noqa: F401 - a fixture

pytestmark = pytest.mark.browser
QUICK = "p_models=copy-last,context-mean&p_decoder=none"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with studio(tmp_path_factory.mktemp("predict") / "work space") as running:
        yield running


def test_back_leaves_the_page_however_much_was_changed_on_it(browser: Browser, address: str) -> None:  # noqa: F811
    with opened(browser, f"{address}/system") as page:
        page.goto(f"{address}/?{QUICK}")
        for name in ("Abraham Lincoln · test", "Aristotle · test"):
            page.get_by_text(name).click()
            page.wait_for_selector("[class*=st-key-card-]")
            settled(page)
        page.go_back()
        page.wait_for_url(f"{address}/system")
        expect(page.locator(".lvm-head h1")).to_have_text("System")


def test_a_finished_prediction_leaves_no_bar_and_no_stop(browser: Browser, address: str) -> None:  # noqa: F811
    with opened(browser, f"{address}/?{QUICK}") as page:
        page.get_by_text("Aristotle · test").click()
        page.wait_for_selector("[class*=st-key-card-]")
        page.wait_for_selector(".js-plotly-plot")
        expect(page.locator(".lvm-status")).to_have_count(0)
        expect(page.get_by_role("button", name="Stop")).to_have_count(0)


def test_a_term_explains_itself_by_keyboard_too(browser: Browser, address: str) -> None:  # noqa: F811
    with opened(browser, address, width=400, scheme="dark") as page:
        term = page.get_by_role("button", name="latent vector model")
        term.focus()
        page.keyboard.press("Enter")
        expect(page.locator("#term-latent-vector-model")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator("#term-latent-vector-model")).to_be_hidden()
        page.get_by_text("Aristotle · test").click()
        page.wait_for_selector("[class*=st-key-card-]")
        settled(page)
        page.wait_for_function(f"{WIDEST} <= 400")

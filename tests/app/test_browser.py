"""A real browser against a real studio on an empty workspace: what a newcomer sees."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from lvm_core.workspace import Workspace
from pages import PAGES
from tests.app.studio import FLAGS, ROOT, end, free_port, serve
from tests.find_browser import find_browser

SLOW_MS = 180_000
expect.set_options(timeout=SLOW_MS)
CHUNKS = [
    "The moon is the only natural satellite of the Earth.",
    "It orbits at an average distance of 384,400 kilometres.",
    "The moon always shows the same face to the Earth.",
    "Its gravity causes the tides of the oceans.",
    "In 1969 people walked on the moon for the first time.",
]

WIDEST = "Math.max(document.documentElement.scrollWidth, document.querySelector('[data-testid=stMain]').scrollWidth)"
BRIGHTNESS = (
    "getComputedStyle(document.querySelector('.stApp')).backgroundColor"
    r".match(/\d+/g).slice(0, 3).reduce((sum, part) => sum + Number(part), 0)"
)

pytestmark = pytest.mark.browser


@contextmanager
def studio(workspace: Path, first: str = "") -> Iterator[str]:
    """Give the address of a studio on a free port."""
    port = free_port()
    process = serve(workspace, port, first)
    try:
        yield f"http://localhost:{port}"
    finally:
        end(process)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        yield (chromium := playwright.chromium.launch(executable_path=find_browser(), args=FLAGS))
        chromium.close()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with studio(tmp_path_factory.mktemp("browser") / "work space") as running:
        yield running


@contextmanager
def opened(browser: Browser, address: str, width: int = 1440, scheme: str = "light") -> Iterator[Page]:
    """Give a page that fails the test when it asks another machine, or when its script fails."""
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    page.set_default_timeout(SLOW_MS)
    elsewhere: list[str] = []

    def note(url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("data", "blob", "about") and parts.hostname not in ("localhost", "127.0.0.1"):
            elsewhere.append(url)

    page.on("request", lambda request: note(request.url))
    page.on("websocket", lambda channel: note(channel.url))
    page.goto(address)
    page.wait_for_selector(".lvm-head, [data-testid=stException]")
    yield page
    assert page.locator("[data-testid=stException]").count() == 0
    assert elsewhere == []
    context.close()


def settled(page: Page) -> None:
    """Wait until the page's script has run to its end."""
    page.wait_for_function("!document.querySelector('[data-testid=stStatusWidget]')")
    page.wait_for_timeout(300)


def test_five_pasted_chunks_give_a_prediction(browser: Browser, address: str) -> None:
    with opened(browser, address) as page:
        boxes = page.locator("[class*=st-key-context_box_] textarea")
        for i, chunk in enumerate(CHUNKS):
            boxes.nth(i).fill(chunk)
        boxes.nth(4).press("Control+Enter")
        page.wait_for_selector("[class*=st-key-card-]")
        cards = page.locator("[class*=st-key-card-]")
        expect(cards).to_have_count(3)  # each comes when its text is ready
        settled(page)
        expect(cards.last).to_contain_text("passthrough", ignore_case=True)
        page.reload()
        page.wait_for_selector("[class*=st-key-card-]")
        for i, chunk in enumerate(CHUNKS):
            expect(boxes.nth(i)).to_have_value(chunk)


def test_an_example_is_one_click_away(browser: Browser, address: str) -> None:
    with opened(browser, f"{address}/?p_decoder=none") as page:
        page.get_by_text("Abraham Lincoln · test").click()
        page.wait_for_selector("[class*=st-key-card-]")
        expect(page.locator("[class*=st-key-said-target]")).to_contain_text("Elected to the United States House")
        expect(page.locator("[data-testid=stPlotlyChart]")).to_have_count(1)


@pytest.mark.parametrize("name", [name for name in PAGES if (ROOT / "pages" / f"{name}.py").exists()])
def test_every_page_fits_and_asks_nobody_else(browser: Browser, address: str, name: str) -> None:
    with opened(browser, f"{address}/{'' if name == 'predict' else name}") as page:
        settled(page)
        expect(page).to_have_title(f"{PAGES[name][0]} · LVM Studio")
        page.wait_for_function(f"{WIDEST} <= 1440 && {BRIGHTNESS} > 600")
        page.set_viewport_size({"width": 400, "height": 900})
        page.emulate_media(color_scheme="dark")
        page.wait_for_timeout(500)
        settled(page)
        page.wait_for_function(f"{WIDEST} <= 400 && {BRIGHTNESS} < 150")


def test_going_round_all_pages_keeps_what_was_typed(browser: Browser, address: str) -> None:
    with opened(browser, address) as page:
        first = page.locator("[class*=st-key-context_box_] textarea").first
        first.fill(CHUNKS[0])
        page.get_by_role("radio", name="off").or_(page.get_by_role("button", name="off")).first.click()
        settled(page)
        links = page.locator("[data-testid=stTopNavLink]")
        for i in [*range(1, links.count()), 0]:
            links.nth(i).click()
            title = links.nth(i).inner_text().split("\n")[-1]
            page.wait_for_function("t => document.querySelector('.lvm-head h1')?.textContent === t", arg=title)
            settled(page)
            assert page.locator("[data-testid=stException]").count() == 0, title
        expect(first).to_have_value(CHUNKS[0])


FIRST_TARGET = """() => {
    const chart = document.querySelector('.js-plotly-plot'), layout = chart._fullLayout;
    const trace = chart._fullData.find(one => one.name.startsWith('true next'));
    const box = chart.getBoundingClientRect();
    return [box.left + layout._size.l + layout.xaxis.d2p(trace.x[0]), box.top + layout._size.t
        + layout.yaxis.d2p(trace.y[0])];
}"""


def test_points_of_the_map_are_read_by_a_click_and_by_a_lasso(browser: Browser, seeded: Workspace) -> None:
    asked = "vectors?models=copy-last&corpus_points=20&snap=0&lines=0"
    with studio(seeded.root) as address, opened(browser, f"{address}/{asked}") as page:
        page.wait_for_selector(".js-plotly-plot .gl-canvas")
        settled(page)
        x, y = page.evaluate(FIRST_TARGET)
        page.mouse.move(x, y)
        page.mouse.click(x, y)
        expect(page.get_by_text("1 window chosen")).to_be_visible()
        page.locator("[data-title='Lasso Select']").first.click()
        page.mouse.move(x - 90, y - 90)
        page.mouse.down()
        for to in ((90, -90), (90, 90), (-90, 90), (-90, -90)):
            page.mouse.move(x + to[0], y + to[1], steps=6)
        page.mouse.up()
        expect(page.get_by_text("windows chosen")).to_be_visible()


def test_a_link_to_a_page_opens_it_first_thing(browser: Browser, tmp_path: Path) -> None:
    with studio(tmp_path / "work space") as address, opened(browser, f"{address}/system") as page:
        expect(page.locator(".lvm-head h1")).to_have_text("System")
        expect(page.get_by_text("Predict").first).to_be_attached()


def test_a_first_start_reads_the_embedded_corpus_by_itself(browser: Browser, tmp_path: Path) -> None:
    with studio(tmp_path / "work space", first="enwiki-sample") as address, opened(browser, address) as page:
        expect(page.locator(".lvm-strip")).to_contain_text("enwiki-sample")
        expect(page.locator("[data-testid=stMain]")).to_contain_text("still being read")
        _cancel_all(tmp_path / "work space")


def _cancel_all(root: Path) -> None:
    """End what the studio started, so that nothing runs on behind the test."""
    from lvm_core.jobs.store import JobStore
    from lvm_core.workspace import Workspace

    jobs = JobStore(Workspace(root))
    for job in reversed(jobs.list(states=("queued", "running"))):
        jobs.cancel(job.id)
    deadline = time.monotonic() + 30
    while jobs.list(states=("running",)) and time.monotonic() < deadline:
        time.sleep(0.2)


def test_the_board_is_sorted_and_its_rows_chosen_by_the_keyboard(browser: Browser, address: str) -> None:
    with opened(browser, f"{address}/leaderboard") as page:
        head = page.locator("thead th", has_text="R@1").first
        expect(head).to_have_attribute("aria-sort", "none")
        head.get_by_role("button").focus()
        page.keyboard.press("Enter")
        expect(head).to_have_attribute("aria-sort", "descending")
        place = head.evaluate("cell => cell.cellIndex")
        shares = [
            float(text.rstrip(" %")) for text in page.locator(f"tbody td:nth-child({place + 1})").all_inner_texts()
        ]
        assert shares == sorted(shares, reverse=True)
        page.keyboard.press("Enter")
        expect(head).to_have_attribute("aria-sort", "ascending")
        expect(head.get_by_role("button")).to_be_focused()
        page.get_by_role("checkbox", name="mlp-100", exact=True).focus()
        page.keyboard.press("Space")
        expect(page.get_by_role("tab", name="By article")).to_be_visible()
        expect(page.get_by_role("checkbox", name="mlp-100", exact=True)).to_be_checked()
        expect(head).to_have_attribute("aria-sort", "ascending")
        assert "models=mlp-100" in page.url


def test_back_leaves_a_page_and_coming_back_finds_it(browser: Browser, seeded: Workspace) -> None:
    with studio(seeded.root) as address, opened(browser, f"{address}/system") as page:
        page.get_by_role("link", name="Corpus").first.click()
        chunk = page.get_by_label("to chunk")
        expect(chunk).to_have_value("5")
        for last in ("7", "9"):
            chunk.fill(last)
            chunk.press("Enter")
            page.wait_for_url(f"**to={last}*")
        page.get_by_role("link", name="System").first.click()
        expect(page.locator(".lvm-head h1")).to_have_text("System")
        page.get_by_role("link", name="Corpus").first.click()
        expect(page.get_by_label("to chunk")).to_have_value("9")
        page.go_back()
        expect(page.locator(".lvm-head h1")).to_have_text("System")
        page.go_back()
        expect(page.get_by_label("to chunk")).to_have_value("9")
        page.go_back()
        expect(page.locator(".lvm-head h1")).to_have_text("System")

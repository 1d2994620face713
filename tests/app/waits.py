"""What a newcomer waits for, in a real browser, beside what was promised.

    python -m tests.app.waits WORKSPACE [--only cold warm training]

WORKSPACE is a folder that is not there yet, for the waits of a first start, or one with an encoded corpus, for `warm`
and `training` alone. Times are the page's own, from the press of a key until the document holds what was waited for;
CPU seconds are of the studio's process. On a machine that does other work they say little: the load stands at the end.
"""

import argparse
import os
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from playwright.sync_api import Browser, Page, TimeoutError, sync_playwright

from lvm_core.checkpoint import list_models
from lvm_core.config import command_line
from lvm_core.encoders import DEFAULT_ENCODER, encoder_id
from lvm_core.jobs.store import Job, JobStore
from lvm_core.train import TrainConfig
from lvm_core.train.presets import PRESETS
from lvm_core.workspace import Workspace, read_json
from tests.app.soak import new_contexts
from tests.app.studio import FLAGS, end, free_port, serve
from tests.find_browser import find_browser

PARTS = ("cold", "warm", "training")
SLOW_MS, PATIENCE_MS = 240_000, 120_000
N_CONTEXTS = 6
FRENCH = ("La Loire est le plus long fleuve de France.", "Elle prend sa source dans le Massif central.",
          "Elle traverse les villes d'Orléans, de Tours et de Nantes.",
          "Ses rives portent de nombreux châteaux de la Renaissance.",
          "Elle se jette dans l'océan Atlantique à Saint-Nazaire.")  # fmt: skip
RULES = ("copy-last", "context-mean", "random", "passthrough")
FIVE = f"p_models=deep-mlp,linear-filter-5,{RULES[-1]}&p_snap=both"
N_CARDS = 5
BOXES = "[class*=st-key-context_box_] textarea"
PAINTED = """window.addEventListener('DOMContentLoaded', () => {
    const seek = () => {
        if (document.querySelector('.lvm-head h1') && document.querySelector('.st-key-worked-example'))
            window.painted ??= performance.now();
    };
    new MutationObserver(seek).observe(document.body, {subtree: true, childList: true});
});"""
WATCH = (Path(__file__).parent / "waits.js").read_text()
Marks = dict[str, float]


@dataclass
class Waits:
    """The table: what was waited for, what was promised, what it took, and what else there is to say."""

    rows: list[tuple[str, str, str, str]] = field(default_factory=list)

    def add(self, what: str, bar: str, took: str, more: str = "") -> None:
        self.rows.append((what, bar, took, more))
        print(f"{what:52} {bar:>9} {took:>9}  {more}", flush=True)


def seconds(ms: float | None) -> str:
    return "never" if ms is None else f"{ms / 1000:.2f} s"


@contextmanager
def running(workspace: Path, first: str = "") -> Iterator[tuple[str, psutil.Process]]:
    """Give the address and the process of a studio."""
    port = free_port()
    process = serve(workspace, port, first)
    try:
        yield f"http://localhost:{port}", psutil.Process(process.pid)
    finally:
        end(process)


@contextmanager
def opened(browser: Browser, address: str) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1440, "height": 1000})
    page = context.new_page()
    page.set_default_timeout(SLOW_MS)
    page.add_init_script(PAINTED)
    page.goto(address)
    page.wait_for_selector(BOXES)
    page.evaluate(WATCH)
    yield page
    context.close()


def settled(page: Page) -> None:
    page.wait_for_function("!document.querySelector('[data-testid=stStatusWidget]')")
    page.wait_for_timeout(500)


def fill(page: Page, chunks: Sequence[str]) -> None:
    for i, chunk in enumerate(chunks):
        page.locator(BOXES).nth(i).fill(chunk)
        page.locator(BOXES).nth(i).blur()
        settled(page)


def asked(page: Page, n_cards: int, studio: psutil.Process, until: str = "end") -> Marks:
    """Press Predict and return what came when; `cpu` are the studio's CPU milliseconds."""
    before = sum(studio.cpu_times()[:2])
    page.evaluate("n => waits.begin(n)", n_cards)
    page.locator(BOXES).last.press("Control+Enter")
    return {**_marks(page, until), "cpu": (sum(studio.cpu_times()[:2]) - before) * 1000}


def _marks(page: Page, until: str) -> Marks:
    with suppress(TimeoutError):  # what never came stands in the table as such
        page.wait_for_function("name => name in waits.marks()", arg=until, timeout=PATIENCE_MS)
    marks: Marks = page.evaluate("waits.marks()")
    return marks


# ---------------------------------------------------------------- the parts


def cold(browser: Browser, workspace: Path, waits: Waits) -> None:
    """A first start: page, first prediction and the corpus, all at once as they are on an empty workspace."""
    with running(workspace, "enwiki-sample") as (address, _):
        with opened(browser, address) as page:
            page.wait_for_function("window.painted")
            waits.add("first paint", "2.3 s", seconds(page.evaluate("window.painted")))
            page.evaluate("waits.begin(3)")
            page.get_by_text("Abraham Lincoln · test").click()
            marks = _marks(page, "end")
            waits.add("cold first prediction: first text", "5 s", seconds(marks.get("first")))
            waits.add("cold first prediction: all cards", "10 s", seconds(marks.get("finals")))
        store = JobStore(Workspace(workspace))
        while any(job.state in ("queued", "running") for job in store.list()):
            time.sleep(1)
        done = store.list()
        took = max(job.ended or 0.0 for job in done) - min(job.created for job in done)
        waits.add("corpus ready, the prediction beside it", "35 s", f"{took:.1f} s", _rates(done))


def _rates(jobs: list[Job]) -> str:
    return ", ".join(f"{job.title}: {job.message}" for job in sorted(jobs, key=lambda job: job.created))


def warm(browser: Browser, workspace: Path, waits: Waits) -> None:
    """A studio in use: five cards, a text in another language, all models at once."""
    with running(workspace) as (address, studio):
        with opened(browser, f"{address}/?{FIVE}") as page:
            contexts, found = new_contexts(workspace), []
            fill(page, next(contexts))
            asked(page, N_CARDS, studio)  # everything is loaded now
            for _ in range(N_CONTEXTS):
                fill(page, next(contexts))
                found.append(asked(page, N_CARDS, studio))
                settled(page)
            named = (
                ("near", "nearest real chunk", "1 s"),
                ("first", "first text of a card", "1.5 s"),
                ("firsts", "first text of all five cards", "1.5 s"),
                ("finals", "all five final", "6 s"),
            )
            for mark, what, bar in named:
                times = [one[mark] for one in found if mark in one]
                each = ", ".join(f"{ms / 1000:.1f}" for ms in times)
                waits.add(f"warm: {what}", bar, seconds(statistics.median(times) if times else None), f"each {each}")
            waits.add("warm: CPU of a prediction", "", seconds(statistics.median(one["cpu"] for one in found)))
        french(browser, address, studio, waits)
        many(browser, address, studio, waits, workspace)


def french(browser: Browser, address: str, studio: psutil.Process, waits: Waits) -> None:
    with opened(browser, f"{address}/?{FIVE}") as page:
        page.evaluate("waits.begin(5)")
        page.locator(BOXES).first.fill("\n".join(FRENCH))
        page.locator(BOXES).first.blur()
        waits.add("French: the line that warns", "1 s", seconds(_marks(page, "warning").get("warning")))
        settled(page)
        waits.add("French: all five final, no ladder", "", seconds(asked(page, N_CARDS, studio).get("finals")))


def many(browser: Browser, address: str, studio: psutil.Process, waits: Waits, workspace: Path) -> None:
    infos = list_models(Workspace(workspace), encoder_id(DEFAULT_ENCODER))
    models = [*(info.ref for info in infos if info.shipped), *RULES][:15]
    with opened(browser, f"{address}/?p_models={','.join(models)}&p_snap=both") as page:
        for _ in range(2):  # the first time models load
            fill(page, next(new_contexts(workspace)))
            marks = asked(page, 99, studio)
            settled(page)
        more = f"every text {seconds(marks.get('end'))}, CPU {seconds(marks['cpu'])}"
        waits.add(f"{len(models)} models, both: vectors and real chunks", "3 s", seconds(marks.get("table")), more)


def training(workspace: Path, waits: Waits) -> None:
    """The presets of the Train page on the corpus that comes along, as their jobs run them."""
    store = JobStore(Workspace(workspace))
    for name in ("fast try", "standard"):
        run = f"waits-{name.replace(' ', '-')}-{time.time():.0f}"
        settings = TrainConfig(**PRESETS[name][1])
        job = store.submit(["train", *command_line(settings), "--run", run], title=name)
        while (now := store.get(job)).state in ("queued", "running"):
            time.sleep(1)
        result = read_json(Workspace(workspace).run(run) / "result.json") if now.state == "done" else {}
        took = (now.ended or 0.0) - (now.started or 0.0)
        waits.add(f"preset '{name}' on {settings.corpus}", "> filter", f"{took:.0f} s",
                  str(result.get("verdict") or now.message))  # fmt: skip


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workspace", type=Path)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    given = parser.parse_args()
    fresh, waits = not given.workspace.exists(), Waits()
    given.workspace.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=FLAGS)
        if "cold" in given.only and fresh:
            cold(browser, given.workspace, waits)
        if "warm" in given.only:
            warm(browser, given.workspace, waits)
        browser.close()
    if "training" in given.only:
        training(given.workspace, waits)
    print("\n| wait | bar | took | |\n|---|---|---|---|")
    for row in waits.rows:
        print(f"| {' | '.join(row)} |")
    print(f"load {', '.join(f'{one:.1f}' for one in os.getloadavg())}")


if __name__ == "__main__":
    main()

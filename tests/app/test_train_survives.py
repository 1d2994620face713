"""In a real browser: trainings outlive a killed job and a killed Streamlit, and resume to the same weights."""

import contextlib
import os
import signal
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, sync_playwright
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from lvm_core.jobs import machine
from lvm_core.jobs.store import JobStore
from lvm_core.workspace import Workspace
from tests.app.studio import FLAGS, end, free_port, serve
from tests.find_browser import find_browser

EPOCHS = 30


def press_until(button: Locator, check: Callable[[], object], timeout_s: float = 120.0) -> None:
    """Press until it took: the first press may fall into a page that is still being built."""
    stop = time.monotonic() + timeout_s
    while not check():
        assert time.monotonic() < stop, "waited too long"
        if button.count():
            with contextlib.suppress(PlaywrightTimeout):
                button.first.click(timeout=5_000)
        pause = time.monotonic() + 10
        while time.monotonic() < pause and not check():
            time.sleep(0.2)


def until(check: Callable[[], object], timeout_s: float = 120.0) -> None:
    stop = time.monotonic() + timeout_s
    while not check():
        assert time.monotonic() < stop, "waited too long"
        time.sleep(0.1)


def fill(page: Page, label: str, value: str) -> None:
    """Type into a field as a person does, and wait until the command shows it."""
    field = page.get_by_label(label, exact=True).first
    field.fill(value)
    field.press("Enter")


def start_three(page: Page, url: str) -> None:
    page.goto(f"{url}/train")
    page.get_by_role("button", name="Start training").wait_for(timeout=90_000)
    fill(page, "Long jobs at once", "2")
    fill(page, "Epochs", str(EPOCHS))
    page.get_by_text(f"--epochs {EPOCHS}").first.wait_for(timeout=90_000)
    fill(page, "Patience [epochs]", "1000")
    page.get_by_text("--patience 1000").first.wait_for(timeout=90_000)
    for seed in range(3):
        if seed:
            fill(page, "Seed", str(seed))
            page.get_by_text(f"--seed {seed}").first.wait_for(timeout=90_000)
        page.get_by_role("button", name="Start training").click()
        page.locator(".lvm-state-running, .lvm-state-queued").nth(seed).wait_for(timeout=90_000)


def shoot(page: Page, name: str, folder: Path) -> None:
    page.screenshot(path=Path(os.environ.get("LVM_SCREENSHOTS", folder)) / f"{name}.png", full_page=True)


@pytest.mark.browser
def test_killed_trainings_resume_to_the_weights_of_one_that_was_never_stopped(
    seeded: Workspace, tmp_path: Path
) -> None:
    import torch
    from safetensors.torch import load_file

    from lvm_core.train import TrainConfig, train

    store, port = JobStore(seeded), free_port()
    url = f"http://localhost:{port}"
    server = serve(seeded.root, port)
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=find_browser(), args=FLAGS)
            page = browser.new_page(viewport={"width": 1440, "height": 1200})
            page.set_default_timeout(120_000)
            start_three(page, url)
            shoot(page, "1-started", tmp_path)

            first, second = (job for job in store.list(("running",)))
            metrics = seeded.run_metrics(first.run or "")
            until(lambda: metrics.exists() and metrics.read_text().count('"flag"') >= 3)
            os.kill(store.get(first.id).pid or 0, signal.SIGKILL)
            os.kill(server.pid, signal.SIGKILL)
            server.wait()
            assert not seeded.run_result(first.run or "").exists()
            until(lambda: machine.born(store.get(first.id).pid or 0) is None)

            server = serve(seeded.root, port)
            page.goto(f"{url}/train")
            page.locator(".lvm-state-interrupted").first.wait_for(timeout=60_000)
            assert store.get(second.id).state in ("running", "done")
            assert store.get(second.id).attempt == 1
            shoot(page, "2-interrupted", tmp_path)
            resume = page.locator(f"[class*='st-key-resume:{first.id}'], [class*='st-key-resume-{first.id}']")
            press_until(resume.get_by_role("button"), lambda: store.get(first.id).attempt == 2)
            until(lambda: all(job.state == "done" for job in store.list() if job.kind == "train"))
            page.reload()
            page.get_by_text("Validation cosine").first.wait_for(timeout=60_000)
            page.locator(".lvm-state-done").nth(2).wait_for(timeout=60_000)
            shoot(page, "3-resumed", tmp_path)
            browser.close()
    finally:
        end(server)
        for job in store.list(("queued", "running")):
            store.cancel(job.id)

    train(seeded, TrainConfig(epochs=EPOCHS, patience=1000), run="never-stopped")
    resumed, straight = seeded.run(first.run or ""), seeded.run("never-stopped")
    same(load_file(resumed / "model.safetensors"), load_file(straight / "model.safetensors"))
    ends = [torch.load(run / "train_state.pt", weights_only=True) for run in (resumed, straight)]
    same(*(end["model"] for end in ends))
    assert ends[0]["position"]["epoch"] == ends[1]["position"]["epoch"] == EPOCHS
    assert any(bool((t != 0).any()) for name, t in ends[0]["model"].items() if name.startswith("head"))


def same(one: Mapping[str, Any], other: Mapping[str, Any]) -> None:
    """Every tensor is equal, bit for bit."""
    assert one.keys() == other.keys()
    assert [name for name in one if not bool((one[name] == other[name]).all())] == []

"""Prints the Chromium that browser tests drive; installs one where there is none and it can.

Order: LVM_BROWSER, a Chromium or Chrome on the PATH, Playwright's own, Debian's package (as root), then
Playwright's download.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
APPLICATIONS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)


def find_browser() -> str | None:
    """Return the path of a browser that is there, or None."""
    for candidate in (os.environ.get("LVM_BROWSER"), *map(shutil.which, NAMES), *APPLICATIONS):
        if candidate and Path(candidate).exists():
            return candidate
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
    return own if Path(own).exists() else None


def install_browser() -> None:
    """Try Debian's package, then Playwright's download; output goes to stderr."""
    if shutil.which("apt-get") and os.geteuid() == 0:
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update", "-q"], stdout=sys.stderr, env=environment, check=False)
        subprocess.run(["apt-get", "install", "-y", "-q", "chromium"], stdout=sys.stderr, env=environment, check=False)
    if find_browser() is None:
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], stdout=sys.stderr, check=False)


def main() -> int:
    """Print the browser's path; exit 2 with advice where there is none."""
    if find_browser() is None:
        install_browser()
    browser = find_browser()
    if browser is None:
        print(
            "No Chromium was found and none could be installed. Install Chromium or Chrome,"
            " or set LVM_BROWSER to its path, then run make test again.",
            file=sys.stderr,
        )
        return 2
    print(f"browser: {browser}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
